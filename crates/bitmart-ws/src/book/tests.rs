mod depth;
mod keeper;
mod model;
mod venue;
mod view;

use bitmart_types::Decimal;

use super::{Applied, Loss, OrderBook, ladder::MAX_LEVELS};
use crate::event::{DepthKind, DepthUpdate, Level};

fn level(price: i64, size: i64) -> Level {
    Level { price: Decimal::from(price), size: Decimal::from(size) }
}

/// Bids and asks of a book as plain pairs, best first.
type Sides = (Vec<Level>, Vec<Level>);

fn sides(book: &OrderBook) -> Sides {
    (book.bids().collect(), book.asks().collect())
}

fn event<'a>(
    kind: &'a DepthKind,
    version: u64,
    bids: &'a [Level],
    asks: &'a [Level],
) -> DepthUpdate<'a> {
    DepthUpdate { kind, version, timestamp: None, asks, bids }
}

fn snapshot<'a>(version: u64, bids: &'a [Level], asks: &'a [Level]) -> DepthUpdate<'a> {
    event(&DepthKind::Snapshot, version, bids, asks)
}

fn update<'a>(version: u64, bids: &'a [Level], asks: &'a [Level]) -> DepthUpdate<'a> {
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
fn versions_decide() {
    let table = [
        (9, Applied::Stale, Some(10)),
        // An idle spot book repeats its version.
        (10, Applied::Stale, Some(10)),
        (11, Applied::Updated, Some(11)),
        (12, Applied::Lost(Loss::Gap { expected: 11, received: 12 }), None),
        (u64::MAX, Applied::Lost(Loss::Gap { expected: 11, received: u64::MAX }), None),
    ];
    for (version, expected, after) in table {
        let mut book = book();
        assert_eq!(book.apply(update(version, &[], &[])), expected, "{version}");
        assert_eq!(book.version(), after, "{version}");
    }
}

#[test]
fn an_idle_futures_book_advances_without_changes() {
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
fn updates_set_absolute_sizes_and_zero_deletes() {
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
fn prices_compare_by_value_not_by_spelling() {
    let mut book = book();
    let spelled: Decimal = "99.000".parse().expect("a decimal");
    assert_eq!(
        book.apply(update(11, &[Level { price: spelled, size: Decimal::ZERO }], &[])),
        Applied::Updated
    );
    assert_eq!(book.best_bid(), Some(level(98, 2)));
}

#[test]
fn a_gap_empties_the_book_until_a_snapshot() {
    let mut book = book();
    assert_eq!(
        book.apply(update(15, &[], &[])),
        Applied::Lost(Loss::Gap { expected: 11, received: 15 })
    );
    assert!(!book.is_whole());
    assert_eq!(sides(&book), (vec![], vec![]));
    assert_eq!((book.best_bid(), book.best_ask(), book.timestamp()), (None, None, None));
    // What would have been next before the gap is no base either.
    assert_eq!(book.apply(update(11, &[level(1, 1)], &[])), Applied::Ignored);
    assert_eq!(book.apply(update(16, &[level(1, 1)], &[])), Applied::Ignored);
    assert_eq!(book.apply(snapshot(16, &[level(99, 1)], &[])), Applied::Snapshot);
    assert_eq!(book.apply(update(17, &[], &[level(100, 1)])), Applied::Updated);
    assert_eq!(sides(&book), (vec![level(99, 1)], vec![level(100, 1)]));
}

#[test]
fn snapshots_replace_whatever_their_version() {
    for version in [1, 10, 11, 500] {
        let mut book = book();
        assert_eq!(book.apply(snapshot(version, &[level(5, 5)], &[])), Applied::Snapshot);
        assert_eq!(sides(&book), (vec![level(5, 5)], vec![]), "{version}");
        assert_eq!(book.version(), Some(version));
    }
}

#[test]
fn snapshots_may_be_unsorted_repeated_and_empty() {
    let mut book = OrderBook::new();
    let bids = [level(97, 1), level(99, 0), level(98, 3), level(96, 4)];
    assert_eq!(book.apply(snapshot(1, &bids, &[])), Applied::Snapshot);
    assert_eq!(sides(&book), (vec![level(98, 3), level(97, 1), level(96, 4)], vec![]));
    assert_eq!(book.apply(snapshot(2, &[], &[])), Applied::Snapshot);
    assert!(book.is_whole());
    assert_eq!(book.best_bid(), None);
}

#[test]
fn a_crossed_book_is_lost() {
    for bid in [101, 150] {
        let mut book = book();
        assert_eq!(book.apply(update(11, &[level(bid, 1)], &[])), Applied::Lost(Loss::Crossed));
        assert!(!book.is_whole());
        assert_eq!(sides(&book), (vec![], vec![]));
    }
    let mut book = OrderBook::new();
    assert_eq!(
        book.apply(snapshot(1, &[level(10, 1)], &[level(10, 1)])),
        Applied::Lost(Loss::Crossed)
    );
    assert!(!book.is_whole());
}

#[test]
fn an_update_that_crosses_only_on_its_way_is_fine() {
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
    assert_eq!(book.apply(event(&kind, 11, &[level(1, 1)], &[])), Applied::Lost(Loss::UnknownKind));
    assert!(!book.is_whole());
}

#[test]
fn levels_are_bounded_and_the_best_are_kept() {
    let mut book = OrderBook::new();
    let count = i64::try_from(MAX_LEVELS).expect("small") + 10;
    let asks: Vec<Level> = (1..=count).map(|price| level(price, 1)).collect();
    assert_eq!(book.apply(snapshot(1, &[], &asks)), Applied::Snapshot);
    assert_eq!(book.asks().len(), MAX_LEVELS);
    assert_eq!(book.best_ask(), Some(level(1, 1)));
    assert_eq!(book.asks().next_back(), Some(level(count - 10, 1)));
}
