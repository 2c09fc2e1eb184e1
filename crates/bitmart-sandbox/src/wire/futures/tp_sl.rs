//! Take-profits, stop-losses and preset prices of futures.

use bitmart_sim::{
    FuturesRequest,
    book::SelfTradePrevention,
    futures::FuturesRules,
    futures_order::{MarginType, NewFuturesOrder, OrderMode},
    trigger::{Condition, NewPlan, Plan, PlanChange, PlanKind, Preset},
};
use rust_decimal::Decimal;
use serde_json::json;

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    futures::fields::{self as fields, price, required_price_type, rules},
    futures::plans::{optional_id, required_id},
    params::Params,
    parse_number,
};

pub(crate) fn submit_tp_sl_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let rules = rules(call)?;
    let mut plan = parse(&call.params, rules)?;
    let order = &mut plan.terms.order;
    let key = (order.symbol.clone(), order.side.position_side());
    let positions = call.exchange.account(account).map(|owner| &owner.positions);
    // A direction that was never open has a record without a leverage.
    let position = positions.and_then(|all| all.get(&key));
    if let Some(position) = position.filter(|position| position.is_open()) {
        (order.leverage, order.margin_type) = (position.leverage, position.margin_type);
        if plan.terms.whole_position {
            order.size = position.size;
        }
    }
    let client_order_id = plan.client_order_id.clone();
    let id = call.exchange.order(account, FuturesRequest::PlacePlan(plan))?;
    // The id is a string here.
    let client_order_id = client_order_id.as_deref().unwrap_or_default();
    Ok(json!({ "order_id": id.0.to_string(), "client_order_id": client_order_id }))
}

fn parse(params: &Params, rules: &FuturesRules) -> Result<NewPlan, WireError> {
    let kind = match params.required("type")?.as_str() {
        "take_profit" => PlanKind::TakeProfit,
        "stop_loss" => PlanKind::StopLoss,
        _ => return Err(error(40042)),
    };
    let side = fields::side(params)?;
    if side.opens() {
        return Err(error(40041));
    }
    // By default the order is for the whole position (endpoint futures/submit-tp-sl-order).
    let whole_position = fields::whole_position(params)?.unwrap_or(true);
    let has_size = !whole_position && !params.is_absent("size");
    let size = if has_size { fields::size(params, rules)? } else { Decimal::ZERO };
    params.required("executive_price")?;
    let order = NewFuturesOrder {
        symbol: rules.symbol.clone(),
        side,
        price: execution_price(params, rules, whole_position)?,
        size,
        mode: OrderMode::GoodTillCanceled,
        leverage: 1,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let condition = Condition::Reach {
        price: price(params, "trigger_price", rules)?,
        direction: kind.direction(side),
        price_type: required_price_type(params, "price_type")?,
    };
    let preset = Preset::default();
    // Without a size the order is for the whole position, regardless of its category.
    let terms = Plan { kind, order, whole_position: !has_size, preset };
    Ok(NewPlan { client_order_id: fields::client_order_id(params)?, condition, terms })
}

/// The limit price of the order that the trigger places; `None` for a market order: with `category` market, with a
/// price of 0, and for the whole position unless `category` is limit.
fn execution_price(
    params: &Params,
    rules: &FuturesRules,
    whole_position: bool,
) -> Result<Option<Decimal>, WireError> {
    let market = match params.text("category")?.as_deref() {
        None => whole_position,
        Some("limit") => false,
        Some("market") => true,
        Some(_) => return Err(params.invalid("category", "must be limit or market")),
    };
    let is_zero = |text: &str| parse_number::decimal(text).is_some_and(|price| price.is_zero());
    if market || params.text("executive_price")?.as_deref().is_some_and(is_zero) {
        return Ok(None);
    }
    price(params, "executive_price", rules).map(Some)
}

pub(crate) fn modify_tp_sl_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let rules = rules(call)?;
    let symbol = rules.symbol.clone();
    let id = optional_id(call, account)?.ok_or_else(|| call.params.missing("order_id"))?;
    let whole_position = fields::whole_position(&call.params)?;
    let before = call.exchange.triggers().futures.get(id).map(|plan| plan.terms.whole_position);
    let whole = whole_position.or(before).unwrap_or(true);
    let change = PlanChange {
        trigger_price: price(&call.params, "trigger_price", rules)?,
        price_type: required_price_type(&call.params, "price_type")?,
        price: execution_price(&call.params, rules, whole)?,
        whole_position,
    };
    let kinds = [PlanKind::TakeProfit, PlanKind::StopLoss];
    call.exchange
        .apply(account, FuturesRequest::ModifyPlan { symbol, id, kinds: kinds.to_vec(), change })?;
    Ok(json!({ "order_id": id.0.to_string() }))
}

/// Changes the preset prices of an opening order. Absent prices stay.
pub(crate) fn modify_preset(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let rules = rules(call)?;
    let (symbol, id) = (rules.symbol.clone(), required_id(&call.params)?);
    let preset = fields::preset(&call.params, rules)?;
    call.exchange.apply(account, FuturesRequest::ModifyPreset { symbol, id, preset })?;
    Ok(json!({ "order_id": id.0.to_string() }))
}
