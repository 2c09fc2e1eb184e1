//! What streams and REST tell, in the words of this crate. Everything that depends on the shape of
//! their models is here.

use bitmart_types::{Currency, OrderId, Side, futures};

use crate::order::some_price;
use crate::{Balance, Direction, Fill, Instrument, Order, Position, PositionKey, Progress, Unread};

/// An error where the event lacks what an account depends on. Nothing is put in its place: REST tells.
pub(crate) fn spot_order_event(
    update: bitmart_ws::event::SpotOrderUpdate,
) -> Result<Order, Unread> {
    let lacking = |member| Unread::lacking(format_args!("order {}", update.order_id), member);
    let filled = update.filled_size.ok_or_else(|| lacking("filled_size"))?;
    let state = update.state.ok_or_else(|| lacking("order_state"))?;
    Ok(Order {
        progress: Progress::of_spot(&state, update.order_type.as_ref(), &update.side, filled),
        order_id: update.order_id,
        client_order_id: update.client_order_id,
        instrument: Instrument::Pair(update.symbol),
        is_buy: is_buy(&update.side),
        price: some_price(update.price),
        size: some_price(update.size),
        notional: some_price(update.notional),
        filled_size: filled,
        create_time: update.create_time,
        update_time: update.update_time,
    })
}

impl From<bitmart_rest::spot::Order> for Order {
    fn from(order: bitmart_rest::spot::Order) -> Self {
        let filled = order.filled_size;
        Self {
            progress: Progress::of_spot(
                &order.state,
                order.order_type.as_ref(),
                &order.side,
                filled,
            ),
            order_id: order.order_id,
            client_order_id: order.client_order_id,
            instrument: Instrument::Pair(order.symbol),
            is_buy: is_buy(&order.side),
            price: some_price(order.price),
            size: some_price(order.size),
            notional: some_price(order.notional),
            filled_size: filled,
            create_time: order.create_time,
            update_time: order.update_time,
        }
    }
}

/// An error where the event lacks what an account depends on. Nothing is put in its place: REST tells.
pub(crate) fn futures_order_event(order: bitmart_ws::event::FuturesOrder) -> Result<Order, Unread> {
    let lacking = |member| Unread::lacking(format_args!("order {}", order.order_id), member);
    let size = order.size.ok_or_else(|| lacking("size"))?;
    let filled = order.filled_size.ok_or_else(|| lacking("deal_size"))?;
    Ok(Order {
        progress: Progress::of_futures(&order.state, size, filled),
        order_id: order.order_id,
        client_order_id: order.client_order_id,
        instrument: Instrument::Contract(order.symbol),
        is_buy: order.side.is_buy(),
        price: some_price(order.price),
        size: some_price(Some(size)),
        notional: None,
        filled_size: filled,
        create_time: order.create_time,
        update_time: order.update_time,
    })
}

impl From<bitmart_rest::futures::Order> for Order {
    fn from(order: bitmart_rest::futures::Order) -> Self {
        let filled = order.filled_size;
        Self {
            progress: Progress::of_futures(&order.state, order.size, filled),
            order_id: order.order_id,
            client_order_id: order.client_order_id,
            instrument: Instrument::Contract(order.symbol),
            is_buy: order.side.is_buy(),
            price: some_price(order.price),
            size: some_price(Some(order.size)),
            notional: None,
            filled_size: filled,
            create_time: order.create_time,
            update_time: order.update_time,
        }
    }
}

fn is_buy(side: &Side) -> Option<bool> {
    match side {
        Side::Buy => Some(true),
        Side::Sell => Some(false),
        _ => None,
    }
}

impl Fill {
    /// The fill that an event of an order carries.
    pub(crate) fn of(
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
            role: fill.role,
            time: fill.time,
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
            role: fill.trade_role,
            time: fill.create_time,
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
            role: fill.trade_role,
            time: fill.create_time,
        }
    }
}

/// An error where an amount was not told: it is not 0, REST tells.
pub(crate) fn spot_event(
    balance: bitmart_ws::event::SpotBalance,
) -> Result<(Currency, Balance), Unread> {
    let lacking = || Unread::lacking(format_args!("balance of {}", balance.currency), "av_bal");
    let (available, frozen) = (balance.available.ok_or_else(lacking)?, balance.frozen);
    Ok((balance.currency, Balance { available, frozen, position_margin: None }))
}

pub(crate) fn spot_row(balance: bitmart_rest::account::SpotBalance) -> (Currency, Balance) {
    let (available, frozen) = (balance.available, balance.frozen);
    (balance.currency, Balance { available, frozen, position_margin: None })
}

/// An error where an amount was not told: it is not 0, REST tells.
pub(crate) fn futures_event(
    asset: bitmart_ws::event::FuturesAsset,
) -> Result<(Currency, Balance), Unread> {
    let lacking =
        || Unread::lacking(format_args!("balance of {}", asset.currency), "available_balance");
    let (available, frozen) = (asset.available.ok_or_else(lacking)?, asset.frozen);
    let position_margin = asset.position_deposit;
    Ok((asset.currency, Balance { available, frozen, position_margin }))
}

pub(crate) fn futures_row(asset: bitmart_rest::futures::Asset) -> (Currency, Balance) {
    let (available, frozen) = (asset.available, asset.frozen);
    let position_margin = asset.position_deposit;
    (asset.currency, Balance { available, frozen, position_margin })
}

/// An error for a direction that this version does not know.
pub(crate) fn position_event(
    position: bitmart_ws::event::FuturesPosition,
) -> Result<(PositionKey, Position), Unread> {
    let direction = match position.position_type {
        futures::PositionType::Long => Direction::Long,
        futures::PositionType::Short => Direction::Short,
        _ => {
            let what = format_args!("position of {}", position.symbol);
            return Err(Unread::lacking(what, "position_type"));
        }
    };
    let one_way = match position.position_mode {
        Some(futures::PositionMode::OneWay) => Some(true),
        Some(futures::PositionMode::Hedge) => Some(false),
        _ => None,
    };
    let key = PositionKey { contract: position.symbol, direction };
    let position = Position {
        size: position.size,
        average_price: position.average_price.filter(|price| !price.is_zero()),
        liquidation_price: position.liquidation_price,
        one_way,
    };
    Ok((key, position))
}

/// In one-way mode the sign of the size tells the direction. An error where it is not told.
pub(crate) fn position_row(
    position: bitmart_rest::futures::Position,
) -> Result<(PositionKey, Position), Unread> {
    let lacking = |member| Unread::lacking(format_args!("position of {}", position.symbol), member);
    let (direction, one_way) = match (position.position_side, position.signed_size) {
        (Some(futures::PositionSide::Long), _) => (Direction::Long, false),
        (Some(futures::PositionSide::Short), _) => (Direction::Short, false),
        (Some(futures::PositionSide::Both), Some(size)) if size.is_sign_negative() => {
            (Direction::Short, true)
        }
        (Some(futures::PositionSide::Both), Some(_)) => (Direction::Long, true),
        (Some(futures::PositionSide::Both), None) => return Err(lacking("position_amount")),
        (None | Some(_), _) => return Err(lacking("position_side")),
    };
    let key = PositionKey { contract: position.symbol, direction };
    let position = Position {
        size: position.size,
        average_price: position.entry_price.filter(|price| !price.is_zero()),
        liquidation_price: position.liquidation_price,
        one_way: Some(one_way),
    };
    Ok((key, position))
}
