//! Rows of spot orders and fills. REST has separate rows, the stream has both in one.

use crate::wire::{enums, render::fixed};
use bitmart_sim::{
    OrderId, SpotMarket, SpotRules,
    book::{SelfTradePrevention, Side},
    spot_order::{NewSpotOrder, SpotFill, SpotOrder, SpotOrderState, SpotOrderType},
};
use serde_json::{Value, json};

/// The client order id of an order. Captures and samples show that an order without one has its own id for it.
pub(crate) fn client_order_id(request: &NewSpotOrder, id: OrderId) -> String {
    request.client_order_id.as_ref().map_or_else(|| id.0.to_string(), ToString::to_string)
}

pub(crate) fn order_row(order: &SpotOrder, rules: &SpotRules) -> Value {
    let request = &order.request;
    let notional = match request.kind {
        SpotOrderType::Market => request.notional,
        _ => request.price * request.size,
    };
    json!({
        "orderId": order.id.0.to_string(),
        "clientOrderId": client_order_id(request, order.id),
        "symbol": request.symbol.as_str(),
        "side": enums::side(request.side),
        "orderMode": enums::order_mode(request),
        "type": enums::order_type(request.kind),
        "state": enums::state(order.state),
        "cancelSource": order.cancel_source.map_or("", enums::cancel_source),
        "stpMode": stp_mode_name(request.self_trade_prevention),
        "price": fixed(request.price, rules.price_decimals),
        "priceAvg": fixed(order.average_price(), rules.price_decimals),
        "size": fixed(request.size, rules.size_decimals),
        "filledSize": fixed(order.filled_size, rules.size_decimals),
        "notional": fixed(notional, 8),
        "filledNotional": fixed(order.filled_notional, 8),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
    })
}

/// An order on the WebSocket channel, with the fill that caused the push, if any. Every value is a string.
pub(crate) fn pushed_order(
    order: &SpotOrder,
    fill: Option<&SpotFill>,
    market: &SpotMarket,
) -> Value {
    let (request, rules) = (&order.request, &market.rules);
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (entrust_type, order_type) = match request.kind {
        SpotOrderType::Limit | SpotOrderType::Market => ("NORMAL", "0"),
        SpotOrderType::LimitMaker => ("LIMIT_MAKER", "1"),
        SpotOrderType::ImmediateOrCancel => ("IOC", "3"),
    };
    let legacy_state = match order.state {
        SpotOrderState::New => "4",
        SpotOrderState::PartiallyFilled => "5",
        SpotOrderState::Filled => "6",
        SpotOrderState::Canceled => "8",
        SpotOrderState::PartiallyCanceled => "12",
    };
    let market_buy = request.kind == SpotOrderType::Market && request.side == Side::Buy;
    json!({
        "symbol": request.symbol.as_str(),
        "order_id": order.id.0.to_string(),
        "client_order_id": client_order_id(request, order.id),
        "side": enums::side(request.side),
        "type": if request.kind == SpotOrderType::Market { "market" } else { "limit" },
        "price": price(request.price),
        "size": size(request.size),
        "notional": if market_buy { fixed(request.notional, 8) } else { String::new() },
        "filled_size": size(order.filled_size),
        "filled_notional": fixed(order.filled_notional, 8),
        "order_state": enums::state(order.state),
        "state": legacy_state,
        "entrust_type": entrust_type,
        "order_type": order_type,
        "order_mode": enums::order_mode(request),
        "margin_trading": if request.margin { "1" } else { "0" },
        "last_fill_price": fill.map_or("0".to_owned(), |fill| price(fill.price)),
        "last_fill_count": fill.map_or("0".to_owned(), |fill| size(fill.size)),
        "last_fill_time": fill.map_or("0".to_owned(), |fill| fill.time_ms.to_string()),
        "exec_type": fill.map_or("", |fill| if fill.maker { "M" } else { "T" }),
        "detail_id": fill.map_or(String::new(), |fill| fill.trade.to_string()),
        "dealFee": fill.map_or("0".to_owned(), |fill| fixed(fill.fee, 8)),
        "deal_fee_coin_name": if fill.is_some() { rules.quote.as_str() } else { "" },
        "create_time": order.created_ms.to_string(),
        "update_time": order.updated_ms.to_string(),
        "ms_t": order.created_ms.to_string(),
    })
}

pub(crate) fn fill_row(fill: &SpotFill, rules: &SpotRules) -> Value {
    let request = &fill.request;
    json!({
        "tradeId": fill.trade.to_string(),
        "orderId": fill.order.0.to_string(),
        "clientOrderId": client_order_id(request, fill.order),
        "symbol": rules.symbol.as_str(),
        "side": enums::side(request.side),
        "orderMode": enums::order_mode(request),
        "type": enums::order_type(request.kind),
        "stpMode": stp_mode_name(request.self_trade_prevention),
        "price": fixed(fill.price, rules.price_decimals),
        "size": fixed(fill.size, rules.size_decimals),
        "notional": fixed(fill.price * fill.size, 8),
        "fee": fixed(fill.fee, 8),
        "feeCoinName": rules.quote.as_str(),
        "tradeRole": if fill.maker { "maker" } else { "taker" },
        "createTime": fill.time_ms,
        "updateTime": fill.time_ms,
    })
}

fn stp_mode_name(self_trade_prevention: Option<SelfTradePrevention>) -> &'static str {
    match self_trade_prevention {
        None => "",
        Some(SelfTradePrevention::Off) => "none",
        Some(SelfTradePrevention::CancelMaker) => "cancel_maker",
        Some(SelfTradePrevention::CancelTaker) => "cancel_taker",
        Some(SelfTradePrevention::CancelBoth) => "cancel_both",
    }
}
