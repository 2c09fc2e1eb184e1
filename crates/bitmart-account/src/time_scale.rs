//! Conversion between monotonic instants and timestamps of the REST client's clock.

use std::time::{Duration, Instant};

use bitmart_types::Timestamp;

/// Converts monotonic instants to timestamps of the REST client's clock.
///
/// The offset is fixed at creation and only ever moves back: when the client's clock is set back, but
/// not when it jumps ahead, as after a suspend. A watermark that is too early only lengthens the next
/// query. One that is too late would lose fills.
#[derive(Debug)]
pub(crate) struct TimeScale {
    base: Instant,
    /// The timestamp at `base`.
    at_base: Timestamp,
}

/// Tokio's clock, like the streams.
fn current_instant() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl TimeScale {
    pub(crate) fn new(time: Timestamp) -> Self {
        Self { base: current_instant(), at_base: time }
    }

    /// Returns the current timestamp, given the reading of the client's clock.
    pub(crate) fn now(&mut self, time: Timestamp) -> Timestamp {
        let elapsed = current_instant().saturating_duration_since(self.base);
        self.at_base = self.at_base.min(time - elapsed);
        self.at_base + elapsed
    }

    /// Converts an instant to a timestamp, rounded down.
    pub(crate) fn to_timestamp(&self, instant: Instant) -> Timestamp {
        match instant.checked_duration_since(self.base) {
            Some(after) => self.at_base + after,
            None => {
                self.at_base
                    - self.base.saturating_duration_since(instant)
                    - Duration::from_millis(1)
            }
        }
    }

    /// Converts a timestamp to an instant that is not before it.
    pub(crate) fn to_instant(&self, time: Timestamp) -> tokio::time::Instant {
        let after = time.duration_since(self.at_base) + Duration::from_millis(1);
        (self.base + after).into()
    }
}
