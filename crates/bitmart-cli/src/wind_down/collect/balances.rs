//! Queries balances, loans and savings. What is not available is attributed to what holds it, as far as the exchange
//! reports it.

use std::collections::BTreeMap;

use bitmart::Decimal;
use bitmart::rest::{Client, account, earn, futures, margin};
use bitmart::types::Rows;

use super::super::facts::{Balance, Facts, Held, HeldBy, Loan, Saving, UnknownFrozen, Wallet};
use super::ROWS;
use crate::confirm::withdrawal::coin_of;
use crate::failure::chain;

pub(super) async fn collect(client: &Client, facts: &mut Facts) {
    let pending = pending_withdrawals(client, facts).await;
    spot_and_funding(client, facts, &pending).await;
    futures(client, facts).await;
    margin(client, facts).await;
    savings(client, facts).await;
    sub_accounts(client, facts).await;
}

/// Adds a balance. A free amount that the exchange does not send is reported as unread: it is not zero.
fn add_balance_or_note(
    facts: &mut Facts,
    place: &str,
    wallet: Wallet,
    currency: &str,
    free: Option<Decimal>,
    held: Vec<Held>,
) {
    let free = amount_or_note(facts, place, "available", currency, free);
    add_balance(facts, wallet, currency, free, held);
}

/// The amount, or zero after it was reported as unread, since the exchange does not send it.
fn amount_or_note(
    facts: &mut Facts,
    place: &str,
    what: &str,
    currency: &str,
    amount: Option<Decimal>,
) -> Decimal {
    amount.unwrap_or_else(|| {
        facts.unread.push(format!("{place}: the {what} amount of {currency} is missing"));
        Decimal::ZERO
    })
}

fn add_balance(facts: &mut Facts, wallet: Wallet, currency: &str, free: Decimal, held: Vec<Held>) {
    let held: Vec<_> = held.into_iter().filter(|held| !held.amount.is_zero()).collect();
    if !free.is_zero() || !held.is_empty() {
        facts.balances.push(Balance { wallet, currency: currency.to_owned(), free, held });
    }
}

/// The amounts of pending withdrawals by currency.
async fn pending_withdrawals(client: &Client, facts: &mut Facts) -> BTreeMap<String, Decimal> {
    let request = account::ListFundingHistory::new(account::FundingOperation::Withdraw, ROWS);
    let records = client.account().funding_history(request).await.map(|list| list.records);
    let mut pending: BTreeMap<String, Decimal> = BTreeMap::new();
    for record in facts.rows_or_note("pending withdrawals", records) {
        let final_states = [
            account::FundingStatus::Done,
            account::FundingStatus::Canceled,
            account::FundingStatus::Failed,
        ];
        // One without a state may be pending.
        if !record.status.as_ref().is_some_and(|status| final_states.contains(status)) {
            let Some(arrival) = record.arrival_amount else {
                let what = "pending withdrawals: the amount of one is missing";
                facts.unread.push(what.to_owned());
                continue;
            };
            let coin = coin_of(record.currency.as_str());
            let amount =
                arrival + amount_or_note(facts, "pending withdrawals", "fee", coin, record.fee);
            *pending.entry(coin.to_owned()).or_default() += amount;
        }
    }
    pending
}

/// Queries the spot and funding wallets. The list of both wallets is used for funding only: the spot wallet has
/// an endpoint of its own.
async fn spot_and_funding(client: &Client, facts: &mut Facts, pending: &BTreeMap<String, Decimal>) {
    let mut pending = pending.clone();
    let wallet = client.account().spot_wallet().await.map(|wallet| wallet.balances);
    let rows = facts.rows_or_note("spot wallet", wallet);
    add_spot(facts, rows, &mut pending);
    let wallet =
        client.account().wallet(account::QueryWallet::new()).await.map(|wallet| wallet.balances);
    let rows = facts.rows_or_note("funding account", wallet);
    add_funding(facts, rows, &pending);
}

/// Splits a frozen amount into the pending withdrawal and the rest, and returns what is pending elsewhere.
fn split_frozen(frozen: Decimal, pending: Decimal, rest_by: HeldBy) -> (Vec<Held>, Decimal) {
    let withdrawal = frozen.min(pending);
    let held = vec![
        Held { by: HeldBy::Withdrawal, amount: withdrawal },
        Held { by: rest_by, amount: frozen - withdrawal },
    ];
    (held, pending - withdrawal)
}

fn add_spot(
    facts: &mut Facts,
    rows: Vec<account::SpotBalance>,
    pending: &mut BTreeMap<String, Decimal>,
) {
    const PLACE: &str = "spot wallet";
    for row in rows {
        let currency = row.currency.as_str();
        let frozen = amount_or_note(facts, PLACE, "frozen", currency, row.frozen);
        let left = pending.entry(currency.to_owned()).or_default();
        let (held, rest) = split_frozen(frozen, *left, HeldBy::Orders);
        *left = rest;
        add_balance_or_note(facts, PLACE, Wallet::Spot, currency, row.available, held);
    }
}

fn add_funding(
    facts: &mut Facts,
    rows: Vec<account::WalletBalance>,
    pending: &BTreeMap<String, Decimal>,
) {
    const PLACE: &str = "funding account";
    let is_absent =
        |row: &account::WalletBalance| row.fund_available.is_none() && row.fund_frozen.is_none();
    if !rows.is_empty() && rows.iter().all(is_absent) {
        facts.unread.push(format!("{PLACE}: the exchange does not send it"));
        return;
    }
    for row in rows {
        let currency = row.currency.as_str();
        // Only third parties document it, so that its absence is no fault of the response.
        if row.fund_frozen.is_none() {
            let currency = currency.to_owned();
            facts.unknown_frozen.push(UnknownFrozen { wallet: Wallet::Funding, currency });
        }
        let frozen = row.fund_frozen.unwrap_or_default();
        let left = pending.get(currency).copied().unwrap_or_default();
        let (held, _) = split_frozen(frozen, left, HeldBy::Unknown);
        add_balance_or_note(facts, PLACE, Wallet::Funding, currency, row.fund_available, held);
    }
}

async fn futures(client: &Client, facts: &mut Facts) {
    let balances = client.futures().balances().await.map(|list| list.balances);
    let rows = facts.rows_or_note("futures wallet", balances);
    add_futures(facts, rows);
}

fn add_futures(facts: &mut Facts, rows: Vec<futures::Balance>) {
    const PLACE: &str = "futures wallet";
    for row in rows {
        let currency = row.currency.as_str();
        let orders = amount_or_note(facts, PLACE, "frozen", currency, row.frozen);
        let positions = amount_or_note(facts, PLACE, "position", currency, row.position_deposit);
        let held = vec![
            Held { by: HeldBy::Orders, amount: orders },
            Held { by: HeldBy::Positions, amount: positions },
        ];
        add_balance_or_note(facts, PLACE, Wallet::Futures, currency, row.available, held);
    }
}

async fn margin(client: &Client, facts: &mut Facts) {
    let accounts = client.margin().accounts(margin::ListAccounts::new()).await;
    let rows = facts.rows_or_note("isolated margin", accounts.map(|list| list.accounts));
    add_margin(facts, rows);
}

fn add_margin(facts: &mut Facts, rows: Vec<margin::Account>) {
    for row in rows {
        let symbol = row.symbol.to_string();
        let place = format!("isolated margin {symbol}");
        for (name, side) in [("base", row.base), ("quote", row.quote)] {
            let Some(side) = side else {
                facts.unread.push(format!("{place}: the {name} currency is missing"));
                continue;
            };
            let Some(currency) = side.currency else {
                facts.unread.push(format!("{place}: the name of the {name} currency is missing"));
                continue;
            };
            let currency = currency.as_str();
            let orders = amount_or_note(facts, &place, "frozen", currency, side.frozen);
            let held = vec![Held { by: HeldBy::Orders, amount: orders }];
            let wallet = Wallet::Margin(symbol.clone());
            add_balance_or_note(facts, &place, wallet, currency, side.available, held);
            let owed = amount_or_note(facts, &place, "borrowed", currency, side.borrow_unpaid)
                + amount_or_note(facts, &place, "interest", currency, side.interest_unpaid);
            if !owed.is_zero() {
                let (symbol, currency) = (symbol.clone(), currency.to_owned());
                facts.loans.push(Loan { symbol, currency, owed });
            }
        }
    }
}

async fn savings(client: &Client, facts: &mut Facts) {
    match client.earn().auto_saving().await {
        Ok(status) => add_auto_saving(facts, status.into_value()),
        Err(error) => facts.unread.push(format!("automatic saving: {}", chain(&error))),
    }
    let flexible = client.earn().flexible_holdings(earn::ListFlexibleHoldings::new(1, ROWS)).await;
    let flexible = facts.unverified_rows_or_note("flexible savings", flexible, |page| {
        rows_or_empty(page.holdings, page.total)
    });
    for row in flexible {
        saving(facts, row.earn_id.map(|id| id.to_string()), row.currency, row.amount, false);
    }
    flexible_amounts(client, facts).await;
    let fixed = client.earn().fixed_holdings(earn::ListFixedHoldings::new(1, ROWS)).await;
    let fixed = facts.unverified_rows_or_note("fixed savings", fixed, |page| {
        rows_or_empty(page.holdings, page.total)
    });
    for row in fixed {
        saving(facts, row.earn_id.map(|id| id.to_string()), row.currency, row.amount, true);
    }
}

fn add_auto_saving(facts: &mut Facts, status: Option<earn::AutoSaving>) {
    match status.and_then(|status| status.status) {
        Some(earn::AutoSubscribe::On) => facts.auto_saving = true,
        Some(earn::AutoSubscribe::Off) => {}
        _ => facts.unread.push("automatic saving: whether it is on is not known".to_owned()),
    }
}

/// The list of a page. It may be absent if the page says that there are no rows.
fn rows_or_empty<T>(list: Option<Rows<T>>, total: Option<u64>) -> Option<Rows<T>> {
    list.or_else(|| (total == Some(0)).then(Rows::default))
}

/// Derives the amounts of flexible savings, which no source documents. The total of a coin is documented: it is
/// the amount if the coin is in one flexible product.
async fn flexible_amounts(client: &Client, facts: &mut Facts) {
    if facts.savings.iter().all(|saving| saving.amount.is_some()) {
        return;
    }
    let fixed = client.earn().fixed_holdings(earn::ListFixedHoldings::new(1, ROWS)).await;
    let fixed = fixed.ok().and_then(|page| page.into_value()?.holdings);
    let totals = client.earn().holdings().await;
    let totals = facts.unverified_rows_or_note("savings by coin", totals, Some);
    for row in totals {
        let (Some(currency), Some(total), Some(fixed)) = (row.currency, row.total, &fixed) else {
            continue;
        };
        let locked = fixed.iter().filter(|one| one.currency.as_ref() == Some(&currency));
        let locked: Option<Decimal> = locked.map(|one| one.amount).sum();
        let mut of_coin = facts.savings.iter_mut().filter(|one| one.currency == currency.as_str());
        if let (Some(one), None, Some(locked), true) =
            (of_coin.next(), of_coin.next(), locked, fixed.is_complete())
        {
            one.amount = one.amount.or(Some((total - locked).max(Decimal::ZERO)));
        }
    }
}

fn saving(
    facts: &mut Facts,
    earn_id: Option<String>,
    currency: Option<bitmart::types::Currency>,
    amount: Option<Decimal>,
    fixed: bool,
) {
    match (earn_id, currency) {
        (Some(earn_id), Some(currency)) => {
            let currency = currency.to_string();
            facts.savings.push(Saving { earn_id, currency, amount, fixed });
        }
        _ => facts.unread.push("savings: a row has no id or no currency".to_owned()),
    }
}

async fn sub_accounts(client: &Client, facts: &mut Facts) {
    let list = match client.sub_accounts().list().await {
        Ok(list) => Ok(list.accounts),
        // Only institutional accounts have sub-accounts in the API.
        Err(error) if error.code() == Some(61_006) => return,
        Err(error) => Err(error),
    };
    for account in facts.rows_or_note("sub-accounts", list) {
        let name = account.name;
        let wallet = client.sub_accounts().wallet(name.as_str()).await.map(|list| list.balances);
        let place = format!("spot of {name}");
        for row in facts.rows_or_note(&place, wallet) {
            let (wallet, currency) = (Wallet::SubSpot(name.clone()), row.currency.as_str());
            let amount = amount_or_note(facts, &place, "frozen", currency, row.frozen);
            let held = vec![Held { by: HeldBy::Orders, amount }];
            add_balance_or_note(facts, &place, wallet, currency, row.available, held);
        }
        let wallet = client.futures_sub_accounts().wallet(name.as_str()).await;
        let place = format!("futures of {name}");
        for row in facts.rows_or_note(&place, wallet.map(|list| list.balances)) {
            let (wallet, currency) = (Wallet::SubFutures(name.clone()), row.currency.as_str());
            let amount = amount_or_note(facts, &place, "frozen", currency, row.frozen);
            let held = vec![Held { by: HeldBy::Unknown, amount }];
            add_balance_or_note(facts, &place, wallet, currency, row.available, held);
        }
    }
}

#[cfg(test)]
mod tests;
