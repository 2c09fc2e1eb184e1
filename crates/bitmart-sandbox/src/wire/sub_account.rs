//! Sub-accounts: transfers between them and their main account, wallets and lists, on both hosts.

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Call, HandlerResult, transfer::amount};
use crate::{
    exchange::{
        AccountId, WalletRequest,
        account::Purse,
        transfer::{End, NewTransfer, Transfer},
    },
    wire::{
        decimal::{fixed, plain},
        error::{WireError, error},
    },
};

/// Histories reach back three months, as documented.
const REACH_MS: u64 = 90 * 86_400_000;
const REQUEST_NO: usize = 64;
const MOST_ROWS: i64 = 100;

/// The caller, which must be a main account (60026 otherwise).
fn main_account(call: &Call<'_>) -> Result<AccountId, WireError> {
    let account = call.account()?;
    let is_sub = main_of(call, account).is_some();
    if is_sub { Err(error(60026)) } else { Ok(account) }
}

fn main_of(call: &Call<'_>, account: AccountId) -> Option<AccountId> {
    call.exchange.accounts.get(&account)?.main
}

/// The sub-account that a field names, or this error.
fn named(call: &Call<'_>, main: AccountId, field: &str, code: u32) -> Result<AccountId, WireError> {
    let name = call.params.need(field)?;
    call.exchange.sub_account(main, &name).ok_or_else(|| error(code))
}

/// Moves the requested amount between the same wallets of two accounts.
fn move_money(call: &mut Call<'_>, purse: Purse, from: AccountId, to: AccountId) -> HandlerResult {
    let caller = call.account()?;
    let params = &call.params;
    let number = SmolStr::from(params.need("requestNo")?);
    if number.len() > REQUEST_NO {
        return Err(params.invalid("requestNo", "at most 64 characters"));
    }
    let currency = params.need("currency")?.into();
    let too_fine = params.invalid("amount", "at most 8 decimals");
    let amount = amount(params, error(61000), too_fine)?;
    let end = |account| End { account, purse };
    let request = NewTransfer { from: end(from), to: end(to), currency, amount };
    let request = WalletRequest::Transfer { transfer: request, number: Some(number) };
    call.exchange.apply(caller, request)?;
    Ok(json!({}))
}

fn to_main(call: &mut Call<'_>, purse: Purse) -> HandlerResult {
    let main = main_account(call)?;
    let sub = named(call, main, "subAccount", 61003)?;
    move_money(call, purse, sub, main)
}

fn to_sub(call: &mut Call<'_>, purse: Purse) -> HandlerResult {
    let main = main_account(call)?;
    let sub = named(call, main, "subAccount", 61003)?;
    move_money(call, purse, main, sub)
}

/// Only a sub-account may send it (60027).
fn own_to_main(call: &mut Call<'_>, purse: Purse) -> HandlerResult {
    let sub = call.account()?;
    let main = main_of(call, sub).ok_or_else(|| error(60027))?;
    move_money(call, purse, sub, main)
}

pub(crate) fn spot_to_main(call: &mut Call<'_>) -> HandlerResult {
    to_main(call, Purse::Spot)
}

pub(crate) fn futures_to_main(call: &mut Call<'_>) -> HandlerResult {
    to_main(call, Purse::Futures)
}

pub(crate) fn spot_to_sub(call: &mut Call<'_>) -> HandlerResult {
    to_sub(call, Purse::Spot)
}

pub(crate) fn futures_to_sub(call: &mut Call<'_>) -> HandlerResult {
    to_sub(call, Purse::Futures)
}

pub(crate) fn spot_own_to_main(call: &mut Call<'_>) -> HandlerResult {
    own_to_main(call, Purse::Spot)
}

pub(crate) fn futures_own_to_main(call: &mut Call<'_>) -> HandlerResult {
    own_to_main(call, Purse::Futures)
}

pub(crate) fn sub_to_sub(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let from = named(call, main, "fromAccount", 61003)?;
    let to = named(call, main, "toAccount", 61002)?;
    if from == to {
        return Err(call.params.invalid("toAccount", "must differ from fromAccount"));
    }
    move_money(call, Purse::Spot, from, to)
}

pub(crate) fn list(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    // Enumeration `sub_account_status`: 1 is normal, 2 frozen by the main account.
    let status = |sub| if call.exchange.decisions.is_frozen(sub) { 2 } else { 1 };
    let rows = call.exchange.sub_accounts(main);
    let rows = rows.map(|sub| json!({ "accountName": sub.name(), "status": status(sub) }));
    Ok(json!({ "subAccountList": rows.collect::<Value>() }))
}

/// Only balances above zero, as documented.
fn wallet(call: &mut Call<'_>, purse: Purse) -> HandlerResult {
    let main = main_account(call)?;
    let sub = named(call, main, "subAccount", 61003)?;
    let wanted = call.params.text("currency")?;
    let rows = call.exchange.wallets(sub, purse);
    let rows = rows
        .filter(|(_, wallet)| !wallet.is_empty())
        .filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == name.as_str()))
        .map(|(name, wallet)| {
            json!({
                "currency": name.as_str(),
                "name": name.as_str(),
                "available": fixed(wallet.available, 8),
                "frozen": fixed(wallet.frozen, 8),
            })
        });
    Ok(json!({ "wallet": rows.collect::<Value>() }))
}

pub(crate) fn spot_wallet(call: &mut Call<'_>) -> HandlerResult {
    wallet(call, Purse::Spot)
}

pub(crate) fn futures_wallet(call: &mut Call<'_>) -> HandlerResult {
    wallet(call, Purse::Futures)
}

/// The transfers of one kind of wallet between `account`, when given `with`, and others; newest first.
fn history(
    call: &Call<'_>,
    purse: Purse,
    account: AccountId,
    with: Option<AccountId>,
    rows_field: &str,
) -> Result<(usize, Value), WireError> {
    let params = &call.params;
    params.need(rows_field)?;
    let rows = params.whole(rows_field)?.filter(|rows| (1..=MOST_ROWS).contains(rows));
    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
    let rows = rows.ok_or_else(|| params.invalid(rows_field, "must be 1 to 100"))?;
    let since = call.now_ms.saturating_sub(REACH_MS);
    // A main account sees what its sub-accounts send to each other, too.
    let is_own = |end: End| {
        let owner = call.exchange.accounts.get(&end.account);
        end.account == account || owner.is_some_and(|owner| owner.main == Some(account))
    };
    let found: Vec<_> = call
        .exchange
        .transfers
        .iter()
        .rev()
        .take_while(|row| row.time_ms >= since)
        .filter(|row| row.is_between_accounts())
        // The funding wallet is listed as spot.
        .filter(|row| (row.from.purse == Purse::Futures) == (purse == Purse::Futures))
        .filter(|row| is_own(row.from) || is_own(row.to))
        .filter(|row| with.is_none_or(|with| row.touches(with)))
        .collect();
    Ok((found.len(), found.into_iter().take(rows).map(history_row).collect()))
}

fn history_row(row: &Transfer) -> Value {
    let kind = |purse| if purse == Purse::Futures { "future" } else { "spot" };
    json!({
        "fromAccount": row.from.account.name(),
        "fromWalletType": kind(row.from.purse),
        "toAccount": row.to.account.name(),
        "toWalletType": kind(row.to.purse),
        "currency": row.currency.as_str(),
        "amount": plain(row.amount),
        "submissionTime": row.time_ms / 1_000,
    })
}

fn spot_history(call: &Call<'_>, account: AccountId, with: Option<AccountId>) -> HandlerResult {
    if call.params.need("moveType")? != "spot to spot" {
        return Err(call.params.invalid("moveType", "must be \"spot to spot\""));
    }
    let (total, rows) = history(call, Purse::Spot, account, with, "N")?;
    Ok(json!({ "total": total, "historyList": rows }))
}

/// For the main account: of one sub-account, or of all.
pub(crate) fn spot_transfers(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let with = match call.params.text("accountName")? {
        None => None,
        Some(_) => Some(named(call, main, "accountName", 61003)?),
    };
    spot_history(call, main, with)
}

/// For either: only what the caller itself sent or got.
pub(crate) fn spot_own_transfers(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account()?;
    spot_history(call, account, Some(account))
}

pub(crate) fn futures_transfers(call: &mut Call<'_>) -> HandlerResult {
    let main = main_account(call)?;
    let sub = named(call, main, "subAccount", 61003)?;
    Ok(history(call, Purse::Futures, main, Some(sub), "limit")?.1)
}

pub(crate) fn futures_own_transfers(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account()?;
    Ok(history(call, Purse::Futures, account, Some(account), "limit")?.1)
}
