//! What the proof of completeness takes for granted about the exchange.

use std::time::Duration;

/// P: a push reaches this machine at most this long after its fill, while its connection lives.
/// Believed, not published by the exchange.
pub const PUSH_LATE_AT_MOST: Duration = Duration::from_secs(5);

/// H: a REST query that begins this long after a fill shows the fill. Believed, not published by the
/// exchange.
pub const HISTORY_BEHIND_AT_MOST: Duration = Duration::from_secs(5);

/// C: this machine's clock and the exchange's differ by at most this much. The exchange refuses
/// signatures that are further off than its `recv_window`, 5 s by default.
pub const CLOCKS_DIFFER_AT_MOST: Duration = Duration::from_secs(5);

/// What the exchange is assumed to keep to. `Live` is a proven claim as long as it does; when it does
/// not, fills can be missing and only an [audit](crate::AccountTracker::audit) tells.
///
/// Each span may be zero and is used in whole milliseconds, rounded up. Longer ones are safer; they
/// lengthen the spans that are asked for again after a loss, and (H) the time until the account is
/// called live. The sandbox shows everything at once and shares this machine's clock: there, and
/// wherever you know better, zero or nearly so is right for H and C, and the account is live within a
/// fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assumptions {
    /// P, by default [`PUSH_LATE_AT_MOST`].
    pub push_late: Duration,
    /// H, by default [`HISTORY_BEHIND_AT_MOST`].
    pub history_behind: Duration,
    /// C, by default [`CLOCKS_DIFFER_AT_MOST`].
    pub clocks_differ: Duration,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            push_late: PUSH_LATE_AT_MOST,
            history_behind: HISTORY_BEHIND_AT_MOST,
            clocks_differ: CLOCKS_DIFFER_AT_MOST,
        }
    }
}

/// To whole milliseconds, the unit of the exchange's times.
fn whole(span: Duration) -> Duration {
    let up = span.saturating_add(Duration::from_nanos(999_999));
    Duration::from_millis(u64::try_from(up.as_millis()).unwrap_or(u64::MAX))
}

impl Assumptions {
    /// With another P.
    #[must_use]
    pub fn push_late(mut self, at_most: Duration) -> Self {
        self.push_late = whole(at_most);
        self
    }

    /// With another H.
    #[must_use]
    pub fn history_behind(mut self, at_most: Duration) -> Self {
        self.history_behind = whole(at_most);
        self
    }

    /// With another C.
    #[must_use]
    pub fn clocks_differ(mut self, at_most: Duration) -> Self {
        self.clocks_differ = whole(at_most);
        self
    }
}
