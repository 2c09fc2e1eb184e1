//! Requests for permits on their way to Redis.

use std::sync::Arc;

use bitmart_rest::limit::RequestEnd;

use super::Inner;
use super::entry::Entry;

/// A request for permits whose outcome is not known yet. If it is dropped, what may have been granted is returned.
pub(super) struct Pending<'a> {
    pub(super) inner: &'a Inner,
    pub(super) entry: &'a Arc<Entry>,
    /// The number of the first permit.
    pub(super) first: u64,
    /// How many permits were wanted.
    pub(super) wanted: u64,
    /// Its outcome is known.
    pub(super) is_settled: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.inner.end(self.entry, self.first, self.wanted, RequestEnd::NotSent);
        }
    }
}
