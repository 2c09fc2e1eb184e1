//! Rows of futures orders, trigger orders and fills, of REST and of the stream.

use crate::wire::{enums, futures::settings::position_mode_name, render::plain};
use bitmart_sim::{
    Exchange, FuturesAction,
    futures::FuturesMarket,
    futures_order::{FuturesFill, FuturesOrder},
    trigger::{
        Condition, Plan, PlanKind, Preset, PresetPrice, PriceType, Trail, Trigger, TriggerState,
        placed_by,
    },
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// An open or finished order.
pub(crate) fn order_row(order: &FuturesOrder, market: &FuturesMarket) -> Value {
    let request = &order.request;
    json!({
        "order_id": order.id.0.to_string(),
        "client_order_id": request.client_order_id.as_deref().unwrap_or_default(),
        "price": request.price.map_or("0".to_owned(), plain),
        "size": plain(request.size),
        "symbol": request.symbol.as_str(),
        "state": if order.open { 2 } else { 4 },
        "side": enums::futures_side(request.side),
        "type": enums::futures_type(order),
        "position_mode": position_mode_name(order.one_way),
        "account": "futures",
        "leverage": request.leverage.to_string(),
        "open_type": enums::margin_type(request.margin_type),
        "deal_avg_price": plain(order.truncated_average_price(market.rules.price_decimals)),
        "deal_size": plain(order.filled),
        "create_time": order.created_ms,
        "update_time": order.updated_ms,
    })
}

/// An order on the WebSocket channel, with the fill that caused the push, if any.
pub(crate) fn pushed_order(
    order: &FuturesOrder,
    action: FuturesAction,
    fill: Option<&FuturesFill>,
    market: &FuturesMarket,
) -> Value {
    let request = &order.request;
    let last_trade = fill.map(|fill| {
        json!({
            "lastTradeID": fill.trade,
            "fillQty": plain(fill.size),
            "fillPrice": plain(fill.price),
            // A paid fee is negative here.
            "fee": plain(-fill.fee),
            "feeCcy": market.rules.quote.as_str(),
        })
    });
    json!([{
        "action": enums::action(action),
        "order": {
            "order_id": order.id.0.to_string(),
            "client_order_id": request.client_order_id.as_deref().unwrap_or_default(),
            "price": request.price.map_or("0".to_owned(), plain),
            "size": plain(request.size),
            "symbol": request.symbol.as_str(),
            "state": if order.open { 2 } else { 4 },
            "side": enums::futures_side(request.side),
            // Liquidation orders have no separate type here. Their action identifies them.
            "type": if request.price.is_some() { "limit" } else { "market" },
            "leverage": request.leverage.to_string(),
            "open_type": enums::margin_type(request.margin_type),
            "deal_avg_price": plain(order.truncated_average_price(market.rules.price_decimals)),
            "deal_size": plain(order.filled),
            "create_time": order.created_ms,
            "update_time": order.updated_ms,
            "plan_order_id": placed_by(request.client_order_id.as_ref()).unwrap_or_default(),
            "last_trade": last_trade,
            "trigger_price": "-",
            "trigger_price_type": "-",
            "execution_price": "-",
            "activation_price_type": "-",
            "activation_price": "-",
            "callback_rate": "-",
            "position_mode": if order.one_way { "one_way_mode" } else { "hedge_mode" },
        },
    }])
}

/// A fill. On the WebSocket channel it is the last trade of its order instead.
pub(crate) fn fill_row(fill: &FuturesFill) -> Value {
    json!({
        "order_id": fill.order.0.to_string(),
        "trade_id": fill.trade.to_string(),
        "symbol": fill.symbol.as_str(),
        "side": enums::futures_side(fill.side),
        "price": plain(fill.price),
        "vol": plain(fill.size),
        "exec_type": if fill.maker { "Maker" } else { "Taker" },
        "profit": fill.realized > Decimal::ZERO,
        "realised_profit": plain(fill.realized),
        "paid_fees": plain(fill.fee),
        "account": "futures",
        "create_time": fill.time_ms,
    })
}

/// The preset fields: 0 and an empty string without a preset.
pub(crate) fn preset_fields(preset: Preset) -> Value {
    let price_type =
        |leg: Option<PresetPrice>| leg.map_or(0, |leg| enums::price_type(leg.price_type));
    let price = |leg: Option<PresetPrice>| leg.map_or(String::new(), |leg| plain(leg.price));
    json!({
        "preset_take_profit_price_type": price_type(preset.take_profit),
        "preset_stop_loss_price_type": price_type(preset.stop_loss),
        "preset_take_profit_price": price(preset.take_profit),
        "preset_stop_loss_price": price(preset.stop_loss),
    })
}

/// A waiting plan order, take-profit or stop-loss.
pub(crate) fn plan_row(plan: &Trigger<Plan>, exchange: &Exchange) -> Value {
    let (order, terms) = (&plan.terms.order, &plan.terms);
    let (trigger, direction, price_type) = match &plan.condition {
        Condition::Reach { price, direction, price_type } => (*price, *direction, *price_type),
        Condition::Trail(trail) => (trail.activation, trail.direction, trail.price_type),
    };
    let mut row = json!({
        "order_id": plan.id.0.to_string(),
        "client_order_id": plan.client_order_id.as_deref().unwrap_or_default(),
        "executive_price": order.price.map_or("0".to_owned(), plain),
        "trigger_price": plain(trigger),
        "size": plain(exchange.plan_size(plan)),
        "symbol": order.symbol.as_str(),
        "state": 2,
        "side": enums::futures_side(order.side),
        "mode": enums::mode(order.mode),
        "position_mode": position_mode_name(exchange.is_one_way(plan.account)),
        "price_way": enums::price_way(direction),
        "price_type": enums::price_type(price_type),
        "plan_category": if terms.whole_position { 2 } else { 1 },
        "type": match terms.kind {
            PlanKind::Plan | PlanKind::Trailing => "plan",
            PlanKind::TakeProfit => "take_profit",
            PlanKind::StopLoss => "stop_loss",
        },
        "leverage": order.leverage.to_string(),
        "open_type": enums::margin_type(order.margin_type),
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
    });
    extend(&mut row, preset_fields(terms.preset));
    row
}

/// A trigger in a list of orders: open ones are trailing orders, finished ones of any kind.
pub(crate) fn trigger_row(plan: &Trigger<Plan>, exchange: &Exchange) -> Value {
    let order = &plan.terms.order;
    let price = order.price.map_or("0".to_owned(), plain);
    let trailing = plan.terms.kind == PlanKind::Trailing;
    let mut row = json!({
        "order_id": plan.id.0.to_string(),
        "client_order_id": plan.client_order_id.as_deref().unwrap_or_default(),
        "price": price,
        "size": plain(exchange.plan_size(plan)),
        "symbol": order.symbol.as_str(),
        "state": if plan.is_waiting() { 2 } else { 4 },
        "side": enums::futures_side(order.side),
        "type": if trailing { "trailing" } else { "planorder" },
        "position_mode": position_mode_name(exchange.is_one_way(plan.account)),
        "account": "futures",
        "leverage": order.leverage.to_string(),
        "open_type": enums::margin_type(order.margin_type),
        "deal_avg_price": "0",
        "deal_size": "0",
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
    });
    extend(&mut row, trail_fields(&plan.condition));
    extend(&mut row, preset_fields(plan.terms.preset));
    row
}

/// A trigger order on the WebSocket channel.
pub(crate) fn pushed_plan(
    exchange: &Exchange,
    plan: &Trigger<Plan>,
    action: FuturesAction,
) -> Value {
    let order = &plan.terms.order;
    let price = order.price.map_or("0".to_owned(), plain);
    let mut row = json!({
        "order_id": plan.id.0.to_string(),
        "client_order_id": plan.client_order_id.as_deref().unwrap_or_default(),
        "price": price,
        "size": plain(exchange.plan_size(plan)),
        "symbol": order.symbol.as_str(),
        "state": if plan.is_waiting() { 2 } else { 4 },
        "side": enums::futures_side(order.side),
        "type": kind_name(plan.terms.kind),
        "leverage": order.leverage.to_string(),
        "open_type": enums::margin_type(order.margin_type),
        "deal_avg_price": "0",
        "deal_size": "0",
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
        "plan_order_id": "",
        "last_trade": null,
        "position_mode": if exchange.is_one_way(plan.account) { "one_way_mode" } else { "hedge_mode" },
    });
    if let Some(row) = row.as_object_mut() {
        let terms = condition(&plan.condition, &price);
        row.extend(terms.map(|(name, value)| (name.to_owned(), value.into())));
    }
    json!([{ "action": enums::action(action), "order": row }])
}

/// Additional fields of a finished trigger: its prices, and the order that it placed.
pub(crate) fn ended_fields(plan: &Trigger<Plan>) -> Value {
    let trigger = match &plan.condition {
        Condition::Reach { price, .. } => plain(*price),
        Condition::Trail(_) => "0".to_owned(),
    };
    let placed = match plan.state {
        TriggerState::Placed(id) => id.0.to_string(),
        _ => String::new(),
    };
    json!({
        "trigger_price": trigger,
        "execution_price": plan.terms.order.price.map_or("Market".to_owned(), plain),
        "executive_order_id": placed,
    })
}

/// The fields of trailing orders; 0 for other kinds.
fn trail_fields(condition: &Condition) -> Value {
    match condition {
        Condition::Trail(trail) => json!({
            "activation_price_type": enums::price_type(trail.price_type),
            "activation_price": plain(trail.activation),
            "callback_rate": plain(trail.callback_rate),
        }),
        Condition::Reach { .. } => no_trail(),
    }
}

pub(crate) fn no_trail() -> Value {
    json!({ "activation_price_type": 0, "activation_price": "0", "callback_rate": "0" })
}

pub(crate) fn extend(row: &mut Value, more: Value) {
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
}

/// The condition on the WebSocket channel, where absent values are "-".
fn condition(condition: &Condition, price: &str) -> [(&'static str, String); 6] {
    let none = || "-".to_owned();
    let (trigger, execution, trail) = match condition {
        Condition::Reach { price: trigger, price_type, .. } => {
            (Some((trigger, *price_type)), price.into(), None)
        }
        Condition::Trail(Trail { activation, callback_rate, price_type, .. }) => {
            (None, none(), Some((activation, *price_type, callback_rate)))
        }
    };
    [
        ("trigger_price", trigger.map_or_else(none, |(price, _)| plain(*price))),
        (
            "trigger_price_type",
            trigger.map_or_else(none, |(_, price_type)| price_type_name(price_type)),
        ),
        ("execution_price", execution),
        ("activation_price", trail.map_or_else(none, |(price, _, _)| plain(*price))),
        (
            "activation_price_type",
            trail.map_or_else(none, |(_, price_type, _)| price_type_name(price_type)),
        ),
        ("callback_rate", trail.map_or_else(none, |(_, _, rate)| plain(*rate))),
    ]
}

fn kind_name(kind: PlanKind) -> &'static str {
    match kind {
        PlanKind::Plan => "plan_order",
        PlanKind::TakeProfit => "take_profit",
        PlanKind::StopLoss => "stop_loss",
        PlanKind::Trailing => "trailing_order",
    }
}

fn price_type_name(price_type: PriceType) -> String {
    match price_type {
        PriceType::Last => "last_price",
        PriceType::Mark => "fair_price",
    }
    .to_owned()
}
