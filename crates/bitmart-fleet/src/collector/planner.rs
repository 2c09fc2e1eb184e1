//! Which leases a collector takes and which it releases. Pure.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::nats::subject::stable_hash;
use crate::nats::table::{Lease, Table};
use crate::nats::view::View;

/// The member that plans.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) session: String,
    /// Shards that it cannot carry.
    pub(super) refused: BTreeSet<usize>,
}

impl Member {
    pub(super) fn holds(&self, lease: &Lease) -> bool {
        !lease.released && lease.holder == self.id && lease.session == self.session
    }
}

/// Returns the changed table and how many leases were taken. `None` if nothing is to change.
///
/// With `rebalances`, a shard is to be held by the live members that have the highest hashes of their id and the shard,
/// so that few shards move when members come and go. Without, a member keeps what it holds and takes what is free.
pub(super) fn plan(
    view: &View,
    me: &Member,
    rebalances: bool,
    now_ms: u64,
    now: Instant,
) -> Option<(Table, usize)> {
    let mut table = view.table.clone();
    let mut taken = 0;
    for shard in 0..table.shards {
        let name = shard.to_string();
        let mut members = view.live_members(shard, now);
        if me.refused.contains(&shard) {
            members.remove(me.id.as_str());
            // A part of the topics is better than none, so the lease is only released to a member that can carry all.
            if !members.is_empty() {
                release(&mut table, shard, me);
                continue;
            }
        }
        if !rebalances {
            members.clear();
        }
        members.insert(&me.id);
        let mut preferred: Vec<&str> = members.into_iter().collect();
        preferred.sort_by_cached_key(|id| std::cmp::Reverse(stable_hash(&[id, &name])));
        preferred.truncate(table.replicas);
        let count_leases = |holds: &dyn Fn(&Lease) -> bool| {
            let leases = (0..view.table.replicas).filter_map(|r| view.table.lease(shard, r));
            leases.filter(|lease| holds(lease)).count()
        };
        let own_leases = count_leases(&|lease| me.holds(lease));
        if preferred.contains(&me.id.as_str()) {
            let free = |replica: &usize| view.is_free(view.table.lease(shard, *replica), now);
            if own_leases == 0
                && let Some(replica) = (0..table.replicas).find(free)
            {
                let before = table.lease(shard, replica).map_or(0, |lease| lease.term);
                let lease = Lease {
                    holder: me.id.clone(),
                    session: me.session.clone(),
                    // Also higher than before if the bucket was lost.
                    term: now_ms.max(before.saturating_add(1)),
                    released: false,
                };
                table.leases.insert(Table::key(shard, replica), lease);
                taken += 1;
            }
        } else if own_leases > 0 {
            // Release the lease only if a collector that should hold one has none yet, and can take it.
            let has = |id: &str| {
                count_leases(&|lease| lease.holder == id && view.is_live(lease, now)) > 0
            };
            if preferred.iter().any(|id| !has(id)) {
                release(&mut table, shard, me);
            }
        }
    }
    (table != view.table).then_some((table, taken))
}

/// Returns the table with all leases of this member released.
pub(super) fn leave(table: &Table, me: &Member) -> Table {
    let mut table = table.clone();
    for shard in 0..table.shards {
        release(&mut table, shard, me);
    }
    table
}

fn release(table: &mut Table, shard: usize, me: &Member) {
    for replica in 0..table.replicas {
        if let Some(lease) = table.leases.get_mut(&Table::key(shard, replica))
            && me.holds(lease)
        {
            lease.released = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::nats::table::Heartbeat;

    fn member(id: &str) -> Member {
        let session = format!("session of {id}");
        Member { id: id.to_owned(), session, refused: BTreeSet::new() }
    }

    fn beat(view: &mut View, id: &str, now: Instant) {
        say(view, member(id), false, now);
    }

    fn say(view: &mut View, member: Member, leaving: bool, now: Instant) {
        let Member { id, session, refused } = member;
        view.add_heartbeat(
            Heartbeat { id, session, revision: 0, leaving, refused, topics: 0 },
            now,
        );
    }

    /// Lets time pass while heartbeats are listened to.
    fn listen(view: &mut View, from: Instant, until: Instant) {
        let mut now = from;
        while now < until {
            now = (now + Duration::from_millis(250)).min(until);
            view.listened(now);
        }
    }

    fn view(replicas: usize, now: Instant) -> View {
        let table = Table { shards: 32, replicas, ttl_ms: 1_000, leases: BTreeMap::new() };
        View::new(table, 1, now)
    }

    /// Lets the members plan in turns until nothing changes. Returns the shards of each.
    fn settle(view: &mut View, ids: &[&str], now: Instant) -> Vec<usize> {
        for _ in 0..10 {
            for id in ids {
                if let Some((table, _)) = plan(view, &member(id), true, 5, now) {
                    view.set_table(table, view.revision + 1);
                }
            }
        }
        for id in ids {
            assert!(plan(view, &member(id), true, 5, now).is_none(), "settled");
        }
        let held = |id: &&str| view.table.leases.values().filter(|l| member(id).holds(l)).count();
        ids.iter().map(held).collect()
    }

    #[test]
    fn shards_follow_the_members() {
        let start = Instant::now();
        let mut view = view(1, start);
        beat(&mut view, "a", start);
        assert_eq!(settle(&mut view, &["a"], start), [32]);
        beat(&mut view, "b", start);
        let both = settle(&mut view, &["a", "b"], start);
        assert_eq!(both.iter().sum::<usize>(), 32);
        assert!(both.iter().all(|count| *count > 4), "{both:?}");
        let terms: BTreeMap<_, _> =
            view.table.leases.iter().map(|(key, lease)| (key.clone(), lease.term)).collect();

        // b falls silent: after the timeout a takes its shards, with higher terms.
        let later = start + Duration::from_millis(999);
        listen(&mut view, start, later);
        beat(&mut view, "a", later);
        assert!(plan(&view, &member("a"), true, 5, later).is_none(), "too early");
        let later = start + Duration::from_millis(1_001);
        let before = view.table.clone();
        assert_eq!(settle(&mut view, &["a"], later), [32]);
        for (key, lease) in &view.table.leases {
            let was_of_b = before.leases[key].holder == "b";
            assert_eq!(lease.term > terms[key], was_of_b, "{key}");
        }
    }

    #[test]
    fn silence_proves_nothing_before_the_timeout_has_passed() {
        let start = Instant::now();
        let mut view = view(1, start);
        beat(&mut view, "b", start);
        settle(&mut view, &["b"], start);
        let later = start + Duration::from_secs(5);
        view.reconnected(later);
        assert!(plan(&view, &member("a"), true, 5, later).is_none(), "b was silent yet");
        let even_later = later + Duration::from_secs(1);
        listen(&mut view, later, even_later);
        assert!(plan(&view, &member("a"), true, 5, even_later).is_some());
    }

    #[test]
    fn replicas_of_a_shard_have_different_holders() {
        let start = Instant::now();
        let mut view = view(2, start);
        beat(&mut view, "a", start);
        assert_eq!(settle(&mut view, &["a"], start), [32], "one of two replicas");
        for id in ["b", "c"] {
            beat(&mut view, id, start);
        }
        let held = settle(&mut view, &["a", "b", "c"], start);
        assert_eq!(held.iter().sum::<usize>(), 64);
        for shard in 0..32 {
            let holders: Vec<_> =
                (0..2).filter_map(|r| view.table.lease(shard, r)).map(|l| &l.holder).collect();
            assert_ne!(holders[0], holders[1]);
        }
    }

    #[test]
    fn a_member_that_leaves_is_replaced_at_once() {
        let start = Instant::now();
        let mut view = view(1, start);
        for id in ["a", "b"] {
            beat(&mut view, id, start);
        }
        settle(&mut view, &["a", "b"], start);
        say(&mut view, member("b"), true, start);
        let table = leave(&view.table, &member("b"));
        view.set_table(table, view.revision + 1);
        assert_eq!(settle(&mut view, &["a"], start), [32]);
    }

    #[test]
    fn a_restarted_member_does_not_own_its_old_leases() {
        let start = Instant::now();
        let mut view = view(1, start);
        beat(&mut view, "a", start);
        settle(&mut view, &["a"], start);
        let again = Member { session: "another".to_owned(), ..member("a") };
        let later = start + Duration::from_secs(2);
        listen(&mut view, start, later);
        say(&mut view, again.clone(), false, later);
        let (_, taken) = plan(&view, &again, true, 5, later).expect("a plan");
        assert_eq!(taken, 32);
    }

    #[test]
    fn a_member_that_cannot_carry_a_shard_leaves_it_to_another() {
        for rebalances in [true, false] {
            let start = Instant::now();
            let mut view = view(1, start);
            beat(&mut view, "a", start);
            assert_eq!(settle(&mut view, &["a"], start), [32]);
            let full = Member { refused: BTreeSet::from([3, 4]), ..member("a") };
            say(&mut view, full.clone(), false, start);
            assert!(
                plan(&view, &full, rebalances, 5, start).is_none(),
                "nobody else can carry them"
            );
            beat(&mut view, "b", start);
            let (table, taken) = plan(&view, &full, rebalances, 5, start).expect("a plan");
            assert_eq!(taken, 0);
            view.set_table(table, view.revision + 1);
            let (table, _) = plan(&view, &member("b"), rebalances, 5, start).expect("a plan");
            for shard in [3, 4] {
                let lease = table.lease(shard, 0).expect("a lease");
                assert!(member("b").holds(lease), "{shard}, rebalances: {rebalances}");
            }
        }
    }

    #[test]
    fn a_shard_that_no_member_can_carry_has_a_holder_all_the_same() {
        let start = Instant::now();
        let mut view = view(1, start);
        let [a, b] = ["a", "b"].map(|id| Member { refused: BTreeSet::from([3]), ..member(id) });
        for full in [&a, &b] {
            say(&mut view, full.clone(), false, start);
        }
        let (table, _) = plan(&view, &a, true, 5, start).expect("a plan");
        assert!(table.lease(3, 0).is_some_and(|lease| a.holds(lease)), "nobody else has it");
        view.set_table(table, view.revision + 1);
        let unchanged = plan(&view, &b, true, 5, start);
        let lease = unchanged.and_then(|(table, _)| table.lease(3, 0).cloned());
        assert!(lease.is_none_or(|lease| a.holds(&lease)), "it is not taken from a");
        // One that refuses it no more gets it.
        say(&mut view, member("b"), false, start);
        let (table, _) = plan(&view, &a, true, 5, start).expect("a plan");
        assert!(table.lease(3, 0).is_some_and(|lease| lease.released));
        view.set_table(table, view.revision + 1);
        let (table, _) = plan(&view, &member("b"), true, 5, start).expect("a plan");
        assert!(table.lease(3, 0).is_some_and(|lease| member("b").holds(lease)));
    }

    #[test]
    fn a_lease_that_does_not_move_stays_with_its_holder_until_that_is_silent() {
        let start = Instant::now();
        let mut view = view(1, start);
        let all = ["a", "b", "c", "d"];
        for id in all {
            beat(&mut view, id, start);
        }
        let (table, taken) = plan(&view, &member("b"), false, 5, start).expect("a plan");
        assert_eq!(taken, 32);
        view.set_table(table, 2);
        for id in all {
            assert!(plan(&view, &member(id), false, 5, start).is_none(), "{id}");
        }
        let later = start + Duration::from_millis(1_001);
        listen(&mut view, start, later);
        assert!(plan(&view, &member("a"), false, 5, later).is_some());
    }
}
