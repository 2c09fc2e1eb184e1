//! Balances and positions, whichever way they were told.

use bitmart_types::{ContractSymbol, Decimal};

/// The balance of one currency on one market, in that currency.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balance {
    /// Free to trade or to move.
    pub available: Decimal,
    /// Held by open orders and the like; `None`: not told.
    pub frozen: Option<Decimal>,
    /// Margin of open positions; futures only.
    pub position_margin: Option<Decimal>,
}

/// Which way a position gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Direction {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }
}

/// What tells a position from every other of the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_structs, reason = "a key")]
pub struct PositionKey {
    /// The contract.
    pub contract: ContractSymbol,
    /// The direction. In one-way mode a contract has one of the two at most.
    pub direction: Direction,
}

/// An open position.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Position {
    /// Size in contracts, never negative.
    pub size: Decimal,
    /// Average price of what is held, in the quote currency; `None` where none was told.
    pub average_price: Option<Decimal>,
    /// Price at which it is liquidated; `None` where none was told.
    pub liquidation_price: Option<Decimal>,
    /// Whether the account is in one-way mode, where it was told.
    pub one_way: Option<bool>,
}
