//! Payloads of the private futures channels.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    exchange::{
        AccountId, Exchange, FuturesAction,
        futures::FuturesMarket,
        futures_order::{FuturesFill, FuturesOrder},
        trigger::placed_by,
    },
    wire::plain,
};

pub(super) fn futures_order(
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
            // Forced orders have no word here: their action tells.
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

pub(super) fn futures_asset(
    exchange: &Exchange,
    account: AccountId,
    currency: &SmolStr,
) -> Option<Value> {
    exchange.accounts.get(&account)?;
    let money = exchange.collateral(account, currency);
    Some(json!({
        "currency": currency.as_str(),
        "available_balance": plain(money.available()),
        "position_deposit": plain(money.margin()),
        "frozen_balance": plain(money.frozen),
    }))
}

pub(super) fn futures_position(
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
