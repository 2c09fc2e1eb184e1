//! What one process knows of the fleet: the table of leases, and from which collectors it has received heartbeats.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::table::{Heartbeat, Lease, Table};

/// Most collectors that are stored.
const MAX_MEMBERS: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) table: Table,
    pub(crate) revision: u64,
    /// By id and session: two collectors with one id are two members.
    members: HashMap<(String, String), Member>,
    /// Since when heartbeats are received without interruption.
    listening_since: Instant,
    /// Until when they were received.
    listened_until: Instant,
    /// After a reconnection the server may have lost the table. A new one begins with the first revision.
    accepts_lower_revision: bool,
}

#[derive(Clone, Debug)]
struct Member {
    last_received: Instant,
    leaving: bool,
    refused: BTreeSet<usize>,
    topics: u64,
}

impl View {
    pub(crate) fn new(table: Table, revision: u64, now: Instant) -> Self {
        Self {
            table,
            revision,
            members: HashMap::new(),
            listening_since: now,
            listened_until: now,
            accepts_lower_revision: false,
        }
    }

    /// Adds a heartbeat. Returns whether its sender knows another revision of the table: a newer one, or that of a
    /// table that was created again after a loss.
    pub(crate) fn add_heartbeat(&mut self, heartbeat: Heartbeat, now: Instant) -> bool {
        let Heartbeat { id, session, revision, leaving, refused, topics } = heartbeat;
        let key = (id, session);
        if self.members.len() >= MAX_MEMBERS && !self.members.contains_key(&key) {
            let ttl = self.table.ttl();
            self.members.retain(|_, member| is_recent(member.last_received, now, ttl));
        }
        if self.members.len() < MAX_MEMBERS || self.members.contains_key(&key) {
            self.members.insert(key, Member { last_received: now, leaving, refused, topics });
        }
        revision != self.revision
    }

    /// Sets a table that was read or written. An older one is ignored: it may come from a server that is behind the
    /// others.
    pub(crate) fn set_table(&mut self, table: Table, revision: u64) {
        if revision >= self.revision || self.accepts_lower_revision {
            (self.table, self.revision) = (table, revision);
            self.accepts_lower_revision = false;
        }
    }

    /// Heartbeats that arrived until now were added. To be called several times in a timeout: after a pause of the
    /// whole program, silence proves nothing.
    pub(crate) fn listened(&mut self, now: Instant) {
        if !self.is_listening(now) {
            self.restart(now);
        }
        self.listened_until = now;
    }

    /// The connection was lost or is new: nothing was received meanwhile, and the server may be another one.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        self.restart(now);
        self.listened_until = now;
        self.accepts_lower_revision = true;
    }

    fn restart(&mut self, now: Instant) {
        self.members.clear();
        self.listening_since = now;
    }

    fn is_listening(&self, now: Instant) -> bool {
        is_recent(self.listened_until, now, self.table.ttl() / 2)
    }

    /// Whether the holder was received from recently.
    pub(crate) fn is_live(&self, lease: &Lease, now: Instant) -> bool {
        let member = || self.members.get(&(lease.holder.clone(), lease.session.clone()));
        !lease.released && member().is_some_and(|member| self.is_recent(member.last_received, now))
    }

    /// Whether the lease may be taken: given up, or its holder was silent for too long.
    pub(crate) fn is_free(&self, lease: Option<&Lease>, now: Instant) -> bool {
        let Some(lease) = lease.filter(|lease| !lease.released) else { return true };
        !self.is_live(lease, now)
            && self.is_listening(now)
            && !self.is_recent(self.listening_since, now)
    }

    /// Whether a reader that has seen messages of this term may take the holder for dead. A message of a new holder may
    /// arrive before the table that names it, and the older lease says nothing of that holder.
    pub(crate) fn is_gone(&self, lease: Option<&Lease>, seen_term: u64, now: Instant) -> bool {
        lease.is_none_or(|lease| lease.term >= seen_term) && self.is_free(lease, now)
    }

    /// The ids of collectors that may hold leases of this shard.
    pub(crate) fn live_members(&self, shard: usize, now: Instant) -> BTreeSet<&str> {
        let live = self.members.iter().filter(|(_, member)| {
            !member.leaving
                && !member.refused.contains(&shard)
                && self.is_recent(member.last_received, now)
        });
        live.map(|((id, _), _)| id.as_str()).collect()
    }

    /// Collectors that have other topics than this hash, and so leave some of a shard out.
    pub(crate) fn with_other_topics(&self, topics: u64, now: Instant) -> BTreeSet<String> {
        let others = self.members.iter().filter(|(_, member)| {
            member.topics != topics && self.is_recent(member.last_received, now)
        });
        others.map(|((id, _), _)| id.clone()).collect()
    }

    /// The term and the holder of a live lease.
    pub(crate) fn live_lease(&self, shard: usize, replica: usize, now: Instant) -> Option<&Lease> {
        self.table.lease(shard, replica).filter(|lease| self.is_live(lease, now))
    }

    /// Whether the holder of every lease is live, and there is one for every shard.
    pub(crate) fn is_complete(&self, now: Instant) -> bool {
        (0..self.table.shards).all(|shard| {
            let is_known = |replica: usize| match self.table.lease(shard, replica) {
                Some(lease) => self.is_live(lease, now),
                // A fleet may have fewer collectors than replicas.
                None => replica > 0,
            };
            (0..self.table.replicas).all(is_known)
        })
    }

    fn is_recent(&self, at: Instant, now: Instant) -> bool {
        is_recent(at, now, self.table.ttl())
    }
}

fn is_recent(at: Instant, now: Instant, limit: Duration) -> bool {
    now.saturating_duration_since(at) < limit
}

/// How often a collector sends its heartbeat.
pub(crate) fn heartbeat_interval(ttl: Duration) -> Duration {
    ttl / 4
}

/// How long a call about the table may take: a plan must not be older than a heartbeat may be.
pub(crate) fn table_timeout(ttl: Duration) -> Duration {
    (ttl / 2).min(Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(1);

    fn lease(id: &str, session: &str) -> Lease {
        Lease { holder: id.to_owned(), session: session.to_owned(), term: 1, released: false }
    }

    fn table(replicas: usize, leases: &[(&str, Lease)]) -> Table {
        let leases = leases.iter().map(|(key, lease)| ((*key).to_owned(), lease.clone()));
        Table { shards: 1, replicas, ttl_ms: 1_000, leases: leases.collect() }
    }

    fn beat(view: &mut View, id: &str, session: &str, now: Instant) {
        let (id, session) = (id.to_owned(), session.to_owned());
        let refused = BTreeSet::new();
        view.add_heartbeat(
            Heartbeat { id, session, revision: 1, leaving: false, refused, topics: 0 },
            now,
        );
    }

    #[test]
    fn a_view_is_complete_with_all_replicas() {
        let start = Instant::now();
        let both = table(2, &[("0.0", lease("a", "s")), ("0.1", lease("b", "s"))]);
        let mut view = View::new(both, 1, start);
        beat(&mut view, "a", "s", start);
        assert!(!view.is_complete(start), "b is not known yet");
        beat(&mut view, "b", "s", start);
        assert!(view.is_complete(start));
        let mut view = View::new(table(2, &[("0.0", lease("a", "s"))]), 1, start);
        beat(&mut view, "a", "s", start);
        assert!(view.is_complete(start), "nobody has the other replica");
        assert!(!View::new(table(1, &[]), 1, start).is_complete(start));
    }

    #[test]
    fn silence_proves_nothing_after_a_pause_of_the_listener() {
        let start = Instant::now();
        let a = lease("a", "s");
        let mut view = View::new(table(1, &[("0.0", a.clone())]), 1, start);
        let mut now = start;
        for _ in 0..20 {
            now += TTL / 4;
            beat(&mut view, "a", "s", now);
            view.listened(now);
        }
        // The program was suspended, and heartbeats that arrived meanwhile were not read yet.
        now += TTL * 3;
        assert!(!view.is_free(Some(&a), now), "before the listener runs");
        view.listened(now);
        assert!(!view.is_free(Some(&a), now), "when it does");
        for _ in 0..4 {
            now += TTL / 4;
            view.listened(now);
        }
        assert!(view.is_free(Some(&a), now), "silent for a whole timeout");
    }

    #[test]
    fn the_silence_of_an_earlier_holder_says_nothing_of_the_next_one() {
        let start = Instant::now();
        let old = lease("a", "s");
        let mut view = View::new(table(1, &[("0.0", old.clone())]), 1, start);
        let mut now = start;
        for _ in 0..5 {
            now += TTL / 4;
            view.listened(now);
        }
        assert!(view.is_gone(Some(&old), old.term, now), "a is silent");
        assert!(!view.is_gone(Some(&old), old.term + 1, now), "the table is behind");
    }

    #[test]
    fn an_older_table_is_ignored_except_after_a_reconnection() {
        let start = Instant::now();
        let (old, new) = (table(1, &[]), table(1, &[("0.0", lease("a", "s"))]));
        let mut view = View::new(new.clone(), 7, start);
        view.set_table(old.clone(), 6);
        assert_eq!((view.revision, &view.table), (7, &new));
        view.reconnected(start);
        view.set_table(old.clone(), 1);
        assert_eq!((view.revision, &view.table), (1, &old), "the server lost its disk");
        view.set_table(new, 0);
        assert_eq!(view.revision, 1, "once");
    }

    #[test]
    fn members_that_are_silent_make_room_for_new_ones() {
        let start = Instant::now();
        let mut view = View::new(table(1, &[]), 1, start);
        for number in 0..MAX_MEMBERS {
            beat(&mut view, &format!("old-{number}"), "s", start);
        }
        beat(&mut view, "new", "s", start);
        assert!(!view.live_members(0, start).contains("new"), "all others are live");
        let later = start + TTL;
        beat(&mut view, "new", "s", later);
        assert_eq!(view.live_members(0, later), BTreeSet::from(["new"]));
    }

    #[test]
    fn two_collectors_with_one_id_do_not_take_the_leases_of_each_other() {
        let start = Instant::now();
        let first = lease("a", "first");
        let mut view = View::new(table(1, &[("0.0", first.clone())]), 1, start);
        let mut now = start;
        for _ in 0..8 {
            now += TTL / 4;
            view.listened(now);
            beat(&mut view, "a", "first", now);
            beat(&mut view, "a", "second", now);
            assert!(view.is_live(&first, now) && !view.is_free(Some(&first), now));
        }
    }
}
