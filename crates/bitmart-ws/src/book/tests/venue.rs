//! Books kept over a bad line against the venue's own book, at every version.
//!
//! Nothing says what the venue sends about levels beyond the depth of a topic, so there are two
//! venues here: one sends every change of its whole book, the other only what changes among its best
//! levels, and nothing about levels that fall out of them.

use std::collections::{BTreeMap, HashMap};

use bitmart_types::Decimal;
use proptest::{collection::vec, prelude::*};

use super::{level, snapshot, update};
use crate::book::{BookKeeper, KeeperStep, OrderBook};
use crate::event::Level;

const LIMIT: usize = 4;

type Side = BTreeMap<i64, i64>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sends {
    EveryChange,
    ChangesOfTheBest,
}

#[derive(Clone, Debug)]
enum Step {
    /// Prices below 100 are bids; size 0 deletes.
    Trade(Vec<(i64, i64)>),
    /// The next events, up to so many, arrive.
    Arrive(usize),
    /// The next event arrives, and arrives again.
    Twice,
    /// The next event gets lost on the way.
    Lose,
    /// A snapshot that somebody else requested.
    Snapshot,
    /// The reader is told that events are missing: it lagged, or one was malformed.
    Missed,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => vec((90_i64..110, 0_i64..4), 0..6).prop_map(Step::Trade),
        6 => (1..6_usize).prop_map(Step::Arrive),
        1 => Just(Step::Twice),
        1 => Just(Step::Lose),
        1 => Just(Step::Snapshot),
        1 => Just(Step::Missed),
        1 => Just(Step::Reconnect),
    ]
}

#[derive(Clone)]
struct Sent {
    is_snapshot: bool,
    version: u64,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Both sides, best first.
type Sides = [Vec<(i64, i64)>; 2];

struct Venue {
    sends: Sends,
    bids: Side,
    asks: Side,
    version: u64,
    /// The whole book at each version.
    history: HashMap<u64, Sides>,
    /// What is on its way.
    wire: Vec<Sent>,
}

impl Venue {
    fn new(sends: Sends) -> Self {
        let mut venue = Self {
            sends,
            bids: Side::new(),
            asks: Side::new(),
            version: 1,
            history: HashMap::new(),
            wire: Vec::new(),
        };
        venue.note();
        venue.snapshot();
        venue
    }

    fn sides(&self) -> Sides {
        let pair = |(price, size): (&i64, &i64)| (*price, *size);
        [self.bids.iter().rev().map(pair).collect(), self.asks.iter().map(pair).collect()]
    }

    fn note(&mut self) {
        self.history.insert(self.version, self.sides());
    }

    fn send(&mut self, is_snapshot: bool, sides: &Sides) {
        let [bids, asks] = sides
            .clone()
            .map(|side| side.iter().map(|(price, size)| level(*price, *size)).collect());
        self.wire.push(Sent { is_snapshot, version: self.version, bids, asks });
    }

    fn snapshot(&mut self) {
        let best = self.sides().map(|side| side.into_iter().take(LIMIT).collect());
        self.send(true, &best);
    }

    fn trade(&mut self, changes: &[(i64, i64)]) {
        let before = self.sides();
        for (price, size) in changes {
            let side = if *price < 100 { &mut self.bids } else { &mut self.asks };
            side.insert(*price, *size);
            side.retain(|_, size| *size > 0);
        }
        self.version += 1;
        self.note();
        let after = self.sides();
        let mut news = [vec![], vec![]];
        for ((news, before), after) in news.iter_mut().zip(&before).zip(&after) {
            *news = match self.sends {
                Sends::EveryChange => differences(before, after, after),
                Sends::ChangesOfTheBest => {
                    let best = |side: &[(i64, i64)]| side[..side.len().min(LIMIT)].to_vec();
                    differences(&best(before), &best(after), after)
                }
            };
        }
        self.send(false, &news);
    }
}

/// What is new in `after`, and what of `before` is in `all` no more.
fn differences(before: &[(i64, i64)], after: &[(i64, i64)], all: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let gone = before.iter().filter(|old| !all.iter().any(|new| new.0 == old.0));
    let new = after.iter().filter(|new| !before.contains(new));
    new.copied().chain(gone.map(|old| (old.0, 0))).collect()
}

fn check(book: &OrderBook, venue: &Venue) {
    let Some(version) = book.version() else { return };
    let sides = &venue.history[&version];
    let pair = |level: Level| {
        let whole = |value: Decimal| i64::try_from(value.mantissa()).expect("small");
        (whole(level.price), whole(level.size))
    };
    let kept: Sides = [book.bids().map(pair).collect(), book.asks().map(pair).collect()];
    let horizons = [book.bid_horizon(), book.ask_horizon()];
    for (index, (kept, all)) in kept.iter().zip(sides).enumerate() {
        assert!(kept.len() <= LIMIT);
        assert!(kept.iter().all(|level| all.contains(level)), "{kept:?} of {all:?}");
        if venue.sends == Sends::ChangesOfTheBest {
            assert_eq!(kept, &all[..all.len().min(LIMIT)]);
        }
        let within = |price: i64| {
            horizons[index].is_none_or(|horizon| {
                if index == 0 { horizon <= price.into() } else { horizon >= price.into() }
            })
        };
        let mut known = all.iter().filter(|(price, _)| within(*price));
        assert!(known.all(|level| kept.contains(level)), "{kept:?} of {all:?}");
    }
}

fn run(sends: Sends, steps: &[Step]) {
    let mut venue = Venue::new(sends);
    let mut keeper = BookKeeper::with_limit(LIMIT);
    for step in steps {
        let mut arrived = Vec::new();
        match step {
            Step::Trade(changes) => venue.trade(changes),
            Step::Arrive(count) => {
                let count = (*count).min(venue.wire.len());
                arrived = venue.wire.drain(..count).collect();
            }
            Step::Twice if !venue.wire.is_empty() => {
                let sent = venue.wire.remove(0);
                arrived = vec![sent.clone(), sent];
            }
            Step::Lose if !venue.wire.is_empty() => {
                venue.wire.remove(0);
            }
            Step::Twice | Step::Lose => {}
            Step::Snapshot => venue.snapshot(),
            Step::Missed => {
                if keeper.on_missed_events() == KeeperStep::NeedsSnapshot {
                    venue.snapshot();
                }
                assert!(!keeper.book().is_whole());
            }
            Step::Reconnect => {
                keeper.on_reconnect();
                venue.wire.clear();
                venue.snapshot();
                assert!(!keeper.book().is_whole());
            }
        }
        for sent in arrived {
            let Sent { is_snapshot, version, bids, asks } = &sent;
            let make = if *is_snapshot { snapshot } else { update };
            if keeper.on_update(make(*version, bids, asks)) == KeeperStep::NeedsSnapshot {
                venue.snapshot();
            }
            check(keeper.book(), &venue);
        }
    }
    // Over a good line the book comes right.
    keeper.on_reconnect();
    venue.wire.clear();
    venue.snapshot();
    venue.trade(&[(95, 1), (105, 1)]);
    for sent in std::mem::take(&mut venue.wire) {
        let make = if sent.is_snapshot { snapshot } else { update };
        let _ = keeper.on_update(make(sent.version, &sent.bids, &sent.asks));
    }
    assert_eq!(keeper.book().version(), Some(venue.version));
    check(keeper.book(), &venue);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_book_is_right_at_its_version_or_resyncing(steps in vec(step(), 1..150)) {
        run(Sends::EveryChange, &steps);
        run(Sends::ChangesOfTheBest, &steps);
    }
}
