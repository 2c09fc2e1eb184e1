//! Spot algo orders, which wait for a price and then become an order. No source documents the responses, so their
//! fields are those that client libraries read.

use bitmart_sim::{
    AccountId, Exchange, OrderId, Reject, SpotRequest,
    spot_order::{NewSpotOrder, SpotOrderType},
    trigger::{Algo, AlgoKind, NewAlgo, Trigger, TriggerState},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult, enums,
    error::{WireError, error},
    parse_number,
    render::fixed,
    spot::orders::{digits, parse_order_as},
    window::Window,
};

const MAX_ROWS: i64 = 200;

pub(crate) fn submit_algo_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let params = &call.params;
    let symbol = params.required("symbol")?;
    let kind = kind(&params.required("type")?)?;
    let placed_kind = match params.text("trigger_type")?.as_deref() {
        Some("limit") => SpotOrderType::Limit,
        Some("market") => SpotOrderType::Market,
        None => return Err(params.missing("trigger_type")),
        Some(_) => return Err(params.invalid("trigger_type", "must be limit or market")),
    };
    let order = parse_order_as(
        placed_kind,
        &call.exchange,
        params,
        &symbol,
        "client_order_id",
        call.lenient,
    )?;
    let rules = &call.exchange.spot_market(symbol.as_str()).ok_or_else(|| error(50001))?.rules;
    let trigger_price = digits(params, "trigger_price", rules.price_decimals, call.lenient)?
        .ok_or_else(|| params.missing("trigger_price"))?;
    let algo = NewAlgo { trigger_price, terms: Algo { kind, order } };
    let id = call.exchange.order(account, SpotRequest::PlaceTrigger(algo))?;
    Ok(json!({ "order_id": id.0.to_string() }))
}

fn kind(word: &str) -> Result<AlgoKind, WireError> {
    enums::parse_algo(word).ok_or_else(|| error(52001))
}

fn id(text: &str) -> Result<OrderId, WireError> {
    parse_number::unsigned(text).map(OrderId).ok_or_else(|| error(50005))
}

pub(crate) fn cancel_algo_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = known_symbol(call)?.ok_or_else(|| call.params.missing("symbol"))?;
    let kind = kind(&call.params.required("type")?)?;
    let id = id(&call.params.required("order_id")?)?;
    let triggers = &call.exchange.triggers().spot;
    let fits = |algo: &&Trigger<Algo>| algo.terms.order.symbol == symbol && algo.terms.kind == kind;
    let id = triggers.get(id).filter(fits).ok_or_else(|| error(50005))?.id;
    match call.exchange.request(account, SpotRequest::CancelTrigger(id)) {
        Ok(_) => Ok(json!({ "result": true })),
        // The order has triggered or was canceled already.
        Err(Reject::OrderNotOpen) => Ok(json!({ "result": false })),
        Err(reject) => Err(call.exchange.error(&reject)),
    }
}

/// Without a symbol the orders of all pairs are canceled.
pub(crate) fn cancel_all_algo_orders(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = known_symbol(call)?;
    let kind = kind(&call.params.required("type")?)?;
    let symbol = symbol.map(SmolStr::from);
    call.exchange.apply(account, SpotRequest::CancelAllTriggers { symbol, kind })?;
    Ok(json!({}))
}

fn known_symbol(call: &Call<'_>) -> Result<Option<String>, WireError> {
    let symbol = call.params.text("symbol")?;
    if symbol.as_deref().is_some_and(|symbol| call.exchange.spot_market(symbol).is_none()) {
        return Err(error(50001));
    }
    Ok(symbol)
}

pub(crate) fn algo_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let id = id(&call.params.required("orderId")?)?;
    order_in_state(call, account, call.exchange.triggers().spot.get(id))
}

pub(crate) fn algo_order_by_client_id(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let id = call.params.required("clientOrderId")?;
    order_in_state(call, account, call.exchange.triggers().spot.by_client_order_id(account, &id))
}

/// The row of an own order, if it is in the requested state.
fn order_in_state(
    call: &Call<'_>,
    account: AccountId,
    algo: Option<&Trigger<Algo>>,
) -> HandlerResult {
    let waiting = match call.params.text("queryState")?.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("history") => Some(false),
        Some(_) => return Err(error(52003)),
    };
    let algo = algo
        .filter(|algo| algo.account == account)
        .filter(|algo| waiting.is_none_or(|waiting| algo.is_waiting() == waiting))
        .ok_or_else(|| error(50005))?;
    row(algo, &call.exchange).ok_or_else(|| error(50001))
}

pub(crate) fn open_algo_orders(call: &mut Call<'_>) -> HandlerResult {
    orders(call, true)
}

pub(crate) fn algo_order_history(call: &mut Call<'_>) -> HandlerResult {
    orders(call, false)
}

fn orders(call: &Call<'_>, are_waiting: bool) -> HandlerResult {
    let (account, symbol) = (call.account_id()?, known_symbol(call)?);
    let kind = match call.params.text("orderMode")? {
        None => None,
        Some(word) => Some(enums::parse_algo(&word).ok_or_else(|| error(52000))?),
    };
    let window = Window::spot(&call.params, call.now_ms)?;
    let rows = call
        .exchange
        .triggers()
        .spot
        .of(account)
        .filter(|algo| algo.is_waiting() == are_waiting && window.contains(algo.created_ms))
        .filter(|algo| kind.is_none_or(|kind| algo.terms.kind == kind))
        .filter(|algo| symbol.as_deref().is_none_or(|symbol| algo.terms.order.symbol == symbol))
        .take(call.params.limit(MAX_ROWS, MAX_ROWS)?)
        .filter_map(|algo| row(algo, &call.exchange));
    Ok(rows.collect::<Value>())
}

/// An order; `None` if its pair is not listed.
fn row(algo: &Trigger<Algo>, exchange: &Exchange) -> Option<Value> {
    let order = &algo.terms.order;
    let rules = &exchange.spot_market(&order.symbol)?.rules;
    let (state, source) = match algo.state {
        TriggerState::Waiting => ("new", ""),
        TriggerState::Placed(_) => ("triggered", ""),
        TriggerState::Rejected => ("canceled", "system"),
        TriggerState::Canceled => ("canceled", "user"),
    };
    Some(json!({
        "orderId": algo.id.0.to_string(),
        "clientOrderId": algo.client_order_id.as_deref().unwrap_or_default(),
        "symbol": order.symbol.as_str(),
        "side": enums::side(order.side),
        "orderMode": enums::algo(algo.terms.kind),
        "trigger_type": enums::order_type(order.kind),
        "state": state,
        "cancelSource": source,
        "price": fixed(order.price, rules.price_decimals),
        "size": fixed(order.size, rules.size_decimals),
        "notional": fixed(notional(order), 8),
        "createTime": algo.created_ms,
        "updateTime": algo.updated_ms,
    }))
}

fn notional(order: &NewSpotOrder) -> Decimal {
    if order.kind == SpotOrderType::Market { order.notional } else { order.price * order.size }
}
