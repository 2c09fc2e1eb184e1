//! A futures position: size, cost and margin of one direction of one contract.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Place};

/// One direction of one contract. `cost` is what the open contracts were worth at entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Contracts; zero when there is no position.
    pub size: Decimal,
    /// Value of the open contracts at entry, in the quote currency.
    pub cost: Decimal,
    /// Where its margin is, once it had one.
    pub(crate) margin: Option<Place>,
    /// Contracts promised to open closing orders.
    pub closing: Decimal,
    /// Contracts closed since it was opened.
    pub closed: Decimal,
    /// What the closed contracts were worth when they were closed.
    pub closed_value: Decimal,
    /// Profit of the closed contracts, in the quote currency and before fees; below zero for a loss.
    pub realised: Decimal,
    /// Fees of all its fills.
    pub fees: Decimal,
    /// That of the order which opened it; 1 at least.
    pub leverage: u32,
    /// Isolated margin, or else cross.
    pub isolated: bool,
    /// Milliseconds since 1970.
    pub opened_ms: u64,
    /// When it was last filled, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl Position {
    /// Whether it holds any contract.
    pub fn is_open(&self) -> bool {
        !self.size.is_zero()
    }

    /// Begins anew; contracts are promised to orders from one position to the next.
    pub(crate) fn begin(&mut self, leverage: u32, isolated: bool, now_ms: u64) {
        let (closing, margin) = (self.closing, self.margin);
        *self = Self { leverage, isolated, closing, margin, opened_ms: now_ms, ..Self::default() };
    }

    /// What it holds as margin.
    pub fn margin(&self, ledger: &Ledger) -> Decimal {
        self.margin.map_or(Decimal::ZERO, |place| ledger.amount(place))
    }

    /// Takes `size` contracts out and returns their share of the cost, and of the margin that it holds.
    pub(crate) fn reduce(&mut self, size: Decimal, margin: Decimal) -> (Decimal, Decimal) {
        let all = size >= self.size;
        let part = |amount: Decimal| {
            if all { amount } else { share(amount * size / self.size) }
        };
        let (cost, margin) = (part(self.cost), part(margin));
        self.size -= size;
        self.closed += size;
        self.cost -= cost;
        (cost, margin)
    }

    /// Average price at which contracts were closed; zero before that.
    pub fn close_price(&self, contract_size: Decimal) -> Decimal {
        self.closed_value.checked_div(self.closed * contract_size).unwrap_or_default()
    }

    /// Average entry price per base unit; zero when flat.
    pub fn entry_price(&self, contract_size: Decimal) -> Decimal {
        self.cost.checked_div(self.size * contract_size).unwrap_or_default()
    }
}

/// A share of money, cut to 12 decimals so that sums stay exact.
pub fn share(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(12, RoundingStrategy::ToZero)
}
