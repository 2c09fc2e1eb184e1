//! Terms of margin accounts: the limits of loans, and the direction of a transfer.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::SpotRules;

// Rule: A loan is at least 0.001 of the base or 10 of the quote; at most 100 of the base or 1,000,000 of the quote
// are owed. Source: documented (one of two samples, endpoint margin_pairs, the other has a minimum of 1 and of
// 0.01, a maximum of 1,000 and of 12,000); simplified (the same for every pair)
/// How much of a currency a margin account may borrow, in units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanLimits {
    /// The smallest amount of a loan.
    pub smallest_loan: Decimal,
    /// The largest principal that may be owed, all loans together.
    pub largest_principal: Decimal,
}

impl LoanLimits {
    /// The limits of the base currency of a pair.
    pub const BASE: Self = Self {
        smallest_loan: Decimal::from_parts(1, 0, 0, false, 3),
        largest_principal: Decimal::ONE_HUNDRED,
    };
    /// The limits of the quote currency of a pair.
    pub const QUOTE: Self = Self {
        smallest_loan: Decimal::TEN,
        largest_principal: Decimal::from_parts(1_000_000, 0, 0, false, 0),
    };

    /// Returns the limits of one of the two currencies of a pair.
    pub fn of(rules: &SpotRules, currency: &str) -> Self {
        if rules.base == currency { Self::BASE } else { Self::QUOTE }
    }
}

/// Whether money moves into the margin account of a pair or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum MarginTransfer {
    /// From the spot wallet into the margin account.
    In,
    /// From the margin account into the spot wallet.
    Out,
}

/// Journals store whether the money moves into the margin account.
impl From<bool> for MarginTransfer {
    fn from(is_in: bool) -> Self {
        if is_in { Self::In } else { Self::Out }
    }
}

impl From<MarginTransfer> for bool {
    fn from(direction: MarginTransfer) -> Self {
        direction == MarginTransfer::In
    }
}
