//! Futures settings of an account: position mode, leverage, and the countdown of its orders.

use bitmart_sim::{FuturesRequest, futures::FuturesMarket};
use serde_json::{Value, json};

use crate::wire::{
    Call, HandlerResult, enums, error::error, futures::fields::leverage, render::plain,
};

/// Enumeration `futures_position_mode`.
pub(crate) fn position_mode_name(one_way: bool) -> &'static str {
    if one_way { "one_way_mode" } else { "hedge_mode" }
}

pub(crate) fn position_mode(call: &mut Call<'_>) -> HandlerResult {
    let one_way = call.account()?.one_way;
    Ok(json!({ "position_mode": position_mode_name(one_way) }))
}

pub(crate) fn set_position_mode(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let one_way = match call.params.required("position_mode")?.as_str() {
        "hedge_mode" => false,
        "one_way_mode" => true,
        _ => {
            let rule = "must be hedge_mode or one_way_mode";
            return Err(call.params.invalid("position_mode", rule));
        }
    };
    call.exchange.apply(account, FuturesRequest::SetOneWay(one_way))?;
    Ok(json!({ "position_mode": position_mode_name(one_way) }))
}

/// Without a leverage the response contains the current one. `max_value` is the maximum leverage, as documented.
pub(crate) fn set_leverage(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let market = call.exchange.futures_market(symbol.as_str()).ok_or_else(|| error(40034))?;
    let open_type = call.params.required("open_type")?;
    let margin_type = enums::parse_margin_type(&open_type).ok_or_else(|| error(40045))?;
    let rules = market.rules.clone();
    if let Some(leverage) = leverage(&call.params, &rules)? {
        let symbol = rules.symbol.clone();
        call.exchange
            .apply(account, FuturesRequest::SetLeverage { symbol, leverage, margin_type })?;
    }
    let leverage = call.exchange.leverage_of(account, &rules, margin_type);
    Ok(json!({
        "symbol": symbol,
        "leverage": leverage.to_string(),
        "open_type": open_type,
        "max_value": rules.max_leverage.to_string(),
    }))
}

pub(crate) fn leverage_brackets(call: &mut Call<'_>) -> HandlerResult {
    let requested = call.params.text("symbol")?;
    let is_unknown = |symbol: &str| call.exchange.futures_market(symbol).is_none();
    if requested.as_deref().is_some_and(is_unknown) {
        return Err(error(40034));
    }
    let rules = call
        .exchange
        .futures_markets()
        .filter(|market| requested.as_deref().is_none_or(|symbol| market.rules.symbol == symbol));
    Ok(json!({ "rules": rules.map(bracket_rows).collect::<Value>() }))
}

/// `bracket` and `initial_leverage` are numbers, the other fields strings.
fn bracket_rows(market: &FuturesMarket) -> Value {
    let rows = market.rules.brackets.iter().zip(1..).map(|(row, number): (_, u32)| {
        json!({
            "bracket": number,
            "initial_leverage": row.leverage,
            "notional_cap": plain(row.cap),
            "notional_floor": plain(row.floor),
            "maint_margin_ratio": plain(row.ratio),
            "cum": plain(row.cum),
        })
    });
    json!({ "symbol": market.rules.symbol.as_str(), "brackets": rows.collect::<Value>() })
}

/// Times of the response are in seconds. A timeout of 0 stops the countdown.
pub(crate) fn cancel_all_after(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let market = call.exchange.futures_market(symbol.as_str()).ok_or_else(|| error(40034))?;
    let symbol = market.rules.symbol.clone();
    call.params.required("timeout")?;
    let timeout = call.params.integer("timeout")?.and_then(|seconds| u64::try_from(seconds).ok());
    let timeout =
        timeout.ok_or_else(|| call.params.invalid("timeout", "must be 0 or at least 5"))?;
    let seconds = (timeout > 0).then_some(timeout);
    call.exchange.apply(account, FuturesRequest::CancelAllAfter { symbol, seconds })?;
    let at_ms = seconds.map(|seconds| call.now_ms + seconds * 1_000);
    Ok(json!({
        "result": true,
        "set_time": call.now_ms / 1_000,
        "cancel_time": at_ms.unwrap_or_default() / 1_000,
    }))
}
