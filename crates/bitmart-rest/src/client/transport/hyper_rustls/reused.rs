//! Decides from a request without a response whether the idle connections are still usable.

use std::time::{Duration, Instant};

use super::super::connect::Origin;
use super::{Shared, now};

/// A request on a connection that was idle before. If it gets no response for a while, the connections that
/// were idle at the same time are not used any more.
pub(super) struct ReusedConnection<'a> {
    shared: &'a Shared,
    origin: Origin,
    begin: Instant,
    has_response: bool,
}

impl<'a> ReusedConnection<'a> {
    /// A caller may also drop a request because it is not needed any more. That happens sooner.
    const PATIENCE: Duration = Duration::from_secs(2);

    pub(super) fn new(shared: &'a Shared, origin: &Origin) -> Self {
        Self { shared, origin: origin.clone(), begin: now(), has_response: false }
    }

    pub(super) fn responded(mut self) {
        self.has_response = true;
    }
}

impl Drop for ReusedConnection<'_> {
    fn drop(&mut self) {
        if !self.has_response && now().saturating_duration_since(self.begin) >= Self::PATIENCE {
            self.shared.pool.remove_older(&self.origin, self.begin);
        }
    }
}
