//! Balances, withdrawals and their history.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, Call};
use crate::{
    exchange::{NewWithdrawal, refusal::refuse},
    wire::{fixed, plain},
};

const WITHDRAW_DECIMALS: u32 = 8;
const DAY_MS: i64 = 86_400_000;
const STATUS_DONE: u32 = 3;

pub(super) fn spot_wallet(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let rows = call.exchange.account(account).spot.iter().map(|(currency, wallet)| {
        json!({
            "id": currency.as_str(),
            "available": fixed(wallet.available, 8),
            "name": currency.as_str(),
            "frozen": fixed(wallet.frozen, 8),
        })
    });
    Ok(json!({ "wallet": rows.collect::<Value>() }))
}

/// Only balances above zero, as documented, of the spot and the funding account.
pub(super) fn wallet(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let currency = call.params.text("currency")?;
    let valued = call.params.text("needUsdValuation")?.as_deref() == Some("true");
    let owner = call.exchange.account(account).clone();
    let names: BTreeSet<_> = owner.spot.keys().chain(owner.fund.keys()).collect();
    let mut rows = Vec::new();
    for name in names {
        let wallet = owner.spot.get(name).copied().unwrap_or_default();
        let funding = owner.fund.get(name).copied().unwrap_or_default();
        let is_empty = wallet.is_empty() && funding.is_empty();
        if is_empty || currency.as_deref().is_some_and(|wanted| wanted != name.as_str()) {
            continue;
        }
        let usd = wallet.available.checked_mul(call.exchange.usd(name)).unwrap_or_default();
        rows.push(json!({
            "currency": name.as_str(),
            "name": name.as_str(),
            "available": fixed(wallet.available, 8),
            "available_usd_valuation": if valued { fixed(usd, 8) } else { String::new() },
            "frozen": fixed(wallet.frozen, 8),
            "unAvailable": fixed(wallet.frozen, 8),
            "fundAvailable": fixed(funding.available, 8),
            "fundFroze": fixed(funding.frozen, 8),
        }));
    }
    Ok(json!({ "wallet": rows }))
}

pub(super) fn withdraw(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let params = &call.params;
    let currency = params.need("currency")?.into();
    params.need("amount")?;
    let amount = params.decimal("amount")?.unwrap_or_default();
    if amount.scale() > WITHDRAW_DECIMALS {
        return Err(
            refuse(60006).saying(format!("Maximum withdraw precision is {WITHDRAW_DECIMALS}"))
        );
    }
    // On-chain wins when both groups of fields are sent, as documented.
    let address = match (params.text("address")?, params.whole("type")?, params.text("value")?) {
        (Some(address), _, _) => address,
        (None, Some(1..=3), Some(value)) => value,
        _ => return Err(refuse(60011)),
    };
    let address_memo = params.text("address_memo")?.unwrap_or_default();
    let request = NewWithdrawal { currency, amount, address, address_memo };
    let id = call.exchange.withdraw(account, request, call.now_ms)?;
    Ok(json!({ "withdraw_id": id.to_string() }))
}

/// The sandbox knows no deposits: a list of them is empty.
pub(super) fn history(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let params = &call.params;
    let wanted = params.need("operation_type")?;
    if wanted != "withdraw" && wanted != "deposit" {
        return Err(params.invalid("operation_type", "must be deposit or withdraw"));
    }
    params.need("N")?;
    let count = params.whole("N")?.unwrap_or_default();
    if !(1..=1_000).contains(&count) {
        return Err(params.invalid("N", "must be 1 to 1000"));
    }
    let currency = params.text("currency")?;
    let now = i64::try_from(call.now_ms).unwrap_or(i64::MAX);
    let end = params.whole("endTime")?.unwrap_or(now);
    let start = params.whole("startTime")?.unwrap_or(end.saturating_sub(90 * DAY_MS));
    if end.saturating_sub(start) > 90 * DAY_MS {
        return Err(refuse(60067));
    }
    let within = |time_ms: u64| i64::try_from(time_ms).is_ok_and(|at| (start..=end).contains(&at));
    let rows = call
        .exchange
        .withdrawals
        .iter()
        .rev()
        .filter(|row| wanted == "withdraw" && row.account == account && within(row.time_ms))
        .filter(|row| currency.as_deref().is_none_or(|currency| row.request.currency == currency))
        .take(usize::try_from(count).unwrap_or(1))
        .map(|row| {
            json!({
                "withdraw_id": row.id.to_string(),
                "deposit_id": "",
                "operation_type": "withdraw",
                "currency": row.request.currency.as_str(),
                "apply_time": row.time_ms,
                "arrival_amount": plain(row.request.amount - row.fee),
                "fee": plain(row.fee),
                "status": STATUS_DONE,
                "address": row.request.address,
                "address_memo": row.request.address_memo,
                "tx_id": format!("sandbox{}", row.id),
            })
        });
    Ok(json!({ "records": rows.collect::<Value>() }))
}
