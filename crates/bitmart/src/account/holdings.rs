//! Balances and positions, whichever way they were told.

use bitmart_types::{ContractSymbol, Currency, Decimal, PositionMode, PositionSide, PositionType};

use super::Market;

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

/// A balance of one currency in a report.
pub(super) type BalanceReport = (Market, Currency, Balance);

pub(super) fn spot_event(balance: bitmart_ws::event::SpotBalance) -> BalanceReport {
    let (available, frozen) = (balance.available, Some(balance.frozen));
    (Market::Spot, balance.currency, Balance { available, frozen, position_margin: None })
}

pub(super) fn spot_row(balance: bitmart_rest::account::SpotBalance) -> BalanceReport {
    let (available, frozen) = (balance.available, balance.frozen);
    (Market::Spot, balance.currency, Balance { available, frozen, position_margin: None })
}

pub(super) fn futures_event(asset: bitmart_ws::event::FuturesAsset) -> BalanceReport {
    let (available, frozen) = (asset.available, Some(asset.frozen));
    let position_margin = Some(asset.position_deposit);
    (Market::Futures, asset.currency, Balance { available, frozen, position_margin })
}

pub(super) fn futures_row(asset: bitmart_rest::futures::FuturesAsset) -> BalanceReport {
    let (available, frozen) = (asset.available, asset.frozen);
    let position_margin = asset.position_deposit;
    (Market::Futures, asset.currency, Balance { available, frozen, position_margin })
}

/// `None` for a direction that this version does not know.
pub(super) fn position_event(
    position: bitmart_ws::event::FuturesPosition,
) -> Option<(PositionKey, Position)> {
    let direction = match position.position_type {
        PositionType::Long => Direction::Long,
        PositionType::Short => Direction::Short,
        _ => return None,
    };
    let one_way = match position.position_mode {
        PositionMode::OneWay => Some(true),
        PositionMode::Hedge => Some(false),
        _ => None,
    };
    let key = PositionKey { contract: position.symbol, direction };
    let position = Position {
        size: position.size,
        average_price: Some(position.average_price).filter(|price| !price.is_zero()),
        liquidation_price: position.liquidation_price,
        one_way,
    };
    Some((key, position))
}

/// In one-way mode the sign of the size tells the direction. `None` where it is not told.
pub(super) fn position_row(
    position: bitmart_rest::futures::Position,
) -> Option<(PositionKey, Position)> {
    let (direction, one_way) = match position.position_side? {
        PositionSide::Long => (Direction::Long, false),
        PositionSide::Short => (Direction::Short, false),
        PositionSide::Both if position.signed_size?.is_sign_negative() => (Direction::Short, true),
        PositionSide::Both => (Direction::Long, true),
        _ => return None,
    };
    let key = PositionKey { contract: position.symbol, direction };
    let position = Position {
        size: position.size,
        average_price: position.entry_price.filter(|price| !price.is_zero()),
        liquidation_price: position.liquidation_price,
        one_way: Some(one_way),
    };
    Some((key, position))
}
