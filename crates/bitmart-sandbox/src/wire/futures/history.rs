//! Lists of futures orders, trades and transactions, newest first. No source documents the order.

use std::cmp::Reverse;

use crate::wire::{
    Call, HandlerResult, enums,
    error::{WireError, error},
    futures::rows::{self, ended_fields, extend, fill_row, no_trail, preset_fields},
    params::Params,
    parse_number,
    render::plain,
    window::Window,
};
use bitmart_sim::{
    AccountId, Exchange, FuturesRequest, OrderId, futures_order::FuturesOrder, trigger::PlanKind,
};
use serde_json::{Value, json};

/// Maximum number of rows of a response without paging.
const MAX_ROWS: usize = 200;

/// The contract that a list is limited to.
pub(crate) fn symbol(call: &Call<'_>) -> Result<Option<String>, WireError> {
    let symbol = call.params.text("symbol")?;
    if symbol.as_deref().is_some_and(|symbol| call.exchange.futures_market(symbol).is_none()) {
        return Err(error(40034));
    }
    Ok(symbol)
}

/// Whether the copy trading account is requested, which is always empty.
pub(crate) fn is_copy_trading(call: &Call<'_>) -> Result<bool, WireError> {
    match call.params.text("account")?.as_deref() {
        None | Some("futures") => Ok(false),
        Some("copy_trading") => Ok(true),
        Some(_) => Err(call.params.invalid("account", "must be futures or copy_trading")),
    }
}

/// The order that a list is limited to, by either id.
pub(crate) fn order_id(call: &Call<'_>, account: AccountId) -> Result<Option<OrderId>, WireError> {
    let unknown = || error(40037);
    if let Some(id) = call.params.text("order_id")? {
        return parse_number::unsigned(&id).map(|id| Some(OrderId(id))).ok_or_else(unknown);
    }
    let Some(client_order_id) = call.params.text("client_order_id")? else { return Ok(None) };
    let owner = call.exchange.account(account).ok_or_else(unknown)?;
    let trigger = || call.exchange.triggers().futures.by_client_order_id(account, &client_order_id);
    let order = owner.futures_orders.by_client_order_id(&client_order_id);
    order.or_else(|| Some(trigger()?.id)).map(Some).ok_or_else(unknown)
}

/// An order with its presets, as lists show it.
pub(crate) fn listed(order: &FuturesOrder, exchange: &Exchange) -> Option<Value> {
    let mut row = rows::order_row(order, exchange.futures_market(&order.request.symbol)?);
    extend(&mut row, no_trail());
    extend(&mut row, preset_fields(exchange.preset_of(order.id)));
    Some(row)
}

/// Merges rows of orders and triggers, newest first.
fn newest(mut rows: Vec<(OrderId, Value)>, limit: usize) -> Value {
    rows.sort_unstable_by_key(|row| Reverse(row.0));
    rows.into_iter().take(limit).map(|row| row.1).collect()
}

/// The requested number of rows.
pub(crate) fn row_limit(params: &Params) -> Result<usize, WireError> {
    let limit = params.integer("limit")?.unwrap_or(100);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit));
    limit.ok_or_else(|| params.invalid("limit", "must be 1 to 100"))
}

pub(crate) fn open_orders(call: &mut Call<'_>) -> HandlerResult {
    let (account, symbol) = (call.account_id()?, symbol(call)?);
    let params = &call.params;
    let kind = params.text("type")?;
    let only_partially_filled = match params.text("order_state")?.as_deref() {
        None | Some("all") => false,
        Some("partially_filled") => true,
        Some(_) => return Err(params.invalid("order_state", "must be all or partially_filled")),
    };
    let limit = row_limit(params)?;
    // Of resting orders there are only limit orders, and of waiting orders this list only has trailing orders.
    let (lists_resting, lists_trailing) = match kind.as_deref() {
        None => (true, !only_partially_filled),
        Some(kind) => (kind == "limit", kind == "trailing" && !only_partially_filled),
    };
    let is_requested = |of: &str| symbol.as_deref().is_none_or(|symbol| of == symbol);
    let exchange = &call.exchange;
    let orders = exchange
        .futures_orders_of(account)
        .filter(|order| {
            order.open && lists_resting && (!only_partially_filled || !order.filled.is_zero())
        })
        .filter(|order| is_requested(&order.request.symbol))
        .filter_map(|order| Some((order.id, listed(order, exchange)?)));
    let trailing = exchange
        .triggers()
        .futures
        .of(account)
        .filter(|plan| plan.is_waiting() && lists_trailing && plan.terms.kind == PlanKind::Trailing)
        .filter(|plan| is_requested(&plan.terms.order.symbol))
        .map(|plan| (plan.id, rows::trigger_row(plan, exchange)));
    Ok(newest(orders.chain(trailing).collect(), limit))
}

/// Finished orders by creation time. No source states which time the window is about.
pub(crate) fn order_history(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    call.params.required("symbol")?;
    let (symbol, requested_id) = (symbol(call)?, order_id(call, account)?);
    let window = Window::futures(&call.params, call.now_ms)?;
    let limit = if is_copy_trading(call)? { 0 } else { MAX_ROWS };
    let is_requested = |of: &str| symbol.as_deref().is_none_or(|symbol| of == symbol);
    let matches_id = |id| requested_id.is_none_or(|requested| id == requested);
    let exchange = &call.exchange;
    let orders = exchange
        .futures_orders_of(account)
        .filter(|order| !order.open && window.contains(order.created_ms))
        .filter(|order| matches_id(order.id) && is_requested(&order.request.symbol))
        .take(limit)
        .filter_map(|order| {
            let mut row = listed(order, exchange)?;
            extend(&mut row, json!({ "trigger_price": "0", "execution_price": "0" }));
            Some((order.id, row))
        });
    let triggers = exchange
        .triggers()
        .futures
        .of(account)
        .filter(|plan| !plan.is_waiting() && window.contains(plan.created_ms))
        .filter(|plan| matches_id(plan.id) && is_requested(&plan.terms.order.symbol))
        .map(|plan| {
            let mut row = rows::trigger_row(plan, exchange);
            extend(&mut row, ended_fields(plan));
            (plan.id, row)
        });
    Ok(newest(orders.chain(triggers).collect(), limit))
}

pub(crate) fn fills(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let (symbol, requested_id) = (symbol(call)?, order_id(call, account)?);
    let window = Window::futures(&call.params, call.now_ms)?;
    let limit = if is_copy_trading(call)? { 0 } else { MAX_ROWS };
    let rows = call
        .exchange
        .futures_fills()
        .rev()
        .filter(|fill| fill.account == account && window.contains(fill.time_ms))
        .filter(|fill| requested_id.is_none_or(|id| fill.order == id))
        .filter(|fill| symbol.as_deref().is_none_or(|symbol| fill.symbol == symbol))
        .take(limit)
        .map(fill_row);
    Ok(rows.collect::<Value>())
}

/// Cancels every open order of a contract.
pub(crate) fn cancel_all_orders(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    call.params.required("symbol")?;
    let symbol = symbol(call)?;
    let symbol = symbol.map(Into::into);
    call.exchange.apply(account, FuturesRequest::CancelAll { symbol })?;
    Ok(json!({}))
}

/// Transactions of the wallet. Times of this request are in milliseconds; the time of a row is text, as documented.
pub(crate) fn transactions(call: &mut Call<'_>) -> HandlerResult {
    let (account, symbol) = (call.account_id()?, symbol(call)?);
    let params = &call.params;
    let kind = params.integer("flow_type")?.unwrap_or(0);
    if !(0..=5).contains(&kind) {
        return Err(params.invalid("flow_type", "must be 0 to 5"));
    }
    let rows = params.integer("page_size")?.unwrap_or(100);
    let rows = usize::try_from(rows).ok().filter(|rows| (1..=1_000).contains(rows));
    let rows = rows.ok_or_else(|| params.invalid("page_size", "must be 1 to 1000"))?;
    let window = Window::futures_ms(params, call.now_ms)?;
    let limit = if is_copy_trading(call)? { 0 } else { rows };
    let rows = call
        .exchange
        .transactions()
        .rev()
        .filter(|flow| flow.account == account && window.contains(flow.time_ms))
        .filter(|flow| kind == 0 || i64::from(enums::flow(flow.kind).0) == kind)
        .filter(|flow| symbol.as_deref().is_none_or(|symbol| flow.symbol == symbol))
        .take(limit)
        .map(|flow| {
            let (number, name) = enums::flow(flow.kind);
            json!({
                "symbol": flow.symbol.as_str(),
                "type": name,
                "flow_type": number,
                "amount": plain(flow.amount),
                "asset": flow.currency.as_str(),
                "account": "futures",
                "time": flow.time_ms.to_string(),
                // As captured: the millisecond, which rows of several contracts share.
                "tran_id": flow.time_ms.to_string(),
            })
        });
    Ok(rows.collect::<Value>())
}
