//! Orders that wait for a price, as the `futures/order` channel tells of them.

use serde_json::{Value, json};

use crate::{
    exchange::{
        Exchange, FuturesAction,
        trigger::{Condition, Kind, Plan, PriceType, Trail, Trigger},
    },
    wire::plain,
};

pub(super) fn futures_plan(
    exchange: &Exchange,
    plan: &Trigger<Plan>,
    action: FuturesAction,
) -> Value {
    let order = &plan.terms.order;
    let price = order.price.map_or("0".to_owned(), plain);
    let mut row = json!({
        "order_id": plan.id.0.to_string(),
        "client_order_id": plan.client_id.as_deref().unwrap_or_default(),
        "price": price,
        "size": plain(exchange.plan_size(plan)),
        "symbol": order.symbol.as_str(),
        "state": if plan.is_waiting() { 2 } else { 4 },
        "side": order.side as u8,
        "type": kind_word(plan.terms.kind),
        "leverage": order.leverage.to_string(),
        "open_type": if order.isolated { "isolated" } else { "cross" },
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
    json!([{ "action": action as u8, "order": row }])
}

/// What it waits for; "-" is none here.
fn condition(condition: &Condition, price: &str) -> [(&'static str, String); 6] {
    let none = || "-".to_owned();
    let (trigger, execution, trail) = match condition {
        Condition::Reach { price: trigger, by, .. } => (Some((trigger, *by)), price.into(), None),
        Condition::Trail(Trail { activation, callback_rate, by, .. }) => {
            (None, none(), Some((activation, *by, callback_rate)))
        }
    };
    [
        ("trigger_price", trigger.map_or_else(none, |(price, _)| plain(*price))),
        ("trigger_price_type", trigger.map_or_else(none, |(_, by)| price_word(by))),
        ("execution_price", execution),
        ("activation_price", trail.map_or_else(none, |(price, _, _)| plain(*price))),
        ("activation_price_type", trail.map_or_else(none, |(_, by, _)| price_word(by))),
        ("callback_rate", trail.map_or_else(none, |(_, _, rate)| plain(*rate))),
    ]
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "plan_order",
        Kind::TakeProfit => "take_profit",
        Kind::StopLoss => "stop_loss",
        Kind::Trailing => "trailing_order",
    }
}

fn price_word(by: PriceType) -> String {
    match by {
        PriceType::Last => "last_price",
        PriceType::Fair => "fair_price",
    }
    .to_owned()
}
