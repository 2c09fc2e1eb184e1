//! What one machine knows of the fleet: the table, and which collectors it has received from recently.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::table::{Heartbeat, Lease, Table};

/// Most collectors that are remembered.
const MAX_MEMBERS: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) table: Table,
    pub(crate) revision: u64,
    members: HashMap<String, Member>,
    /// Since when heartbeats are listened to without interruption.
    listening_since: Instant,
}

#[derive(Clone, Debug)]
struct Member {
    session: String,
    last_received: Instant,
    leaving: bool,
    topics: u64,
}

impl View {
    pub(crate) fn new(table: Table, revision: u64, now: Instant) -> Self {
        Self { table, revision, members: HashMap::new(), listening_since: now }
    }

    /// Adds a heartbeat. Returns whether it knows another table: a newer one, or one that was made anew after a loss.
    pub(crate) fn add_heartbeat(&mut self, heartbeat: Heartbeat, now: Instant) -> bool {
        let Heartbeat { id, session, revision, leaving, topics } = heartbeat;
        if self.members.len() < MAX_MEMBERS || self.members.contains_key(&id) {
            self.members.insert(id, Member { session, last_received: now, leaving, topics });
        }
        revision != self.revision
    }

    pub(crate) fn set_table(&mut self, table: Table, revision: u64) {
        (self.table, self.revision) = (table, revision);
    }

    /// Nothing was received for a while because the listener was not connected, so silence proves nothing.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.members.clear();
        self.listening_since = now;
    }

    /// Whether the holder was received from recently.
    pub(crate) fn is_live(&self, lease: &Lease, now: Instant) -> bool {
        !lease.released
            && self.members.get(&lease.holder).is_some_and(|member| {
                member.session == lease.session && self.is_recent(member.last_received, now)
            })
    }

    /// Whether the lease may be taken: given up, or its holder was silent for too long.
    pub(crate) fn is_free(&self, lease: Option<&Lease>, now: Instant) -> bool {
        let Some(lease) = lease.filter(|lease| !lease.released) else { return true };
        !self.is_live(lease, now) && !self.is_recent(self.listening_since, now)
    }

    /// Collectors that may hold leases.
    pub(crate) fn live_members(&self, now: Instant) -> impl Iterator<Item = &str> {
        let live = self.members.iter().filter(move |(_, member)| {
            !member.leaving && self.is_recent(member.last_received, now)
        });
        live.map(|(id, _)| id.as_str())
    }

    /// Collectors that have other topics than this hash, and so leave some of a shard out.
    pub(crate) fn with_other_topics(&self, topics: u64, now: Instant) -> Vec<&str> {
        let others = self.members.iter().filter(|(_, member)| {
            member.topics != topics && self.is_recent(member.last_received, now)
        });
        others.map(|(id, _)| id.as_str()).collect()
    }

    /// The term and the holder of a live lease.
    pub(crate) fn live_lease(&self, shard: usize, replica: usize, now: Instant) -> Option<&Lease> {
        self.table.lease(shard, replica).filter(|lease| self.is_live(lease, now))
    }

    /// Whether there is a lease for every shard and its holder is live.
    pub(crate) fn is_complete(&self, now: Instant) -> bool {
        (0..self.table.shards).all(|shard| self.live_lease(shard, 0, now).is_some())
    }

    fn is_recent(&self, at: Instant, now: Instant) -> bool {
        now.saturating_duration_since(at) < self.table.ttl()
    }
}

/// How often a collector sends its heartbeat.
pub(crate) fn heartbeat_interval(ttl: Duration) -> Duration {
    ttl / 4
}
