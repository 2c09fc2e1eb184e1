//! Futures positions.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{
    futures_order::{FuturesSide, MarginType},
    ledger::{BalanceId, Ledger},
};

/// The side of a position. `Short` is listed first: positions are processed in this order, and journals rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum PositionSide {
    /// Gains when the price falls.
    Short,
    /// Gains when the price rises.
    Long,
}

impl PositionSide {
    /// Both sides, in the order in which the exchange lists positions.
    pub const BOTH: [Self; 2] = [Self::Long, Self::Short];

    /// Whether the position gains when the price rises.
    pub fn is_long(self) -> bool {
        self == Self::Long
    }

    /// Returns the side of the orders that close such a position.
    pub(crate) fn closing_order_side(self) -> FuturesSide {
        match self {
            Self::Long => FuturesSide::CloseLong,
            Self::Short => FuturesSide::CloseShort,
        }
    }
}

/// Journals and snapshots store whether the position is long.
impl From<bool> for PositionSide {
    fn from(is_long: bool) -> Self {
        if is_long { Self::Long } else { Self::Short }
    }
}

impl From<PositionSide> for bool {
    fn from(side: PositionSide) -> Self {
        side.is_long()
    }
}

/// The long or the short position of an account in a contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Size in contracts; zero without a position.
    pub size: Decimal,
    /// Value of the open contracts at entry, in the quote currency.
    pub cost: Decimal,
    /// The balance of its margin, once it had one.
    pub(crate) margin: Option<BalanceId>,
    /// Contracts reserved for open orders that close the position.
    pub closing: Decimal,
    /// Contracts closed since it was opened.
    pub closed: Decimal,
    /// Value of the closed contracts at the close, in the quote currency.
    pub closed_value: Decimal,
    /// Realized profit of the closed contracts, in the quote currency and before fees; negative for a loss.
    #[serde(alias = "realised")]
    pub realized: Decimal,
    /// Fees of all fills since it was opened, in the quote currency.
    pub fees: Decimal,
    /// Leverage of the order that opened it.
    pub leverage: u32,
    /// Whether it has margin of its own, or shares that of all cross positions.
    #[serde(rename = "isolated")]
    pub margin_type: MarginType,
    /// When it was opened, in milliseconds since 1970.
    pub opened_ms: u64,
    /// When it was last filled, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl Position {
    /// Whether it holds any contract.
    pub fn is_open(&self) -> bool {
        !self.size.is_zero()
    }

    /// Starts a new position. Reservations for orders stay.
    pub(crate) fn begin(&mut self, leverage: u32, margin_type: MarginType, now_ms: u64) {
        let (closing, margin) = (self.closing, self.margin);
        *self =
            Self { leverage, margin_type, closing, margin, opened_ms: now_ms, ..Self::default() };
    }

    /// Returns its margin.
    pub fn margin(&self, ledger: &Ledger) -> Decimal {
        self.margin.map_or(Decimal::ZERO, |balance| ledger.amount(balance))
    }

    /// Closes contracts. Returns their share of the cost and of the margin.
    pub(crate) fn reduce(&mut self, size: Decimal, margin: Decimal) -> (Decimal, Decimal) {
        let closes_all = size >= self.size;
        let part = |amount: Decimal| {
            if closes_all { amount } else { round_share_down(amount * size / self.size) }
        };
        let (cost, margin) = (part(self.cost), part(margin));
        self.size -= size;
        self.closed += size;
        self.cost -= cost;
        (cost, margin)
    }

    /// Returns the average price of the closed contracts; zero without any.
    pub fn average_close_price(&self, contract_size: Decimal) -> Decimal {
        self.closed_value.checked_div(self.closed * contract_size).unwrap_or_default()
    }

    /// Returns the average entry price; zero without a position.
    pub fn entry_price(&self, contract_size: Decimal) -> Decimal {
        self.cost.checked_div(self.size * contract_size).unwrap_or_default()
    }
}

/// Rounds a share of money down to 12 decimals, so that sums stay exact.
pub fn round_share_down(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(12, RoundingStrategy::ToZero)
}
