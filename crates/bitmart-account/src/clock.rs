//! One scale of time for the mark and for the stamps of the streams.

use std::time::{Duration, Instant};

use bitmart_types::Timestamp;

/// Turns moments of the machine into times of the REST client's clock.
///
/// The scale is fixed once and then only ever moved back: when the client's clock is set back, and
/// not when it jumps ahead, as after the machine slept. A mark that is too early only makes the
/// next query longer; one that is too late would lose fills.
#[derive(Debug)]
pub(crate) struct Scale {
    base: Instant,
    /// The time at `base`.
    at_base: Timestamp,
}

/// Tokio's clock, as in the streams.
fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Scale {
    pub(crate) fn new(time: Timestamp) -> Self {
        Self { base: instant(), at_base: time }
    }

    /// The time now, where the client's clock says this.
    pub(crate) fn now(&mut self, time: Timestamp) -> Timestamp {
        let passed = instant().saturating_duration_since(self.base);
        self.at_base = self.at_base.min(time - passed);
        self.at_base + passed
    }

    /// Rounded down.
    pub(crate) fn time(&self, instant: Instant) -> Timestamp {
        match instant.checked_duration_since(self.base) {
            Some(after) => self.at_base + after,
            None => {
                self.at_base
                    - self.base.saturating_duration_since(instant)
                    - Duration::from_millis(1)
            }
        }
    }

    /// Not before that time.
    pub(crate) fn instant(&self, time: Timestamp) -> tokio::time::Instant {
        let after = time.duration_since(self.at_base) + Duration::from_millis(1);
        (self.base + after).into()
    }
}
