//! Queries balances, loans and savings.

use std::collections::BTreeMap;

use bitmart::Decimal;
use bitmart::rest::{Client, account, earn, margin};

use super::super::facts::{Balance, Facts, Held, HeldBy, Loan, Saving, Wallet};
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

/// Adds a balance. An amount that the exchange does not send is reported as unread: it is not zero.
fn push_read(
    facts: &mut Facts,
    place: &str,
    wallet: Wallet,
    currency: &str,
    free: Option<Decimal>,
    held: Vec<Held>,
) {
    if free.is_none() {
        facts.unread.push(format!("{place}: the available amount of {currency} is missing"));
    }
    push(facts, wallet, currency, free.unwrap_or_default(), held);
}

fn push(facts: &mut Facts, wallet: Wallet, currency: &str, free: Decimal, held: Vec<Held>) {
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
            let amount = arrival + record.fee.unwrap_or_default();
            *pending.entry(coin_of(record.currency.as_str()).to_owned()).or_default() += amount;
        }
    }
    pending
}

/// Queries the spot and funding wallets. The list of both wallets is used for funding only: the spot wallet has
/// an endpoint of its own.
async fn spot_and_funding(client: &Client, facts: &mut Facts, pending: &BTreeMap<String, Decimal>) {
    let split = |frozen: Decimal, pending: Decimal| {
        let withdrawal = frozen.min(pending);
        let orders = frozen - withdrawal;
        let held = vec![
            Held { by: HeldBy::Withdrawal, amount: withdrawal },
            Held { by: HeldBy::Orders, amount: orders },
        ];
        (held, pending - withdrawal)
    };
    let mut pending = pending.clone();
    let wallet = client.account().spot_wallet().await.map(|wallet| wallet.wallet);
    for row in facts.rows_or_note("spot wallet", wallet) {
        let currency = row.currency.as_str();
        if row.frozen.is_none() {
            facts.unread.push(format!("spot wallet: the frozen amount of {currency} is missing"));
        }
        let left = pending.entry(currency.to_owned()).or_default();
        let (held, rest) = split(row.frozen.unwrap_or_default(), *left);
        *left = rest;
        push_read(facts, "spot wallet", Wallet::Spot, currency, row.available, held);
    }
    let wallet =
        client.account().wallet(account::QueryWallet::new()).await.map(|wallet| wallet.wallet);
    let rows = facts.rows_or_note("funding account", wallet);
    if !rows.is_empty() && rows.iter().all(|row| row.fund_available.is_none()) {
        facts.unread.push("funding account: the exchange does not send it".to_owned());
    }
    for row in rows {
        let currency = row.currency.as_str();
        let frozen = row.fund_frozen.unwrap_or_default();
        let (held, _) = split(frozen, pending.get(currency).copied().unwrap_or_default());
        let held = held
            .into_iter()
            .map(|held| match held.by {
                HeldBy::Orders => Held { by: HeldBy::Unknown, ..held },
                _ => held,
            })
            .collect();
        push(facts, Wallet::Funding, currency, row.fund_available.unwrap_or_default(), held);
    }
}

async fn futures(client: &Client, facts: &mut Facts) {
    let balances = client.futures().balances().await.map(|list| list.balances);
    for balance in facts.rows_or_note("futures wallet", balances) {
        let held = vec![
            Held { by: HeldBy::Orders, amount: balance.frozen.unwrap_or_default() },
            Held { by: HeldBy::Positions, amount: balance.position_deposit.unwrap_or_default() },
        ];
        let currency = balance.currency.as_str();
        push_read(facts, "futures wallet", Wallet::Futures, currency, balance.available, held);
    }
}

async fn margin(client: &Client, facts: &mut Facts) {
    let accounts = client.margin().accounts(margin::ListAccounts::new()).await;
    for account in facts.rows_or_note("isolated margin", accounts.map(|list| list.symbols)) {
        let symbol = account.symbol.to_string();
        for side in [account.base, account.quote].into_iter().flatten() {
            let Some(currency) = side.currency else { continue };
            let held = vec![Held { by: HeldBy::Orders, amount: side.frozen.unwrap_or_default() }];
            let free = side.available.unwrap_or_default();
            push(facts, Wallet::Margin(symbol.clone()), currency.as_str(), free, held);
            let owed =
                side.borrow_unpaid.unwrap_or_default() + side.interest_unpaid.unwrap_or_default();
            if !owed.is_zero() {
                let (symbol, currency) = (symbol.clone(), currency.to_string());
                facts.loans.push(Loan { symbol, currency, owed });
            }
        }
    }
}

async fn savings(client: &Client, facts: &mut Facts) {
    match client.earn().auto_saving().await {
        Ok(status) => {
            let status = status.into_value().unwrap_or_default().status;
            facts.auto_saving = status == Some(earn::AutoSubscribe::On);
        }
        Err(error) => facts.unread.push(format!("automatic saving: {}", chain(&error))),
    }
    let flexible = client.earn().flexible_holdings(earn::ListFlexibleHoldings::new(1, ROWS)).await;
    let flexible =
        flexible.map(|page| page.into_value().and_then(|page| page.holdings).unwrap_or_default());
    for row in facts.rows_or_note("flexible savings", flexible) {
        saving(facts, row.earn_id.map(|id| id.to_string()), row.currency, row.amount, false);
    }
    flexible_amounts(client, facts).await;
    let fixed = client.earn().fixed_holdings(earn::ListFixedHoldings::new(1, ROWS)).await;
    let fixed =
        fixed.map(|page| page.into_value().and_then(|page| page.holdings).unwrap_or_default());
    for row in facts.rows_or_note("fixed savings", fixed) {
        saving(facts, row.earn_id.map(|id| id.to_string()), row.currency, row.amount, true);
    }
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
    let totals = totals.map(|response| response.into_value().unwrap_or_default());
    let totals = facts.rows_or_note("savings by coin", totals);
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
        let wallet = client.sub_accounts().wallet(name.as_str()).await.map(|list| list.wallet);
        let place = format!("spot of {name}");
        for row in facts.rows_or_note(&place, wallet) {
            let held = vec![Held { by: HeldBy::Orders, amount: row.frozen.unwrap_or_default() }];
            let (wallet, currency) = (Wallet::SubSpot(name.clone()), row.currency.as_str());
            push_read(facts, &place, wallet, currency, row.available, held);
        }
        let wallet = client.futures_sub_accounts().wallet(name.as_str()).await;
        let place = format!("futures of {name}");
        for row in facts.rows_or_note(&place, wallet.map(|list| list.wallet)) {
            let held = vec![Held { by: HeldBy::Unknown, amount: row.frozen.unwrap_or_default() }];
            let (wallet, currency) = (Wallet::SubFutures(name.clone()), row.currency.as_str());
            push_read(facts, &place, wallet, currency, row.available, held);
        }
    }
}
