//! Plan orders and trailing orders of futures, and the list of waiting orders.

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    futures::fields::{self as fields, price, required_price_type, rules},
    futures::history::{row_limit, symbol},
    futures::rows::plan_row,
    params::Params,
    parse_number,
};
use bitmart_sim::{
    AccountId, FuturesRequest, OrderId,
    book::SelfTradePrevention,
    futures::FuturesRules,
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    rules::check_callback_rate,
    trigger::{Condition, Direction, NewPlan, Plan, PlanChange, PlanKind, Preset, Trail},
};
use serde_json::{Value, json};

/// The kinds that `cancel-plan-order` cancels. Trailing orders have a separate endpoint.
const PLAN_KINDS: [PlanKind; 3] = [PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss];

pub(crate) fn submit_plan_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let plan = parse_plan(&call.params, rules(call)?)?;
    let id = call.exchange.order(account, FuturesRequest::PlacePlan(plan))?;
    // The id is a number, as for orders.
    Ok(json!({ "order_id": id.0 }))
}

fn parse_plan(params: &Params, rules: &FuturesRules) -> Result<NewPlan, WireError> {
    let side = fields::side(params)?;
    let (kind, market) = match params.text("type")?.as_deref() {
        None | Some("limit") => (PlanKind::Plan, false),
        Some("market") => (PlanKind::Plan, true),
        Some("take_profit") => (PlanKind::TakeProfit, params.is_absent("executive_price")),
        Some("stop_loss") => (PlanKind::StopLoss, params.is_absent("executive_price")),
        Some(_) => return Err(error(40042)),
    };
    if kind.is_bound() && side.opens() {
        return Err(error(40041));
    }
    let order = NewFuturesOrder {
        symbol: rules.symbol.clone(),
        side,
        price: if market { None } else { Some(price(params, "executive_price", rules)?) },
        size: fields::size(params, rules)?,
        mode: fields::mode(params, market)?,
        leverage: fields::leverage(params, rules)?.ok_or_else(|| params.missing("leverage"))?,
        margin_type: fields::margin_type(params, true)?,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let preset = fields::preset(params, rules)?;
    if !side.opens() && !preset.is_empty() {
        return Err(error(40041));
    }
    let condition = Condition::Reach {
        price: price(params, "trigger_price", rules)?,
        direction: direction(params)?,
        price_type: required_price_type(params, "price_type")?,
    };
    let whole_position = kind.is_bound() && fields::whole_position(params)? == Some(true);
    let terms = Plan { kind, order, whole_position, preset };
    Ok(NewPlan { client_order_id: None, condition, terms })
}

fn direction(params: &Params) -> Result<Direction, WireError> {
    match params.required("price_way")?.as_str() {
        "1" => Ok(Direction::Rise),
        "2" => Ok(Direction::Fall),
        _ => Err(params.invalid("price_way", "must be 1 or 2")),
    }
}

pub(crate) fn modify_plan_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let (params, rules) = (&call.params, rules(call)?);
    let market = match params.required("type")?.as_str() {
        "limit" => false,
        "market" => true,
        _ => return Err(error(40042)),
    };
    let change = PlanChange {
        trigger_price: price(params, "trigger_price", rules)?,
        price_type: required_price_type(params, "price_type")?,
        price: if market { None } else { Some(price(params, "executive_price", rules)?) },
        whole_position: None,
    };
    let (symbol, id) = (rules.symbol.clone(), required_id(params)?);
    call.exchange.apply(
        account,
        FuturesRequest::ModifyPlan { symbol, id, kinds: [PlanKind::Plan].to_vec(), change },
    )?;
    Ok(json!({ "order_id": id.0.to_string() }))
}

/// Without an id all waiting orders of the contract are canceled (change log of 2024-09-19).
pub(crate) fn cancel_plan_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = rules(call)?.symbol.clone();
    let kinds = PLAN_KINDS.to_vec();
    let request = match optional_id(call, account)? {
        Some(id) => FuturesRequest::CancelPlan { symbol, id, kinds },
        None => FuturesRequest::CancelPlans { symbol, kinds },
    };
    call.exchange.apply(account, request)?;
    Ok(json!({}))
}

/// The requested order, by order id or client order id.
pub(crate) fn optional_id(
    call: &Call<'_>,
    account: AccountId,
) -> Result<Option<OrderId>, WireError> {
    if !call.params.is_absent("order_id") {
        return required_id(&call.params).map(Some);
    }
    let Some(client_order_id) = call.params.text("client_order_id")? else { return Ok(None) };
    let plan = call.exchange.triggers().futures.by_client_order_id(account, &client_order_id);
    Ok(Some(plan.ok_or_else(|| error(40037))?.id))
}

pub(crate) fn required_id(params: &Params) -> Result<OrderId, WireError> {
    parse_number::unsigned(&params.required("order_id")?).map(OrderId).ok_or_else(|| error(40037))
}

/// Waiting plan orders, take-profits and stop-losses, newest first. `type` is the type of the order that is placed.
pub(crate) fn plan_orders(call: &mut Call<'_>) -> HandlerResult {
    let (account, symbol) = (call.account_id()?, symbol(call)?);
    let params = &call.params;
    let market = match params.text("type")?.as_deref() {
        None => None,
        Some("limit") => Some(false),
        Some("market") => Some(true),
        Some(_) => return Err(error(40042)),
    };
    let bound = match params.text("plan_type")?.as_deref() {
        None => None,
        Some("plan") => Some(false),
        Some("profit_loss") => Some(true),
        Some(_) => return Err(params.invalid("plan_type", "must be plan or profit_loss")),
    };
    let rows = call
        .exchange
        .triggers()
        .futures
        .of(account)
        .filter(|plan| plan.is_waiting() && PLAN_KINDS.contains(&plan.terms.kind))
        .filter(|plan| symbol.as_deref().is_none_or(|symbol| plan.terms.order.symbol == symbol))
        .filter(|plan| market.is_none_or(|market| plan.terms.order.price.is_none() == market))
        .filter(|plan| bound.is_none_or(|bound| plan.terms.kind.is_bound() == bound))
        .take(row_limit(params)?)
        .map(|plan| plan_row(plan, &call.exchange));
    Ok(rows.collect::<Value>())
}

pub(crate) fn submit_trailing_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let plan = parse_trailing(&call.params, rules(call)?)?;
    let id = call.exchange.order(account, FuturesRequest::PlacePlan(plan))?;
    Ok(json!({ "order_id": id.0 }))
}

/// A trailing order becomes a market order: it has no field for a price.
fn parse_trailing(params: &Params, rules: &FuturesRules) -> Result<NewPlan, WireError> {
    let side = fields::side(params)?;
    let order = NewFuturesOrder {
        symbol: rules.symbol.clone(),
        side,
        price: None,
        size: fields::size(params, rules)?,
        mode: OrderMode::GoodTillCanceled,
        leverage: fields::leverage(params, rules)?.ok_or_else(|| params.missing("leverage"))?,
        margin_type: fields::margin_type(params, true)?,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    params.required("callback_rate")?;
    let callback_rate = params.decimal("callback_rate")?.unwrap_or_default();
    check_callback_rate(callback_rate).map_err(fields::rule_error)?;
    let buys = matches!(side, FuturesSide::OpenLong | FuturesSide::CloseShort);
    let trail = Trail {
        activation: price(params, "activation_price", rules)?,
        callback_rate,
        price_type: required_price_type(params, "activation_price_type")?,
        direction: if buys { Direction::Fall } else { Direction::Rise },
        extreme: None,
    };
    let preset = Preset::default();
    let terms = Plan { kind: PlanKind::Trailing, order, whole_position: false, preset };
    Ok(NewPlan { client_order_id: None, condition: Condition::Trail(trail), terms })
}

/// Without an id all trailing orders of the contract are canceled. The id is optional, but no source states what
/// happens without it: this is what `cancel-plan-order` does.
pub(crate) fn cancel_trailing_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = rules(call)?.symbol.clone();
    let kinds = [PlanKind::Trailing].to_vec();
    let request = if call.params.is_absent("order_id") {
        FuturesRequest::CancelPlans { symbol, kinds }
    } else {
        FuturesRequest::CancelPlan { symbol, id: required_id(&call.params)?, kinds }
    };
    call.exchange.apply(account, request)?;
    Ok(json!({}))
}
