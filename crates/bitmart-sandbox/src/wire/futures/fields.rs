//! Parsing of the fields that futures orders have in common.

use bitmart_sim::{
    Reject,
    futures::FuturesRules,
    futures_order::{FuturesSide, MarginType, OrderMode},
    rules::check_client_order_id,
    trigger::{Preset, PresetPrice, PriceType},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use smol_str::SmolStr;

use crate::wire::{
    Call, enums,
    error::{ErrorFamily, WireError, error, rejection_error},
    params::Params,
    parse_number,
};

/// The error for a violated rule. The engine checks orders when they are placed; a rule is only checked here if the
/// exchange reports it before another error.
#[allow(clippy::needless_pass_by_value, reason = "argument of map_err")]
pub(super) fn rule_error(reject: Reject) -> WireError {
    rejection_error(&reject, ErrorFamily::Futures)
}

/// The rules of the requested contract.
pub(crate) fn rules<'a>(call: &'a Call<'_>) -> Result<&'a FuturesRules, WireError> {
    let symbol = call.params.required("symbol")?;
    let market = call.exchange.futures_market(symbol.as_str()).ok_or_else(|| error(40034))?;
    Ok(&market.rules)
}

pub(crate) fn side(params: &Params) -> Result<FuturesSide, WireError> {
    match params.required("side")?.as_str() {
        "1" => Ok(FuturesSide::OpenLong),
        "2" => Ok(FuturesSide::CloseShort),
        "3" => Ok(FuturesSide::CloseLong),
        "4" => Ok(FuturesSide::OpenShort),
        _ => Err(error(40041)),
    }
}

/// The time in force. A market order cannot be post-only.
pub(crate) fn mode(params: &Params, is_market_order: bool) -> Result<OrderMode, WireError> {
    match params.integer("mode")? {
        None | Some(1) => Ok(OrderMode::GoodTillCanceled),
        Some(2) => Ok(OrderMode::FillOrKill),
        Some(3) => Ok(OrderMode::ImmediateOrCancel),
        Some(4) if !is_market_order => Ok(OrderMode::PostOnly),
        Some(_) => Err(params.invalid("mode", "must be 1 to 4, and not 4 with type market")),
    }
}

pub(crate) fn size(params: &Params, rules: &FuturesRules) -> Result<Decimal, WireError> {
    params.required("size")?;
    let size = params.decimal("size").ok().flatten().unwrap_or_default();
    rules.check_size(size).map_err(rule_error)?;
    Ok(size)
}

/// A required price, with at most the decimals of the contract.
pub(crate) fn price(
    params: &Params,
    name: &str,
    rules: &FuturesRules,
) -> Result<Decimal, WireError> {
    params.required(name)?;
    let price = params.decimal(name)?.unwrap_or_default();
    rules.check_price(price).map_err(rule_error)?;
    Ok(price)
}

/// A leverage within the limits of the contract; `None` if absent.
pub(crate) fn leverage(params: &Params, rules: &FuturesRules) -> Result<Option<u32>, WireError> {
    let Some(text) = params.text("leverage")? else { return Ok(None) };
    let value = parse_number::decimal(&text).ok_or_else(|| error(40040))?;
    rules.check_leverage(value).map_err(rule_error)?;
    value.to_u32().filter(|_| value.fract().is_zero()).ok_or_else(|| error(40040)).map(Some)
}

/// The margin type. Only an order that opens a position needs one.
pub(crate) fn margin_type(params: &Params, opens: bool) -> Result<MarginType, WireError> {
    match params.text("open_type")?.as_deref() {
        None if !opens => Ok(MarginType::Cross),
        open_type => open_type.and_then(enums::parse_margin_type).ok_or_else(|| error(40045)),
    }
}

pub(crate) fn client_order_id(params: &Params) -> Result<Option<SmolStr>, WireError> {
    let Some(id) = params.text("client_order_id")? else { return Ok(None) };
    check_client_order_id(&id).map_err(rule_error)?;
    Ok(Some(id.into()))
}

/// Last price or mark price; `None` if absent.
pub(crate) fn price_type(params: &Params, name: &str) -> Result<Option<PriceType>, WireError> {
    match params.integer(name)? {
        None => Ok(None),
        Some(1) => Ok(Some(PriceType::Last)),
        Some(2) => Ok(Some(PriceType::Mark)),
        Some(_) => Err(params.invalid(name, "must be 1 or 2")),
    }
}

pub(crate) fn required_price_type(params: &Params, name: &str) -> Result<PriceType, WireError> {
    price_type(params, name)?.ok_or_else(|| params.missing(name))
}

/// Preset prices, compared with the last price by default, as documented.
pub(crate) fn preset(params: &Params, rules: &FuturesRules) -> Result<Preset, WireError> {
    let preset_price = |name: &str| {
        let price_type = price_type(params, &format!("{name}_type"))?.unwrap_or(PriceType::Last);
        if params.is_absent(name) {
            return Ok(None);
        }
        price(params, name, rules).map(|price| Some(PresetPrice { price, price_type }))
    };
    let (take_profit, stop_loss) =
        (preset_price("preset_take_profit_price")?, preset_price("preset_stop_loss_price")?);
    Ok(Preset { take_profit, stop_loss })
}

/// Whether `plan_category` is 2, the whole position, and not 1, a size; `None` if absent.
pub(crate) fn whole_position(params: &Params) -> Result<Option<bool>, WireError> {
    match params.integer("plan_category")? {
        None => Ok(None),
        Some(1) => Ok(Some(false)),
        Some(2) => Ok(Some(true)),
        Some(_) => Err(params.invalid("plan_category", "must be 1 or 2")),
    }
}
