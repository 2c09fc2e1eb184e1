//! Books of topics with a limited number of levels.

use bitmart_types::dec;

use super::{level, sides, snapshot, update};
use crate::book::{Applied, OrderBook};
use crate::event::Level;

/// Returns a book with a limit of three levels a side, asks from 101 to 103.
fn book_of_three() -> OrderBook {
    let mut book = OrderBook::with_limit(3);
    let asks = [level(101, 1), level(102, 1), level(103, 1)];
    assert_eq!(book.apply(snapshot(1, &[level(99, 1)], &asks)), Applied::Snapshot);
    book
}

fn prices(book: &OrderBook) -> Vec<i64> {
    book.asks().map(|level| i64::try_from(level.price.mantissa()).expect("whole")).collect()
}

fn apply(book: &mut OrderBook, asks: &[Level]) {
    let version = book.version().expect("synchronized") + 1;
    assert_eq!(book.apply(update(version, &[], asks)), Applied::Updated);
}

#[test]
fn a_full_snapshot_is_complete_to_its_last_level() {
    let book = book_of_three();
    assert_eq!(book.asks_complete_to(), Some(dec!(103)));
    assert_eq!(book.bids_complete_to(), None, "fewer than three bids are the whole side");
    assert_eq!(OrderBook::new().asks_complete_to(), None);
}

#[test]
fn without_a_limit_any_snapshot_may_be_truncated() {
    let mut book = OrderBook::new();
    assert_eq!(book.apply(snapshot(1, &[], &[level(101, 1)])), Applied::Snapshot);
    assert_eq!((book.asks_complete_to(), book.bids_complete_to()), (Some(dec!(101)), None));
}

#[test]
fn a_level_beyond_the_limit_is_dropped_and_lowers_complete_to() {
    let mut book = book_of_three();
    apply(&mut book, &[level(100, 1)]);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![100, 101, 102], Some(dec!(102))));
    // After the removal of 101, 103 may exist, but was not sent again.
    apply(&mut book, &[level(101, 0)]);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![100, 102], Some(dec!(102))));
    // 104 is sent. Whether 103 exists is unknown.
    apply(&mut book, &[level(104, 1)]);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![100, 102, 104], Some(dec!(102))));
    // A worse level is beyond the limit and changes nothing.
    apply(&mut book, &[level(105, 1)]);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![100, 102, 104], Some(dec!(102))));
    let asks = [level(100, 1), level(103, 1)];
    assert_eq!(book.apply(snapshot(9, &[], &asks)), Applied::Snapshot);
    assert_eq!(book.asks_complete_to(), None, "the snapshot contains the whole side");
}

#[test]
fn applies_the_limit_after_the_whole_update() {
    let mut book = book_of_three();
    apply(&mut book, &[level(100, 1), level(101, 0)]);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![100, 102, 103], Some(dec!(103))));
}

#[test]
fn a_side_that_fills_up_may_hide_levels() {
    let mut book = OrderBook::with_limit(3);
    let _ = book.apply(snapshot(1, &[], &[level(101, 1), level(103, 1)]));
    assert_eq!(book.asks_complete_to(), None);
    apply(&mut book, &[level(102, 1)]);
    assert_eq!(book.asks_complete_to(), Some(dec!(103)));
}

#[test]
fn a_side_that_exceeds_the_limit_is_truncated() {
    let mut book = book_of_three();
    let bids: Vec<Level> = (0..4).map(|index| level(95 + index, 1)).collect();
    assert_eq!(book.apply(update(2, &bids, &[])), Applied::Updated);
    assert_eq!(book.bids().len(), 3);
    assert_eq!(book.bids_complete_to(), Some(dec!(97)));
}

#[test]
fn a_snapshot_beyond_the_limit_is_truncated() {
    let mut book = OrderBook::with_limit(2);
    let asks = [level(103, 1), level(101, 1), level(102, 1)];
    assert_eq!(book.apply(snapshot(1, &[], &asks)), Applied::Snapshot);
    assert_eq!((prices(&book), book.asks_complete_to()), (vec![101, 102], Some(dec!(102))));
}

#[test]
fn clear_resets_complete_to_and_keeps_the_limit() {
    let mut book = book_of_three();
    book.clear();
    assert_eq!((book.asks_complete_to(), book.limit()), (None, Some(3)));
    assert_eq!(sides(&book), (vec![], vec![]));
}
