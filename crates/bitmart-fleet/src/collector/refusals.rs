//! Shards that a collector leaves to others, because its connections to the exchange cannot carry them. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A refused shard is tried again after this time, because other processes at the same address may have closed
/// connections. It doubles with each refusal.
const BACKOFF: Duration = Duration::from_secs(600);
const MAX_BACKOFF: Duration = Duration::from_secs(7_200);

#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<usize, Refusal>);

#[derive(Debug)]
struct Refusal {
    /// How many topics the connections carried when the shard did not fit.
    capacity: usize,
    /// When it is tried again.
    until: Instant,
    is_refused: bool,
    count: u32,
}

impl Refusals {
    /// Refuses a shard while this many topics of all shards are carried. Returns `false` if it is refused already.
    pub(super) fn refuse(&mut self, shard: usize, capacity: usize, now: Instant) -> bool {
        let refusal = self.0.entry(shard).or_insert(Refusal {
            capacity,
            until: now,
            is_refused: false,
            count: 0,
        });
        if refusal.is_refused {
            return false;
        }
        let backoff = (BACKOFF * 2u32.pow(refusal.count.min(10))).min(MAX_BACKOFF);
        let count = refusal.count.saturating_add(1);
        *refusal = Refusal { capacity, until: now + backoff, is_refused: true, count };
        true
    }

    /// Ends the refusal of each shard that is due, or that fits by now. `needed` returns how many topics the
    /// connections would carry with the shard.
    pub(super) fn review(&mut self, needed: impl Fn(usize) -> usize, now: Instant) {
        for (shard, refusal) in &mut self.0 {
            let has_room = || needed(*shard) <= refusal.capacity;
            if refusal.is_refused && (now >= refusal.until || has_room()) {
                refusal.is_refused = false;
            }
        }
    }

    pub(super) fn shards(&self) -> BTreeSet<usize> {
        let refused = self.0.iter().filter(|(_, refusal)| refusal.is_refused);
        refused.map(|(shard, _)| *shard).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_tried_again_ever_later() {
        let start = Instant::now();
        let mut refusals = Refusals::default();
        let mut now = start;
        for backoff in [BACKOFF, BACKOFF * 2, BACKOFF * 4, BACKOFF * 8, MAX_BACKOFF, MAX_BACKOFF] {
            assert!(refusals.refuse(3, 10, now) && !refusals.refuse(3, 10, now), "once");
            refusals.review(|_| 11, now + backoff / 2);
            assert_eq!(refusals.shards(), BTreeSet::from([3]));
            now += backoff;
            refusals.review(|_| 11, now);
            assert_eq!(refusals.shards(), BTreeSet::new());
        }
    }

    #[test]
    fn a_shard_that_fits_is_tried_again_at_once() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        refusals.refuse(3, 100, now);
        refusals.refuse(4, 100, now);
        refusals.review(|shard| if shard == 3 { 100 } else { 101 }, now);
        assert_eq!(refusals.shards(), BTreeSet::from([4]));
    }
}
