//! Open connections that wait for the next request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connect::{Connection, Origin};

/// Idle connections by origin. The one used last is taken first, so that the others may age.
pub(super) struct Pool {
    idle: Mutex<HashMap<Origin, Vec<Idle>>>,
    limits: PoolLimits,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PoolLimits {
    /// A connection that was idle for longer is not used again.
    pub(super) idle_timeout: Duration,
    /// Idle connections kept per origin; those beyond are closed.
    pub(super) max_idle: usize,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(limits: PoolLimits) -> Self {
        Self { idle: Mutex::default(), limits }
    }

    /// Takes a connection that is not known to have ended; with `shared`, only one that carries
    /// several requests at once, in which responses name their requests.
    pub(super) fn take(&self, origin: &Origin, now: Instant, shared: bool) -> Option<Connection> {
        let mut idle = self.lock();
        let waiting = idle.get_mut(origin)?;
        waiting.retain(|idle| {
            !idle.connection.is_closed()
                && now.saturating_duration_since(idle.since) < self.limits.idle_timeout
        });
        let last = waiting.last_mut()?;
        if let Some(another) = last.connection.share() {
            last.since = now;
            return Some(another);
        }
        if shared {
            return None;
        }
        waiting.pop().map(|idle| idle.connection)
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn put(&self, origin: &Origin, connection: Connection, now: Instant) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.lock();
        let waiting = match idle.get_mut(origin) {
            Some(waiting) => waiting,
            None => idle.entry(origin.clone()).or_default(),
        };
        if waiting.len() < self.limits.max_idle {
            waiting.push(Idle { connection, since: now });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Vec<Idle>>> {
        // Every change under the lock is a single step, so that a panic leaves nothing half-done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
