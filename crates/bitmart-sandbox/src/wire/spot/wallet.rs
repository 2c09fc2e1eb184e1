//! Spot balances of REST and of the stream, and fee rates.

use std::collections::BTreeSet;

use bitmart_sim::{
    AccountId, BalanceReason, Exchange,
    account::WalletKind,
    spot::{MAKER_FEE, TAKER_FEE},
};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult,
    currencies::full_name,
    error::error,
    render::{fixed, plain},
};

/// The balances above zero, with the total and the full names. Source: captured (fixtures/captured/spot-balance.json:
/// an account that holds dust of some currencies, and no empty balance).
pub(crate) fn spot_wallet(call: &mut Call<'_>) -> HandlerResult {
    let rows = call.exchange.wallets(call.account()?.id, WalletKind::Spot);
    let rows = rows.filter(|(_, wallet)| !wallet.is_empty()).map(|(currency, wallet)| {
        json!({
            "id": currency.as_str(),
            "available": fixed(wallet.available, 8),
            "name": full_name(currency),
            "frozen": fixed(wallet.frozen, 8),
            "total": fixed(wallet.available + wallet.frozen, 8),
        })
    });
    Ok(json!({ "wallet": rows.collect::<Value>() }))
}

/// The balances above zero of the spot and the funding wallet, as documented.
pub(crate) fn wallet(call: &mut Call<'_>) -> HandlerResult {
    let currency = call.params.text("currency")?;
    let wants_usd = match call.params.text("needUsdValuation")?.as_deref() {
        None => false,
        // The spellings of clients in other languages: Python writes `True`.
        Some(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err(call.params.invalid("needUsdValuation", "must be true or false")),
        },
    };
    let owner = call.account()?;
    let names: BTreeSet<_> = owner.spot.keys().chain(owner.funding.keys()).collect();
    let mut rows = Vec::new();
    for name in names {
        let wallet = call.exchange.wallet(owner.id, WalletKind::Spot, name);
        let funding = call.exchange.wallet(owner.id, WalletKind::Funding, name);
        let is_empty = wallet.is_empty() && funding.is_empty();
        if is_empty || currency.as_deref().is_some_and(|requested| requested != name.as_str()) {
            continue;
        }
        let usd = wallet.available.checked_mul(call.exchange.usd_price(name)).unwrap_or_default();
        rows.push(json!({
            "currency": name.as_str(),
            "name": full_name(name),
            "available": fixed(wallet.available, 8),
            "available_usd_valuation": if wants_usd { fixed(usd, 8) } else { String::new() },
            "frozen": fixed(wallet.frozen, 8),
            "unAvailable": fixed(wallet.frozen, 8),
            "fundAvailable": fixed(funding.available, 8),
            "fundFroze": fixed(funding.frozen, 8),
        }));
    }
    Ok(json!({ "wallet": rows }))
}

/// The changed balances on the WebSocket channel.
pub(crate) fn pushed_balances(
    exchange: &Exchange,
    account: AccountId,
    reason: BalanceReason,
    currencies: &[SmolStr],
    now_ms: u64,
) -> Value {
    let event = match reason {
        BalanceReason::Trade => "TRANSACTION_COMPLETED",
        BalanceReason::Deposit => "ACCOUNT_RECHARGE",
        BalanceReason::Withdrawal => "ACCOUNT_WITHDRAWAL",
        BalanceReason::Transfer => "ACCOUNT_TRANSFER",
    };
    let rows = currencies.iter().map(|currency| {
        let money = exchange.wallet(account, WalletKind::Spot, currency);
        json!({ "ccy": currency.as_str(), "av_bal": plain(money.available), "fz_bal": plain(money.frozen) })
    });
    json!({
        "event_type": event,
        "event_time": now_ms.to_string(),
        "balance_details": rows.collect::<Value>(),
    })
}

/// Every pair has rate class A.
pub(crate) fn fee_rates(_: &mut Call<'_>) -> HandlerResult {
    Ok(json!({
        "user_rate_type": 0,
        "level": "LV1",
        "taker_fee_rate_A": plain(TAKER_FEE),
        "maker_fee_rate_A": plain(MAKER_FEE),
        "taker_fee_rate_B": "0.0025",
        "maker_fee_rate_B": "0.0025",
        "taker_fee_rate_C": "0.004",
        "maker_fee_rate_C": "0.004",
        "taker_fee_rate_D": "0.006",
        "maker_fee_rate_D": "0.006",
    }))
}

pub(crate) fn trade_fee(call: &mut Call<'_>) -> HandlerResult {
    let symbol = call.params.required("symbol")?;
    if call.exchange.spot_market(symbol.as_str()).is_none() {
        return Err(error(50001));
    }
    Ok(json!({
        "symbol": symbol,
        "buy_taker_fee_rate": plain(TAKER_FEE),
        "sell_taker_fee_rate": plain(TAKER_FEE),
        "buy_maker_fee_rate": plain(MAKER_FEE),
        "sell_maker_fee_rate": plain(MAKER_FEE),
    }))
}
