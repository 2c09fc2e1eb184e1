//! Compares balances with the sums of movements.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::rows::{exact, text};
use super::{Ledger, Problems, Sums, Wallet, add, plus};
use crate::export::Archive;
use crate::failure::Failure;

/// A balance and the sum of its movements, which may be equal.
#[derive(Debug)]
pub(crate) struct Difference {
    /// `None` for the coin in all wallets together.
    pub(crate) wallet: Option<Wallet>,
    pub(crate) coin: String,
    pub(crate) balance: Decimal,
    pub(crate) moved: Decimal,
    /// Possible reasons for a difference.
    pub(crate) reasons: Vec<&'static str>,
}

impl Difference {
    pub(crate) fn amount(&self) -> Decimal {
        self.balance.saturating_sub(self.moved)
    }

    /// Formats a line, and for a difference a second one with the possible reasons.
    pub(crate) fn lines(&self) -> String {
        if self.reasons.is_empty() {
            return format!("{self}\n");
        }
        format!("{self}\n  it may be: {}\n", self.reasons.join("; or "))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wallet {
            Some(wallet) => write!(f, "{wallet} ")?,
            None => f.write_str("all wallets ")?,
        }
        let plain = |amount: Decimal| amount.normalize();
        let Self { coin, balance, moved, .. } = self;
        let (balance, moved, amount) = (plain(*balance), plain(*moved), plain(self.amount()));
        write!(f, "{coin}: balance {balance}, movements {moved}, difference {amount}")
    }
}

const BEFORE: &str =
    "what the account had before the archive begins, or received without a row in any list";
const MARGIN: &str = "transfers into and out of isolated margin, which are in no list";
const FUNDING: &str =
    "deposits to the funding or futures account: the rows do not contain the account";
const LOST: &str = "rows that are not in the ledger, as listed above";
const SUBS: &str =
    "transfers with sub-accounts beyond the newest 100, which is all that the exchange returns";
const INCOMPLETE: &str = "lists that are not complete by the manifest";
const EARN: &str = "savings whose records the exchange does not return";

/// Compares the sums of all movements with the newest balances of the archive: per wallet and coin, then per coin in
/// all wallets, since some transfers between wallets are in no list. Coins without balance and movements are left
/// out.
///
/// # Errors
/// If a file of the archive cannot be read.
pub(crate) fn check(archive: &Archive) -> Result<(Vec<Difference>, Problems), Failure> {
    let (moved, problems) = Ledger::new(archive).sums(None)?;
    let balances = balances(archive)?;
    let mut all: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
    let inside = |(wallet, _): &&(Wallet, String)| wallet.is_inside();
    let keys: BTreeSet<_> = balances.keys().chain(moved.keys().filter(inside)).collect();
    let mut lines = Vec::new();
    for key @ (wallet, coin) in keys {
        let of = |sums: &Sums| sums.get(key).copied().unwrap_or_default();
        let (balance, moved) = (of(&balances), of(&moved));
        let sum = all.entry(coin.clone()).or_default();
        plus(&mut sum.0, balance)?;
        plus(&mut sum.1, moved)?;
        if balance_dataset(wallet).is_some_and(|name| archive.has(name)) {
            lines.push((Some(wallet.clone()), coin.clone(), balance, moved));
        }
    }
    if BALANCES.iter().all(|name| archive.has(name)) {
        lines.extend(all.into_iter().map(|(coin, (balance, moved))| (None, coin, balance, moved)));
    }
    lines.retain(|(_, _, balance, moved)| !balance.is_zero() || !moved.is_zero());
    let has_margin = balances.keys().chain(moved.keys()).any(|(wallet, _)| is_margin(wallet));
    let reasons = |wallet: &Option<Wallet>| {
        let of_spot = *wallet == Some(Wallet::Spot);
        [
            (true, BEFORE),
            (has_margin && (of_spot || wallet.as_ref().is_some_and(is_margin)), MARGIN),
            (of_spot || *wallet == Some(Wallet::Futures), FUNDING),
            (*wallet == Some(Wallet::Earn), EARN),
            (archive.has("sub-account-transfers"), SUBS),
            (!problems.is_empty(), LOST),
            (!archive.incomplete().is_empty(), INCOMPLETE),
        ]
    };
    let lines = lines.into_iter().map(|(wallet, coin, balance, moved)| {
        let reasons =
            reasons(&wallet).into_iter().filter(|(applies, _)| *applies && balance != moved);
        let reasons = reasons.map(|(_, reason)| reason).collect();
        Difference { wallet, coin, balance, moved, reasons }
    });
    Ok((lines.collect(), problems))
}

/// The datasets of balances.
const BALANCES: [&str; 4] =
    ["balances-spot", "balances-futures", "balances-margin", "balances-earn"];

/// The dataset with the balances of a wallet. Copy trading has none.
fn balance_dataset(wallet: &Wallet) -> Option<&'static str> {
    match wallet {
        Wallet::Spot => Some(BALANCES[0]),
        Wallet::Futures => Some(BALANCES[1]),
        Wallet::Margin(_) => Some(BALANCES[2]),
        Wallet::Earn => Some(BALANCES[3]),
        Wallet::CopyTrading | Wallet::SubAccount(_) => None,
    }
}

fn is_margin(wallet: &Wallet) -> bool {
    matches!(wallet, Wallet::Margin(_))
}

/// Reads the newest balances.
fn balances(archive: &Archive) -> Result<Sums, Failure> {
    let mut sums = Sums::new();
    for name in BALANCES {
        archive.newest(name, |row| {
            row_balances(name, row)?.into_iter().try_for_each(|(key, sum)| add(&mut sums, key, sum))
        })?;
    }
    Ok(sums)
}

/// Passes the time and the balances of every snapshot to `each`, oldest first within a dataset.
///
/// # Errors
/// If a file of the archive cannot be read, and what `each` returns.
pub(crate) fn each_balance_snapshot(
    archive: &Archive,
    mut each: impl FnMut(Timestamp, Sums) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for name in BALANCES {
        let mut snapshot: Option<(Timestamp, Sums)> = None;
        let mut done = Ok(());
        archive.snapshots(name, |row| {
            let taken = row["taken"].as_str().and_then(|taken| taken.parse::<Timestamp>().ok());
            let (Some(taken), Ok(())) = (taken, &done) else { return };
            if let Some((time, sums)) = snapshot.take_if(|(time, _)| *time != taken) {
                done = each(time, sums);
            }
            let (_, sums) = snapshot.get_or_insert_with(|| (taken, Sums::new()));
            let added = row_balances(name, row).and_then(|balances| {
                balances.into_iter().try_for_each(|(key, sum)| add(sums, key, sum))
            });
            done = std::mem::replace(&mut done, Ok(())).and(added);
        })?;
        done?;
        if let Some((taken, sums)) = snapshot {
            each(taken, sums)?;
        }
    }
    Ok(())
}

/// The balances in a row, by wallet and coin.
type RowBalances = Vec<((Wallet, String), Decimal)>;

/// Returns the balances in a row. Spot includes the funding account, which has no movements of its own; futures
/// exclude unrealized profit; margin includes loans.
///
/// # Errors
/// If the amounts of the row have too many digits to be added.
fn row_balances(name: &str, row: &Value) -> Result<RowBalances, Failure> {
    let total = |parts: &[&str]| -> Result<Decimal, Failure> {
        let mut sum = Decimal::ZERO;
        for amount in parts.iter().filter_map(|part| exact(row.get(part)?)) {
            plus(&mut sum, amount)
                .map_err(|error| error.with_context(&format!("{name}: {row}")))?;
        }
        Ok(sum)
    };
    let of = |wallet: Wallet, coin: &str, amount| {
        text(row, coin).map(|coin| ((wallet, coin), amount)).into_iter().collect()
    };
    Ok(match name {
        "balances-spot" => of(
            Wallet::Spot,
            "currency",
            total(&["available", "frozen", "fundAvailable", "fundFroze"])?,
        ),
        "balances-futures" => {
            let mut amount = total(&["equity"])?;
            plus(&mut amount, -total(&["unrealized"])?)
                .map_err(|error| error.with_context(&format!("{name}: {row}")))?;
            of(Wallet::Futures, "currency", amount)
        }
        "balances-margin" => {
            let Some(pair) = text(row, "symbol") else { return Ok(Vec::new()) };
            let mut sides = Vec::new();
            for side in ["base", "quote"] {
                let Some(coin) = text(row, &format!("{side}.currency")) else { continue };
                let parts = ["available", "frozen"].map(|part| format!("{side}.{part}"));
                let amount = total(&[&parts[0], &parts[1]])?;
                sides.push(((Wallet::Margin(pair.clone()), coin), amount));
            }
            sides
        }
        _ => of(Wallet::Earn, "coinName", total(&["totalUserSum"])?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::row_balances;

    #[test]
    fn absurd_balances_are_reported_with_their_row() {
        let most = "79228162514264337593543950335";
        for (name, row) in [
            ("balances-spot", json!({ "currency": "X", "available": most, "frozen": most })),
            (
                "balances-futures",
                json!({ "currency": "X", "equity": most, "unrealized": format!("-{most}") }),
            ),
        ] {
            let error = row_balances(name, &row).expect_err("it cannot be added").to_string();
            assert!(error.contains(name) && error.contains(most), "{error}");
        }
    }
}
