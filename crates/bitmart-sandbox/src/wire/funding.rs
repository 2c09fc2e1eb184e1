//! Deposits and withdrawals: currencies, addresses, quota, withdrawing and history.

use std::collections::BTreeSet;

use super::{Call, HandlerResult};
use crate::wire::{
    currencies::{address_on, chain},
    enums,
    error::{WireError, error},
    render::{fixed, plain},
};
use bitmart_sim::{
    AccountId, WalletRequest,
    account::WalletKind,
    operator::OpenPayments,
    payment::{self, NewWithdrawal, Payment, PaymentState},
};
use serde_json::{Value, json};

const DECIMALS: u32 = 8;
const DAY_MS: i64 = 86_400_000;
/// Currencies that a request may name.
const MAX_CURRENCIES: usize = 20;
/// The networks of USDT. Every other currency has one network with its own name.
const USDT_NETWORKS: [&str; 2] = ["TRC20", "ERC20"];

/// The account of the caller, which must not be a sub-account (60026, documented as "not for sub-accounts").
fn main_account(call: &mut Call<'_>) -> Result<AccountId, WireError> {
    let account = call.account_id()?;
    let is_sub = call.account()?.main.is_some();
    if is_sub { Err(error(60026)) } else { Ok(account) }
}

/// The values of `account_type`, from the Python SDK 2.8.0.
const DEPOSIT_ACCOUNTS: [(&str, WalletKind); 3] =
    [("SPOT", WalletKind::Spot), ("CONTRACT", WalletKind::Futures), ("FUND", WalletKind::Funding)];

fn deposit_account_row(kind: WalletKind) -> Value {
    let row = DEPOSIT_ACCOUNTS.iter().find(|row| row.1 == kind);
    json!({ "account_type": row.map(|row| row.0) })
}

/// No source documents the content of the response.
pub(crate) fn deposit_account(call: &mut Call<'_>) -> HandlerResult {
    main_account(call)?;
    Ok(deposit_account_row(call.account()?.deposit_to))
}

/// No source documents the content of the response.
pub(crate) fn set_deposit_account(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let word = call.params.required("account_type")?;
    let row = DEPOSIT_ACCOUNTS.iter().find(|row| row.0 == word);
    let rule = "must be SPOT, CONTRACT or FUND";
    let kind = row.ok_or_else(|| call.params.invalid("account_type", rule))?.1;
    call.exchange.apply(account, WalletRequest::SetDepositWallet(kind))?;
    Ok(deposit_account_row(kind))
}

/// The addresses that the operator has saved ([`Sandbox::save_address`](crate::Sandbox::save_address)). Only a standard
/// address has a currency, and an EVM address has no network either.
pub(crate) fn withdraw_addresses(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let rows = call.exchange.operator_settings().addresses(account).iter().map(|saved| {
        let kind = match (&saved.currency, &saved.network) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2,
        };
        let mut row = json!({
            "address": saved.address,
            "memo": saved.memo,
            "remark": saved.remark,
            "addressType": kind,
            "verifyStatus": u8::from(saved.verified),
        });
        let optional = [("currency", &saved.currency), ("network", &saved.network)];
        for (name, value) in optional {
            if let Some(value) = value {
                row[name] = json!(value);
            }
        }
        row
    });
    Ok(json!({ "list": rows.collect::<Value>() }))
}

/// One row per currency and network. A row is found by its own code, such as `USDT-TRC20`, and by that of its currency.
pub(crate) fn currencies(call: &mut Call<'_>) -> HandlerResult {
    let requested = call.params.text("currencies")?;
    let requested: Option<Vec<&str>> = requested.as_deref().map(|list| list.split(',').collect());
    if requested.as_ref().is_some_and(|list| list.len() > MAX_CURRENCIES) {
        return Err(call.params.invalid("currencies", "at most 20"));
    }
    let markets = call.exchange.spot_markets();
    let names: BTreeSet<_> =
        markets.flat_map(|market| [&market.rules.base, &market.rules.quote]).collect();
    let mut rows = Vec::new();
    for name in names {
        let usd_price = call.exchange.usd_price(name);
        let is_requested = |code: &str| {
            requested.as_ref().is_none_or(|all| all.contains(&name.as_str()) || all.contains(&code))
        };
        let mut add = |code: String, network: &str| {
            if !is_requested(&code) {
                return;
            }
            let terms = call.exchange.operator_settings().terms(&code);
            let fee_usd = usd_price.checked_mul(terms.fee).unwrap_or_default();
            let OpenPayments { deposits, withdrawals } =
                call.exchange.operator_settings().open_payments(&code);
            rows.push(json!({
                "currency": code.clone(),
                "name": code,
                "contract_address": null,
                "network": network,
                "withdraw_enabled": withdrawals,
                "deposit_enabled": deposits,
                "withdraw_minsize": fixed(terms.min_withdrawal(), DECIMALS),
                "withdraw_minfee": null,
                "withdraw_fee": plain(terms.fee),
                "withdraw_fee_estimate": fixed(fee_usd, DECIMALS),
            }));
        };
        if name == "USDT" {
            for network in USDT_NETWORKS {
                add(format!("{name}-{network}"), network);
            }
        } else {
            add(name.to_string(), name);
        }
    }
    Ok(json!({ "currencies": rows }))
}

pub(crate) fn deposit_address(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let currency = call.params.required("currency")?;
    let wallet = call.exchange.plain_currency(&currency).ok_or_else(|| error(60002))?;
    let checked = call.exchange.operator_settings().check_deposit(&currency);
    checked.map_err(|reject| call.exchange.error(&reject))?;
    let address = payment::deposit_address(account, &wallet);
    // On networks with a memo all accounts share an address, and the memo identifies the account.
    let needs_memo = call.exchange.operator_settings().terms(&currency).memo;
    let memo = if needs_memo { account.0.to_string() } else { String::new() };
    Ok(json!({
        "currency": currency.as_str(),
        "chain": chain(&currency),
        "address": address_on(&currency, &address),
        "address_memo": memo,
    }))
}

pub(crate) fn withdraw_quota(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let currency = call.params.required("currency")?;
    call.exchange.plain_currency(&currency).ok_or_else(|| error(60002))?;
    let quota_btc = call.exchange.withdraw_quota_btc(account, call.now_ms);
    let terms = call.exchange.operator_settings().terms(&currency);
    Ok(json!({
        "today_available_withdraw_BTC": fixed(quota_btc, 4),
        "min_withdraw": fixed(terms.min_withdrawal(), DECIMALS),
        "withdraw_precision": terms.decimals,
        "withdraw_fee": fixed(terms.fee, DECIMALS),
        "withdraw_Precision_GeTen": terms.multiple_of,
    }))
}

pub(crate) fn withdraw(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let params = &call.params;
    let currency = params.required("currency")?.into();
    params.required("amount")?;
    let amount = params.decimal("amount")?.unwrap_or_default();
    // If the fields for both kinds are sent, the withdrawal is on-chain, as documented.
    let (address, payee) =
        match (params.text("address")?, params.integer("type")?, params.text("value")?) {
            (Some(address), _, _) => (address, None),
            (None, Some(1..=3), Some(value)) => {
                let payee =
                    enums::parse_account(&call.exchange, &value).ok_or_else(|| error(60053))?;
                (value, Some(payee))
            }
            _ => return Err(error(60011)),
        };
    let address_memo = params.text("address_memo")?.unwrap_or_default();
    let source = match params.text("sourceAccount")?.as_deref() {
        None => None,
        Some("SPOT") => Some(WalletKind::Spot),
        Some("FUND") => Some(WalletKind::Funding),
        Some(_) => return Err(params.invalid("sourceAccount", "must be SPOT or FUND")),
    };
    let request = NewWithdrawal { currency, amount, address, address_memo, source, payee };
    let id = call.exchange.number(account, WalletRequest::Withdraw(request))?;
    Ok(json!({ "withdraw_id": id.to_string() }))
}

pub(crate) fn funding_history(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let params = &call.params;
    let requested = params.required("operation_type")?;
    if requested != "withdraw" && requested != "deposit" {
        return Err(params.invalid("operation_type", "must be deposit or withdraw"));
    }
    params.required("N")?;
    let count = params.integer("N")?.unwrap_or_default();
    if !(1..=1_000).contains(&count) {
        return Err(params.invalid("N", "must be 1 to 1000"));
    }
    let currency = params.text("currency")?;
    let now = i64::try_from(call.now_ms).unwrap_or(i64::MAX);
    let (start, end) = (params.integer("startTime")?, params.integer("endTime")?);
    let window_error = if start.is_some() && end.is_some() { 60067 } else { 60066 };
    let end = end.unwrap_or(now);
    let start = start.unwrap_or(end.saturating_sub(90 * DAY_MS));
    if !(0..=90 * DAY_MS).contains(&end.saturating_sub(start)) {
        return Err(error(window_error));
    }
    let within = |time_ms: u64| i64::try_from(time_ms).is_ok_and(|at| (start..=end).contains(&at));
    let rows = call
        .exchange
        .payments_of(account)
        .filter(|row| row.deposit == (requested == "deposit") && within(row.time_ms))
        .filter(|row| currency.as_deref().is_none_or(|currency| is_of(row, currency)))
        .take(usize::try_from(count).unwrap_or(1))
        .map(record);
    Ok(json!({ "records": rows.collect::<Value>() }))
}

/// Whether a record is of a currency: `USDT` is for all of its networks, as captured.
fn is_of(row: &Payment, currency: &str) -> bool {
    row.currency == currency || row.currency.split('-').next() == Some(currency)
}

pub(crate) fn funding_record(call: &mut Call<'_>) -> HandlerResult {
    let account = main_account(call)?;
    let id = call.params.required("id")?;
    let mut rows = call.exchange.payments_of(account);
    let row = rows.find(|row| row.id.to_string() == id).ok_or_else(|| error(60010))?;
    Ok(json!({ "record": record(row) }))
}

/// One of the two ids is an empty string, and `tx_id` is empty until the record is on-chain, as documented.
fn record(row: &Payment) -> Value {
    let id = row.id.to_string();
    let on_chain = [PaymentState::Processing, PaymentState::Done].contains(&row.state);
    let (withdraw_id, deposit_id, kind) =
        if row.deposit { ("", id.as_str(), "deposit") } else { (id.as_str(), "", "withdraw") };
    let address =
        if row.deposit { address_on(&row.currency, &row.address) } else { row.address.clone() };
    json!({
        "withdraw_id": withdraw_id,
        "deposit_id": deposit_id,
        "operation_type": kind,
        "currency": row.currency.as_str(),
        "apply_time": row.time_ms,
        "arrival_amount": plain(row.amount - row.fee),
        "fee": plain(row.fee),
        "status": enums::funding(row.state),
        "address": address,
        "address_memo": row.address_memo,
        "tx_id": if on_chain { format!("sandbox{id}") } else { String::new() },
    })
}
