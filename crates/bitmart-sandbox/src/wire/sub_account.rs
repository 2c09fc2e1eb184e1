//! Sub-accounts: transfers between them and their main account, wallets and lists, on both hosts.

use bitmart_sim::{
    AccountId, WalletRequest,
    account::WalletKind,
    transfer::{AccountWallet, NewTransfer, Transfer},
};

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Call, HandlerResult, transfer::amount};
use crate::wire::{
    currencies::full_name,
    enums::account_name,
    error::{WireError, error},
    render::{fixed, plain},
};

/// Histories cover three months, as documented.
const HISTORY_MS: u64 = 90 * 86_400_000;
/// Characters of a `requestNo`.
const MAX_REQUEST_NUMBER: usize = 64;
const MAX_ROWS: i64 = 100;

/// The account of the caller, which must be a main account (otherwise 60026).
fn main_account(call: &Call<'_>) -> Result<AccountId, WireError> {
    let account = call.account_id()?;
    let is_sub = main_of(call, account).is_some();
    if is_sub { Err(error(60026)) } else { Ok(account) }
}

fn main_of(call: &Call<'_>, account: AccountId) -> Option<AccountId> {
    call.exchange.account(account)?.main
}

/// The sub-account with the name in a field; an error with `code` if there is none.
fn sub_account_param(
    call: &Call<'_>,
    main: AccountId,
    field: &str,
    code: u32,
) -> Result<AccountId, WireError> {
    let name = call.params.required(field)?;
    let mut subs = call.exchange.sub_accounts(main);
    subs.find(|sub| account_name(*sub) == name).ok_or_else(|| error(code))
}

/// Transfers the requested amount between the same wallets of two accounts.
fn transfer_between_accounts(
    call: &mut Call<'_>,
    kind: WalletKind,
    from: AccountId,
    to: AccountId,
) -> HandlerResult {
    let caller = call.account_id()?;
    let params = &call.params;
    let number = SmolStr::from(params.required("requestNo")?);
    if number.len() > MAX_REQUEST_NUMBER {
        return Err(params.invalid("requestNo", "at most 64 characters"));
    }
    let currency = params.required("currency")?.into();
    let too_many_decimals = params.invalid("amount", "at most 8 decimals");
    let amount = amount(params, error(61000), too_many_decimals)?;
    let end = |account| AccountWallet { account, kind };
    let request = NewTransfer { from: end(from), to: end(to), currency, amount };
    let request = WalletRequest::Transfer { transfer: request, number: Some(number) };
    call.exchange.apply(caller, request)?;
    Ok(json!({}))
}

fn to_main(call: &mut Call<'_>, kind: WalletKind) -> HandlerResult {
    let main = main_account(call)?;
    let sub = sub_account_param(call, main, "subAccount", 61003)?;
    transfer_between_accounts(call, kind, sub, main)
}

fn to_sub(call: &mut Call<'_>, kind: WalletKind) -> HandlerResult {
    let main = main_account(call)?;
    let sub = sub_account_param(call, main, "subAccount", 61003)?;
    transfer_between_accounts(call, kind, main, sub)
}

/// Only for sub-accounts (otherwise 60027).
fn own_to_main(call: &mut Call<'_>, kind: WalletKind) -> HandlerResult {
    let sub = call.account_id()?;
    let main = main_of(call, sub).ok_or_else(|| error(60027))?;
    transfer_between_accounts(call, kind, sub, main)
}

pub(crate) fn transfer_sub_to_main(call: &mut Call<'_>) -> HandlerResult {
    to_main(call, WalletKind::Spot)
}

pub(crate) fn futures_transfer_sub_to_main(call: &mut Call<'_>) -> HandlerResult {
    to_main(call, WalletKind::Futures)
}

pub(crate) fn transfer_main_to_sub(call: &mut Call<'_>) -> HandlerResult {
    to_sub(call, WalletKind::Spot)
}

pub(crate) fn futures_transfer_main_to_sub(call: &mut Call<'_>) -> HandlerResult {
    to_sub(call, WalletKind::Futures)
}

pub(crate) fn transfer_own_to_main(call: &mut Call<'_>) -> HandlerResult {
    own_to_main(call, WalletKind::Spot)
}

pub(crate) fn futures_transfer_own_to_main(call: &mut Call<'_>) -> HandlerResult {
    own_to_main(call, WalletKind::Futures)
}

pub(crate) fn transfer_sub_to_sub(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let from = sub_account_param(call, main, "fromAccount", 61003)?;
    let to = sub_account_param(call, main, "toAccount", 61002)?;
    if from == to {
        return Err(call.params.invalid("toAccount", "must differ from fromAccount"));
    }
    transfer_between_accounts(call, WalletKind::Spot, from, to)
}

pub(crate) fn list(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    // Enumeration `sub_account_status`: 1 is normal, 2 frozen by the main account.
    let status = |sub| if call.exchange.operator_settings().is_frozen(sub) { 2 } else { 1 };
    let rows = call.exchange.sub_accounts(main);
    let rows = rows.map(|sub| json!({ "accountName": account_name(sub), "status": status(sub) }));
    Ok(json!({ "subAccountList": rows.collect::<Value>() }))
}

/// The balances above zero, as documented.
fn balances_of(call: &mut Call<'_>, kind: WalletKind) -> HandlerResult {
    let main = main_account(call)?;
    let sub = sub_account_param(call, main, "subAccount", 61003)?;
    let requested = call.params.text("currency")?;
    let rows = call.exchange.wallets(sub, kind);
    let rows = rows
        .filter(|(_, wallet)| !wallet.is_empty())
        .filter(|(name, _)| requested.as_deref().is_none_or(|requested| requested == name.as_str()))
        .map(|(name, wallet)| {
            json!({
                "currency": name.as_str(),
                "name": full_name(name),
                "available": fixed(wallet.available, 8),
                "frozen": fixed(wallet.frozen, 8),
            })
        });
    Ok(json!({ "wallet": rows.collect::<Value>() }))
}

pub(crate) fn wallet(call: &mut Call<'_>) -> HandlerResult {
    balances_of(call, WalletKind::Spot)
}

pub(crate) fn futures_wallet(call: &mut Call<'_>) -> HandlerResult {
    balances_of(call, WalletKind::Futures)
}

/// The number of transfers between accounts, and as many of them as requested, newest first: those from or to `account`
/// or one of its sub-accounts. With a counterparty only those that involve it.
fn history(
    call: &Call<'_>,
    kind: WalletKind,
    account: AccountId,
    counterparty: Option<AccountId>,
    rows_field: &str,
) -> Result<(usize, Value), WireError> {
    let params = &call.params;
    params.required(rows_field)?;
    let count = params.integer(rows_field)?.filter(|count| (1..=MAX_ROWS).contains(count));
    let count = count.and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or_else(|| params.invalid(rows_field, "must be 1 to 100"))?;
    let since = call.now_ms.saturating_sub(HISTORY_MS);
    // A main account also sees transfers between its sub-accounts.
    let is_own = |end: AccountWallet| {
        let owner = call.exchange.account(end.account);
        end.account == account || owner.is_some_and(|owner| owner.main == Some(account))
    };
    let transfers: Vec<_> = call
        .exchange
        .transfers()
        .rev()
        .take_while(|row| row.time_ms >= since)
        .filter(|row| row.is_between_accounts())
        // The funding wallet is listed as spot.
        .filter(|row| (row.from.kind == WalletKind::Futures) == (kind == WalletKind::Futures))
        .filter(|row| is_own(row.from) || is_own(row.to))
        .filter(|row| counterparty.is_none_or(|counterparty| row.involves(counterparty)))
        .collect();
    Ok((transfers.len(), transfers.into_iter().take(count).map(history_row).collect()))
}

fn history_row(row: &Transfer) -> Value {
    let wallet = |kind| if kind == WalletKind::Futures { "future" } else { "spot" };
    json!({
        "fromAccount": account_name(row.from.account),
        "fromWalletType": wallet(row.from.kind),
        "toAccount": account_name(row.to.account),
        "toWalletType": wallet(row.to.kind),
        "currency": row.currency.as_str(),
        "amount": plain(row.amount),
        "submissionTime": row.time_ms / 1_000,
    })
}

fn spot_history(
    call: &Call<'_>,
    account: AccountId,
    counterparty: Option<AccountId>,
) -> HandlerResult {
    if call.params.required("moveType")? != "spot to spot" {
        return Err(call.params.invalid("moveType", "must be \"spot to spot\""));
    }
    let (total, rows) = history(call, WalletKind::Spot, account, counterparty, "N")?;
    Ok(json!({ "total": total, "historyList": rows }))
}

/// For main accounts: the transfers of one sub-account, or of all.
pub(crate) fn transfers(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let counterparty = match call.params.text("accountName")? {
        None => None,
        Some(_) => Some(sub_account_param(call, main, "accountName", 61003)?),
    };
    spot_history(call, main, counterparty)
}

/// For both kinds of accounts: only transfers from or to the caller.
pub(crate) fn own_transfers(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    spot_history(call, account, Some(account))
}

pub(crate) fn futures_transfers(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let sub = sub_account_param(call, main, "subAccount", 61003)?;
    Ok(history(call, WalletKind::Futures, main, Some(sub), "limit")?.1)
}

pub(crate) fn futures_own_transfers(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    Ok(history(call, WalletKind::Futures, account, Some(account), "limit")?.1)
}
