//! The latest rows of a history. A row that was added stays as it is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

// Rule: Ten times as many trades, transactions, transfers, repayments and records of savings as orders are kept.
// Source: simplified (memory)
/// How many of these rows, of all accounts together, are kept for each order of the history limit.
const ROWS_PER_ORDER: usize = 10;

/// The latest rows of a history, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RowLog<T>(VecDeque<T>);

impl<T> Default for RowLog<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> RowLog<T> {
    /// Adds a row. Removes and returns the oldest one when more rows than the history limit allows are kept.
    pub(crate) fn add(&mut self, row: T, history_limit: usize) -> Option<T> {
        let is_full = self.0.len() >= history_limit.saturating_mul(ROWS_PER_ORDER);
        let oldest = if is_full { self.0.pop_front() } else { None };
        self.0.push_back(row);
        oldest
    }

    /// Returns the rows, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.0.iter()
    }

    /// Returns the rows from the first one for which `is_before` does not hold. The rows must be sorted by it.
    pub(crate) fn since(&self, is_before: impl FnMut(&T) -> bool) -> impl Iterator<Item = &T> {
        self.0.range(self.0.partition_point(is_before)..)
    }
}
