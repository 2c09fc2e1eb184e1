//! A list of the latest records, bounded in number and bytes.

use std::{collections::VecDeque, sync::Arc};

/// A record with a size.
pub(crate) trait Weighed {
    /// Its approximate size in bytes.
    fn weight(&self) -> usize;
}

/// The latest records. Each has a number: the first is 1.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    /// Each with its weight, so that a dropped record is not read: that would take long under the lock of the list.
    records: VecDeque<(usize, Arc<T>)>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
    /// The number of the newest record. Numbers of kept records have no gaps.
    last: u64,
    /// Records that were dropped, because others came.
    dropped: u64,
}

impl<T: Weighed> Ring<T> {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, max_records, max_bytes, last: 0, dropped: 0 }
    }

    /// Adds a record and drops the oldest ones beyond the bounds. The newest one is always kept. Returns the last one
    /// that was dropped, so that it can be freed later.
    pub(crate) fn push(&mut self, record: Arc<T>) -> Option<Arc<T>> {
        let weight = record.weight();
        self.last += 1;
        self.bytes += weight;
        self.records.push_back((weight, record));
        let mut oldest = None;
        while self.records.len() > 1
            && (self.records.len() > self.max_records || self.bytes > self.max_bytes)
            && let Some((weight, record)) = self.records.pop_front()
        {
            self.bytes -= weight;
            self.dropped += 1;
            oldest = Some(record);
        }
        oldest
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<T>> {
        let from_newest = usize::try_from(self.last.checked_sub(number)?).ok()?;
        let at = self.records.len().checked_sub(from_newest + 1)?;
        self.records.get(at).map(|record| Arc::clone(&record.1))
    }

    /// The records after a number, newest first.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = (u64, &Arc<T>)> {
        let numbers = (number.saturating_add(1)..=self.last).rev();
        numbers.zip(self.records.iter().rev().map(|record| &record.1))
    }

    /// The number of the newest record; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Removes all records. Numbers go on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        (self.bytes, self.dropped) = (0, 0);
    }
}
