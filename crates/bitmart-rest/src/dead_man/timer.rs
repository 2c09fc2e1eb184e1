//! What is known of the exchange's timer of one contract.

use std::time::Duration;

use bitmart_types::Timestamp;
use tokio::time::Instant;

/// The exchange responds in whole seconds and may count in them: its timer may be a second short.
const ROUNDING: Duration = Duration::from_secs(1);

/// For how long a request whose outcome is unknown may still take effect: the exchange takes a
/// signature for 60 seconds.
const SETTLED_AFTER: Duration = Duration::from_secs(75);

/// What is known of the exchange's timer of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// Not known to have been set. A renewal whose response was lost may have set it.
    NotSet,
    /// It runs: the exchange cancels unless it is set anew.
    Armed {
        /// For how long at least it does not run out.
        left: Duration,
    },
    /// It ran out, or it did not: orders may have been cancelled, and those placed since may be
    /// guarded by nobody.
    MayHaveFired,
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Steady, but it may stand while the machine sleeps.
    pub(super) at: Instant,
    /// The client's clock, which can be set.
    pub(super) wall: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Countdown {
    /// The end of the timer that was set last, at the earliest.
    end: Option<Moment>,
    /// Once it may have run out, no clock that is set back takes that away.
    run_out: bool,
    /// Whether the user was told of it.
    told: bool,
    /// When a request whose outcome is unknown was sent last.
    unknown: Option<Instant>,
}

impl Countdown {
    pub(super) fn look(&mut self, now: Moment) -> Timer {
        let Some(end) = self.end else { return Timer::NotSet };
        let millis = end.wall.as_millis().saturating_sub(now.wall.as_millis());
        let wall = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
        let left = end.at.saturating_duration_since(now.at).min(wall);
        self.run_out |= left.is_zero();
        if self.run_out { Timer::MayHaveFired } else { Timer::Armed { left } }
    }

    /// A renewal that was sent after `sent` was accepted for `granted`.
    pub(super) fn set(&mut self, sent: Moment, granted: Duration) {
        let certain = granted.saturating_sub(ROUNDING);
        let millis = i64::try_from(certain.as_millis()).unwrap_or(i64::MAX);
        let wall = Timestamp::from_millis(sent.wall.as_millis().saturating_add(millis));
        self.end = Some(Moment { at: sent.at + certain, wall });
        self.run_out = false;
        self.told = false;
    }

    /// When the timer may run out by the steady clock, unless that was told already.
    pub(super) fn untold_end(&self) -> Option<Instant> {
        self.end.filter(|_| !self.told).map(|end| end.at)
    }

    /// Whether the timer may have run out and nobody was told; it counts as told from then on.
    pub(super) fn tell(&mut self, now: Moment) -> bool {
        let news = !self.told && self.look(now) == Timer::MayHaveFired;
        self.told |= news;
        news
    }

    pub(super) fn note_unknown(&mut self, at: Instant) {
        self.unknown = Some(at);
    }

    /// Whether a request whose outcome is unknown may still arrive and set the timer.
    pub(super) fn is_unsettled(&self, now: Instant) -> bool {
        self.unknown.is_some_and(|at| now.saturating_duration_since(at) < SETTLED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: i64 = 1_700_000_000_000;

    fn moment(start: Instant, steady: u64, wall: i64) -> Moment {
        Moment {
            at: start + Duration::from_millis(steady),
            wall: Timestamp::from_millis(BEGIN + wall),
        }
    }

    #[test]
    fn it_is_armed_only_while_neither_clock_says_that_it_may_have_run_out() {
        let start = Instant::now();
        let set = || {
            let mut countdown = Countdown::default();
            assert_eq!(countdown.look(moment(start, 0, 0)), Timer::NotSet);
            countdown.set(moment(start, 0, 0), Duration::from_secs(5));
            countdown
        };
        let left = Duration::from_millis(1);
        assert_eq!(set().look(moment(start, 3_999, 3_000)), Timer::Armed { left });
        assert_eq!(set().look(moment(start, 4_000, 3_999)), Timer::MayHaveFired);
        // The machine slept.
        assert_eq!(set().look(moment(start, 1, 4_000)), Timer::MayHaveFired);
        // The clock was set back, before it said so and afterwards.
        assert_eq!(set().look(moment(start, 4_000, -9_000)), Timer::MayHaveFired);
        let mut countdown = set();
        assert_eq!(countdown.look(moment(start, 1, 4_000)), Timer::MayHaveFired);
        assert_eq!(countdown.look(moment(start, 2, 0)), Timer::MayHaveFired);
    }
}
