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
    records: VecDeque<(u64, Arc<T>)>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
    /// The number of the newest record.
    last: u64,
    /// Records that were dropped, because others came.
    dropped: u64,
}

impl<T: Weighed> Ring<T> {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, max_records, max_bytes, last: 0, dropped: 0 }
    }

    /// Adds a record and drops the oldest ones beyond the bounds. The newest one is always kept.
    pub(crate) fn push(&mut self, record: T) -> u64 {
        self.last += 1;
        self.bytes += record.weight();
        self.records.push_back((self.last, Arc::new(record)));
        while self.records.len() > 1
            && (self.records.len() > self.max_records || self.bytes > self.max_bytes)
        {
            if let Some((_, oldest)) = self.records.pop_front() {
                self.bytes -= oldest.weight();
                self.dropped += 1;
            }
        }
        self.last
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<T>> {
        let at = self.records.binary_search_by_key(&number, |record| record.0).ok()?;
        self.records.get(at).map(|record| Arc::clone(&record.1))
    }

    /// The records after a number, newest first.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = (u64, &Arc<T>)> {
        let newest_first = self.records.iter().rev();
        newest_first.take_while(move |record| record.0 > number).map(|record| (record.0, &record.1))
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
