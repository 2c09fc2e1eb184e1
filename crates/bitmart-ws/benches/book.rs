//! Compares the order book with two ordered maps of decimals that apply the same updates.
//!
//! An update changes 8 levels a side: 60 % are new sizes, 20 % new prices and 20 % removed prices, so
//! that the depth stays the same. They are near the best prices, as in a real market, or evenly
//! distributed over the depth, which is the worst case for sorted lists. The maps check neither version
//! nor crossing. Goal: at most 0.55 times the time of the maps at 100 levels a side, and 1.00 times at
//! 5,000.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use bitmart_testkit::bench::Comparison;
use bitmart_types::Decimal;
use bitmart_ws::book::OrderBook;
use bitmart_ws::event::{BookUpdate, DepthKind, Level};

/// Changed levels a side per update.
const CHANGES: usize = 8;

/// Updates before they repeat.
const UPDATES: usize = 2_000;

fn main() {
    for levels in [100, 5_000] {
        for near in [true, false] {
            updates(levels, near);
        }
    }
    reading();
}

/// Describes where the levels change.
fn place(near: bool) -> &'static str {
    if near { "near the best" } else { "anywhere" }
}

fn updates(levels: usize, near: bool) {
    let market = Market::new(levels, near);
    let mut book = Feed::new(&market);
    let mut maps = Maps::new(&market);
    let title = format!("{levels} levels a side, 16 changes {}", place(near));
    let report = Comparison::new(title, "two BTreeMap<Decimal, Decimal>", || maps.step())
        .candidate("OrderBook", || book.step())
        .run();
    println!("  goal: {}", if levels == 100 { "0.55 x" } else { "1.00 x" });
    black_box(report);
}

fn reading() {
    let market = Market::new(100, true);
    let (feed, maps) = (Feed::new(&market), Maps::new(&market));
    let book = &feed.book;
    Comparison::new("best bid and best ask, 100 levels a side", "two BTreeMaps", || {
        (black_box(&maps.bids).last_key_value(), black_box(&maps.asks).first_key_value())
    })
    .candidate("OrderBook", || {
        let book = black_box(book);
        (book.best_bid(), book.best_ask())
    })
    .run();
    let mut other = Feed::new(&market);
    let (asks, bids): (Vec<Level>, Vec<Level>) = (book.asks().collect(), book.bids().collect());
    let mut published = Arc::new(OrderBook::new());
    Comparison::new("a published book, 100 levels a side", "an update of 16 changes", || {
        other.step()
    })
    .candidate("copy the book", || published = Arc::new(black_box(book).clone()))
    .candidate("read all levels of it", || {
        black_box(book).asks().chain(book.bids()).map(|level| level.size).max()
    })
    // Most of the time is the comparison of decimals.
    .candidate("  the same of two vectors", || {
        black_box(&asks).iter().chain(&bids).map(|level| level.size).max()
    })
    .run();
}

/// An order book and the market that updates it.
struct Feed<'a> {
    market: &'a Market,
    book: OrderBook,
    version: u64,
}

impl<'a> Feed<'a> {
    fn new(market: &'a Market) -> Self {
        let mut feed = Self { market, book: OrderBook::new(), version: 0 };
        feed.apply(&DepthKind::Snapshot, &market.snapshot);
        feed
    }

    fn apply(&mut self, kind: &DepthKind, sides: &Sides) -> bool {
        self.version += 1;
        let (asks, bids) = (&sides.asks, &sides.bids);
        let update = BookUpdate { kind, version: self.version, timestamp: None, asks, bids };
        let _ = black_box(self.book.apply(update));
        self.book.is_synchronized()
    }

    fn step(&mut self) -> bool {
        let index = usize::try_from(self.version).unwrap_or(0) % UPDATES;
        self.apply(&DepthKind::Update, &self.market.updates[index])
    }
}

/// The simple implementation.
struct Maps<'a> {
    market: &'a Market,
    asks: BTreeMap<Decimal, Decimal>,
    bids: BTreeMap<Decimal, Decimal>,
    index: usize,
}

impl<'a> Maps<'a> {
    fn new(market: &'a Market) -> Self {
        let map = |side: &[Level]| side.iter().map(|level| (level.price, level.size)).collect();
        let (asks, bids) = (map(&market.snapshot.asks), map(&market.snapshot.bids));
        Self { market, asks, bids, index: 1 }
    }

    fn step(&mut self) -> usize {
        let update = &self.market.updates[self.index % UPDATES];
        self.index += 1;
        for (map, levels) in [(&mut self.asks, &update.asks), (&mut self.bids, &update.bids)] {
            for level in levels {
                if level.size.is_zero() {
                    map.remove(&level.price);
                } else {
                    map.insert(level.price, level.size);
                }
            }
        }
        self.asks.len()
    }
}

struct Sides {
    asks: Vec<Level>,
    bids: Vec<Level>,
}

/// A snapshot and the updates after it.
struct Market {
    snapshot: Sides,
    updates: Vec<Sides>,
}

impl Market {
    fn new(levels: usize, near: bool) -> Self {
        // Four of five prices have a level.
        let prices = levels + levels / 4;
        let mut random = Random(17);
        let mut taken: [Vec<bool>; 2] =
            [(); 2].map(|()| (0..prices).map(|_| random.below(5) > 0).collect());
        let snapshot = taken
            .clone()
            .map(|side| (0..prices).filter(|index| side[*index]).collect::<Vec<usize>>());
        let [asks, bids] = snapshot;
        let snapshot = Sides {
            asks: asks.into_iter().map(|index| level(1, index, 1)).collect(),
            bids: bids.into_iter().map(|index| level(-1, index, 1)).collect(),
        };
        let mut side = |sign: i64, taken: &mut [bool]| -> Vec<Level> {
            let change = |_| {
                let index = random.place(prices, near);
                // One of four existing levels is removed.
                let stays = !taken[index] || random.below(4) > 0;
                taken[index] = stays;
                level(sign, index, if stays { 1 + random.below(9_999_999) } else { 0 })
            };
            (0..CHANGES).map(change).collect()
        };
        let updates = (0..UPDATES)
            .map(|_| {
                let [asks, bids] = &mut taken;
                Sides { asks: side(1, asks), bids: side(-1, bids) }
            })
            .collect();
        Self { snapshot, updates }
    }
}

/// Returns the level `index` steps from the middle, with a price and a size of typical length.
fn level(sign: i64, index: usize, size: u32) -> Level {
    let steps = i64::try_from(index).unwrap_or(0) + 1;
    Level { price: Decimal::new(6_700_000 + sign * steps, 2), size: Decimal::new(size.into(), 5) }
}

struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }

    /// Returns a random index: evenly distributed, or halving every twelve steps from the best price.
    fn place(&mut self, prices: usize, near: bool) -> usize {
        let mut below = |limit: usize| {
            usize::try_from(self.below(u32::try_from(limit).unwrap_or(u32::MAX))).unwrap_or(0)
        };
        if !near {
            return below(prices);
        }
        let mut start = 0;
        while below(2) == 0 {
            start += 12;
        }
        (start + below(12)).min(prices - 1)
    }
}
