//! Balances and positions.

use bitmart_types::{ContractSymbol, Decimal, futures};

/// The balance of one currency on one market, in units of that currency.
///
/// Comes from the balance streams and from the wallet and asset queries of REST.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Balance {
    /// Available for trading or transfer.
    pub available: Decimal,
    /// Reserved, for example by open orders; `None` if the exchange does not send it.
    pub frozen: Option<Decimal>,
    /// Margin of open positions; futures only.
    pub position_deposit: Option<Decimal>,
}

impl Balance {
    /// Creates a balance with this available amount. The other fields are `None`.
    pub fn new(available: Decimal) -> Self {
        Self { available, frozen: None, position_deposit: None }
    }

    /// The balance after everything was spent.
    pub(crate) fn emptied(&self) -> Self {
        let zero = |amount: Option<Decimal>| amount.map(|_| Decimal::ZERO);
        let (frozen, position_deposit) = (zero(self.frozen), zero(self.position_deposit));
        Self { available: Decimal::ZERO, frozen, position_deposit }
    }
}

/// The side of a position, unified for both position modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[allow(clippy::exhaustive_enums, reason = "there are only two sides")]
pub enum PositionSide {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

impl PositionSide {
    /// Returns the opposite side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }
}

/// Identifies a position of the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[allow(clippy::exhaustive_structs, reason = "a key")]
pub struct PositionKey {
    /// The contract.
    pub symbol: ContractSymbol,
    /// The side. In one-way mode a contract has at most one position.
    pub side: PositionSide,
}

impl PositionKey {
    /// Returns the key of the opposite side of the same contract.
    pub(crate) fn opposite(&self) -> Self {
        Self { symbol: self.symbol.clone(), side: self.side.opposite() }
    }
}

/// An open position.
///
/// Comes from the position stream and from the position query of REST.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Position {
    /// Size in contracts, never negative.
    pub size: Decimal,
    /// Average entry price in the quote currency; `None` if the exchange does not send it.
    pub entry_price: Option<Decimal>,
    /// Liquidation price in the quote currency; `None` if there is none, or the exchange does not send
    /// it.
    pub liquidation_price: Option<Decimal>,
    /// One-way or hedge mode; `None` if it is not known.
    pub position_mode: Option<futures::PositionMode>,
}

impl Position {
    /// Creates a position of this size; 0 means closed. The other fields are `None`.
    pub fn new(size: Decimal) -> Self {
        Self { size, entry_price: None, liquidation_price: None, position_mode: None }
    }
}
