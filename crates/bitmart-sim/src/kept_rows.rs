//! Rows by number: all unfinished ones, and the latest finished ones of each account. The serialized form is a map by
//! number.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::AccountId;

/// A row of an account that is finished at some time.
pub trait Row {
    /// Returns its account.
    fn account(&self) -> AccountId;
    /// Whether it is finished.
    fn is_finished(&self) -> bool;
}

// Rule: As many finished loans, and as many finished deposits and withdrawals, of an account are kept as orders.
// Source: simplified (memory)
/// Rows by number. The oldest finished rows of an account are removed beyond the history limit.
#[derive(Debug, Clone)]
pub struct KeptRows<T> {
    rows: BTreeMap<u64, T>,
    /// The numbers of all rows of an account.
    by_account: BTreeMap<AccountId, BTreeSet<u64>>,
    /// The numbers of the finished rows of an account.
    finished: BTreeMap<AccountId, BTreeSet<u64>>,
}

impl<T> Default for KeptRows<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), by_account: BTreeMap::new(), finished: BTreeMap::new() }
    }
}

impl<T> KeptRows<T> {
    /// Returns the row with this number, or `None` when it is unknown or no longer kept.
    pub fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(&id)
    }

    /// Returns all rows, oldest first.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    /// Returns the numbers of the rows of an account, oldest first.
    pub(crate) fn ids_of(&self, account: AccountId) -> impl Iterator<Item = u64> {
        self.by_account.get(&account).into_iter().flatten().copied()
    }
}

impl<T: Row> KeptRows<T> {
    /// Adds a row with a new number.
    pub(crate) fn insert(&mut self, id: u64, row: T) {
        self.by_account.entry(row.account()).or_default().insert(id);
        self.rows.insert(id, row);
    }

    /// Marks a row as finished, and removes the oldest finished rows of its account beyond the history limit.
    pub(crate) fn finish(&mut self, id: u64, history_limit: usize) {
        let Some(row) = self.rows.get(&id) else { return };
        let account = row.account();
        let finished = self.finished.entry(account).or_default();
        finished.insert(id);
        while finished.len() > history_limit {
            let Some(oldest) = finished.pop_first() else { return };
            self.rows.remove(&oldest);
            if let Some(ids) = self.by_account.get_mut(&account) {
                ids.remove(&oldest);
            }
        }
    }
}

impl<T: Serialize> Serialize for KeptRows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for KeptRows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = BTreeMap::<u64, T>::deserialize(deserializer)?;
        let mut kept = Self::default();
        for (id, row) in rows {
            if row.is_finished() {
                kept.finished.entry(row.account()).or_default().insert(id);
            }
            kept.insert(id, row);
        }
        Ok(kept)
    }
}
