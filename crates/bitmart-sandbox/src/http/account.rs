//! Balances, withdrawals and their history.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

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

/// Only balances above zero, as documented. A currency is worth its last price in USDT, as if that
/// were the dollar.
pub(super) fn wallet(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let currency = call.params.text("currency")?;
    let valued = call.params.text("needUsdValuation")?.as_deref() == Some("true");
    let wallets = call.exchange.account(account).spot.clone();
    let worth = |currency: &SmolStr| {
        let market = call.exchange.spot.get(format!("{currency}_USDT").as_str());
        let last = market.and_then(|market| market.tape.last_price());
        if currency == "USDT" { Decimal::ONE } else { last.unwrap_or_default() }
    };
    let rows = wallets
        .iter()
        .filter(|(_, wallet)| !(wallet.available + wallet.frozen).is_zero())
        .filter(|(name, _)| currency.as_deref().is_none_or(|wanted| wanted == name.as_str()))
        .map(|(name, wallet)| {
            let usd = wallet.available.checked_mul(worth(name)).unwrap_or_default();
            json!({
                "currency": name.as_str(),
                "name": name.as_str(),
                "available": fixed(wallet.available, 8),
                "available_usd_valuation": if valued { fixed(usd, 8) } else { String::new() },
                "frozen": fixed(wallet.frozen, 8),
                "unAvailable": fixed(wallet.frozen, 8),
            })
        });
    Ok(json!({ "wallet": rows.collect::<Value>() }))
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
