//! The datasets of an export, and the order in which they are requested.

use std::collections::BTreeSet;
use std::path::Path;

use bitmart::rest::{account, earn, futures, margin, spot, sub_account};
use serde_json::{Value, json};

use super::fetch::{fetch_history, fetch_open_list};
use super::snapshot::take_snapshot;
use super::store::file_name_part;
use super::{Export, reference, rows};
use crate::failure::Failure;
use crate::normalize;

/// The parts of an export, in order: some depend on rows of earlier ones.
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

/// The parts that `--what` selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    groups: BTreeSet<&'static str>,
    /// Symbols whose candles are exported.
    klines: Vec<String>,
    /// Length of a candle in minutes.
    pub(super) step: String,
    pub(super) all_contracts: bool,
}

impl Selection {
    /// Parses `orders,trades,klines:BTC_USDT,ETH_USDT`, where symbols after `klines:` are more candles. An empty list
    /// selects everything but candles.
    pub(super) fn parse<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut selection = Self::default();
        for part in parts {
            if let Some(group) = GROUPS.iter().find(|group| **group == part) {
                selection.groups.insert(*group);
            } else if let Some(symbol) = part.strip_prefix("klines:") {
                selection.klines.push(normalize::symbol(symbol));
            } else if !selection.klines.is_empty()
                && (part.contains('_') || !part.contains(|c: char| c.is_ascii_lowercase()))
            {
                selection.klines.push(normalize::symbol(part));
            } else {
                return Err(format!(
                    "{part:?} is no part of an export; there are {} and klines:SYMBOLS",
                    GROUPS.join(", ")
                ));
            }
        }
        if selection.groups.is_empty() && selection.klines.is_empty() {
            selection.groups.extend(GROUPS);
        }
        if selection.klines.iter().any(String::is_empty) {
            return Err("klines: needs symbols, as in klines:BTC_USDT,BTCUSDT".to_owned());
        }
        Ok(selection)
    }
}

/// Requests everything selected that is not stored yet.
pub(super) async fn run(export: &mut Export, selection: &Selection) -> Result<(), Failure> {
    for group in GROUPS.iter().filter(|group| selection.groups.contains(*group)) {
        match *group {
            "balances" => balances(export).await?,
            "orders" => {
                // Open orders first: those that close in between are in the history.
                fetch_open_list(export, "open-orders", spot::ListOpenOrders::new()).await?;
                take_snapshot::<spot::ListOpenAlgoOrders>(export, "open-algo-orders", json!({}))
                    .await?;
                fetch_history(export, "orders", spot::ListOrderHistory::new()).await?;
                fetch_history(export, "algo-orders", spot::ListAlgoOrderHistory::new()).await?;
            }
            "trades" => fetch_history(export, "trades", spot::ListFills::new()).await?,
            "deposits" => funding(export, group, account::FundingOperation::Deposit).await?,
            "withdrawals" => funding(export, group, account::FundingOperation::Withdraw).await?,
            "transfers" => {
                fetch_history(export, "futures-transfers", futures::ListTransfers::new(1, 1))
                    .await?;
                let spot = json!({ "moveType": "spot to spot" });
                take_snapshot::<sub_account::ListOwnTransfers>(export, "account-transfers", spot)
                    .await?;
            }
            "transactions" => transactions(export).await?,
            "margin" => margin(export).await?,
            "futures" => futures(export, selection.all_contracts).await?,
            "earn" => earn(export).await?,
            "sub-accounts" => sub_accounts(export).await?,
            "rebates" => reference::rebates(export).await?,
            _ => reference::reference(export).await?,
        }
    }
    for symbol in &selection.klines {
        let step = selection.step.as_str();
        let name = format!("klines-{}-{step}m", file_name_part(symbol));
        if symbol.contains('_') {
            fetch_history(export, &name, spot::ListKlines::new(symbol.as_str()).step(step.into()))
                .await?;
        } else {
            let request = futures::ListKlines::new(symbol.as_str(), export.from, export.to);
            fetch_history(export, &name, request.step(step.into())).await?;
        }
    }
    Ok(())
}

async fn funding(
    export: &mut Export,
    name: &str,
    operation: account::FundingOperation,
) -> Result<(), Failure> {
    fetch_history(export, name, account::ListFundingHistory::new(operation, 1)).await
}

async fn transactions(export: &mut Export) -> Result<(), Failure> {
    fetch_history(export, "futures-transactions", futures::ListTransactions::new()).await
}

/// Balances and holdings.
async fn balances(export: &mut Export) -> Result<(), Failure> {
    let none = || json!({});
    take_snapshot::<account::QueryWallet>(export, "balances-spot", none()).await?;
    take_snapshot::<futures::ListBalances>(export, "balances-futures", none()).await?;
    take_snapshot::<margin::ListAccounts>(export, "balances-margin", none()).await?;
    take_snapshot::<earn::ListHoldings>(export, "balances-earn", none()).await?;
    take_snapshot::<earn::ListFlexibleHoldings>(export, "holdings-flexible", none()).await?;
    take_snapshot::<earn::ListFixedHoldings>(export, "holdings-fixed", none()).await?;
    Ok(())
}

/// Margin loans, which are listed by pair: those with a balance or an order.
async fn margin(export: &mut Export) -> Result<(), Failure> {
    take_snapshot::<margin::ListAccounts>(export, "balances-margin", json!({})).await?;
    fetch_history(export, "orders", spot::ListOrderHistory::new()).await?;
    let mut pairs = BTreeSet::new();
    rows::all(&export.folder, "orders", |row| {
        if row["orderMode"] == "iso_margin" {
            pairs.extend(text(&row, "symbol"));
        }
    })?;
    rows::all(&export.folder, "balances-margin", |row| {
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
        let name = |what: &str| format!("margin-{what}-{}", file_name_part(pair));
        fetch_history(export, &name("loans"), margin::ListBorrowRecords::new(pair)).await?;
        fetch_history(export, &name("repayments"), margin::ListRepayRecords::new(pair)).await?;
    }
    Ok(())
}

/// Futures. Orders are listed by contract: those with a trade, a transaction or an open order, or all.
async fn futures(export: &mut Export, all_contracts: bool) -> Result<(), Failure> {
    // Rows count contracts, whose size is in this list.
    reference::contracts(export).await?;
    let none = || json!({});
    take_snapshot::<futures::ListOpenOrders>(export, "futures-open-orders", none()).await?;
    take_snapshot::<futures::ListPlanOrders>(export, "futures-plan-orders", none()).await?;
    take_snapshot::<futures::ListPositions>(export, "futures-positions", none()).await?;
    transactions(export).await?;
    fetch_history(export, "futures-trades", futures::ListFills::new()).await?;
    let mut contracts = BTreeSet::new();
    let sources =
        ["futures-transactions", "futures-trades", "futures-open-orders", "futures-plan-orders"];
    for source in sources {
        rows::all(&export.folder, source, |row| contracts.extend(text(&row, "symbol")))?;
    }
    if all_contracts && export.forecast.is_none() {
        // Of all snapshots: the exchange removes contracts.
        rows::all(&export.folder, reference::CONTRACTS, |row| {
            contracts.extend(text(&row, "symbol"));
        })?;
    }
    for contract in contracts {
        let name = format!("futures-orders-{}", file_name_part(&contract));
        fetch_history(export, &name, futures::ListOrderHistory::new(contract.as_str())).await?;
    }
    // Copy trading has a separate account.
    let copied = || futures::TradingAccount::CopyTrading;
    let request = futures::ListTransactions::new().account(copied());
    fetch_history(export, "copy-trading-transactions", request).await?;
    let request = futures::ListFills::new().account(copied());
    fetch_history(export, "copy-trading-trades", request).await?;
    fetch_history(export, "futures-repayments", futures::ListAutoRepayments::new()).await?;
    fetch_history(export, "futures-interest", futures::ListCollateralInterest::new()).await?;
    Ok(())
}

/// Records of savings, which are listed by kind. The pagination sets page and number of rows.
async fn earn(export: &mut Export) -> Result<(), Failure> {
    for (name, kind) in [
        ("subscriptions", earn::RecordType::Subscribe),
        ("redemptions", earn::RecordType::Redeem),
        ("interest", earn::RecordType::Interest),
    ] {
        let request = earn::ListFlexibleRecords::new(kind.clone(), 1, 1);
        fetch_history(export, &format!("earn-flexible-{name}"), request).await?;
        let request = earn::ListFixedRecords::new(kind, 1, 1);
        fetch_history(export, &format!("earn-fixed-{name}"), request).await?;
    }
    Ok(())
}

/// Sub-accounts, for a main account.
async fn sub_accounts(export: &mut Export) -> Result<(), Failure> {
    take_snapshot::<sub_account::ListAccounts>(export, "sub-accounts", json!({})).await?;
    // Of all snapshots, so that each keeps its number.
    let mut names: Vec<String> = Vec::new();
    rows::all(&export.folder, "sub-accounts", |row| {
        names.extend(text(&row, "accountName").filter(|name| !names.contains(name)));
    })?;
    if names.is_empty() {
        return Ok(());
    }
    let spot = json!({ "moveType": "spot to spot" });
    take_snapshot::<sub_account::ListTransfers>(export, "sub-account-transfers", spot).await?;
    for (at, account) in names.into_iter().enumerate() {
        // Names of accounts are e-mail addresses, and not used in file names.
        let number = at + 1;
        let name = |what: &str| format!("sub-account-{number}-{what}");
        let account = || json!({ "subAccount": account });
        take_snapshot::<sub_account::QueryWallet>(export, &name("balances"), account()).await?;
        take_snapshot::<futures::QuerySubAccountWallet>(
            export,
            &name("futures-balances"),
            account(),
        )
        .await?;
        take_snapshot::<futures::ListSubAccountTransfers>(
            export,
            &name("futures-transfers"),
            account(),
        )
        .await?;
    }
    Ok(())
}

/// Passes the newest rows of a dataset to `each`. A missing dataset has no rows.
pub(super) fn each_row(
    folder: &Path,
    name: &str,
    mut each: impl FnMut(&Value),
) -> Result<(), Failure> {
    rows::newest(folder, name, |row| each(&row))
}

/// Reads a text that is not empty.
pub(super) fn text(row: &Value, name: &str) -> Option<String> {
    row.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, Selection};

    #[test]
    fn reads_symbols_after_klines() {
        let parse = |text: &str| Selection::parse(text.split(',').filter(|part| !part.is_empty()));
        assert_eq!(parse("").expect("all").groups.len(), GROUPS.len());
        let chosen = parse("klines:btc_usdt,1inch_usdt,trades,ETHUSDT").expect("parts");
        assert_eq!(chosen.klines, ["BTC_USDT", "1INCH_USDT", "ETHUSDT"]);
        assert_eq!(chosen.groups, ["trades"].into());
        for wrong in ["ordres", "BTC_USDT", "klines:", "orders,ETH_USDT", "klines:BTC_USDT,ordres"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
