//! What happens while Redis cannot be reached.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitmart_rest::limit::LocalBudgets;

use super::error::StoreError;

/// What requests do while Redis is slow, gone or unsuitable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// Fail at once with [`ThrottleReason::BudgetUnavailable`](bitmart_rest::limit::ThrottleReason::BudgetUnavailable).
    #[default]
    Refuse,
    /// Wait for Redis as long as the policy of the limiter allows, and then fail. A caller whose reply was lost is
    /// the last in the queue again.
    Wait,
    /// Use this part of each limit, in percent from 1 to 100, which this process then counts alone. It starts
    /// when no permit of the common count can be in use any more. When Redis is back, this process is granted
    /// nothing until its own permits are free: Redis does not know of them.
    ///
    /// **The limit may be exceeded**: by the shares of those processes that Redis cannot be reached from, while
    /// others still use all of the limit. If no process reaches Redis and the shares are 100 together, it is
    /// kept.
    Share(u32),
}

/// Knows whether Redis is away, and logs when that changes.
pub(super) struct Watch {
    state: Mutex<State>,
    /// Counts the shares of [`Outage::Share`].
    pub(super) alone: LocalBudgets,
}

#[derive(Default)]
struct State {
    down_since: Option<Instant>,
    /// The server does not know what is in use.
    is_new: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), alone: LocalBudgets::new() }
    }

    pub(super) fn is_down(&self) -> bool {
        self.lock().down_since.is_some()
    }

    /// Redis has replied; if it does not know what is in use, for how long it grants nothing.
    pub(super) fn works(&self, unknown_for: Option<Duration>) {
        let mut state = self.lock();
        let was_new = std::mem::replace(&mut state.is_new, unknown_for.is_some());
        if let (false, Some(pause)) = (was_new, unknown_for) {
            tracing::warn!(
                target: "bitmart_fleet",
                { bitmart.seconds = pause.as_secs() },
                "Redis is new or has lost its counts: nothing is granted until all earlier permits have expired"
            );
        }
        if let Some(since) = state.down_since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::warn!(
                target: "bitmart_fleet",
                { bitmart.seconds = seconds },
                "Redis counts again"
            );
        }
    }

    /// Redis has not replied. Returns since when.
    pub(super) fn fails(&self, error: &StoreError, outage: Outage) -> Instant {
        let mut state = self.lock();
        if let Some(since) = state.down_since {
            return since;
        }
        let since = Instant::now();
        state.down_since = Some(since);
        let consequence = match outage {
            Outage::Refuse => "requests are refused",
            Outage::Wait => "requests wait for it",
            Outage::Share(_) => "this process counts alone and may exceed limits",
        };
        tracing::error!(
            target: "bitmart_fleet",
            { bitmart.reason = %error },
            "Redis cannot count rate limits: {consequence}"
        );
        since
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
