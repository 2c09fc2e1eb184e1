//! What the account has, against the sum of what moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bitmart::Decimal;
use serde_json::Value;

use super::facts::{exact, text};
use super::{Ledger, Problems, Sums, Wallet, add};
use crate::export::Archive;
use crate::failure::Failure;

/// A balance and the sum of the movements of it. They may be equal.
#[derive(Debug)]
pub(crate) struct Difference {
    /// `None`: the coin in all wallets together.
    pub(crate) wallet: Option<Wallet>,
    pub(crate) coin: String,
    pub(crate) balance: Decimal,
    pub(crate) moved: Decimal,
    /// What could be the reason, where they differ.
    pub(crate) because: Vec<&'static str>,
}

impl Difference {
    pub(crate) fn amount(&self) -> Decimal {
        self.balance - self.moved
    }

    /// A line, and for what differs a second with what could be the reason.
    pub(crate) fn lines(&self) -> String {
        if self.because.is_empty() {
            return format!("{self}\n");
        }
        format!("{self}\n  it may be: {}\n", self.because.join("; or "))
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
    "what the account had before the archive begins, or was given without a row in any list";
const MARGIN: &str = "transfers into and out of isolated margin, which no list tells";
const FUNDING: &str =
    "deposits that went to the funding or futures account: the rows do not say where to";
const LOST: &str = "rows that are not in the ledger, as listed above";
const SUBS: &str =
    "transfers with sub-accounts beyond the newest 100, which is all that the exchange gives";
const INCOMPLETE: &str = "lists that are not complete, as the manifest says";
const EARN: &str = "savings whose records the exchange does not give";

/// Compares the sums of all movements with the newest balances of the archive: per wallet and coin, then
/// per coin in all wallets, since some transfers between wallets have no list. Coins of which there is
/// nothing and that never moved are left out.
///
/// # Errors
/// When a file of the archive cannot be read.
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
        sum.0 += balance;
        sum.1 += moved;
        // No list tells what the account of copy trading has.
        if *wallet != Wallet::CopyTrading {
            lines.push((Some(wallet.clone()), coin.clone(), balance, moved));
        }
    }
    lines.extend(all.into_iter().map(|(coin, (balance, moved))| (None, coin, balance, moved)));
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
        let because = reasons.map(|(_, reason)| reason).collect();
        Difference { wallet, coin, balance, moved, because }
    });
    Ok((lines.collect(), problems))
}

fn is_margin(wallet: &Wallet) -> bool {
    matches!(wallet, Wallet::Margin(_))
}

/// The newest balances: of spot with the funding account, which has no movements of its own; of futures
/// without what open positions would bring; of margin with what is borrowed; of savings what they hold.
fn balances(archive: &Archive) -> Result<Sums, Failure> {
    let mut sums = Sums::new();
    let total = |row: &Value, parts: &[&str]| -> Decimal {
        parts.iter().filter_map(|part| exact(row.get(part)?)).sum()
    };
    archive.newest("balances-spot", |row| {
        let Some(coin) = text(row, "currency") else { return Ok(()) };
        let parts = ["available", "frozen", "fundAvailable", "fundFroze"];
        add(&mut sums, (Wallet::Spot, coin), total(row, &parts))
    })?;
    archive.newest("balances-futures", |row| {
        let Some(coin) = text(row, "currency") else { return Ok(()) };
        let amount = total(row, &["equity"]) - total(row, &["unrealized"]);
        add(&mut sums, (Wallet::Futures, coin), amount)
    })?;
    archive.newest("balances-margin", |row| {
        let Some(pair) = text(row, "symbol") else { return Ok(()) };
        for side in ["base", "quote"] {
            let Some(coin) = text(row, &format!("{side}.currency")) else { continue };
            let parts = ["available", "frozen"].map(|part| format!("{side}.{part}"));
            let amount = total(row, &[&parts[0], &parts[1]]);
            add(&mut sums, (Wallet::Margin(pair.clone()), coin), amount)?;
        }
        Ok(())
    })?;
    archive.newest("balances-earn", |row| {
        let Some(coin) = text(row, "coinName") else { return Ok(()) };
        add(&mut sums, (Wallet::Earn, coin), total(row, &["totalUserSum"]))
    })?;
    Ok(sums)
}
