//! Snapshots and updates with arbitrary decimals against a naive book, and every query of a book.
//!
//! The first byte is the limit of the book, 0 for none. Each event is a byte for its kind and version, a byte for the
//! number of its levels, and the levels.

use std::collections::BTreeMap;

use bitmart_types::Decimal;
use bitmart_ws::book::{Applied, OrderBook, SweepLimit};
use bitmart_ws::event::{BookUpdate, DepthKind, Level};

/// Runs one input. Panics if a property does not hold.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let Some(limit) = input.byte() else { return };
    let limit = (limit > 0).then(|| usize::from(limit % 8) + 1);
    let mut book = limit.map_or_else(OrderBook::new, OrderBook::with_limit);
    let mut naive = NaiveBook { version: None, sides: Default::default(), limit };
    let mut version = 100;
    while let Some(event) = input.event(version) {
        let update = BookUpdate {
            kind: &event.kind,
            version: event.version,
            timestamp: None,
            asks: &event.sides[0],
            bids: &event.sides[1],
        };
        version = version.max(event.version);
        let is_lost = matches!(book.apply(update), Applied::OutOfSync(_) | Applied::Ignored);
        naive.apply(&event);
        assert_eq!(is_lost, !book.is_synchronized());
        assert_eq!(book.version(), naive.version);
        let [asks, bids] = naive.levels();
        assert_eq!(book.asks().collect::<Vec<_>>(), asks);
        assert_eq!(book.bids().collect::<Vec<_>>(), bids);
        assert_eq!(
            (book.best_ask(), book.best_bid()),
            (asks.first().copied(), bids.first().copied())
        );
        assert_eq!(book.asks().len(), asks.len());
        query(&book, &asks, &bids);
    }
}

/// Calls every query of the book.
fn query(book: &OrderBook, asks: &[Level], bids: &[Level]) {
    let _ = (book.mid_price(), book.spread(), book.imbalance(3), book.asks_complete_to());
    let _ = (book.cumulative_asks().count(), book.cumulative_bids().count());
    for level in asks.iter().chain(bids).take(6) {
        let sweep_limits = [
            SweepLimit::Size(level.size),
            SweepLimit::Notional(level.size),
            SweepLimit::Price(level.price),
            SweepLimit::Size(level.price),
            SweepLimit::Notional(level.price),
        ];
        for limit in sweep_limits {
            for sweep in [book.sweep_asks(limit), book.sweep_bids(limit)].into_iter().flatten() {
                let _ = sweep.average_price();
                if let (SweepLimit::Size(wanted), true) = (limit, sweep.complete) {
                    assert_eq!(sweep.size, wanted.max(Decimal::ZERO));
                }
                assert!(sweep.levels <= asks.len().max(bids.len()));
            }
        }
    }
    if let Some(differences) = book.differences(asks.to_vec(), bids.to_vec()) {
        assert!(differences.is_empty());
    }
}

struct Event {
    kind: DepthKind,
    version: u64,
    /// Asks and bids.
    sides: [Vec<Level>; 2],
}

/// The unread bytes of an input. Its functions return `None` at the end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn word(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*first))
    }

    fn event(&mut self, version: u64) -> Option<Event> {
        let choice = self.byte()?;
        let (kind, version) = match choice % 16 {
            0..=3 => (DepthKind::Snapshot, version + u64::from(choice >> 4)),
            4 => (DepthKind::from("delta"), version + 1),
            5 => (DepthKind::Update, version),
            6 => (DepthKind::Update, version + 1 + u64::from(choice >> 4)),
            _ => (DepthKind::Update, version + 1),
        };
        let mut sides = [vec![], vec![]];
        for _ in 0..self.byte()? {
            let Some((side, level)) = self.level() else { break };
            sides[side].push(level);
        }
        Some(Event { kind, version, sides })
    }

    /// A level: mostly a small price on the side on which it does not cross.
    fn level(&mut self) -> Option<(usize, Level)> {
        let choice = self.byte()?;
        let price = match choice % 8 {
            0 => {
                let [low, middle, high] = [self.word()?, self.word()?, self.word()?];
                let scale = u32::from(self.byte()?) % 29;
                Decimal::from_parts(low, middle, high, choice & 8 != 0, scale)
            }
            1 => Decimal::new(i64::from(self.byte()?), u32::from(self.byte()?) % 29),
            2 => Decimal::new(i64::from(self.byte()?) * 100, 2),
            _ => Decimal::new(i64::from(self.byte()?), 0),
        };
        let size = match choice >> 6 {
            0 => Decimal::ZERO,
            1 => Decimal::new(i64::from(choice), 1),
            2 => Decimal::MAX,
            _ => Decimal::ONE,
        };
        let side = if choice & 16 == 0 { price < Decimal::from(128) } else { choice & 32 == 0 };
        Some((usize::from(side), Level { price, size }))
    }
}

/// A naive book: prices and sizes in maps, and the rules as documented.
struct NaiveBook {
    version: Option<u64>,
    sides: [BTreeMap<Decimal, Decimal>; 2],
    limit: Option<usize>,
}

impl NaiveBook {
    fn apply(&mut self, event: &Event) {
        match (&event.kind, self.version) {
            (DepthKind::Snapshot, _) => self.sides = Default::default(),
            (DepthKind::Update, Some(version)) if event.version == version + 1 => {}
            (DepthKind::Update, Some(version)) if event.version <= version => return,
            (DepthKind::Update, None) => return,
            _ => return self.lose_sync(),
        }
        for (index, (side, levels)) in self.sides.iter_mut().zip(&event.sides).enumerate() {
            // The book reads a snapshot backwards, so that the first level of a duplicate price counts.
            let mut levels = levels.clone();
            if event.kind == DepthKind::Snapshot {
                levels.reverse();
            }
            for level in levels {
                side.insert(level.price, level.size);
                side.retain(|_, size| *size > Decimal::ZERO);
            }
            while self.limit.is_some_and(|limit| side.len() > limit) {
                if index == 0 {
                    side.pop_last()
                } else {
                    side.pop_first()
                };
            }
        }
        let [asks, bids] = &self.sides;
        let best = asks.first_key_value().zip(bids.last_key_value());
        if best.is_some_and(|(ask, bid)| bid.0 >= ask.0) {
            return self.lose_sync();
        }
        self.version = Some(event.version);
    }

    /// Forgets everything until the next snapshot.
    fn lose_sync(&mut self) {
        self.version = None;
        self.sides = Default::default();
    }

    fn levels(&self) -> [Vec<Level>; 2] {
        let level = |(price, size): (&Decimal, &Decimal)| Level { price: *price, size: *size };
        [self.sides[0].iter().map(level).collect(), self.sides[1].iter().rev().map(level).collect()]
    }
}
