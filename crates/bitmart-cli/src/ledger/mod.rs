//! One ledger of an archive: every movement of money that its lists tell, in the order in which they
//! happened, with the row that says so.
//!
//! # Order
//! By time. Of one instant, what came in first (deposits, loans, redemptions, interest), then trades and
//! what happened in futures by the numbers of the exchange's ids, so that a buy stands before the sale of
//! what it bought; what went out last. Lists that tell times to the second count as of its begin.

mod check;
mod entry;
mod facts;
mod problems;
mod snapshots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

pub(crate) use self::check::{Difference, balances_told, check};
pub(crate) use self::entry::{Entry, Kind, Movement, Wallet};
use self::facts::{Read, read};
pub(crate) use self::problems::Problems;
use crate::export::Archive;
use crate::failure::Failure;

/// Sums by wallet and coin.
pub(crate) type Sums = BTreeMap<(Wallet, String), Decimal>;

/// Histories that tell movements, but those of margin, which are one for each pair. Of one instant and one
/// [`class`] those of the first come first.
const HISTORIES: [&str; 12] = [
    "deposits",
    "earn-flexible-redemptions",
    "earn-fixed-redemptions",
    "earn-flexible-interest",
    "earn-fixed-interest",
    "futures-transfers",
    "trades",
    "futures-transactions",
    "copy-trading-transactions",
    "earn-flexible-subscriptions",
    "earn-fixed-subscriptions",
    "withdrawals",
];

/// The movements of an archive.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    archive: &'a Archive,
}

impl<'a> Ledger<'a> {
    /// Of a finished archive: see [`Archive::must_be_finished`].
    pub(crate) fn new(archive: &'a Archive) -> Self {
        Self { archive }
    }

    /// Gives every entry in order, one at a time, and returns the rows that are none: those without a
    /// time, without an amount, or of what is not understood. Holds 16 bytes for each row, and the entries
    /// of one instant.
    ///
    /// # Errors
    /// When a file of the archive cannot be read, and what `each` returns.
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<Problems, Failure> {
        let archive = self.archive;
        let mut problems = Problems::default();
        let later = snapshots::entries(archive, &mut problems)?;
        facts::without_entries(archive, &mut problems)?;
        let mut later = later.into_iter().peekable();
        let margin = |name: &&str| name.starts_with("margin-");
        let mut names: Vec<&str> = archive.datasets().filter(margin).collect();
        names.extend(HISTORIES);
        let mut instant = Instant::default();
        archive.rows(&names, |dataset, key, row| {
            let entry = match read(dataset, key, row) {
                Read::Entry(entry) => *entry,
                Read::Nothing => return Ok(()),
                Read::Problem(why) => {
                    problems.add(dataset, why, &key.id, &untimed(dataset, row));
                    return Ok(());
                }
            };
            while let Some(other) = later.next_if(|other| other.time <= entry.time) {
                instant.add(other, &mut each)?;
            }
            instant.add(entry, &mut each)
        })?;
        for other in later {
            instant.add(other, &mut each)?;
        }
        instant.give(&mut each)?;
        Ok(problems)
    }

    /// The sums of all movements until `to`, or of all.
    ///
    /// # Errors
    /// Those of [`each`](Self::each), and when a sum has more digits than can be held.
    pub(crate) fn sums(&self, to: Option<Timestamp>) -> Result<(Sums, Problems), Failure> {
        let mut sums = Sums::new();
        let problems = self.each(|entry| {
            if to.is_some_and(|to| entry.time > to) {
                return Ok(());
            }
            entry.movements.iter().try_for_each(|movement| {
                add(&mut sums, (movement.wallet.clone(), movement.coin.clone()), movement.amount)
            })
        })?;
        Ok((sums, problems))
    }
}

/// Adds without losing a digit.
///
/// # Errors
/// When the sum has more digits than can be held.
pub(crate) fn add<K: Ord>(
    sums: &mut BTreeMap<K, Decimal>,
    key: K,
    amount: Decimal,
) -> Result<(), Failure> {
    plus(sums.entry(key).or_default(), amount)
}

/// Adds to one sum without losing a digit.
///
/// # Errors
/// When the sum has more digits than can be held.
pub(crate) fn plus(sum: &mut Decimal, amount: Decimal) -> Result<(), Failure> {
    // A sum that had to be rounded does not give back what was added.
    let exact = |new: &Decimal| *new - amount == *sum && *new - *sum == amount;
    *sum = sum.checked_add(amount).filter(exact).ok_or_else(|| {
        Failure::machine(format!("the sum of {sum} and {amount} has too many digits"))
    })?;
    Ok(())
}

/// What the movements of a row are that has no time.
fn untimed(dataset: &str, row: &Value) -> Vec<Movement> {
    let key =
        bitmart::rest::history::RowKey { time: Some(Timestamp::from_millis(1)), id: String::new() };
    match read(dataset, &key, row) {
        Read::Entry(entry) => entry.movements,
        _ => Vec::new(),
    }
}

/// Entries of one instant: they wait for each other, to be put in order.
#[derive(Default)]
struct Instant(Vec<Entry>);

impl Instant {
    fn add(
        &mut self,
        entry: Entry,
        each: &mut impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.0.first().is_some_and(|first| first.time != entry.time) {
            self.give(each)?;
        }
        self.0.push(entry);
        Ok(())
    }

    fn give(
        &mut self,
        each: &mut impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // The order by ids within a class stays.
        self.0.sort_by_key(class);
        for entry in self.0.drain(..) {
            each(&entry)?;
        }
        Ok(())
    }
}

/// What comes first of one instant: causes stand before what they make possible.
fn class(entry: &Entry) -> u8 {
    let comes_in = entry.movements.iter().all(|movement| movement.amount >= Decimal::ZERO);
    match entry.kind {
        Kind::Deposit | Kind::Loan | Kind::EarnInterest | Kind::Rebate => 0,
        Kind::Transfer if comes_in || is_redemption(entry) => 0,
        Kind::Transfer | Kind::Withdrawal | Kind::LoanRepayment => 2,
        _ => 1,
    }
}

/// Whether money comes back into the spot wallet.
fn is_redemption(entry: &Entry) -> bool {
    let to_spot =
        |movement: &Movement| movement.wallet == Wallet::Spot && movement.amount > Decimal::ZERO;
    entry.movements.iter().any(to_spot)
}
