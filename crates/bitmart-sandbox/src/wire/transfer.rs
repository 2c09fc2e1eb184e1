//! Transfers between the spot, funding and futures wallets of one account.

use bitmart_sim::{
    Reject, WalletRequest,
    account::WalletKind,
    rules::{MONEY_DECIMALS, check_futures_transfer},
    transfer::{AccountWallet, NewTransfer, Transfer},
};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Call, HandlerResult, params::Params};
use crate::wire::{
    error::{WireError, error},
    parse_number,
    render::plain,
};

/// Parses an amount, with the errors for one that is not above 0 and for one with too many decimals.
pub(crate) fn amount(
    params: &Params,
    too_small: WireError,
    too_many_decimals: WireError,
) -> Result<Decimal, WireError> {
    let text = params.required("amount")?;
    if parse_number::decimal(&text).is_some_and(|amount| amount <= Decimal::ZERO) {
        return Err(too_small);
    }
    let amount = params.decimal("amount")?.unwrap_or_default();
    if amount.scale() > MONEY_DECIMALS { Err(too_many_decimals) } else { Ok(amount) }
}

/// Source and destination of a transfer `type`.
fn wallets_of_type(word: &str) -> Option<(WalletKind, WalletKind)> {
    Some(match word {
        "spot_to_contract" => (WalletKind::Spot, WalletKind::Futures),
        "contract_to_spot" => (WalletKind::Futures, WalletKind::Spot),
        "spot_to_fund" => (WalletKind::Spot, WalletKind::Funding),
        "fund_to_spot" => (WalletKind::Funding, WalletKind::Spot),
        "fund_to_contract" => (WalletKind::Funding, WalletKind::Futures),
        "contract_to_fund" => (WalletKind::Futures, WalletKind::Funding),
        _ => return None,
    })
}

/// Transfers between wallets of the caller, if `type` is one of `allowed`. Returns the amount.
fn transfer_own(call: &mut Call<'_>, allowed: [&str; 2]) -> Result<Decimal, WireError> {
    let account = call.account_id()?;
    let params = &call.params;
    let currency = params.required("currency")?.into();
    let word = params.required("type")?;
    let (from, to) =
        wallets_of_type(&word).filter(|_| allowed.contains(&word.as_str())).ok_or_else(|| {
            params.invalid("type", &format!("must be {} or {}", allowed[0], allowed[1]))
        })?;
    let too_small = params.invalid("amount", "must be above 0");
    // "Transfer vol precision error" is listed for futures only.
    let too_many_decimals = match (from, to) {
        (WalletKind::Futures, _) | (_, WalletKind::Futures) => error(40005),
        _ => params.invalid("amount", "at most 8 decimals"),
    };
    let amount = amount(params, too_small, too_many_decimals)?;
    let end = |kind| AccountWallet { account, kind };
    let request = NewTransfer { from: end(from), to: end(to), currency, amount };
    call.exchange.apply(account, WalletRequest::Transfer { transfer: request, number: None })?;
    Ok(amount)
}

/// An insufficient balance gets 42000, the only such futures code that is not about orders.
pub(crate) fn futures_transfer(call: &mut Call<'_>) -> HandlerResult {
    let requested = call.params.decimal("amount")?;
    // Checked before the other fields are read.
    if let Some(Err(Reject::AmountOutOfRange { minimum, maximum })) =
        requested.map(check_futures_transfer)
    {
        return Err(call.params.invalid("amount", &format!("must be {minimum} to {maximum}")));
    }
    let amount = transfer_own(call, ["spot_to_contract", "contract_to_spot"])?;
    Ok(json!({ "currency": call.params.text("currency")?, "amount": plain(amount) }))
}

pub(crate) fn account_transfer(call: &mut Call<'_>) -> HandlerResult {
    transfer_own(call, ["spot_to_fund", "fund_to_spot"])?;
    Ok(json!({}))
}

pub(crate) fn futures_transfer_with_funding(call: &mut Call<'_>) -> HandlerResult {
    transfer_own(call, ["fund_to_contract", "contract_to_fund"])?;
    Ok(json!({}))
}

/// Newest first; no source documents the order. Without times everything is listed, as documented.
pub(crate) fn futures_transfers(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let params = &call.params;
    let bounded = |name: &str, low: i64, high: i64| {
        params.required(name)?;
        let value = params.integer(name)?.filter(|value| (low..=high).contains(value));
        let value = value.and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| params.invalid(name, &format!("must be {low} to {high}")))
    };
    let (page, limit) = (bounded("page", 1, 1_000)?, bounded("limit", 10, 100)?);
    let currency = params.text("currency")?;
    let (start, end) = (params.integer("time_start")?, params.integer("time_end")?);
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(params.invalid("time_end", "must be after time_start"));
    }
    let within = |time_ms: u64| {
        let time = i64::try_from(time_ms).unwrap_or(i64::MAX);
        start.is_none_or(|start| start <= time) && end.is_none_or(|end| time <= end)
    };
    let rows = call.exchange.transfers().rev();
    let rows = rows
        .filter(|row| row.involves(account) && within(row.time_ms))
        .filter(|row| currency.as_deref().is_none_or(|currency| row.currency == currency))
        .filter_map(listed)
        .skip((page - 1) * limit)
        .take(limit);
    Ok(json!({ "records": rows.collect::<Value>() }))
}

/// The row of a transfer between spot and futures; `None` for other transfers.
fn listed(row: &Transfer) -> Option<Value> {
    let word = match (row.from.kind, row.to.kind) {
        (WalletKind::Spot, WalletKind::Futures) => "spot_to_contract",
        (WalletKind::Futures, WalletKind::Spot) => "contract_to_spot",
        _ => return None,
    };
    Some(json!({
        "transfer_id": row.id.to_string(),
        "currency": row.currency.as_str(),
        "amount": plain(row.amount),
        "type": word,
        "state": "FINISHED",
        "timestamp": row.time_ms,
    }))
}
