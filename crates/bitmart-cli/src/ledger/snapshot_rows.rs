//! Lists that the exchange returns without times to continue from, so that each run of an export adds a snapshot of
//! them. Transfers with sub-accounts become entries. Rebates of brokers and affiliates do not: the exchange reports
//! neither when nor where they were paid, so each of their rows is reported as a problem.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::rows::{exact, text};
use super::{Entry, Kind, Movement, Problems, Wallet};
use crate::export::Archive;
use crate::failure::Failure;

/// Returns the entries of these lists, sorted by time. They fit in memory: a snapshot of a list has at most 100 rows.
pub(super) fn entries(archive: &Archive, problems: &mut Problems) -> Result<Vec<Entry>, Failure> {
    let mut entries = transfers(archive, problems)?;
    broker_rebates(archive, problems)?;
    affiliate_rebates(archive, problems)?;
    entries.sort_by_key(|entry| entry.time);
    Ok(entries)
}

/// Whether rows of this dataset become entries, or are needed to convert others.
pub(super) fn is_read(dataset: &str) -> bool {
    is_transfers(dataset) || dataset == "sub-accounts"
}

fn is_transfers(dataset: &str) -> bool {
    matches!(dataset, "sub-account-transfers" | "account-transfers")
        || (dataset.starts_with("sub-account-") && dataset.ends_with("-futures-transfers"))
}

/// The members by which two rows are the same transfer. Others may be added or filled in later.
const IDENTITY: [&str; 7] = [
    "submissionTime",
    "currency",
    "amount",
    "fromAccount",
    "fromWalletType",
    "toAccount",
    "toWalletType",
];

/// The rows of equal transfers in the snapshot that has most of them.
struct EqualTransfers<'a> {
    dataset: &'a str,
    rows: Vec<Value>,
}

/// Transfers with sub-accounts. A row is in several lists and snapshots and has no id, so equal transfers count as
/// often as in the snapshot that has most of them.
fn transfers(archive: &Archive, problems: &mut Problems) -> Result<Vec<Entry>, Failure> {
    let mut sub_accounts = BTreeSet::new();
    archive.snapshots("sub-accounts", |row| sub_accounts.extend(text(row, "accountName")))?;
    let mut transfers: BTreeMap<String, EqualTransfers<'_>> = BTreeMap::new();
    for dataset in archive.datasets().filter(|name| is_transfers(name)) {
        for (identity, rows) in rows_by_snapshot(archive, dataset)? {
            let transfer = EqualTransfers { dataset, rows };
            match transfers.entry(identity) {
                Slot::Vacant(slot) => {
                    slot.insert(transfer);
                }
                Slot::Occupied(mut slot) => {
                    let known = slot.get();
                    // Of two snapshots of a list with as many rows, the newer one may have filled in members.
                    let is_newer =
                        known.dataset == dataset && known.rows.len() == transfer.rows.len();
                    if is_newer || known.rows.len() < transfer.rows.len() {
                        slot.insert(transfer);
                    }
                }
            }
        }
    }
    let mut entries = Vec::new();
    for EqualTransfers { dataset, rows } in transfers.into_values() {
        let is_single = rows.len() == 1;
        for (index, row) in rows.iter().enumerate() {
            let id = if is_single { row.to_string() } else { format!("{row} ({})", index + 1) };
            match transfer(row, &sub_accounts) {
                Ok((time, movements)) => {
                    entries.push(entry(time, Kind::Transfer, movements, dataset, id));
                }
                Err(why) => problems.add(dataset, why, &id, &[]),
            }
        }
    }
    Ok(entries)
}

/// Returns the rows of equal transfers by [`IDENTITY`], once for each snapshot of the list, oldest snapshot first.
fn rows_by_snapshot(
    archive: &Archive,
    dataset: &str,
) -> Result<Vec<(String, Vec<Value>)>, Failure> {
    let mut transfers: BTreeMap<(i64, String), Vec<Value>> = BTreeMap::new();
    archive.snapshots(dataset, |row| {
        // The export adds to each row when its snapshot was taken.
        let snapshot_time = row["taken"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        let snapshot_time = snapshot_time.map_or(0, Timestamp::as_millis);
        let mut row = row.clone();
        if let Some(members) = row.as_object_mut() {
            members.remove("taken");
        }
        let identity = IDENTITY.map(|member| row[member].to_string()).join(" ");
        transfers.entry((snapshot_time, identity)).or_default().push(row);
    })?;
    Ok(transfers.into_iter().map(|((_, identity), rows)| (identity, rows)).collect())
}

/// Converts a row to its time and the movements of the wallets that no other list covers.
fn transfer(
    row: &Value,
    sub_accounts: &BTreeSet<String>,
) -> Result<(Timestamp, Vec<Movement>), &'static str> {
    let seconds = text(row, "submissionTime").and_then(|seconds| seconds.parse::<i64>().ok());
    let seconds = seconds.filter(|seconds| *seconds > 0).ok_or("the exchange sent no time")?;
    // Documented as seconds; larger numbers can only be milliseconds.
    let millis = if seconds < 100_000_000_000 { seconds * 1_000 } else { seconds };
    let coin = text(row, "currency").ok_or("without a coin")?;
    let amount = exact(&row["amount"]).ok_or("without an amount that can be held exactly")?;
    let mut movements = Vec::new();
    let mut is_with_sub_account = false;
    for (end, sign) in [("from", Decimal::NEGATIVE_ONE), ("to", Decimal::ONE)] {
        let name = text(row, &format!("{end}Account")).unwrap_or_default();
        let is_futures = row[format!("{end}WalletType")] == "future";
        let wallet = if sub_accounts.contains(&name) {
            is_with_sub_account = true;
            Wallet::SubAccount(name)
        } else if is_futures {
            // The futures side is in `futures-transactions`.
            continue;
        } else {
            Wallet::Spot
        };
        let (coin, amount) = (coin.clone(), sign * amount);
        movements.push(Movement { wallet, kind: Kind::Transfer, coin, amount });
    }
    if !is_with_sub_account {
        return Err("neither side is a sub-account that the archive knows");
    }
    Ok((Timestamp::from_millis(millis), movements))
}

const NO_AMOUNT: &str = "without a coin, or without an amount that can be held exactly";

/// Reports the rebates of brokers. A column of the dataset, named `rebates.DATE`, has the list of those of a day.
fn broker_rebates(archive: &Archive, problems: &mut Problems) -> Result<(), Failure> {
    const DATASET: &str = "broker-rebates";
    archive.newest(DATASET, |row| {
        for (column, value) in row.as_object().into_iter().flatten() {
            let Some(date) = column.strip_prefix("rebates.") else { continue };
            let Some(rebates) = value.as_array() else {
                problems.add(DATASET, "the day has no list of rebates", date, &[]);
                continue;
            };
            for rebate in rebates {
                match rebate_of(rebate, "currency", "rebate_amount") {
                    Some(rebate) => {
                        let why =
                            "the exchange does not report where it was paid, and when on that day";
                        problems.add(DATASET, why, date, &[rebate]);
                    }
                    None => problems.add(DATASET, NO_AMOUNT, date, &[]),
                }
            }
        }
        Ok(())
    })
}

/// Reports the yearly sums by customer of an affiliate. The exchange does not report when they were paid.
fn affiliate_rebates(archive: &Archive, problems: &mut Problems) -> Result<(), Failure> {
    for dataset in archive.datasets().filter(|name| name.starts_with("affiliate-rebates-")) {
        archive.newest(dataset, |row| {
            let customer = text(row, "trade_user_id").unwrap_or_default();
            match rebate_of(row, "rebate_coin", "total_rebate_amount") {
                Some(sum) if sum.amount.is_zero() => {}
                Some(sum) => {
                    let why =
                        "the sum of a year, of which the exchange does not report when it was paid";
                    problems.add(dataset, why, &customer, &[sum]);
                }
                None => problems.add(dataset, NO_AMOUNT, &customer, &[]),
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Reads a rebate for a report. Its wallet is not known and not reported; `Spot` only fills the field.
fn rebate_of(row: &Value, coin: &str, amount: &str) -> Option<Movement> {
    let (coin, amount) = (text(row, coin)?, exact(row.get(amount)?)?);
    Some(Movement { wallet: Wallet::Spot, kind: Kind::Rebate, coin, amount })
}

fn entry(
    time: Timestamp,
    kind: Kind,
    movements: Vec<Movement>,
    dataset: &str,
    row: String,
) -> Entry {
    Entry {
        time,
        kind,
        movements,
        dataset: dataset.to_owned(),
        row,
        symbol: None,
        order_id: None,
        trade_id: None,
        tx_hash: None,
        price: None,
        note: None,
        is_fee_unknown: false,
    }
}
