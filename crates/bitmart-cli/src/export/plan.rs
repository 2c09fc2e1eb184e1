//! What an export consists of, and in which order it is asked for.

use std::collections::BTreeSet;
use std::path::Path;

use bitmart::rest::account::ListFundingHistory;
use bitmart::rest::earn::{ListFixedRecords, ListFlexibleRecords};
use bitmart::rest::futures::{
    ListAutoRepayments, ListCollateralInterest, ListContracts, ListFuturesFills, ListFuturesKlines,
    ListFuturesOrderHistory, ListFuturesTransactions, ListFuturesTransfers,
};
use bitmart::rest::margin::{ListBorrowRecords, ListRepayRecords};
use bitmart::rest::spot::{
    ListAccountTrades, ListAlgoOrderHistory, ListKlines, ListOpenOrders, ListOrderHistory,
};
use bitmart::types::{EarnRecordType, FundingOperation, FuturesAccount};
use serde_json::{Value, json};

use super::store::part;
use super::walk::{Most, history, once, open_list};
use super::{Export, read, reference};
use crate::failure::Failure;
use crate::normalize;

/// The groups, in the order in which they are asked for: some go by the rows of those before.
pub(crate) const GROUPS: [&str; 13] = [
    "balances",
    "orders",
    "trades",
    "deposits",
    "withdrawals",
    "transfers",
    "transactions",
    "margin",
    "futures",
    "earn",
    "sub-accounts",
    "rebates",
    "reference",
];

/// Rows of lists that take no times: the exchange gives so many, the newest.
pub(super) const NEWEST: u32 = 100;

/// What `--what` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct What {
    groups: BTreeSet<&'static str>,
    /// Symbols whose candles are wanted.
    klines: Vec<String>,
    /// Length of a candle in minutes.
    pub(super) step: String,
    pub(super) all_contracts: bool,
}

impl What {
    /// Reads `orders,trades,klines:BTC_USDT,ETH_USDT`: symbols that follow belong to the candles.
    /// Without words it is everything but candles.
    pub(super) fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut what = Self::default();
        for word in words {
            if let Some(group) = GROUPS.iter().find(|group| **group == word) {
                what.groups.insert(*group);
            } else if let Some(symbol) = word.strip_prefix("klines:") {
                what.klines.push(normalize::symbol(symbol));
            } else if !what.klines.is_empty()
                && (word.contains('_') || !word.contains(|c: char| c.is_ascii_lowercase()))
            {
                what.klines.push(normalize::symbol(word));
            } else {
                return Err(format!(
                    "{word:?} is no part of an export; there are {} and klines:SYMBOLS",
                    GROUPS.join(", ")
                ));
            }
        }
        if what.groups.is_empty() && what.klines.is_empty() {
            what.groups.extend(GROUPS);
        }
        if what.klines.iter().any(String::is_empty) {
            return Err("klines: needs symbols, as in klines:BTC_USDT,BTCUSDT".to_owned());
        }
        Ok(what)
    }
}

/// Asks for everything that is wanted and not there yet.
pub(super) async fn run(export: &mut Export, what: &What) -> Result<(), Failure> {
    for group in GROUPS.iter().filter(|group| what.groups.contains(*group)) {
        match *group {
            "balances" => balances(export).await?,
            "orders" => {
                // Open orders first: what ends in between is in the history then.
                open_list(export, "open-orders", ListOpenOrders::new()).await?;
                once(
                    export,
                    "open-algo-orders",
                    "spot_open_algo_orders",
                    json!({ "limit": 200 }),
                    Most::Rows(200),
                )
                .await?;
                history(export, "orders", ListOrderHistory::new()).await?;
                history(export, "algo-orders", ListAlgoOrderHistory::new()).await?;
            }
            "trades" => history(export, "trades", ListAccountTrades::new()).await?,
            "deposits" => funding(export, group, FundingOperation::Deposit).await?,
            "withdrawals" => funding(export, group, FundingOperation::Withdraw).await?,
            "transfers" => {
                history(export, "futures-transfers", ListFuturesTransfers::new(1, 1)).await?;
                let asked = json!({ "moveType": "spot to spot", "N": NEWEST });
                let most = Most::Rows(NEWEST as usize);
                once(export, "account-transfers", "sub_accounts_own_transfers", asked, most)
                    .await?;
            }
            "transactions" => transactions(export).await?,
            "margin" => margin(export).await?,
            "futures" => futures(export, what.all_contracts).await?,
            "earn" => earn(export).await?,
            "sub-accounts" => sub_accounts(export).await?,
            "rebates" => reference::rebates(export).await?,
            _ => reference::reference(export).await?,
        }
    }
    for symbol in &what.klines {
        let step = what.step.as_str();
        let name = format!("klines-{}-{step}m", part(symbol));
        if symbol.contains('_') {
            history(export, &name, ListKlines::new(symbol.as_str()).step(step.into())).await?;
        } else {
            let request = ListFuturesKlines::new(symbol.as_str(), export.from, export.to);
            history(export, &name, request.step(step.into())).await?;
        }
    }
    Ok(())
}

async fn funding(
    export: &mut Export,
    name: &str,
    operation: FundingOperation,
) -> Result<(), Failure> {
    history(export, name, ListFundingHistory::new(operation, 1)).await
}

async fn transactions(export: &mut Export) -> Result<(), Failure> {
    history(export, "futures-transactions", ListFuturesTransactions::new()).await
}

/// What the account has now.
async fn balances(export: &mut Export) -> Result<(), Failure> {
    for (name, endpoint) in [
        ("balances-spot", "account_wallet"),
        ("balances-futures", "futures_assets"),
        ("balances-margin", "margin_accounts"),
        ("balances-earn", "earn_holdings"),
    ] {
        once(export, name, endpoint, json!({}), Most::All).await?;
    }
    for (name, endpoint) in
        [("holdings-flexible", "earn_flexible_holdings"), ("holdings-fixed", "earn_fixed_holdings")]
    {
        let pages = Most::Page(NEWEST as usize, "currentPage");
        once(export, name, endpoint, json!({ "sizePage": NEWEST }), pages).await?;
    }
    Ok(())
}

/// Loans are told by pair only: of those where the account has something now or had an order.
async fn margin(export: &mut Export) -> Result<(), Failure> {
    once(export, "balances-margin", "margin_accounts", json!({}), Most::All).await?;
    history(export, "orders", ListOrderHistory::new()).await?;
    let mut pairs = BTreeSet::new();
    read::all(&export.folder, "orders", |row| {
        if row["orderMode"] == "iso_margin" {
            pairs.extend(text(&row, "symbol"));
        }
    })?;
    read::all(&export.folder, "balances-margin", |row| {
        let has = |side: &str| {
            let amount = row.get(format!("{side}.total_asset"));
            amount
                .and_then(Value::as_str)
                .is_some_and(|text| text.contains(|c| matches!(c, '1'..='9')))
        };
        if has("base") || has("quote") {
            pairs.extend(text(&row, "symbol"));
        }
    })?;
    for pair in pairs {
        let pair = pair.as_str();
        let name = |what: &str| format!("margin-{what}-{}", part(pair));
        history(export, &name("loans"), ListBorrowRecords::new(pair)).await?;
        history(export, &name("repayments"), ListRepayRecords::new(pair)).await?;
    }
    Ok(())
}

/// Orders of futures are told by contract only: those that the account traded or paid for, or all.
async fn futures(export: &mut Export, all_contracts: bool) -> Result<(), Failure> {
    // A row counts contracts: what one is worth stands there.
    reference::contracts(export).await?;
    for (name, endpoint, asked, most) in [
        ("futures-open-orders", "futures_open_orders", json!({}), Most::Rows(100)),
        ("futures-plan-orders", "futures_plan_orders", json!({ "limit": 100 }), Most::Rows(100)),
        ("futures-positions", "futures_positions", json!({}), Most::All),
    ] {
        once(export, name, endpoint, asked, most).await?;
    }
    transactions(export).await?;
    history(export, "futures-trades", ListFuturesFills::new()).await?;
    let mut contracts = BTreeSet::new();
    let sources =
        ["futures-transactions", "futures-trades", "futures-open-orders", "futures-plan-orders"];
    for source in sources {
        read::all(&export.folder, source, |row| contracts.extend(text(&row, "symbol")))?;
    }
    if all_contracts && export.forecast.is_none() {
        let listed = export.client.send(ListContracts::new()).await?;
        contracts.extend(listed.symbols.iter().map(|contract| contract.symbol.to_string()));
    }
    for contract in contracts {
        let name = format!("futures-orders-{}", part(&contract));
        history(export, &name, ListFuturesOrderHistory::new(contract.as_str())).await?;
    }
    // The account that copy trading has, beside the one of one's own.
    let copied = || FuturesAccount::CopyTrading;
    let request = ListFuturesTransactions::new().account(copied());
    history(export, "copy-trading-transactions", request).await?;
    let request = ListFuturesFills::new().account(copied());
    history(export, "copy-trading-trades", request).await?;
    history(export, "futures-repayments", ListAutoRepayments::new()).await?;
    history(export, "futures-interest", ListCollateralInterest::new()).await?;
    Ok(())
}

/// Records of savings are told by kind.
async fn earn(export: &mut Export) -> Result<(), Failure> {
    for (words, kind) in [
        ("subscriptions", EarnRecordType::Subscribe),
        ("redemptions", EarnRecordType::Redeem),
        ("interest", EarnRecordType::Interest),
    ] {
        let request = ListFlexibleRecords::new(kind.clone(), 1, NEWEST);
        history(export, &format!("earn-flexible-{words}"), request).await?;
        let request = ListFixedRecords::new(kind, 1, NEWEST);
        history(export, &format!("earn-fixed-{words}"), request).await?;
    }
    Ok(())
}

/// What the main account is told of its sub-accounts.
async fn sub_accounts(export: &mut Export) -> Result<(), Failure> {
    once(export, "sub-accounts", "sub_accounts_list", json!({}), Most::All).await?;
    // Those of all snapshots, so that each keeps its number.
    let mut names: Vec<String> = Vec::new();
    read::all(&export.folder, "sub-accounts", |row| {
        names.extend(text(&row, "accountName").filter(|name| !names.contains(name)));
    })?;
    if names.is_empty() {
        return Ok(());
    }
    let asked = json!({ "moveType": "spot to spot", "N": NEWEST });
    let newest = Most::Rows(NEWEST as usize);
    once(export, "sub-account-transfers", "sub_accounts_transfers", asked, newest).await?;
    for (at, account) in names.into_iter().enumerate() {
        // Names of accounts are addresses of people: they do not become names of files.
        let number = at + 1;
        let name = |what: &str| format!("sub-account-{number}-{what}");
        let wallet = json!({ "subAccount": account });
        let transfers = json!({ "subAccount": account, "limit": NEWEST });
        once(export, &name("balances"), "sub_accounts_wallet", wallet.clone(), Most::All).await?;
        once(export, &name("futures-balances"), "futures_sub_accounts_wallet", wallet, Most::All)
            .await?;
        once(
            export,
            &name("futures-transfers"),
            "futures_sub_accounts_transfers",
            transfers,
            newest,
        )
        .await?;
    }
    Ok(())
}

/// The rows of a dataset that is there, as they are now, one by one; none of one that is not.
pub(super) fn each_row(
    folder: &Path,
    name: &str,
    mut each: impl FnMut(&Value),
) -> Result<(), Failure> {
    read::newest(folder, name, |row| each(&row))
}

/// A text of a row that says something.
pub(super) fn text(row: &Value, name: &str) -> Option<String> {
    row.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, What};

    #[test]
    fn symbols_after_klines_are_symbols() {
        let what = |text: &str| What::read(text.split(',').filter(|word| !word.is_empty()));
        assert_eq!(what("").expect("all").groups.len(), GROUPS.len());
        let chosen = what("klines:btc_usdt,1inch_usdt,trades,ETHUSDT").expect("parts");
        assert_eq!(chosen.klines, ["BTC_USDT", "1INCH_USDT", "ETHUSDT"]);
        assert_eq!(chosen.groups, ["trades"].into());
        for wrong in ["ordres", "BTC_USDT", "klines:", "orders,ETH_USDT", "klines:BTC_USDT,ordres"]
        {
            assert!(what(wrong).is_err(), "{wrong}");
        }
    }
}
