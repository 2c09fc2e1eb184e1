//! Conversion between monotonic instants and timestamps.

use std::time::{Duration, Instant};

use bitmart_types::Timestamp;

/// A steady clock: monotonic instants as timestamps, beginning with a reading of the REST client's clock.
/// It does not follow when that clock is set.
#[derive(Debug)]
pub(crate) struct TimeScale {
    /// When the clock began.
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

    /// Returns the current timestamp.
    pub(crate) fn now(&self) -> Timestamp {
        self.at_base + current_instant().saturating_duration_since(self.base)
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
