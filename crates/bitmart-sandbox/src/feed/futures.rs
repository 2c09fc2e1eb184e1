//! The private channels of futures: which events they push, and what.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    exchange::{
        AccountId, Event, Exchange, FuturesAction,
        futures::FuturesMarket,
        futures_order::{FuturesFill, FuturesOrder},
        trigger::{Condition, Kind, Plan, PriceType, Trail, Trigger, placed_by},
    },
    generated::channels::FuturesPrivate as Id,
    wire::decimal::plain,
};

/// Account and symbol or currency of an event, if a channel pushes it.
pub(super) fn subject(channel: Id, event: &Event) -> Option<(AccountId, SmolStr)> {
    match (channel, event) {
        (Id::UserOrders, Event::FuturesOrder { order, .. }) => {
            Some((order.account, order.request.symbol.clone()))
        }
        (Id::UserOrders, Event::FuturesPlan { plan, .. }) => {
            Some((plan.account, plan.terms.order.symbol.clone()))
        }
        (Id::UserAssets, Event::FuturesAsset { account, currency }) => {
            Some((*account, currency.clone()))
        }
        (Id::UserPositions, Event::FuturesPosition { account, symbol, .. }) => {
            Some((*account, symbol.clone()))
        }
        (Id::UserOrders | Id::UserAssets | Id::UserPositions, _) => None,
    }
}

/// What is pushed of an event.
pub(super) fn value(exchange: &Exchange, event: &Event) -> Option<Value> {
    match event {
        Event::FuturesOrder { order, action, fill } => {
            let market = exchange.futures.get(&order.request.symbol)?;
            Some(order_row(order, *action, fill.as_deref(), market))
        }
        Event::FuturesPlan { plan, action } => Some(plan_row(exchange, plan, *action)),
        Event::FuturesAsset { account, currency } => asset_row(exchange, *account, currency),
        Event::FuturesPosition { account, symbol, long } => {
            let row = position_row(exchange, *account, symbol, *long)?;
            Some(vec![row].into())
        }
        _ => None,
    }
}

/// Beats after which a channel is pushed without an event: positions every 10 s.
pub(super) fn repeats_after(channel: Id) -> Option<u64> {
    match channel {
        Id::UserPositions => Some(100),
        Id::UserOrders | Id::UserAssets => None,
    }
}

/// What is pushed of an account without an event: all its open positions in one frame.
pub(super) fn repeated(channel: Id, exchange: &Exchange, account: AccountId) -> Option<Value> {
    match channel {
        Id::UserPositions => {
            let positions = exchange.accounts.get(&account)?.positions.iter();
            let open = positions.filter(|(_, position)| !position.size.is_zero());
            let rows: Vec<Value> = open
                .filter_map(|((symbol, long), _)| position_row(exchange, account, symbol, *long))
                .collect();
            Some(rows).filter(|rows| !rows.is_empty()).map(Value::from)
        }
        Id::UserOrders | Id::UserAssets => None,
    }
}

fn order_row(
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
            // Money paid is negative here.
            "fee": plain(-fill.fee),
            "feeCcy": market.rules.quote.as_str(),
        })
    });
    json!([{
        "action": action as u8,
        "order": {
            "order_id": order.id.0.to_string(),
            "client_order_id": request.client_id.as_deref().unwrap_or_default(),
            "price": request.price.map_or("0".to_owned(), plain),
            "size": plain(request.size),
            "symbol": request.symbol.as_str(),
            "state": if order.open { 2 } else { 4 },
            "side": request.side as u8,
            // Forced orders have no type here: their action distinguishes them.
            "type": if request.price.is_some() { "limit" } else { "market" },
            "leverage": request.leverage.to_string(),
            "open_type": if request.isolated { "isolated" } else { "cross" },
            "deal_avg_price": plain(order.told_average(market.rules.price_decimals)),
            "deal_size": plain(order.filled),
            "create_time": order.created_ms,
            "update_time": order.updated_ms,
            "plan_order_id": placed_by(request.client_id.as_ref()).unwrap_or_default(),
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

fn asset_row(exchange: &Exchange, account: AccountId, currency: &SmolStr) -> Option<Value> {
    exchange.accounts.get(&account)?;
    let money = exchange.collateral(account, currency);
    Some(json!({
        "currency": currency.as_str(),
        "available_balance": plain(money.available()),
        "position_deposit": plain(money.margin()),
        "frozen_balance": plain(money.frozen),
    }))
}

fn position_row(
    exchange: &Exchange,
    account: AccountId,
    symbol: &SmolStr,
    long: bool,
) -> Option<Value> {
    let owner = exchange.accounts.get(&account)?;
    let position = owner.position(symbol, long)?;
    let rules = &exchange.futures.get(symbol)?.rules;
    let price = |price: Decimal| plain(price.round_dp(rules.price_decimals));
    let entry = price(position.entry_price(rules.contract_size));
    let liquidation = exchange.liquidation_price(account, symbol, long);
    let liquidation = liquidation.filter(|_| position.is_open()).unwrap_or_default();
    Some(json!({
        "symbol": symbol.as_str(),
        "hold_volume": plain(position.size),
        "position_type": if long { 1 } else { 2 },
        "open_type": if position.isolated { 1 } else { 2 },
        "frozen_volume": plain(position.closing),
        "close_volume": plain(position.closed),
        "hold_avg_price": entry.clone(),
        "close_avg_price": price(position.close_price(rules.contract_size)),
        "open_avg_price": entry,
        "liquidate_price": price(liquidation),
        "create_time": position.opened_ms,
        "update_time": position.updated_ms,
        "position_mode": if owner.one_way { "one_way_mode" } else { "hedge_mode" },
    }))
}

/// An order that waits for a price.
fn plan_row(exchange: &Exchange, plan: &Trigger<Plan>, action: FuturesAction) -> Value {
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
        "type": kind_name(plan.terms.kind),
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
        ("trigger_price_type", trigger.map_or_else(none, |(_, by)| price_type_name(by))),
        ("execution_price", execution),
        ("activation_price", trail.map_or_else(none, |(price, _, _)| plain(*price))),
        ("activation_price_type", trail.map_or_else(none, |(_, by, _)| price_type_name(by))),
        ("callback_rate", trail.map_or_else(none, |(_, _, rate)| plain(*rate))),
    ]
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "plan_order",
        Kind::TakeProfit => "take_profit",
        Kind::StopLoss => "stop_loss",
        Kind::Trailing => "trailing_order",
    }
}

fn price_type_name(by: PriceType) -> String {
    match by {
        PriceType::Last => "last_price",
        PriceType::Fair => "fair_price",
    }
    .to_owned()
}
