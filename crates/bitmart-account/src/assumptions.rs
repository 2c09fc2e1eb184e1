//! Assumptions about the exchange that the completeness guarantee depends on.

use std::time::Duration;

/// Default of [`Assumptions::max_push_delay`] (P).
pub const MAX_PUSH_DELAY: Duration = Duration::from_secs(5);

/// Default of [`Assumptions::max_history_lag`] (H).
pub const MAX_HISTORY_LAG: Duration = Duration::from_secs(5);

/// Default of [`Assumptions::max_clock_skew`] (C): the default `recv_window` of the exchange, which
/// rejects signatures with a larger difference.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Upper bounds on delays of the exchange and on clock skew.
///
/// `Live` is a guarantee as long as the bounds hold. If one is violated, fills can be missing, and only
/// an [audit](crate::AccountTracker::request_audit) detects it. The exchange publishes none of them.
///
/// Durations may be zero; the tracker rounds them up to whole milliseconds. Larger bounds are safer, but
/// lengthen the time range that is fetched after a loss, and (H) the time until the account is live.
/// The sandbox has no delays and shares this machine's clock, so bounds near zero are right for H and
/// C there, and the account is live within a fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assumptions {
    /// P: maximum time from a fill to its push. [`MAX_PUSH_DELAY`] by default.
    ///
    /// [`AccountTracker`](crate::AccountTracker) adds the time after which a silent connection counts as
    /// lost, 20 s by default: messages may wait in the network that long and then be lost, behind others
    /// that arrive. It has no effect on the time until the account is live. With
    /// [`AccountSync`](crate::sync::AccountSync), P must contain that time. Not covered is a connection that
    /// falls further and further behind without being silent that long.
    pub max_push_delay: Duration,
    /// H: maximum time from a fill, or a change of an order, a balance or a position, until REST queries
    /// return it. [`MAX_HISTORY_LAG`] by default.
    pub max_history_lag: Duration,
    /// C: maximum difference between the REST client's clock and the exchange's. [`MAX_CLOCK_SKEW`] by
    /// default.
    pub max_clock_skew: Duration,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            max_push_delay: MAX_PUSH_DELAY,
            max_history_lag: MAX_HISTORY_LAG,
            max_clock_skew: MAX_CLOCK_SKEW,
        }
    }
}

/// Rounds up to whole milliseconds, the resolution of the exchange's timestamps.
fn round_up(duration: Duration) -> Duration {
    let up = duration.saturating_add(Duration::from_nanos(999_999));
    Duration::from_millis(u64::try_from(up.as_millis()).unwrap_or(u64::MAX))
}

impl Assumptions {
    /// The same with whole milliseconds.
    pub(crate) fn rounded_up(self) -> Self {
        Self {
            max_push_delay: round_up(self.max_push_delay),
            max_history_lag: round_up(self.max_history_lag),
            max_clock_skew: round_up(self.max_clock_skew),
        }
    }

    /// Sets P.
    #[must_use]
    pub fn max_push_delay(mut self, delay: Duration) -> Self {
        self.max_push_delay = delay;
        self
    }

    /// Sets H.
    #[must_use]
    pub fn max_history_lag(mut self, lag: Duration) -> Self {
        self.max_history_lag = lag;
        self
    }

    /// Sets C.
    #[must_use]
    pub fn max_clock_skew(mut self, skew: Duration) -> Self {
        self.max_clock_skew = skew;
        self
    }
}
