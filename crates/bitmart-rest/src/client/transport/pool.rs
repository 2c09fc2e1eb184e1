//! The pool of idle connections.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::connect::{Connection, Origin};

/// Idle connections by origin. The most recently used one is taken first, so that the others can expire.
pub(super) struct Pool {
    idle: Mutex<ByOrigin>,
    limits: PoolLimits,
}

/// In the order of their last use. There are two origins, which are compared faster than one is hashed.
type ByOrigin = Vec<(Origin, VecDeque<Idle>)>;

#[derive(Clone, Copy, Debug)]
pub(super) struct PoolLimits {
    /// How long an idle connection is kept for reuse.
    pub(super) idle_timeout: Duration,
    /// Maximum number of idle connections per origin.
    pub(super) max_idle: usize,
}

struct Idle {
    connection: Connection,
    /// When it was last used.
    since: Moment,
}

/// A time by both clocks: the system's advances while the machine is suspended, the monotonic one does not.
#[derive(Clone, Copy)]
struct Moment {
    instant: Instant,
    system: SystemTime,
}

impl Moment {
    fn new(now: Instant) -> Self {
        Self { instant: now, system: SystemTime::now() }
    }

    fn since(self, earlier: Self) -> Duration {
        // A clock that was set back makes nothing older.
        let by_system = self.system.duration_since(earlier.system).unwrap_or_default();
        self.instant.saturating_duration_since(earlier.instant).max(by_system)
    }
}

impl Idle {
    fn is_usable(&self, now: Moment, idle_timeout: Duration) -> bool {
        !self.connection.is_closed() && now.since(self.since) < idle_timeout
    }
}

impl Pool {
    pub(super) fn new(limits: PoolLimits) -> Self {
        Self { idle: Mutex::default(), limits }
    }

    /// Takes a connection that is not known to be closed. With `only_shared`, only a multiplexed one, where
    /// responses identify their requests.
    pub(super) fn take(
        &self,
        origin: &Origin,
        now: Instant,
        only_shared: bool,
    ) -> Option<Connection> {
        let mut idle = self.lock();
        let connections = of_origin(&mut idle, origin)?;
        let now = Moment::new(now);
        let is_unusable = |idle: &Idle| !idle.is_usable(now, self.limits.idle_timeout);
        // Only both ends are checked: a check of all would cost each of many concurrent requests more
        // than the rest of the pool does.
        while connections.front().is_some_and(is_unusable) {
            connections.pop_front();
        }
        while connections.back().is_some_and(is_unusable) {
            connections.pop_back();
        }
        let last = connections.back_mut()?;
        if let Some(another) = last.connection.share() {
            last.since = now;
            return Some(another);
        }
        if only_shared {
            return None;
        }
        connections.pop_back().map(|idle| idle.connection)
    }

    /// Adds a connection whose last response was read completely.
    pub(super) fn put(&self, origin: &Origin, connection: Connection, now: Instant) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.lock();
        if of_origin(&mut idle, origin).is_none() {
            idle.push((origin.clone(), VecDeque::new()));
        }
        let Some(connections) = of_origin(&mut idle, origin) else { return };
        if connections.len() >= self.limits.max_idle {
            connections.retain(|idle| !idle.connection.is_closed());
        }
        if connections.len() < self.limits.max_idle {
            connections.push_back(Idle { connection, since: Moment::new(now) });
        }
    }

    /// Removes the connections that were idle before `time`. One of the same age has just proven dead, and
    /// whatever broke it may have broken the others.
    pub(super) fn remove_older(&self, origin: &Origin, time: Instant) {
        if let Some(connections) = of_origin(&mut self.lock(), origin) {
            connections.retain(|idle| idle.since.instant >= time);
        }
    }

    fn lock(&self) -> MutexGuard<'_, ByOrigin> {
        // A panic cannot leave the lists inconsistent: each change is a single operation.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_origin<'a>(idle: &'a mut ByOrigin, origin: &Origin) -> Option<&'a mut VecDeque<Idle>> {
    idle.iter_mut().find(|(known, _)| known == origin).map(|(_, connections)| connections)
}
