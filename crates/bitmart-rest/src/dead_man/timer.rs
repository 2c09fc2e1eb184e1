//! The local estimate of the exchange's timer of one contract.

use std::time::Duration;

use bitmart_types::Timestamp;
use tokio::time::Instant;

use crate::reconcile::{MAX_CLOCK_LEAD, SETTLED_AFTER};

/// The exchange reports whole seconds and may count in them, so its timer may be a second short.
const ROUNDING: Duration = Duration::from_secs(1);

/// How long a request with an unknown outcome may still take effect, wherever the client's clock stands: a
/// signature of a clock that is ahead expires as much later.
const UNSETTLED_FOR: Duration = SETTLED_AFTER.saturating_add(MAX_CLOCK_LEAD);

/// The state of the exchange's timer of a contract, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// No renewal was accepted yet. One whose response was lost may have set the timer.
    NotSet,
    /// It is running: the exchange cancels unless it is renewed.
    Armed {
        /// The minimum time until it expires.
        left: Duration,
    },
    /// It may have expired: orders may have been canceled, and later orders may be unguarded.
    MayHaveFired,
}

/// A point in time on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Monotonic, but may stop while the machine sleeps.
    pub(super) at: Instant,
    /// The client's clock, which can be adjusted.
    pub(super) wall: Timestamp,
}

/// Counts down to the earliest expiry of the timer.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    /// The earliest expiry of the last accepted renewal.
    end: Option<Moment>,
    /// Stays set even if a clock is set back.
    has_expired: bool,
    /// Whether the expiry was reported to the user.
    expiry_reported: bool,
    /// When the last request with an unknown outcome ended.
    last_unknown: Option<Instant>,
}

impl Countdown {
    pub(super) fn state(&mut self, now: Moment) -> Timer {
        let Some(end) = self.end else { return Timer::NotSet };
        let millis = end.wall.as_millis().saturating_sub(now.wall.as_millis());
        let wall = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
        let left = end.at.saturating_duration_since(now.at).min(wall);
        self.has_expired |= left.is_zero();
        if self.has_expired { Timer::MayHaveFired } else { Timer::Armed { left } }
    }

    /// Restarts the countdown: a renewal sent after `sent` was accepted for `granted`.
    pub(super) fn set(&mut self, sent: Moment, granted: Duration) {
        let certain = granted.saturating_sub(ROUNDING);
        let millis = i64::try_from(certain.as_millis()).unwrap_or(i64::MAX);
        let wall = Timestamp::from_millis(sent.wall.as_millis().saturating_add(millis));
        self.end = Some(Moment { at: sent.at + certain, wall });
        self.has_expired = false;
        self.expiry_reported = false;
    }

    /// When the timer may expire by the monotonic clock; `None` if the expiry was reported already.
    pub(super) fn unreported_expiry(&self) -> Option<Instant> {
        self.end.filter(|_| !self.expiry_reported).map(|end| end.at)
    }

    /// Whether the timer may have expired and this was not reported yet; marks it as reported.
    pub(super) fn take_expiry(&mut self, now: Moment) -> bool {
        let is_new = !self.expiry_reported && self.state(now) == Timer::MayHaveFired;
        self.expiry_reported |= is_new;
        is_new
    }

    pub(super) fn record_unknown(&mut self, at: Instant) {
        self.last_unknown = Some(at);
    }

    /// Whether a request with an unknown outcome may still set the timer.
    pub(super) fn is_unsettled(&self, now: Instant) -> bool {
        self.last_unknown.is_some_and(|at| now.saturating_duration_since(at) < UNSETTLED_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: i64 = 1_700_000_000_000;

    /// So many milliseconds after the start by the monotonic clock and by the wall clock.
    fn moment(start: Instant, monotonic: u64, wall: i64) -> Moment {
        Moment {
            at: start + Duration::from_millis(monotonic),
            wall: Timestamp::from_millis(BEGIN + wall),
        }
    }

    #[test]
    fn is_armed_only_until_the_first_clock_reaches_the_earliest_expiry() {
        let start = Instant::now();
        let set = || {
            let mut countdown = Countdown::default();
            assert_eq!(countdown.state(moment(start, 0, 0)), Timer::NotSet);
            countdown.set(moment(start, 0, 0), Duration::from_secs(5));
            countdown
        };
        let left = Duration::from_millis(1);
        assert_eq!(set().state(moment(start, 3_999, 3_000)), Timer::Armed { left });
        assert_eq!(set().state(moment(start, 4_000, 3_999)), Timer::MayHaveFired);
        // The machine slept.
        assert_eq!(set().state(moment(start, 1, 4_000)), Timer::MayHaveFired);
        // The clock was set back, before the expiry and afterwards.
        assert_eq!(set().state(moment(start, 4_000, -9_000)), Timer::MayHaveFired);
        let mut countdown = set();
        assert_eq!(countdown.state(moment(start, 1, 4_000)), Timer::MayHaveFired);
        assert_eq!(countdown.state(moment(start, 2, 0)), Timer::MayHaveFired);
    }
}
