//! What happens while Redis cannot be reached.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitmart_rest::limit::LocalBudgets;

use super::error::StoreError;

/// What requests do while Redis cannot be reached, is too slow or is unsuitable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// Fail at once with [`ThrottleReason::BudgetUnavailable`](bitmart_rest::limit::ThrottleReason::BudgetUnavailable).
    #[default]
    Refuse,
    /// Wait for Redis as long as the policy of the limiter allows, and then fail. A caller whose reply was lost is
    /// the last in the queue again.
    Wait,
    /// Use a share of each limit that this process counts itself, in percent from 1 to 100. It starts
    /// when no permit that Redis has granted can be in use any more. When Redis is back, this process is granted
    /// nothing until the permits of its share are free, because Redis does not know them.
    ///
    /// **The limit may be exceeded** if some processes reach Redis and others do not: the first use all of
    /// the limit, the others their shares in addition. If no process reaches Redis, the limit is kept as long as the
    /// shares add up to 100 at most.
    Share(u32),
}

/// Whether Redis can be reached. Logs when that changes.
pub(super) struct Watch {
    state: Mutex<State>,
    /// Counts the permits of [`Outage::Share`].
    pub(super) own_share: LocalBudgets,
}

#[derive(Default)]
struct State {
    down_since: Option<Instant>,
    /// The server does not know yet what is in use, so it grants nothing.
    is_new: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), own_share: LocalBudgets::new() }
    }

    pub(super) fn is_down(&self) -> bool {
        self.lock().down_since.is_some()
    }

    /// Records that Redis has replied. `unknown_for` is how long it will grant nothing, if it does not know what is
    /// in use.
    pub(super) fn replied(&self, unknown_for: Option<Duration>) {
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

    /// Records that Redis has not replied. Returns since when it does not.
    pub(super) fn failed(&self, error: &StoreError, outage: Outage) -> Instant {
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
