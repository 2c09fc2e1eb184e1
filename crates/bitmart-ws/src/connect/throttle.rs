//! The rate limit of connection attempts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::dialect::Limits;
use crate::rate_limiter::RateLimiter;

/// Limits the connection attempts to one address to what the exchange allows, less a tenth. All
/// connections of an endpoint share it.
#[derive(Debug)]
pub(crate) struct ConnectThrottle {
    state: Mutex<State>,
    max_pause: Duration,
}

#[derive(Debug)]
struct State {
    limiter: RateLimiter,
    /// No attempt starts before this time: a `Retry-After` of the server.
    paused_until: Option<Instant>,
}

impl ConnectThrottle {
    pub(crate) fn new(limits: &Limits) -> Self {
        let max = limits.connects_per_window;
        // Nothing takes permits from the reserve: it is the tenth by which attempts stay below the limit.
        let limiter = RateLimiter::new(max, max / 10, limits.connect_window);
        let state = Mutex::new(State { limiter, paused_until: None });
        Self { state, max_pause: limits.max_retry_after }
    }

    /// Delays all attempts for this long, up to [`Limits::max_retry_after`].
    pub(super) fn pause_for(&self, pause: Duration) {
        let until = tokio::time::Instant::now().into_std() + pause.min(self.max_pause);
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Some(until));
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self) {
        while let Err(at) = self.try_acquire(tokio::time::Instant::now().into_std()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Takes a permit, or returns when to try again.
    fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.lock();
        let State { limiter, paused_until } = &mut *state;
        if let Some(until) = paused_until.filter(|&until| now < until) {
            return Err(until);
        }
        if limiter.try_acquire(now) {
            return Ok(());
        }
        Err(limiter.next_permit().unwrap_or(now))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
