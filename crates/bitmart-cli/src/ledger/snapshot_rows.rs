//! Entries from snapshots: transfers with sub-accounts, and rebates.

use std::collections::{BTreeMap, BTreeSet};

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::rows::{exact, text};
use super::{Entry, Kind, Movement, Problems, Wallet};
use crate::export::Archive;
use crate::failure::Failure;

/// Returns the entries of these lists, sorted by time. They fit in memory, since the exchange returns only the newest
/// 100 rows of each.
pub(super) fn entries(archive: &Archive, problems: &mut Problems) -> Result<Vec<Entry>, Failure> {
    let mut entries = transfers(archive, problems)?;
    broker_rebates(archive, problems)?;
    affiliate_rebates(archive, problems)?;
    entries.sort_by_key(|entry| entry.time);
    Ok(entries)
}

/// Whether entries come from the rows of this dataset.
pub(super) fn is_read(dataset: &str) -> bool {
    is_transfers(dataset) || dataset == "sub-accounts"
}

fn is_transfers(dataset: &str) -> bool {
    matches!(dataset, "sub-account-transfers" | "account-transfers")
        || (dataset.starts_with("sub-account-") && dataset.ends_with("-futures-transfers"))
}

/// What tells a transfer apart. Other members of its row may be added or filled in later.
const IDENTITY: [&str; 5] = ["submissionTime", "currency", "amount", "fromAccount", "toAccount"];

/// Transfers with sub-accounts. A row is in several lists and snapshots and has no id, so equal transfers count as
/// often as in the snapshot that has most of them.
fn transfers(archive: &Archive, problems: &mut Problems) -> Result<Vec<Entry>, Failure> {
    let mut subs = BTreeSet::new();
    archive.snapshots("sub-accounts", |row| subs.extend(text(row, "accountName")))?;
    let is_list = |name: &&str| is_transfers(name);
    // By transfer: its rows in the snapshot that has most of them; of equal ones, the newest.
    let mut most: BTreeMap<String, (&str, Vec<Value>)> = BTreeMap::new();
    for name in archive.datasets().filter(is_list) {
        let mut found: BTreeMap<(i64, String), Vec<Value>> = BTreeMap::new();
        archive.snapshots(name, |row| {
            let taken = row["taken"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            let mut row = row.clone();
            if let Some(members) = row.as_object_mut() {
                members.remove("taken");
            }
            let id = IDENTITY.map(|member| row[member].to_string()).join(" ");
            found.entry((taken.map_or(0, Timestamp::as_millis), id)).or_default().push(row);
        })?;
        for ((_, id), rows) in found {
            let known = most.entry(id).or_insert_with(|| (name, Vec::new()));
            let is_newer = known.0 == name && rows.len() == known.1.len();
            if is_newer || rows.len() > known.1.len() {
                *known = (name, rows);
            }
        }
    }
    let mut entries = Vec::new();
    for (dataset, rows) in most.into_values() {
        let is_one = rows.len() == 1;
        for (index, row) in rows.iter().enumerate() {
            let id = if is_one { row.to_string() } else { format!("{row} ({})", index + 1) };
            match transfer(row, &subs) {
                Ok((_, movements)) if movements.is_empty() => {}
                Ok((time, movements)) => {
                    entries.push(entry(time, Kind::Transfer, movements, dataset, id));
                }
                Err(why) => problems.add(dataset, why, &id, &[]),
            }
        }
    }
    Ok(entries)
}

fn transfer(
    row: &Value,
    subs: &BTreeSet<String>,
) -> Result<(Timestamp, Vec<Movement>), &'static str> {
    let seconds = text(row, "submissionTime").and_then(|seconds| seconds.parse::<i64>().ok());
    let seconds = seconds.filter(|seconds| *seconds > 0).ok_or("the exchange sent no time")?;
    // Documented as seconds; larger numbers can only be milliseconds.
    let millis = if seconds < 100_000_000_000 { seconds * 1_000 } else { seconds };
    let coin = text(row, "currency").ok_or("without a coin")?;
    let amount = exact(&row["amount"]).ok_or("without an amount that can be held exactly")?;
    let mut movements = Vec::new();
    let mut is_with_sub = false;
    for (end, sign) in [("from", Decimal::NEGATIVE_ONE), ("to", Decimal::ONE)] {
        let name = text(row, &format!("{end}Account")).unwrap_or_default();
        let is_futures = row[format!("{end}WalletType")] == "future";
        let wallet = if subs.contains(&name) {
            is_with_sub = true;
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
    if !is_with_sub {
        return Err("neither side is a sub-account that the archive knows");
    }
    Ok((Timestamp::from_millis(millis), movements))
}

/// Reports the lists of rebates in the columns `rebates.DATE`. The exchange does not report to which account they were
/// paid.
fn broker_rebates(archive: &Archive, problems: &mut Problems) -> Result<(), Failure> {
    const NAME: &str = "broker-rebates";
    archive.newest(NAME, |row| {
        let days = row.as_object().into_iter().flatten();
        let days = days.filter_map(|(name, value)| Some((name.strip_prefix("rebates.")?, value)));
        for (date, value) in days {
            for rebate in value.as_array().into_iter().flatten() {
                let lost = rebated(rebate, "currency", "rebate_amount");
                let why = "the exchange does not report where it was paid, and when on that day";
                problems.add(NAME, why, date, lost.as_slice());
            }
        }
        Ok(())
    })
}

fn rebated(row: &Value, coin: &str, amount: &str) -> Option<Movement> {
    let (coin, amount) = (text(row, coin)?, exact(row.get(amount)?)?);
    Some(Movement { wallet: Wallet::Spot, kind: Kind::Rebate, coin, amount })
}

/// Reports the yearly sums by customer. The exchange does not report when they were paid.
fn affiliate_rebates(archive: &Archive, problems: &mut Problems) -> Result<(), Failure> {
    let is_list = |name: &&str| name.starts_with("affiliate-rebates-");
    for name in archive.datasets().filter(is_list) {
        archive.newest(name, |row| {
            let lost = rebated(row, "rebate_coin", "total_rebate_amount");
            let lost = lost.filter(|lost| !lost.amount.is_zero());
            if let Some(lost) = lost {
                let customer = text(row, "trade_user_id").unwrap_or_default();
                let why =
                    "the sum of a year, of which the exchange does not report when it was paid";
                problems.add(name, why, &customer, &[lost]);
            }
            Ok(())
        })?;
    }
    Ok(())
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
