//! Versions, levels and resyncs of a book without a connection.

mod depth;
mod exchange;
mod model;
mod queries;
mod synchronizer;

use bitmart_types::Decimal;

use super::{Applied, OrderBook, SyncError, side::MAX_LEVELS};
use crate::event::{BookUpdate, DepthKind, Level};

fn level(price: i64, size: i64) -> Level {
    Level { price: Decimal::from(price), size: Decimal::from(size) }
}

/// Bids and asks of a book, best first.
type Sides = (Vec<Level>, Vec<Level>);

fn sides(book: &OrderBook) -> Sides {
    (book.bids().collect(), book.asks().collect())
}

fn event<'a>(
    kind: &'a DepthKind,
    version: u64,
    bids: &'a [Level],
    asks: &'a [Level],
) -> BookUpdate<'a> {
    BookUpdate { kind, version, timestamp: None, asks, bids }
}

fn snapshot<'a>(version: u64, bids: &'a [Level], asks: &'a [Level]) -> BookUpdate<'a> {
    event(&DepthKind::Snapshot, version, bids, asks)
}

fn update<'a>(version: u64, bids: &'a [Level], asks: &'a [Level]) -> BookUpdate<'a> {
    event(&DepthKind::Update, version, bids, asks)
}

fn book() -> OrderBook {
    let mut book = OrderBook::new();
    let applied =
        book.apply(snapshot(10, &[level(99, 1), level(98, 2)], &[level(101, 3), level(102, 4)]));
    assert_eq!(applied, Applied::Snapshot);
    book
}

#[test]
fn applies_only_the_next_version() {
    let table = [
        (9, Applied::Outdated, Some(10)),
        // An idle spot book repeats its version.
        (10, Applied::Outdated, Some(10)),
        (11, Applied::Updated, Some(11)),
        (12, Applied::OutOfSync(SyncError::SequenceGap { expected: 11, received: 12 }), None),
        (
            u64::MAX,
            Applied::OutOfSync(SyncError::SequenceGap { expected: 11, received: u64::MAX }),
            None,
        ),
    ];
    for (version, expected, after) in table {
        let mut book = book();
        assert_eq!(book.apply(update(version, &[], &[])), expected, "{version}");
        assert_eq!(book.version(), after, "{version}");
    }
}

#[test]
fn a_book_whose_version_begins_anew_gets_out_of_sync() {
    let mut book = book();
    // Late updates, and an idle book between them.
    for version in [3, 4, 5, 10] {
        assert_eq!(book.apply(update(version, &[], &[])), Applied::Outdated);
    }
    let reset = (1..100).find_map(|version| match book.apply(update(version % 9, &[], &[])) {
        Applied::Outdated => None,
        other => Some((version, other)),
    });
    let error = SyncError::VersionReset { version: 10, received: 29 % 9 };
    assert_eq!(reset, Some((29, Applied::OutOfSync(error))), "three were late before");
    assert!(!book.is_synchronized());
    let _ = book.apply(snapshot(2, &[], &[]));
    assert_eq!(book.apply(update(3, &[], &[])), Applied::Updated);
}

#[test]
fn empty_updates_advance_the_version() {
    let mut book = book();
    let before = sides(&book);
    for version in 11..20 {
        assert_eq!(book.apply(update(version, &[], &[])), Applied::Updated);
    }
    assert_eq!(sides(&book), before);
    assert_eq!(book.apply(update(20, &[level(99, 7)], &[])), Applied::Updated);
    assert_eq!(book.best_bid(), Some(level(99, 7)));
}

#[test]
fn updates_set_absolute_sizes_and_zero_removes() {
    let mut book = book();
    let applied = book.apply(update(
        11,
        &[level(98, 20), level(97, 5), level(99, 0), level(50, 0)],
        &[level(100, 1), level(102, 0)],
    ));
    assert_eq!(applied, Applied::Updated);
    assert_eq!(
        sides(&book),
        (vec![level(98, 20), level(97, 5)], vec![level(100, 1), level(101, 3)])
    );
}

#[test]
fn compares_prices_by_value() {
    let mut book = book();
    let price: Decimal = "99.000".parse().expect("a decimal");
    assert_eq!(
        book.apply(update(11, &[Level { price, size: Decimal::ZERO }], &[])),
        Applied::Updated
    );
    assert_eq!(book.best_bid(), Some(level(98, 2)));
}

#[test]
fn a_sequence_gap_clears_the_book_until_a_snapshot() {
    let mut book = book();
    assert_eq!(
        book.apply(update(15, &[], &[])),
        Applied::OutOfSync(SyncError::SequenceGap { expected: 11, received: 15 })
    );
    assert!(!book.is_synchronized());
    assert_eq!(sides(&book), (vec![], vec![]));
    assert_eq!((book.best_bid(), book.best_ask(), book.timestamp()), (None, None, None));
    // The version that was next before the gap is ignored as well.
    assert_eq!(book.apply(update(11, &[level(1, 1)], &[])), Applied::Ignored);
    assert_eq!(book.apply(update(16, &[level(1, 1)], &[])), Applied::Ignored);
    assert_eq!(book.apply(snapshot(16, &[level(99, 1)], &[])), Applied::Snapshot);
    assert_eq!(book.apply(update(17, &[], &[level(100, 1)])), Applied::Updated);
    assert_eq!(sides(&book), (vec![level(99, 1)], vec![level(100, 1)]));
}

#[test]
fn snapshots_of_any_version_replace_the_book() {
    for version in [1, 10, 11, 500] {
        let mut book = book();
        assert_eq!(book.apply(snapshot(version, &[level(5, 5)], &[])), Applied::Snapshot);
        assert_eq!(sides(&book), (vec![level(5, 5)], vec![]), "{version}");
        assert_eq!(book.version(), Some(version));
    }
}

#[test]
fn accepts_unsorted_repeated_and_empty_snapshots() {
    let mut book = OrderBook::new();
    let bids = [level(97, 1), level(99, 0), level(98, 3), level(96, 4)];
    assert_eq!(book.apply(snapshot(1, &bids, &[])), Applied::Snapshot);
    assert_eq!(sides(&book), (vec![level(98, 3), level(97, 1), level(96, 4)], vec![]));
    assert_eq!(book.apply(snapshot(2, &[], &[])), Applied::Snapshot);
    assert!(book.is_synchronized());
    assert_eq!(book.best_bid(), None);
}

#[test]
fn a_crossed_book_is_out_of_sync() {
    for bid in [101, 150] {
        let mut book = book();
        assert_eq!(
            book.apply(update(11, &[level(bid, 1)], &[])),
            Applied::OutOfSync(SyncError::Crossed)
        );
        assert!(!book.is_synchronized());
        assert_eq!(sides(&book), (vec![], vec![]));
    }
    let mut book = OrderBook::new();
    assert_eq!(
        book.apply(snapshot(1, &[level(10, 1)], &[level(10, 1)])),
        Applied::OutOfSync(SyncError::Crossed)
    );
    assert!(!book.is_synchronized());
}

#[test]
fn accepts_an_update_that_crosses_only_temporarily() {
    // The bid rises above the old best ask, which the same update removes.
    let mut book = book();
    assert_eq!(book.apply(update(11, &[level(101, 1)], &[level(101, 0)])), Applied::Updated);
    assert_eq!(book.best_bid(), Some(level(101, 1)));
    assert_eq!(book.best_ask(), Some(level(102, 4)));
}

#[test]
fn an_unknown_kind_is_not_guessed_at() {
    let mut book = book();
    let kind = DepthKind::from("delta");
    assert_eq!(
        book.apply(event(&kind, 11, &[level(1, 1)], &[])),
        Applied::OutOfSync(SyncError::UnknownKind)
    );
    assert!(!book.is_synchronized());
}

#[test]
fn keeps_the_best_levels_up_to_the_maximum() {
    let mut book = OrderBook::new();
    let count = i64::try_from(MAX_LEVELS).expect("small") + 10;
    let asks: Vec<Level> = (1..=count).map(|price| level(price, 1)).collect();
    assert_eq!(book.apply(snapshot(1, &[], &asks)), Applied::Snapshot);
    assert_eq!(book.asks().len(), MAX_LEVELS);
    assert_eq!(book.best_ask(), Some(level(1, 1)));
    assert_eq!(book.asks().next_back(), Some(level(count - 10, 1)));
}
