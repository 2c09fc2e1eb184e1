//! Which leases a collector takes and which it releases. Pure.

use std::time::Instant;

use crate::nats::subject::stable_hash;
use crate::nats::table::{Lease, Table};
use crate::nats::view::View;

/// Who plans.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) session: String,
}

impl Member {
    pub(super) fn holds(&self, lease: &Lease) -> bool {
        !lease.released && lease.holder == self.id && lease.session == self.session
    }
}

/// Returns the changed table and how many leases were taken. `None` if nothing is to change.
///
/// The members of a shard are those with the highest hashes of their name and the shard, so that few shards move when
/// members come and go. If leases do not move, a member keeps what it holds, and takes what is free.
pub(super) fn plan(
    view: &View,
    me: &Member,
    moves: bool,
    now_ms: u64,
    now: Instant,
) -> Option<(Table, usize)> {
    let mut members = vec![me.id.as_str()];
    if moves {
        members.extend(view.live_members(now).filter(|id| *id != me.id));
    }
    let mut table = view.table.clone();
    let mut taken = 0;
    for shard in 0..table.shards {
        let name = shard.to_string();
        members.sort_unstable_by_key(|id| std::cmp::Reverse(stable_hash(&[id, &name])));
        let wanted = &members[..table.replicas.min(members.len())];
        let leases = |holds: &dyn Fn(&Lease) -> bool| {
            let leases = (0..view.table.replicas).filter_map(|r| view.table.lease(shard, r));
            leases.filter(|lease| holds(lease)).count()
        };
        let mine = leases(&|lease| me.holds(lease));
        if wanted.contains(&me.id.as_str()) {
            let free = |replica: &usize| view.is_free(view.table.lease(shard, *replica), now);
            if mine == 0
                && let Some(replica) = (0..table.replicas).find(free)
            {
                let before = table.lease(shard, replica).map_or(0, |lease| lease.term);
                let lease = Lease {
                    holder: me.id.clone(),
                    session: me.session.clone(),
                    // Also higher than before if the bucket was lost.
                    term: now_ms.max(before + 1),
                    released: false,
                };
                table.leases.insert(Table::key(shard, replica), lease);
                taken += 1;
            }
        } else if mine > 0 {
            // Give it up to whoever is to have it, once that one is there to take it.
            let has =
                |id: &str| leases(&|lease| lease.holder == id && view.is_live(lease, now)) > 0;
            if wanted.iter().any(|id| !has(id)) {
                release(&mut table, shard, me);
            }
        }
    }
    (table != view.table).then_some((table, taken))
}

/// The table without the leases of this member.
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
        Member { id: id.to_owned(), session: format!("session of {id}") }
    }

    fn beat(view: &mut View, id: &str, now: Instant) {
        let Member { id, session } = member(id);
        view.add_heartbeat(Heartbeat { id, session, revision: 0, leaving: false, topics: 0 }, now);
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
        view.restart(later);
        assert!(plan(&view, &member("a"), true, 5, later).is_none(), "b was silent yet");
        assert!(plan(&view, &member("a"), true, 5, later + Duration::from_secs(1)).is_some());
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
        let Member { id, session } = member("b");
        view.add_heartbeat(Heartbeat { id, session, revision: 0, leaving: true, topics: 0 }, start);
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
        let again = Member { id: "a".to_owned(), session: "another".to_owned() };
        let later = start + Duration::from_secs(2);
        view.add_heartbeat(
            Heartbeat {
                id: "a".to_owned(),
                session: "another".to_owned(),
                revision: 0,
                leaving: false,
                topics: 0,
            },
            later,
        );
        let (_, taken) = plan(&view, &again, true, 5, later).expect("a plan");
        assert_eq!(taken, 32);
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
        assert!(plan(&view, &member("a"), false, 5, later).is_some());
    }
}
