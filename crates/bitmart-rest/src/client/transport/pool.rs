//! The pool of idle connections.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

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
    /// The same by the system's clock: the other one stands still while the machine is suspended.
    since_system: SystemTime,
}

impl Idle {
    fn new(connection: Connection, now: Instant) -> Self {
        Self { connection, since: now, since_system: SystemTime::now() }
    }

    fn is_usable(&self, now: Instant, idle_timeout: Duration) -> bool {
        // A clock that was set back makes nothing older.
        let by_system = self.since_system.elapsed().unwrap_or_default();
        let age = now.saturating_duration_since(self.since).max(by_system);
        !self.connection.is_closed() && age < idle_timeout
    }
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
        waiting.retain(|idle| idle.is_usable(now, self.limits.idle_timeout));
        let last = waiting.last_mut()?;
        if let Some(another) = last.connection.share() {
            (last.since, last.since_system) = (now, SystemTime::now());
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
            waiting.push(Idle::new(connection, now));
        }
    }

    /// Removes the connections that were idle before `time`. One of the same age has just proven dead, and
    /// whatever broke it may have broken the others.
    pub(super) fn remove_older(&self, origin: &Origin, time: Instant) {
        if let Some(waiting) = self.lock().get_mut(origin) {
            waiting.retain(|idle| idle.since >= time);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Vec<Idle>>> {
        // A panic cannot leave the map inconsistent: each change is a single operation.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
