//! Conversion of stream and REST models into the types of this crate.

use bitmart_types::futures::{self, PositionMode};
use bitmart_types::{ClientOrderId, ContractSymbol, Currency, Decimal, OrderId, Side};

use crate::order::nonzero;
use crate::{
    Balance, Fill, Instrument, MalformedItem, Order, OrderProgress, Position, PositionKey,
    PositionSide,
};

/// Fails if a required field is missing or not known. No default is assumed: the order is fetched from
/// REST.
pub(crate) fn spot_order_event(
    update: bitmart_ws::spot::OrderUpdate,
) -> Result<Order, MalformedItem> {
    let missing =
        |field| MalformedItem::missing_field(format_args!("order {}", update.order_id), field);
    let filled = update.filled_size.ok_or_else(|| missing("filled_size"))?;
    let progress = update.state.and_then(|state| {
        OrderProgress::from_spot(&state, update.order_type.as_ref(), &update.side, filled)
    });
    Ok(Order {
        progress: progress.ok_or_else(|| missing("order_state"))?,
        client_order_id: chosen_client_id(update.client_order_id, &update.order_id),
        order_id: update.order_id,
        instrument: Instrument::Pair(update.symbol),
        side: update.side,
        price: nonzero(update.price),
        size: nonzero(update.size),
        notional: nonzero(update.notional),
        filled_size: filled,
        filled_notional: update.filled_notional,
        create_time: update.create_time,
        update_time: update.update_time,
    })
}

impl TryFrom<bitmart_rest::spot::Order> for Order {
    type Error = MalformedItem;

    /// Fails if the filled size is missing, or the state is not known.
    fn try_from(order: bitmart_rest::spot::Order) -> Result<Self, MalformedItem> {
        let missing =
            |field| MalformedItem::missing_field(format_args!("order {}", order.order_id), field);
        let filled = order.filled_size.ok_or_else(|| missing("filledSize"))?;
        let progress =
            OrderProgress::from_spot(&order.state, order.order_type.as_ref(), &order.side, filled);
        Ok(Self {
            progress: progress.ok_or_else(|| unknown_state(&order.order_id))?,
            client_order_id: chosen_client_id(order.client_order_id, &order.order_id),
            order_id: order.order_id,
            instrument: Instrument::Pair(order.symbol),
            side: order.side,
            price: nonzero(order.price),
            size: nonzero(order.size),
            notional: nonzero(order.notional),
            filled_size: filled,
            filled_notional: order.filled_notional,
            create_time: order.create_time,
            update_time: order.update_time,
        })
    }
}

/// The client order id, if one was chosen. A spot order without one has its own id in its place.
fn chosen_client_id(
    client_order_id: Option<ClientOrderId>,
    order_id: &OrderId,
) -> Option<ClientOrderId> {
    client_order_id.filter(|id| id.as_str() != order_id.as_str())
}

fn unknown_state(id: &OrderId) -> MalformedItem {
    MalformedItem::missing_field(format_args!("order {id}"), "state")
}

/// Fails if a required field is missing or not known. No default is assumed: the order is fetched from
/// REST.
pub(crate) fn futures_order_event(
    order: bitmart_ws::futures::Order,
) -> Result<Order, MalformedItem> {
    let missing =
        |field| MalformedItem::missing_field(format_args!("order {}", order.order_id), field);
    let size = order.size.ok_or_else(|| missing("size"))?;
    let filled = order.filled_size.ok_or_else(|| missing("deal_size"))?;
    let progress =
        order.state.as_ref().and_then(|state| OrderProgress::from_futures(state, size, filled));
    Ok(Order {
        progress: progress.ok_or_else(|| missing("state"))?,
        order_id: order.order_id,
        client_order_id: order.client_order_id,
        instrument: Instrument::Contract(order.symbol),
        side: order_side(&order.side),
        price: nonzero(order.price),
        size: nonzero(Some(size)),
        notional: None,
        filled_size: filled,
        filled_notional: None,
        create_time: order.create_time,
        update_time: order.update_time,
    })
}

impl TryFrom<bitmart_rest::futures::Order> for Order {
    type Error = MalformedItem;

    /// Fails if a size is missing, or the state is not known.
    fn try_from(order: bitmart_rest::futures::Order) -> Result<Self, MalformedItem> {
        let missing =
            |field| MalformedItem::missing_field(format_args!("order {}", order.order_id), field);
        let size = order.size.ok_or_else(|| missing("size"))?;
        let filled = order.filled_size.ok_or_else(|| missing("deal_size"))?;
        let progress = OrderProgress::from_futures(&order.state, size, filled);
        Ok(Self {
            progress: progress.ok_or_else(|| unknown_state(&order.order_id))?,
            order_id: order.order_id,
            client_order_id: order.client_order_id,
            instrument: Instrument::Contract(order.symbol),
            side: order_side(&order.side),
            price: nonzero(order.price),
            size: nonzero(Some(size)),
            notional: None,
            filled_size: filled,
            filled_notional: None,
            create_time: order.create_time,
            update_time: order.update_time,
        })
    }
}

/// Maps opening and closing to buying and selling. An unknown number stays unknown.
fn order_side(side: &futures::Side) -> Side {
    match side.is_buy() {
        Some(true) => Side::Buy,
        Some(false) => Side::Sell,
        None => Side::from(side.as_str()),
    }
}

impl Fill {
    /// The fee of a futures event is a change of the balance, so one that was paid is negative.
    pub(crate) fn from_futures_event(
        instrument: Instrument,
        order_id: OrderId,
        fill: bitmart_ws::event::Fill,
    ) -> Self {
        let fill = Self::from_event(instrument, order_id, fill);
        Self { fee: fill.fee.map(|fee| -fee), ..fill }
    }

    pub(crate) fn from_event(
        instrument: Instrument,
        order_id: OrderId,
        fill: bitmart_ws::event::Fill,
    ) -> Self {
        Self {
            trade_id: fill.trade_id,
            order_id,
            instrument,
            price: fill.price,
            size: fill.size,
            fee: fill.fee,
            fee_currency: fill.fee_currency,
            trade_role: fill.trade_role,
            timestamp: fill.timestamp,
        }
    }
}

impl From<bitmart_rest::spot::Fill> for Fill {
    fn from(fill: bitmart_rest::spot::Fill) -> Self {
        Self {
            trade_id: fill.trade_id,
            order_id: fill.order_id,
            instrument: Instrument::Pair(fill.symbol),
            price: fill.price,
            size: fill.size,
            fee: fill.fee,
            fee_currency: fill.fee_currency,
            trade_role: fill.trade_role,
            timestamp: fill.timestamp,
        }
    }
}

impl From<bitmart_rest::futures::Fill> for Fill {
    fn from(fill: bitmart_rest::futures::Fill) -> Self {
        Self {
            trade_id: fill.trade_id,
            order_id: fill.order_id,
            instrument: Instrument::Contract(fill.symbol),
            price: fill.price,
            size: fill.size,
            fee: fill.fee,
            fee_currency: None,
            trade_role: fill.trade_role,
            timestamp: fill.timestamp,
        }
    }
}

/// Fails if the amount is missing. It does not default to 0: the balance is fetched from REST.
pub(crate) fn spot_balance_event(
    balance: bitmart_ws::spot::Balance,
) -> Result<(Currency, Balance), MalformedItem> {
    let missing =
        || MalformedItem::missing_field(format_args!("balance of {}", balance.currency), "av_bal");
    let (available, frozen) = (balance.available.ok_or_else(missing)?, balance.frozen);
    Ok((balance.currency, Balance { available, frozen, position_deposit: None }))
}

/// Fails if the amount is missing: it does not default to 0.
pub(crate) fn spot_balance_row(
    balance: bitmart_rest::account::SpotBalance,
) -> Result<(Currency, Balance), MalformedItem> {
    let missing = || {
        MalformedItem::missing_field(format_args!("balance of {}", balance.currency), "available")
    };
    let (available, frozen) = (balance.available.ok_or_else(missing)?, balance.frozen);
    Ok((balance.currency, Balance { available, frozen, position_deposit: None }))
}

/// Fails if the amount is missing. It does not default to 0: the balance is fetched from REST.
pub(crate) fn futures_balance_event(
    balance: bitmart_ws::futures::Balance,
) -> Result<(Currency, Balance), MalformedItem> {
    let missing = || {
        MalformedItem::missing_field(
            format_args!("balance of {}", balance.currency),
            "available_balance",
        )
    };
    let (available, frozen) = (balance.available.ok_or_else(missing)?, balance.frozen);
    let position_deposit = balance.position_deposit;
    Ok((balance.currency, Balance { available, frozen, position_deposit }))
}

/// Fails if the amount is missing: it does not default to 0.
pub(crate) fn futures_balance_row(
    balance: bitmart_rest::futures::Balance,
) -> Result<(Currency, Balance), MalformedItem> {
    let missing = || {
        MalformedItem::missing_field(
            format_args!("balance of {}", balance.currency),
            "available_balance",
        )
    };
    let (available, frozen) = (balance.available.ok_or_else(missing)?, balance.frozen);
    let position_deposit = balance.position_deposit;
    Ok((balance.currency, Balance { available, frozen, position_deposit }))
}

/// The change that a message about a position reports.
pub(crate) enum PositionEvent {
    Position(PositionKey, Position),
    /// A contract has no position, on a side that the message does not contain.
    Flat(FlatContract),
}

/// A contract without a position. In one-way mode it has none on either side.
#[derive(Debug)]
pub(crate) struct FlatContract {
    pub(crate) symbol: ContractSymbol,
    pub(crate) position_mode: Option<PositionMode>,
}

/// Fails if the side is not known, unless the position is flat. In hedge mode the side of a flat one matters.
pub(crate) fn position_event(
    position: bitmart_ws::futures::Position,
) -> Result<PositionEvent, MalformedItem> {
    let position_mode =
        position.position_mode.filter(|mode| !matches!(mode, PositionMode::Unknown(_)));
    let symbol = position.symbol;
    let side = match position.position_side {
        Some(futures::PositionSide::Long) => PositionSide::Long,
        Some(futures::PositionSide::Short) => PositionSide::Short,
        _ if position.size.is_zero() && position_mode != Some(PositionMode::Hedge) => {
            return Ok(PositionEvent::Flat(FlatContract { symbol, position_mode }));
        }
        _ => return Err(unknown_position_side(&symbol)),
    };
    let key = PositionKey { symbol, side };
    let position = Position {
        size: position.size,
        entry_price: nonzero(position.entry_price),
        liquidation_price: reachable_price(position.liquidation_price),
        position_mode,
    };
    Ok(PositionEvent::Position(key, position))
}

/// The side of a message about a position is missing or not known.
pub(crate) fn unknown_position_side(symbol: &ContractSymbol) -> MalformedItem {
    MalformedItem::missing_field(format_args!("position of {symbol}"), "position_type")
}

/// In one-way mode the side is the sign of the size. Fails if the side is missing, or if it is not certain whether the
/// position is open.
pub(crate) fn position_row(
    position: bitmart_rest::futures::Position,
) -> Result<(PositionKey, Position), MalformedItem> {
    let missing = |field| {
        MalformedItem::missing_field(format_args!("position of {}", position.symbol), field)
    };
    let lacks_signed_size = position.signed_size.is_some_and(|size| size.is_zero());
    if is_open(&position) && (lacks_signed_size || position.size.is_zero()) {
        return Err(missing("position_amount"));
    }
    let (side, mode) = match (position.position_side, position.signed_size) {
        (Some(futures::PositionSide::Long), _) => (PositionSide::Long, PositionMode::Hedge),
        (Some(futures::PositionSide::Short), _) => (PositionSide::Short, PositionMode::Hedge),
        (Some(futures::PositionSide::Both), Some(size)) if size.is_sign_negative() => {
            (PositionSide::Short, PositionMode::OneWay)
        }
        (Some(futures::PositionSide::Both), Some(_)) => (PositionSide::Long, PositionMode::OneWay),
        (Some(futures::PositionSide::Both), None) => return Err(missing("position_amount")),
        (None | Some(_), _) => return Err(missing("position_side")),
    };
    let key = PositionKey { symbol: position.symbol, side };
    let position = Position {
        size: position.size,
        entry_price: nonzero(position.entry_price),
        liquidation_price: reachable_price(position.liquidation_price),
        position_mode: Some(mode),
    };
    Ok((key, position))
}

/// Whether a row says that a position is open. The flat rows of the documentation have a signed size of 5 beside a size
/// of 0, so that a signed size alone says nothing.
pub(crate) fn is_open(position: &bitmart_rest::futures::Position) -> bool {
    let is_set = |value: Option<Decimal>| value.is_some_and(|value| !value.is_zero());
    let has_price = is_set(position.entry_price) || is_set(position.position_value);
    !position.size.is_zero() || is_set(position.signed_size) && has_price
}

/// A liquidation price that the market can reach. The exchange sends 0 or less where there is none.
fn reachable_price(price: Option<Decimal>) -> Option<Decimal> {
    price.filter(|price| *price > Decimal::ZERO)
}

#[cfg(test)]
mod tests;
