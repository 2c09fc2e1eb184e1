//! What an export consists of.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitmart::rest::account::ListFundingHistory;
use bitmart::rest::earn::{ListFixedRecords, ListFlexibleRecords};
use bitmart::rest::futures::{
    ListFuturesFills, ListFuturesOrderHistory, ListFuturesTransactions, ListFuturesTransfers,
};
use bitmart::rest::history::{History, HistoryError};
use bitmart::rest::spot::{ListAccountTrades, ListOrderHistory};
use bitmart::types::{EarnRecordType, FundingOperation};
use serde::Serialize;
use serde_json::Value;

use super::store::{Store, rows_path};
use super::{Export, percent};
use crate::failure::{Failure, chain};

/// The datasets, in the order in which they are asked for.
pub(super) const NAMES: [&str; 10] = [
    "orders",
    "trades",
    "deposits",
    "withdrawals",
    "futures-transactions",
    "futures-trades",
    "futures-orders",
    "futures-transfers",
    "earn-flexible",
    "earn-fixed",
];

/// How often progress is told.
const TOLD: Duration = Duration::from_secs(2);

/// Walks all chosen datasets.
pub(super) async fn run(export: &mut Export<'_>) -> Result<(), Failure> {
    for name in export.what.clone() {
        match name {
            "orders" => walk(export, name, ListOrderHistory::new()).await?,
            "trades" => walk(export, name, ListAccountTrades::new()).await?,
            "deposits" | "withdrawals" => {
                let deposits = name == "deposits";
                let operation =
                    if deposits { FundingOperation::Deposit } else { FundingOperation::Withdraw };
                walk(export, name, ListFundingHistory::new(operation, 1)).await?;
            }
            "futures-transactions" => walk(export, name, ListFuturesTransactions::new()).await?,
            "futures-trades" => walk(export, name, ListFuturesFills::new()).await?,
            "futures-orders" => futures_orders(export).await?,
            "futures-transfers" => walk(export, name, ListFuturesTransfers::new(1, 1)).await?,
            _ => earn(export, name).await?,
        }
    }
    Ok(())
}

/// Orders of futures are told by contract only: those that the account traded or paid for.
async fn futures_orders(export: &mut Export<'_>) -> Result<(), Failure> {
    let mut contracts = BTreeSet::new();
    for source in ["futures-transactions", "futures-trades"] {
        let text = std::fs::read_to_string(rows_path(&export.folder, source)).unwrap_or_default();
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap_or_default();
            contracts
                .extend(row["symbol"].as_str().filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    for contract in contracts {
        let name = format!("futures-orders-{contract}");
        walk(export, &name, ListFuturesOrderHistory::new(contract.as_str())).await?;
    }
    Ok(())
}

/// Records of savings are told by kind.
async fn earn(export: &mut Export<'_>, name: &str) -> Result<(), Failure> {
    let kinds = [
        ("subscriptions", EarnRecordType::Subscribe),
        ("redemptions", EarnRecordType::Redeem),
        ("interest", EarnRecordType::Interest),
    ];
    for (words, kind) in kinds {
        let dataset = format!("{name}-{words}");
        if name == "earn-flexible" {
            walk(export, &dataset, ListFlexibleRecords::new(kind, 1, 100)).await?;
        } else {
            walk(export, &dataset, ListFixedRecords::new(kind, 1, 100)).await?;
        }
    }
    Ok(())
}

/// Walks one history from where it stands to its end.
async fn walk<H>(export: &mut Export<'_>, name: &str, request: H) -> Result<(), Failure>
where
    H: History<Row: Serialize>,
{
    let mut store = Store::open(&export.folder, name)?;
    if store.state.done {
        return Ok(());
    }
    let mut pages = match store.state.cursor.clone() {
        Some(cursor) => export.client.resume_history(request, cursor),
        None => export.client.history(request, export.from, export.to),
    };
    let mut told = Instant::now();
    while let Some(page) = pages.next().await {
        let rows = match page {
            Ok(rows) => rows,
            Err(error) => return refused(&mut store, error),
        };
        let mut lines = Vec::new();
        for row in &rows {
            serde_json::to_writer(&mut lines, row)
                .map_err(|error| Failure::machine(chain(&error)))?;
            lines.push(b'\n');
        }
        store.append(&lines, rows.len(), pages.cursor())?;
        if let Some(left) = &mut export.pages_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
        if told.elapsed() > TOLD {
            told = Instant::now();
            let next = pages.cursor().next;
            let part = percent(export.from, export.to, next);
            eprintln!("{name}: {} rows, at {next}, {part} % of the time", store.state.rows);
        }
    }
    store.finish(None)?;
    eprintln!("{name}: {} rows", store.state.rows);
    Ok(())
}

/// What the exchange refuses is noted, and the export goes on; when it cannot be reached, it ends here
/// and goes on another time.
fn refused(store: &mut Store, error: HistoryError) -> Result<(), Failure> {
    let words = chain(&error);
    if let HistoryError::Request(error) = error
        && (error.api_error().is_none() || error.is_rate_limited())
    {
        return Err(Failure::from(error));
    }
    eprintln!("{}: {words}", store.name);
    store.finish(Some(words))
}
