//! Spot orders.

use bitmart_sim::{
    AccountId, Exchange, OrderId, Reject, SpotRequest,
    book::{SelfTradePrevention, Side},
    rules::{MONEY_DECIMALS, check_client_order_id},
    spot_order::{NewSpotOrder, SpotOrder, SpotOrderType},
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult,
    error::{ErrorFamily, WireError, error, rejection_error},
    params::Params,
    parse_number,
    spot::rows::{self, fill_row, order_row},
};

/// Orders of a batch.
const MAX_BATCH: usize = 10;

pub(crate) fn submit_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let request =
        parse_order(&call.exchange, &call.params, &symbol, "client_order_id", call.lenient)?;
    let id = call.exchange.order(account, SpotRequest::Place(request))?;
    Ok(json!({ "order_id": id.0.to_string() }))
}

/// The response to a rejected row is not documented. Here a malformed row rejects the whole batch before anything is
/// placed. If the engine rejects a later row, the orders placed before it are reported with the rejection.
pub(crate) fn submit_orders(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let rows = call.params.rows("orderParams")?;
    if rows.is_empty() || rows.len() > MAX_BATCH {
        return Err(error(50033));
    }
    let requests: Vec<NewSpotOrder> = rows
        .iter()
        .map(|row| parse_order(&call.exchange, row, &symbol, "clientOrderId", call.lenient))
        .collect::<Result<_, _>>()?;
    let mut ids = Vec::new();
    for request in requests {
        match call.exchange.order(account, SpotRequest::Place(request)) {
            Ok(id) => ids.push(id.0.to_string()),
            Err(error) if ids.is_empty() => return Err(error),
            Err(error) => {
                return Ok(
                    json!({ "code": error.code, "msg": error.message, "data": { "orderIds": ids } }),
                );
            }
        }
    }
    Ok(json!({ "code": 0, "msg": "success", "data": { "orderIds": ids } }))
}

/// Parses and checks an order of a pair. `client_field` is the name of the field with the client order id, which
/// endpoints spell differently.
pub(crate) fn parse_order(
    exchange: &Exchange,
    params: &Params,
    symbol: &str,
    client_field: &str,
    lenient: bool,
) -> Result<NewSpotOrder, WireError> {
    if exchange.spot_market(symbol).is_none() {
        return Err(error(50001));
    }
    exchange.check_trading(symbol).map_err(rule_error)?;
    parse_side(params)?;
    let kind = match params.required("type")?.as_str() {
        "limit" => SpotOrderType::Limit,
        "market" => SpotOrderType::Market,
        "limit_maker" => SpotOrderType::LimitMaker,
        "ioc" => SpotOrderType::ImmediateOrCancel,
        _ => return Err(error(52001)),
    };
    let order = parse_order_as(kind, exchange, params, symbol, client_field, lenient)?;
    exchange.check_spot_order(&order).map_err(rule_error)?;
    Ok(order)
}

/// The error for a violated rule. The engine checks orders when they are placed; a rule is only checked here if the
/// exchange reports it before another error.
#[allow(clippy::needless_pass_by_value, reason = "argument of map_err")]
fn rule_error(reject: Reject) -> WireError {
    rejection_error(&reject, ErrorFamily::Spot)
}

fn parse_side(params: &Params) -> Result<Side, WireError> {
    match params.required("side")?.as_str() {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(error(52002)),
    }
}

/// Parses an order whose kind is known. Algo orders name it in `trigger_type`, since their `type` is another thing.
pub(crate) fn parse_order_as(
    kind: SpotOrderType,
    exchange: &Exchange,
    params: &Params,
    symbol: &str,
    client_field: &str,
    lenient: bool,
) -> Result<NewSpotOrder, WireError> {
    let rules = &exchange.spot_market(symbol).ok_or_else(|| error(50001))?.rules;
    let side = parse_side(params)?;
    let self_trade_prevention = match params.text("stpMode")?.as_deref() {
        None => None,
        Some("none") => Some(SelfTradePrevention::Off),
        Some("cancel_maker") => Some(SelfTradePrevention::CancelMaker),
        Some("cancel_taker") => Some(SelfTradePrevention::CancelTaker),
        Some("cancel_both") => Some(SelfTradePrevention::CancelBoth),
        Some(_) => {
            return Err(params
                .invalid("stpMode", "must be none, cancel_maker, cancel_taker or cancel_both"));
        }
    };
    let client_order_id = params.text(client_field)?.map(SmolStr::from);
    if let Some(id) = &client_order_id {
        check_client_order_id(id).map_err(rule_error)?;
    }
    let mut order = NewSpotOrder {
        symbol: rules.symbol.clone(),
        margin: false,
        side,
        kind,
        client_order_id,
        self_trade_prevention,
        size: Decimal::ZERO,
        price: Decimal::ZERO,
        notional: Decimal::ZERO,
    };
    if (kind, side) == (SpotOrderType::Market, Side::Buy) {
        // Observed: a market buy with a size instead of a notional gets 50021.
        let has_size = params.text("size")?.is_some();
        let missing = || {
            if has_size {
                params.invalid("notional", "a market buy takes notional, not size")
            } else {
                error(50012)
            }
        };
        order.notional =
            digits(params, "notional", MONEY_DECIMALS, lenient)?.ok_or_else(missing)?;
    } else {
        order.size =
            digits(params, "size", rules.size_decimals, lenient)?.ok_or_else(|| error(50010))?;
        rules.check_size(order.size).map_err(rule_error)?;
        if kind != SpotOrderType::Market {
            order.price = digits(params, "price", rules.price_decimals, lenient)?
                .ok_or_else(|| error(50011))?;
        }
    }
    exchange.check_spot_terms(&order).map_err(rule_error)?;
    Ok(order)
}

/// Parses a decimal with at most `decimals` decimals. The exchange truncates surplus decimals silently; the sandbox
/// rejects them unless it is lenient.
pub(crate) fn digits(
    params: &Params,
    name: &str,
    decimals: u32,
    lenient: bool,
) -> Result<Option<Decimal>, WireError> {
    let Some(value) = params.decimal(name)? else { return Ok(None) };
    if value.scale() <= decimals {
        return Ok(Some(value));
    }
    if lenient {
        return Ok(Some(value.round_dp_with_strategy(decimals, RoundingStrategy::ToZero)));
    }
    Err(params.invalid(name, &format!("at most {decimals} decimals")))
}

pub(crate) fn cancel_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = known_symbol(call)?;
    let id = match (call.params.text("order_id")?, call.params.text("client_order_id")?) {
        (Some(id), _) => parse_id(&id),
        (None, Some(client_order_id)) => {
            by_client_order_id(&call.exchange, account, &client_order_id)
        }
        (None, None) => return Err(error(50039)),
    };
    let id = id.filter(|id| is_order_of(call, *id, &symbol)).ok_or_else(|| error(50005))?;
    match call.exchange.request(account, SpotRequest::Cancel(id)) {
        Ok(_) => Ok(json!({ "result": true })),
        // The order is filled or canceled already.
        Err(Reject::OrderNotOpen) => Ok(json!({ "result": false })),
        Err(reject) => Err(call.exchange.error(&reject)),
    }
}

pub(crate) fn cancel_orders(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = known_symbol(call)?;
    let ids = call.params.texts("orderIds")?.filter(|ids| !ids.is_empty());
    let client_order_ids = call.params.texts("clientOrderIds")?.filter(|ids| !ids.is_empty());
    let (requested, by_client) = match (ids, client_order_ids) {
        (Some(ids), _) => (ids, false),
        (None, Some(ids)) => (ids, true),
        (None, None) => return Err(error(50039)),
    };
    if requested.len() > MAX_BATCH {
        return Err(error(50033));
    }
    let (mut canceled_ids, mut failed_ids) = (Vec::new(), Vec::new());
    for text in requested {
        let id = if by_client {
            by_client_order_id(&call.exchange, account, &text)
        } else {
            parse_id(&text)
        };
        let id = id.filter(|id| is_order_of(call, *id, &symbol));
        let canceled =
            id.is_some_and(|id| call.exchange.request(account, SpotRequest::Cancel(id)).is_ok());
        if canceled { canceled_ids.push(text) } else { failed_ids.push(text) }
    }
    Ok(json!({
        "totalCount": canceled_ids.len() + failed_ids.len(),
        "successCount": canceled_ids.len(),
        "failedCount": failed_ids.len(),
        "successIds": canceled_ids,
        "failIds": failed_ids,
    }))
}

/// Without symbol and side every open order is canceled.
pub(crate) fn cancel_all_orders(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.text("symbol")?;
    if symbol.is_some() {
        known_symbol(call)?;
    }
    let side = match call.params.text("side")?.as_deref() {
        None => None,
        Some("buy") => Some(Side::Buy),
        Some("sell") => Some(Side::Sell),
        Some(_) => return Err(error(52002)),
    };
    let symbol = symbol.map(SmolStr::from);
    call.exchange.apply(account, SpotRequest::CancelAll { symbol, side })?;
    Ok(json!({}))
}

fn known_symbol(call: &Call<'_>) -> Result<String, WireError> {
    let symbol = call.params.required("symbol")?;
    let known = call.exchange.spot_market(symbol.as_str()).is_some();
    if known { Ok(symbol) } else { Err(error(50001)) }
}

/// Whether an order belongs to a pair. An order of another pair counts as unknown.
fn is_order_of(call: &Call<'_>, id: OrderId, symbol: &str) -> bool {
    call.exchange.spot_order(id).is_some_and(|order| order.request.symbol == symbol)
}

pub(crate) fn order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let id = parse_id(&call.params.required("orderId")?);
    order_in_state(call, id, account)
}

pub(crate) fn order_by_client_id(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let client_order_id = call.params.required("clientOrderId")?;
    let id = by_client_order_id(&call.exchange, account, &client_order_id);
    order_in_state(call, id, account)
}

/// The row of an own order, if it is in the requested state.
fn order_in_state(call: &Call<'_>, id: Option<OrderId>, account: AccountId) -> HandlerResult {
    let state = call.params.text("queryState")?;
    let matches_state = |order: &&SpotOrder| match state.as_deref() {
        Some("open") => order.state.is_open(),
        Some("history") => !order.state.is_open(),
        _ => true,
    };
    if state.as_deref().is_some_and(|state| state != "open" && state != "history") {
        return Err(error(52003));
    }
    let order =
        own_order(&call.exchange, id, account).filter(matches_state).ok_or_else(|| error(50005))?;
    let rules =
        &call.exchange.spot_market(&order.request.symbol).ok_or_else(|| error(50001))?.rules;
    Ok(order_row(order, rules))
}

fn own_order(exchange: &Exchange, id: Option<OrderId>, account: AccountId) -> Option<&SpotOrder> {
    exchange.spot_order(id?).filter(|order| order.account == account)
}

pub(crate) fn order_fills(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let id = parse_id(&call.params.required("orderId")?);
    let order = own_order(&call.exchange, id, account).ok_or_else(|| error(50005))?;
    let rules =
        &call.exchange.spot_market(&order.request.symbol).ok_or_else(|| error(50001))?.rules;
    Ok(call.exchange.spot_fills_of(order.id).map(|fill| fill_row(fill, rules)).collect())
}

fn parse_id(text: &str) -> Option<OrderId> {
    parse_number::unsigned(text).map(OrderId)
}

/// The order with a client order id, which is its own id if it was placed without one.
fn by_client_order_id(
    exchange: &Exchange,
    account: AccountId,
    client_order_id: &str,
) -> Option<OrderId> {
    let owner = exchange.account(account)?;
    owner.spot_orders.by_client_order_id(client_order_id).or_else(|| {
        let order = own_order(exchange, parse_id(client_order_id), account)?;
        (rows::client_order_id(&order.request, order.id) == client_order_id).then_some(order.id)
    })
}
