//! The ledger of an archive: every movement of money in its datasets, in order, with its row. A row of the archive
//! becomes an entry with one movement for each wallet and coin that it changes, or is listed as a problem.
//!
//! # Order
//! By time. Of equal times first incoming money (deposits, loans, redemptions, interest), then trades and futures, so
//! that a buy precedes the sale of what it bought; outgoing money last. Within each of these by list, then by numeric
//! id. The order depends on nothing else. Times with a resolution of a second count as its beginning.

mod check;
mod entry;
mod problems;
mod rows;
mod snapshot_rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bitmart::rest::history::RowKey;
use bitmart::{Decimal, Timestamp};
use serde_json::Value;

pub(crate) use self::check::{Difference, check, each_balance_snapshot};
pub(crate) use self::entry::{Entry, Kind, Movement, Wallet};
pub(crate) use self::problems::Problems;
use self::rows::{Parsed, parse};
use crate::export::Archive;
use crate::failure::Failure;

/// Sums by wallet and coin.
pub(crate) type Sums = BTreeMap<(Wallet, String), Decimal>;

/// Histories of movements, except those of margin, which exist per pair. Of equal times and [`rank`] they are in this
/// order.
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
    /// Creates the ledger of a finished archive: see [`Archive::must_be_finished`].
    pub(crate) fn new(archive: &'a Archive) -> Self {
        Self { archive }
    }

    /// Whether entries come from the rows of this dataset.
    pub(crate) fn reads(dataset: &str) -> bool {
        HISTORIES.contains(&dataset)
            || dataset.starts_with("margin-")
            || snapshot_rows::is_read(dataset)
    }

    /// The histories of movements that the archive does not have, not even as rejected.
    pub(crate) fn absent(archive: &Archive) -> impl Iterator<Item = &'static str> {
        HISTORIES.into_iter().filter(|name| !archive.has(name))
    }

    /// Passes every entry to `each`, in order, and returns the rows that became no entries: those without a time or
    /// an amount, and those of an unknown kind. Needs 16 bytes of memory per row, and the entries of equal times.
    ///
    /// # Errors
    /// If a file of the archive cannot be read, and what `each` returns.
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<Problems, Failure> {
        let archive = self.archive;
        let mut problems = Problems::default();
        let of_snapshots = snapshot_rows::entries(archive, &mut problems)?;
        rows::report_unconverted(archive, &mut problems)?;
        let mut of_snapshots = of_snapshots.into_iter().peekable();
        let margin = |name: &&str| name.starts_with("margin-");
        let mut names: Vec<&str> = archive.datasets().filter(margin).collect();
        names.extend(HISTORIES);
        let mut pending = EqualTimes::default();
        archive.rows(&names, |dataset, key, row| {
            let entry = match parse(dataset, key, row) {
                Parsed::Entry(entry) => *entry,
                Parsed::Nothing => return Ok(()),
                Parsed::Problem(why) => {
                    problems.add(dataset, why, &key.id, &movements_without_time(dataset, row));
                    return Ok(());
                }
            };
            if entry.is_fee_unknown {
                problems.add_without_fee(dataset, &key.id);
            }
            while let Some(earlier) = of_snapshots.next_if(|other| other.time <= entry.time) {
                pending.add(earlier, &mut each)?;
            }
            pending.add(entry, &mut each)
        })?;
        for later in of_snapshots {
            pending.add(later, &mut each)?;
        }
        pending.flush(&mut each)?;
        Ok(problems)
    }

    /// Sums all movements until `to`, or all.
    ///
    /// # Errors
    /// Those of [`each`](Self::each), and if a sum has too many digits.
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

/// Adds to a sum in a map without losing a digit.
///
/// # Errors
/// If the sum has too many digits.
pub(crate) fn add<K: Ord>(
    sums: &mut BTreeMap<K, Decimal>,
    key: K,
    amount: Decimal,
) -> Result<(), Failure> {
    plus(sums.entry(key).or_default(), amount)
}

/// Adds to a sum without losing a digit.
///
/// # Errors
/// If the sum has too many digits.
pub(crate) fn plus(sum: &mut Decimal, amount: Decimal) -> Result<(), Failure> {
    // Subtracting from a rounded sum does not restore its parts.
    let exact = |new: &Decimal| {
        new.checked_sub(amount) == Some(*sum) && new.checked_sub(*sum) == Some(amount)
    };
    *sum = sum
        .checked_add(amount)
        .filter(exact)
        .ok_or_else(|| Failure::io(format!("the sum of {sum} and {amount} has too many digits")))?;
    Ok(())
}

/// The movements that a row without a time would have.
fn movements_without_time(dataset: &str, row: &Value) -> Vec<Movement> {
    let key = RowKey { time: Some(Timestamp::from_millis(1)), id: String::new() };
    match parse(dataset, &key, row) {
        Parsed::Entry(entry) => entry.movements,
        _ => Vec::new(),
    }
}

/// The entries of one time, until all are known and can be sorted.
#[derive(Default)]
struct EqualTimes(Vec<Entry>);

impl EqualTimes {
    fn add(
        &mut self,
        entry: Entry,
        each: &mut impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.0.first().is_some_and(|first| first.time != entry.time) {
            self.flush(each)?;
        }
        self.0.push(entry);
        Ok(())
    }

    fn flush(
        &mut self,
        each: &mut impl FnMut(&Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.0.sort_by_cached_key(order);
        for entry in self.0.drain(..) {
            each(&entry)?;
        }
        Ok(())
    }
}

/// The order of equal times. No two entries of an archive are equal in it.
fn order(entry: &Entry) -> (u8, Option<usize>, String, RowKey) {
    let list = HISTORIES.iter().position(|name| *name == entry.dataset);
    let id = RowKey { time: None, id: entry.row.clone() };
    (rank(entry), list, entry.dataset.clone(), id)
}

/// The rank among equal times: causes precede what they make possible.
fn rank(entry: &Entry) -> u8 {
    let comes_in = entry.movements.iter().all(|movement| movement.amount >= Decimal::ZERO);
    match entry.kind {
        Kind::Deposit | Kind::Loan | Kind::EarnInterest | Kind::Rebate => 0,
        Kind::Transfer if comes_in || is_redemption(entry) => 0,
        Kind::Transfer | Kind::Withdrawal | Kind::LoanRepayment => 2,
        _ => 1,
    }
}

/// Whether money returns to the spot wallet.
fn is_redemption(entry: &Entry) -> bool {
    let to_spot =
        |movement: &Movement| movement.wallet == Wallet::Spot && movement.amount > Decimal::ZERO;
    entry.movements.iter().any(to_spot)
}
