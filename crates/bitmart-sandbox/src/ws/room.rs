//! How many connections an address has and how often it connects, per host and per kind of address.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::address;
use crate::{generated::Host, shared::Shared};

/// Attempts to connect to spot in a window, public and private apart (`limits` of ws/spot.json). The
/// window runs on the clock of the machine, like the other times of sockets.
const ATTEMPTS: usize = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// Where connections are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Door {
    pub(super) host: Host,
    pub(super) private: bool,
    pub(super) peer: IpAddr,
}

impl Door {
    fn key(self) -> (&'static str, IpAddr) {
        (address(self.host, self.private), self.peer)
    }

    /// Connections at the same time (`limits` of ws/spot.json and ws/futures.json).
    fn most(self) -> usize {
        match (self.host, self.private) {
            (Host::Spot, false) => 20,
            (Host::Spot, true) => 10,
            (Host::Futures, _) => 500,
        }
    }
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// Too many attempts within a minute.
    Often,
    /// Too many connections at the same time.
    Many,
}

/// What is counted of every door.
#[derive(Debug, Default)]
pub(crate) struct Rooms(HashMap<(&'static str, IpAddr), Room>);

#[derive(Debug, Default)]
struct Room {
    open: usize,
    attempts: VecDeque<Instant>,
}

impl Rooms {
    /// Counts an attempt, and a connection when there is room for it.
    fn enter(&mut self, door: Door, now: Instant) -> Result<(), Crowded> {
        let room = self.0.entry(door.key()).or_default();
        room.attempts.retain(|at| now.duration_since(*at) < WINDOW);
        if door.host == Host::Spot {
            if room.attempts.len() >= ATTEMPTS {
                return Err(Crowded::Often);
            }
            room.attempts.push_back(now);
        }
        if room.open >= door.most() {
            return Err(Crowded::Many);
        }
        room.open += 1;
        Ok(())
    }

    fn leave(&mut self, door: Door) {
        if let Some(room) = self.0.get_mut(&door.key()) {
            room.open = room.open.saturating_sub(1);
        }
    }
}

/// The place of one connection, given back when it is dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    door: Door,
}

impl Place {
    /// A place for one more connection. There always is one when limits are off.
    pub(super) fn take(shared: &Arc<Shared>, door: Door) -> Result<Option<Self>, Crowded> {
        if !shared.config.rate_limits {
            return Ok(None);
        }
        shared.rooms().enter(door, Instant::now())?;
        Ok(Some(Self { shared: Arc::clone(shared), door }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A sandbox that has ended counts no more, and must not panic in the middle of another panic.
        if !self.shared.is_broken() {
            self.shared.rooms().leave(self.door);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn door(host: Host, private: bool) -> Door {
        Door { host, private, peer: Ipv4Addr::LOCALHOST.into() }
    }

    #[test]
    fn an_address_has_room_for_so_many_and_for_more_when_some_leave() {
        let now = Instant::now();
        for (host, private, most) in
            [(Host::Spot, false, 20), (Host::Spot, true, 10), (Host::Futures, false, 500)]
        {
            let (mut rooms, door) = (Rooms::default(), door(host, private));
            for _ in 0..most {
                assert_eq!(rooms.enter(door, now), Ok(()));
            }
            assert_eq!(rooms.enter(door, now), Err(Crowded::Many));
            rooms.leave(door);
            assert_eq!(rooms.enter(door, now), Ok(()));
            let other = Door { peer: Ipv4Addr::BROADCAST.into(), ..door };
            assert_eq!(rooms.enter(other, now), Ok(()), "another address");
        }
    }

    #[test]
    fn spot_takes_thirty_attempts_a_minute() {
        let (mut rooms, door, start) = (Rooms::default(), door(Host::Spot, false), Instant::now());
        for second in 0..30 {
            assert_eq!(rooms.enter(door, start + Duration::from_secs(second)), Ok(()));
            rooms.leave(door);
        }
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(rooms.enter(door, at(59)), Err(Crowded::Often));
        assert_eq!(rooms.enter(door, at(60)), Ok(()), "the first attempt is a minute ago");
        assert_eq!(rooms.enter(door, at(60)), Err(Crowded::Often));
    }
}
