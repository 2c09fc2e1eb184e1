//! An order book with a given number of levels, and updates that leave their number as it is.

use std::fmt::Write as _;
use std::hint::black_box;

use bitmart_types::Decimal;
use bitmart_ws::book::OrderBook;
use bitmart_ws::event::{BookUpdate, DepthKind, Level};

use crate::random::Random;

/// Changed levels a side in an update, at most: one that disappears or returns, and others at random.
const CHANGES: usize = 7;
/// Different updates. After them they repeat.
const UPDATES: usize = 1_000;

struct Sides {
    asks: Vec<Level>,
    bids: Vec<Level>,
}

/// A snapshot of a book, and updates that change mostly levels near the best prices.
pub(crate) struct Market {
    snapshot: Sides,
    updates: Vec<Sides>,
}

impl Market {
    pub(crate) fn new(levels: usize) -> Self {
        let mut random = Random(17);
        let all = |sign| (0..levels).map(|index| level(sign, index, 1 + index)).collect();
        let snapshot = Sides { asks: all(1), bids: all(-1) };
        let updates = (0..UPDATES)
            .map(|number| {
                let mut side = |sign| -> Vec<Level> {
                    let change = |_| {
                        let index = (0..3).map(|_| random.below(levels)).min().unwrap_or_default();
                        level(sign, index, 1 + random.below(9_999_999))
                    };
                    let mut changes: Vec<Level> = (1..CHANGES).map(change).collect();
                    // A level disappears in one update and is back in the next.
                    let index = (number / 2 * 7) % levels;
                    let size = if number % 2 == 0 { 0 } else { 1 + random.below(9_999_999) };
                    changes.retain(|change| change.price != level(sign, index, 1).price);
                    changes.push(level(sign, index, size));
                    changes
                };
                Sides { asks: side(1), bids: side(-1) }
            })
            .collect();
        Self { snapshot, updates }
    }
}

/// A book that follows a market.
pub(crate) struct Follower<'a> {
    market: &'a Market,
    pub(crate) book: OrderBook,
    version: u64,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(market: &'a Market) -> Self {
        let mut follower = Self { market, book: OrderBook::new(), version: 0 };
        follower.apply(&DepthKind::Snapshot, &market.snapshot);
        follower
    }

    fn apply(&mut self, kind: &DepthKind, sides: &Sides) {
        self.version += 1;
        let Sides { asks, bids } = sides;
        let update = BookUpdate { kind, version: self.version, timestamp: None, asks, bids };
        let _ = black_box(self.book.apply(update));
    }

    pub(crate) fn step(&mut self) {
        let index = usize::try_from(self.version - 1).unwrap_or_default() % UPDATES;
        self.apply(&DepthKind::Update, &self.market.updates[index]);
    }
}

/// The level `index` steps from the middle.
fn level(sign: i64, index: usize, size: usize) -> Level {
    let steps = i64::try_from(index).unwrap_or_default() + 1;
    let size = i64::try_from(size).unwrap_or_default();
    Level { price: Decimal::new(67_000_000 + sign * steps, 2), size: Decimal::new(size, 5) }
}

/// A frame of `spot/depth50` for a pair, as the exchange sends it.
pub(crate) fn frame(symbol: &str, levels: usize) -> String {
    let mut random = Random(7);
    let mut side = |sign: i64| {
        let mut rows = String::new();
        for index in 0..levels {
            let Level { price, size } = level(sign, index * 13, 1 + random.below(9_999_999));
            let comma = if index == 0 { "" } else { "," };
            // Writing to memory does not fail.
            let _ = write!(rows, r#"{comma}["{price}","{size}"]"#);
        }
        rows
    };
    let (asks, bids) = (side(1), side(-1));
    format!(
        r#"{{"data":[{{"asks":[{asks}],"bids":[{bids}],"ms_t":1698292343610,"symbol":"{symbol}"}}],"table":"spot/depth50"}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_stays_synchronized_and_as_deep_as_it_was() {
        let market = Market::new(100);
        let mut follower = Follower::new(&market);
        for _ in 0..2 * UPDATES {
            follower.step();
        }
        assert!(follower.book.is_synchronized());
        assert_eq!((follower.book.asks().len(), follower.book.bids().len()), (100, 100));
    }
}
