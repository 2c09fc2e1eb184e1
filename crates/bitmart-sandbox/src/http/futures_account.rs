//! Lists of futures orders and trades, positions and balances. Newest first: no source states the
//! order of the rows.

use std::cmp::Reverse;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Answer, Call,
    futures::order_row,
    futures_rows::{self, ended_fields, extend, no_trail, preset_fields},
    params::Params,
    window::Window,
};
use crate::{
    exchange::{
        AccountId, Exchange, OrderId,
        futures::FuturesMarket,
        futures_order::FuturesOrder,
        position::Position,
        refusal::{Refusal, refuse},
        trigger::Kind,
    },
    wire::plain,
};

/// Most rows of an answer without paging.
const ROWS: usize = 200;
const MAX_NOTIONAL: &str = "500000";

/// The contract a list is limited to.
pub(super) fn symbol(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let symbol = call.params.text("symbol")?;
    if symbol.as_deref().is_some_and(|symbol| !call.exchange.futures.contains_key(symbol)) {
        return Err(refuse(40034));
    }
    Ok(symbol)
}

/// Whether the copy trading account is asked for, which is empty here.
fn is_copy_trading(call: &Call<'_>) -> Result<bool, Refusal> {
    match call.params.text("account")?.as_deref() {
        None | Some("futures") => Ok(false),
        Some("copy_trading") => Ok(true),
        Some(_) => Err(call.params.invalid("account", "must be futures or copy_trading")),
    }
}

/// The order that a list is limited to, by either id.
fn order_id(call: &Call<'_>, account: AccountId) -> Result<Option<OrderId>, Refusal> {
    let unknown = || refuse(40037);
    if let Some(id) = call.params.text("order_id")? {
        return id.parse().map(|id| Some(OrderId(id))).map_err(|_| unknown());
    }
    let Some(client_id) = call.params.text("client_order_id")? else { return Ok(None) };
    let owner = call.exchange.accounts.get(&account).ok_or_else(unknown)?;
    let trigger = || call.exchange.triggers.futures.by_client_id(account, &client_id);
    let order = owner.futures_orders.by_client_id(&client_id);
    order.or_else(|| Some(trigger()?.id)).map(Some).ok_or_else(unknown)
}

/// An order with its presets, which the lists show, too.
pub(super) fn listed(order: &FuturesOrder, exchange: &Exchange) -> Option<Value> {
    let mut row = order_row(order, exchange.futures.get(&order.request.symbol)?);
    extend(&mut row, no_trail());
    extend(&mut row, preset_fields(exchange.preset_of(order.id)));
    Some(row)
}

/// Rows of orders and triggers together, newest first.
fn newest(mut rows: Vec<(OrderId, Value)>, limit: usize) -> Value {
    rows.sort_unstable_by_key(|row| Reverse(row.0));
    rows.into_iter().take(limit).map(|row| row.1).collect()
}

/// The number of rows that is asked for.
pub(super) fn rows_wanted(params: &Params) -> Result<usize, Refusal> {
    let limit = params.whole("limit")?.unwrap_or(100);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit));
    limit.ok_or_else(|| params.invalid("limit", "must be 1 to 100"))
}

pub(super) fn open_orders(call: &mut Call<'_>) -> Answer {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let params = &call.params;
    let kind = params.text("type")?;
    let part = match params.text("order_state")?.as_deref() {
        None | Some("all") => false,
        Some("partially_filled") => true,
        Some(_) => return Err(params.invalid("order_state", "must be all or partially_filled")),
    };
    let limit = rows_wanted(params)?;
    // Only limit orders rest, only trailing orders wait here.
    let (rests, trails) = match kind.as_deref() {
        None => (true, !part),
        Some(kind) => (kind == "limit", kind == "trailing" && !part),
    };
    let here = |of: &str| symbol.as_deref().is_none_or(|symbol| of == symbol);
    let exchange = &*call.exchange;
    let orders = exchange
        .futures_orders_of(account)
        .filter(|order| order.open && rests && (!part || !order.filled.is_zero()))
        .filter(|order| here(&order.request.symbol))
        .filter_map(|order| Some((order.id, listed(order, exchange)?)));
    let trailing = exchange
        .triggers
        .futures
        .of(account)
        .filter(|plan| plan.is_waiting() && trails && plan.terms.kind == Kind::Trailing)
        .filter(|plan| here(&plan.terms.order.symbol))
        .map(|plan| (plan.id, futures_rows::order_row(plan)));
    Ok(newest(orders.chain(trailing).collect(), limit))
}

/// Finished orders by the time of their creation: no source says which time the window is about.
pub(super) fn order_history(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    call.params.need("symbol")?;
    let (symbol, only) = (symbol(call)?, order_id(call, account)?);
    let window = Window::futures(&call.params, call.now_ms)?;
    let limit = if is_copy_trading(call)? { 0 } else { ROWS };
    let here = |of: &str| symbol.as_deref().is_none_or(|symbol| of == symbol);
    let wanted = |id| only.is_none_or(|only| id == only);
    let exchange = &*call.exchange;
    let orders = exchange
        .futures_orders_of(account)
        .filter(|order| !order.open && window.holds(order.created_ms))
        .filter(|order| wanted(order.id) && here(&order.request.symbol))
        .take(limit)
        .filter_map(|order| {
            let mut row = listed(order, exchange)?;
            extend(&mut row, json!({ "trigger_price": "0", "execution_price": "0" }));
            Some((order.id, row))
        });
    let triggers = exchange
        .triggers
        .futures
        .of(account)
        .filter(|plan| !plan.is_waiting() && window.holds(plan.created_ms))
        .filter(|plan| wanted(plan.id) && here(&plan.terms.order.symbol))
        .map(|plan| {
            let mut row = futures_rows::order_row(plan);
            extend(&mut row, ended_fields(plan));
            (plan.id, row)
        });
    Ok(newest(orders.chain(triggers).collect(), limit))
}

pub(super) fn trades(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let (symbol, only) = (symbol(call)?, order_id(call, account)?);
    let window = Window::futures(&call.params, call.now_ms)?;
    let limit = if is_copy_trading(call)? { 0 } else { ROWS };
    let rows = call
        .exchange
        .futures_fills
        .iter()
        .rev()
        .filter(|fill| fill.account == account && window.holds(fill.time_ms))
        .filter(|fill| only.is_none_or(|id| fill.order == id))
        .filter(|fill| symbol.as_deref().is_none_or(|symbol| fill.symbol == symbol))
        .take(limit)
        .map(|fill| {
            json!({
                "order_id": fill.order.0.to_string(),
                "trade_id": fill.trade.to_string(),
                "symbol": fill.symbol.as_str(),
                "side": fill.side as u8,
                "price": plain(fill.price),
                "vol": plain(fill.size),
                "exec_type": if fill.maker { "Maker" } else { "Taker" },
                "profit": fill.realised > Decimal::ZERO,
                "realised_profit": plain(fill.realised),
                "paid_fees": plain(fill.fee),
                "account": "futures",
                "create_time": fill.time_ms,
            })
        });
    Ok(rows.collect::<Value>())
}

/// Cancels every open order of a contract.
pub(super) fn cancel_orders(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    call.params.need("symbol")?;
    let symbol = symbol(call)?;
    let open = call.exchange.futures_orders_of(account).filter(|order| order.open);
    let ids: Vec<OrderId> = open
        .filter(|order| symbol.as_deref().is_none_or(|symbol| order.request.symbol == symbol))
        .map(|order| order.id)
        .collect();
    for id in ids {
        call.exchange.cancel_futures(account, id, call.now_ms)?;
    }
    Ok(json!({}))
}

/// Open positions; with a symbol both directions of it, even when they are flat, as documented.
pub(super) fn positions(call: &mut Call<'_>) -> Answer {
    position_rows(call, |row| {
        let Row { market, position, .. } = row;
        json!({
            "position_amount": plain(position.size),
            "position_side": if row.long { "long" } else { "short" },
            "open_type": if position.isolated { "isolated" } else { "cross" },
            "unrealized_pnl": plain(unrealised(market, position, row.long)),
            "liquidation_price": "0",
            "max_notional_value": MAX_NOTIONAL,
            "initial_margin": plain(position.margin),
        })
    })
}

/// The same in the older form.
pub(super) fn positions_v1(call: &mut Call<'_>) -> Answer {
    position_rows(call, |row| {
        let Row { market, position, .. } = row;
        json!({
            "margin_type": if position.isolated { "Isolated" } else { "Cross" },
            "position_mode": "hedge_mode",
            "position_type": if row.long { 1 } else { 2 },
            "unrealized_value": plain(unrealised(market, position, row.long)),
        })
    })
}

/// One direction of one contract.
struct Row<'a> {
    market: &'a FuturesMarket,
    position: &'a Position,
    long: bool,
}

fn position_rows(call: &mut Call<'_>, more: fn(&Row<'_>) -> Value) -> Answer {
    let (account, only) = (call.account()?, symbol(call)?);
    if is_copy_trading(call)? {
        return Ok(json!([]));
    }
    let owner = call.exchange.accounts.get(&account).ok_or_else(|| refuse(30002))?;
    let mut rows = Vec::new();
    for (symbol, market) in &call.exchange.futures {
        for long in [true, false] {
            let flat = Position::default();
            let position = owner.positions.get(&(symbol.clone(), long)).unwrap_or(&flat);
            let wanted = match &only {
                Some(only) => symbol == only,
                None => !position.size.is_zero(),
            };
            if wanted {
                rows.push(position_row(&Row { market, position, long }, call.now_ms, more));
            }
        }
    }
    Ok(rows.into())
}

fn position_row(row: &Row<'_>, now_ms: u64, more: fn(&Row<'_>) -> Value) -> Value {
    let Row { market, position, .. } = row;
    let rules = &market.rules;
    let entry = plain(position.entry_price(rules.contract_size).round_dp(rules.price_decimals));
    let mut fields = json!({
        "symbol": rules.symbol.as_str(),
        "leverage": position.leverage.to_string(),
        "timestamp": now_ms,
        "current_fee": plain(position.fees),
        "open_timestamp": position.opened_ms,
        "current_value": plain(worth(market, position, market.last_price())),
        "mark_value": plain(worth(market, position, market.mark_price())),
        "mark_price": plain(market.mark_price()),
        "position_value": plain(position.cost),
        "position_cross": plain(position.margin),
        "maintenance_margin": "0",
        "close_vol": plain(position.closed),
        "close_avg_price": "0",
        "open_avg_price": entry.clone(),
        "entry_price": entry,
        "current_amount": plain(position.size),
        "realized_value": plain(position.realised),
        "account": "futures",
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more(row)) {
        fields.extend(more);
    }
    fields
}

/// What the open contracts are worth at a price.
fn worth(market: &FuturesMarket, position: &Position, price: Decimal) -> Decimal {
    let coins = position.size * market.rules.contract_size;
    coins.checked_mul(price).unwrap_or_default()
}

fn unrealised(market: &FuturesMarket, position: &Position, long: bool) -> Decimal {
    let gain = worth(market, position, market.mark_price()) - position.cost;
    if long { gain } else { -gain }
}

pub(super) fn assets(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let owner = call.exchange.accounts.get(&account).ok_or_else(|| refuse(30002))?;
    let rows = owner.futures.iter().map(|(currency, wallet)| {
        let (mut deposit, mut unrealized) = (Decimal::ZERO, Decimal::ZERO);
        for ((symbol, long), position) in &owner.positions {
            let market = market_in(call.exchange, symbol, currency);
            deposit += market.map_or(Decimal::ZERO, |_| position.margin);
            unrealized +=
                market.map_or(Decimal::ZERO, |market| unrealised(market, position, *long));
        }
        json!({
            "currency": currency.as_str(),
            "position_deposit": plain(deposit),
            "frozen_balance": plain(wallet.frozen),
            "available_balance": plain(wallet.available),
            "equity": plain(wallet.available + wallet.frozen + deposit + unrealized),
            "unrealized": plain(unrealized),
        })
    });
    Ok(rows.collect::<Value>())
}

/// A contract, if its margin is in this currency.
fn market_in<'a>(
    exchange: &'a Exchange,
    symbol: &SmolStr,
    currency: &SmolStr,
) -> Option<&'a FuturesMarket> {
    exchange.futures.get(symbol).filter(|market| market.rules.quote == *currency)
}
