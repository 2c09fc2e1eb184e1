//! Limits of WebSocket connections per IP address, host, and kind (public or private).

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{address::SocketKind, generated::Host};

/// Maximum number of attempts to connect to spot in a window, counted separately for public and private connections
/// (`limits` in `bitmart-ws/api/spot.toml`). The window uses the clock of the machine, like all timeouts of WebSockets.
const MAX_ATTEMPTS: usize = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// Number of groups above which those without connections and recent attempts are removed.
const MAX_GROUPS: usize = 1_000;

/// The connections that are counted together: those of one IP address to one WebSocket address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionGroup {
    pub(crate) host: Host,
    pub(crate) kind: SocketKind,
    pub(crate) peer: IpAddr,
}

impl ConnectionGroup {
    /// Maximum number of simultaneous connections (`limits` in `bitmart-ws/api/*.toml`).
    fn max_open(self) -> usize {
        match (self.host, self.kind) {
            (Host::Spot, SocketKind::Public) => 20,
            (Host::Spot, SocketKind::Private) => 10,
            (Host::Futures, _) => 500,
        }
    }
}

/// The limit because of which a connection is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitExceeded {
    /// Too many attempts within a minute.
    Attempts,
    /// Too many connections at the same time.
    Open,
}

/// Counts connections and attempts by group.
#[derive(Debug, Default)]
pub(crate) struct ConnectionLimiter(Mutex<HashMap<ConnectionGroup, Count>>);

#[derive(Debug, Default)]
struct Count {
    open: usize,
    /// The times of the attempts to connect to spot within the window, oldest first.
    attempts: VecDeque<Instant>,
}

fn is_recent(attempt: Instant, now: Instant) -> bool {
    now.duration_since(attempt) < WINDOW
}

impl Count {
    /// Whether it may limit a later connection.
    fn is_needed(&self, now: Instant) -> bool {
        self.open > 0 || self.attempts.back().is_some_and(|latest| is_recent(*latest, now))
    }
}

impl ConnectionLimiter {
    /// Counts an attempt at `now`, and returns a permit if the connection is within the limits.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        group: ConnectionGroup,
        now: Instant,
    ) -> Result<ConnectionPermit, LimitExceeded> {
        let mut counts = self.counts();
        if counts.len() >= MAX_GROUPS {
            counts.retain(|_, count| count.is_needed(now));
        }
        let count = counts.entry(group).or_default();
        count.attempts.retain(|at| is_recent(*at, now));
        if group.host == Host::Spot {
            if count.attempts.len() >= MAX_ATTEMPTS {
                return Err(LimitExceeded::Attempts);
            }
            count.attempts.push_back(now);
        }
        if count.open >= group.max_open() {
            return Err(LimitExceeded::Open);
        }
        count.open += 1;
        Ok(ConnectionPermit { limiter: Arc::clone(self), group })
    }

    // A poisoned lock is not an error: no statement that changes the counts can panic halfway.
    fn counts(&self) -> MutexGuard<'_, HashMap<ConnectionGroup, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permit of one connection, which is returned when it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    group: ConnectionGroup,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if let Some(count) = self.limiter.counts().get_mut(&self.group) {
            count.open = count.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn group(host: Host, kind: SocketKind) -> ConnectionGroup {
        ConnectionGroup { host, kind, peer: Ipv4Addr::LOCALHOST.into() }
    }

    #[test]
    fn permits_of_an_address_are_limited_and_returned_on_drop() {
        let now = Instant::now();
        for (host, kind, max_open) in [
            (Host::Spot, SocketKind::Public, 20),
            (Host::Spot, SocketKind::Private, 10),
            (Host::Futures, SocketKind::Public, 500),
        ] {
            let (limiter, group) = (Arc::<ConnectionLimiter>::default(), group(host, kind));
            let mut permits: Vec<_> =
                (0..max_open).map(|_| limiter.acquire(group, now).expect("a permit")).collect();
            assert_eq!(limiter.acquire(group, now).err(), Some(LimitExceeded::Open));
            permits.pop();
            permits.push(limiter.acquire(group, now).expect("the returned permit"));
            let other = ConnectionGroup { peer: Ipv4Addr::BROADCAST.into(), ..group };
            assert!(limiter.acquire(other, now).is_ok(), "another address");
        }
    }

    #[test]
    fn addresses_that_are_gone_are_forgotten() {
        let (limiter, start) = (Arc::<ConnectionLimiter>::default(), Instant::now());
        let acquire = |host: Host, address: usize, now| {
            let peer = Ipv4Addr::from_bits(u32::try_from(address).expect("small")).into();
            limiter
                .acquire(ConnectionGroup { host, kind: SocketKind::Public, peer }, now)
                .expect("a permit")
        };
        let open = acquire(Host::Futures, 0, start);
        for address in 1..MAX_GROUPS {
            drop(acquire(Host::Spot, address, start));
        }
        let late = acquire(Host::Spot, MAX_GROUPS, start + WINDOW);
        assert_eq!(limiter.counts().len(), 2, "the open connection, and the one of now");
        drop((open, late));
    }

    #[test]
    fn spot_accepts_thirty_attempts_per_minute() {
        let (limiter, start) = (Arc::<ConnectionLimiter>::default(), Instant::now());
        let attempt = |seconds| {
            let now = start + Duration::from_secs(seconds);
            limiter.acquire(group(Host::Spot, SocketKind::Public), now).map(drop)
        };
        for second in 0..30 {
            assert_eq!(attempt(second), Ok(()));
        }
        assert_eq!(attempt(59), Err(LimitExceeded::Attempts));
        assert_eq!(attempt(60), Ok(()), "the first attempt is a minute ago");
        assert_eq!(attempt(60), Err(LimitExceeded::Attempts));
    }
}
