//! Compares a book maintained over a lossy connection with the exchange's own book, at every version.
//!
//! It is undocumented what the exchange sends about levels beyond the depth of a topic, so there are
//! two simulated exchanges: one sends every change of its whole book, the other only changes among its
//! best levels, and nothing about levels that fall out of them.

use std::collections::{BTreeMap, HashMap};

use bitmart_types::Decimal;
use proptest::{collection::vec, prelude::*};

use super::{level, snapshot, update};
use crate::book::{BookSynchronizer, OrderBook, SyncOutcome};
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
    /// Prices below 100 are bids; size 0 removes.
    Trade(Vec<(i64, i64)>),
    /// Up to this number of events arrive.
    Arrive(usize),
    /// The next event arrives twice.
    Twice,
    /// The next event is lost.
    Lose,
    /// A snapshot that another subscriber requested.
    Snapshot,
    /// The reader missed events: it lagged, or one was malformed.
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

struct Exchange {
    sends: Sends,
    bids: Side,
    asks: Side,
    version: u64,
    /// The whole book at each version.
    history: HashMap<u64, Sides>,
    /// Events that were sent and have not arrived.
    in_flight: Vec<Sent>,
}

impl Exchange {
    fn new(sends: Sends) -> Self {
        let mut exchange = Self {
            sends,
            bids: Side::new(),
            asks: Side::new(),
            version: 1,
            history: HashMap::new(),
            in_flight: Vec::new(),
        };
        exchange.record();
        exchange.snapshot();
        exchange
    }

    fn sides(&self) -> Sides {
        let pair = |(price, size): (&i64, &i64)| (*price, *size);
        [self.bids.iter().rev().map(pair).collect(), self.asks.iter().map(pair).collect()]
    }

    fn record(&mut self) {
        self.history.insert(self.version, self.sides());
    }

    fn send(&mut self, is_snapshot: bool, sides: &Sides) {
        let [bids, asks] = sides
            .clone()
            .map(|side| side.iter().map(|(price, size)| level(*price, *size)).collect());
        self.in_flight.push(Sent { is_snapshot, version: self.version, bids, asks });
    }

    fn snapshot(&mut self) {
        let best = self.sides().map(|side| side.into_iter().take(LIMIT).collect());
        self.send(true, &best);
    }

    fn trade(&mut self, levels: &[(i64, i64)]) {
        let before = self.sides();
        for (price, size) in levels {
            let side = if *price < 100 { &mut self.bids } else { &mut self.asks };
            side.insert(*price, *size);
            side.retain(|_, size| *size > 0);
        }
        self.version += 1;
        self.record();
        let after = self.sides();
        let mut changes = [vec![], vec![]];
        for ((changes, before), after) in changes.iter_mut().zip(&before).zip(&after) {
            *changes = match self.sends {
                Sends::EveryChange => differences(before, after, after),
                Sends::ChangesOfTheBest => {
                    let best = |side: &[(i64, i64)]| side[..side.len().min(LIMIT)].to_vec();
                    differences(&best(before), &best(after), after)
                }
            };
        }
        self.send(false, &changes);
    }
}

/// Returns the levels of `after` that differ from `before`, and removals of those that are not in `all`.
fn differences(before: &[(i64, i64)], after: &[(i64, i64)], all: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let removed = before.iter().filter(|old| !all.iter().any(|new| new.0 == old.0));
    let new = after.iter().filter(|new| !before.contains(new));
    new.copied().chain(removed.map(|old| (old.0, 0))).collect()
}

fn check(book: &OrderBook, exchange: &Exchange) {
    let Some(version) = book.version() else { return };
    let sides = &exchange.history[&version];
    let pair = |level: Level| {
        let whole = |value: Decimal| i64::try_from(value.mantissa()).expect("small");
        (whole(level.price), whole(level.size))
    };
    let levels: Sides = [book.bids().map(pair).collect(), book.asks().map(pair).collect()];
    let complete_to = [book.bids_complete_to(), book.asks_complete_to()];
    for (index, (levels, all)) in levels.iter().zip(sides).enumerate() {
        assert!(levels.len() <= LIMIT);
        assert!(levels.iter().all(|level| all.contains(level)), "{levels:?} of {all:?}");
        if exchange.sends == Sends::ChangesOfTheBest {
            assert_eq!(levels, &all[..all.len().min(LIMIT)]);
        }
        let within = |price: i64| {
            complete_to[index].is_none_or(|last| {
                if index == 0 { last <= price.into() } else { last >= price.into() }
            })
        };
        let mut known = all.iter().filter(|(price, _)| within(*price));
        assert!(known.all(|level| levels.contains(level)), "{levels:?} of {all:?}");
    }
}

fn run(sends: Sends, steps: &[Step]) {
    let mut exchange = Exchange::new(sends);
    let mut synchronizer = BookSynchronizer::with_limit(LIMIT);
    for step in steps {
        let mut arrived = Vec::new();
        match step {
            Step::Trade(changes) => exchange.trade(changes),
            Step::Arrive(count) => {
                let count = (*count).min(exchange.in_flight.len());
                arrived = exchange.in_flight.drain(..count).collect();
            }
            Step::Twice if !exchange.in_flight.is_empty() => {
                let sent = exchange.in_flight.remove(0);
                arrived = vec![sent.clone(), sent];
            }
            Step::Lose if !exchange.in_flight.is_empty() => {
                exchange.in_flight.remove(0);
            }
            Step::Twice | Step::Lose => {}
            Step::Snapshot => exchange.snapshot(),
            Step::Missed => {
                if synchronizer.on_missed_events() == SyncOutcome::NeedsSnapshot {
                    exchange.snapshot();
                }
                assert!(!synchronizer.book().is_synchronized());
            }
            Step::Reconnect => {
                synchronizer.on_reconnect();
                exchange.in_flight.clear();
                exchange.snapshot();
                assert!(!synchronizer.book().is_synchronized());
            }
        }
        for sent in arrived {
            let Sent { is_snapshot, version, bids, asks } = &sent;
            let make = if *is_snapshot { snapshot } else { update };
            if synchronizer.on_update(make(*version, bids, asks)) == SyncOutcome::NeedsSnapshot {
                exchange.snapshot();
            }
            check(synchronizer.book(), &exchange);
        }
    }
    // Without losses the book synchronizes.
    synchronizer.on_reconnect();
    exchange.in_flight.clear();
    exchange.snapshot();
    exchange.trade(&[(95, 1), (105, 1)]);
    for sent in std::mem::take(&mut exchange.in_flight) {
        let make = if sent.is_snapshot { snapshot } else { update };
        let _ = synchronizer.on_update(make(sent.version, &sent.bids, &sent.asks));
    }
    assert_eq!(synchronizer.book().version(), Some(exchange.version));
    check(synchronizer.book(), &exchange);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_book_equals_the_exchange_at_its_version_or_is_resyncing(steps in vec(step(), 1..150)) {
        run(Sends::EveryChange, &steps);
        run(Sends::ChangesOfTheBest, &steps);
    }
}
