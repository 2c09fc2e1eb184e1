//! Where the sandbox takes its time from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The end of the year 9999: a stepped clock goes no further, so that no sum of times overflows.
pub(crate) const END_MS: u64 = 253_402_300_799_999;

/// The time of the exchange in milliseconds since 1970: the machine's clock, or one that only moves
/// when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Real,
    Stepped { now_ms: u64 },
}

impl Clock {
    pub(crate) fn now_ms(self) -> u64 {
        match self {
            Self::Real => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            Self::Stepped { now_ms } => now_ms,
        }
    }

    pub(crate) fn is_stepped(self) -> bool {
        matches!(self, Self::Stepped { .. })
    }

    /// Moves a stepped clock; the real one goes its own way.
    pub(crate) fn advance(&mut self, by: Duration) {
        if let Self::Stepped { now_ms } = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(END_MS);
            *now_ms = now_ms.saturating_add(by).min(END_MS);
        }
    }
}
