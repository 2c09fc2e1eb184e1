//! The pool of idle connections.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connect::{Connection, Origin};

/// Idle connections by origin. The most recently used one is taken first, so that the others can expire.
pub(super) struct Pool {
    idle: Mutex<HashMap<Origin, Vec<Idle>>>,
    limits: PoolLimits,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PoolLimits {
    /// How long an idle connection is kept for reuse.
    pub(super) idle_timeout: Duration,
    /// Maximum number of idle connections per origin.
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

    /// Takes a connection that is not known to be closed. With `shared`, only a multiplexed one, where
    /// responses identify their requests.
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

    /// Adds a connection whose last response was read completely.
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
        // A panic cannot leave the map inconsistent: each change is a single operation.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
