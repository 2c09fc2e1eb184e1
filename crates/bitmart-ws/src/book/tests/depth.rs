//! What a book knows of its depth.

use bitmart_types::dec;

use super::{level, sides, snapshot, update};
use crate::book::{Applied, OrderBook};
use crate::event::Level;

/// A book of a topic with three levels a side, asks from 101 to 103.
fn three() -> OrderBook {
    let mut book = OrderBook::with_limit(3);
    let asks = [level(101, 1), level(102, 1), level(103, 1)];
    assert_eq!(book.apply(snapshot(1, &[level(99, 1)], &asks)), Applied::Snapshot);
    book
}

fn prices(book: &OrderBook) -> Vec<i64> {
    book.asks().map(|level| i64::try_from(level.price.mantissa()).expect("whole")).collect()
}

fn apply(book: &mut OrderBook, asks: &[Level]) {
    let version = book.version().expect("whole") + 1;
    assert_eq!(book.apply(update(version, &[], asks)), Applied::Updated);
}

#[test]
fn a_full_snapshot_knows_nothing_beyond_its_last_level() {
    let book = three();
    assert_eq!(book.ask_horizon(), Some(dec!(103)));
    assert_eq!(book.bid_horizon(), None, "fewer than three bids are all bids");
    assert_eq!(OrderBook::new().ask_horizon(), None);
}

#[test]
fn without_a_limit_every_snapshot_may_be_cut() {
    let mut book = OrderBook::new();
    assert_eq!(book.apply(snapshot(1, &[], &[level(101, 1)])), Applied::Snapshot);
    assert_eq!((book.ask_horizon(), book.bid_horizon()), (Some(dec!(101)), None));
}

#[test]
fn a_level_pushed_out_is_dropped_and_draws_the_horizon_in() {
    let mut book = three();
    apply(&mut book, &[level(100, 1)]);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![100, 101, 102], Some(dec!(102))));
    // A level goes. 103 may still be there, but nobody told.
    apply(&mut book, &[level(101, 0)]);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![100, 102], Some(dec!(102))));
    // The venue tells of 104. Whether 103 lies before it is not known.
    apply(&mut book, &[level(104, 1)]);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![100, 102, 104], Some(dec!(102))));
    // A worse level has no room, and nothing else is known less.
    apply(&mut book, &[level(105, 1)]);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![100, 102, 104], Some(dec!(102))));
    let asks = [level(100, 1), level(103, 1)];
    assert_eq!(book.apply(snapshot(9, &[], &asks)), Applied::Snapshot);
    assert_eq!(book.ask_horizon(), None, "the snapshot shows the whole side");
}

#[test]
fn room_is_counted_after_the_whole_update() {
    let mut book = three();
    apply(&mut book, &[level(100, 1), level(101, 0)]);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![100, 102, 103], Some(dec!(103))));
}

#[test]
fn a_side_that_has_filled_up_may_hide_others() {
    let mut book = OrderBook::with_limit(3);
    let _ = book.apply(snapshot(1, &[], &[level(101, 1), level(103, 1)]));
    assert_eq!(book.ask_horizon(), None);
    apply(&mut book, &[level(102, 1)]);
    assert_eq!(book.ask_horizon(), Some(dec!(103)));
}

#[test]
fn a_small_book_that_outgrows_the_topic_gets_a_horizon() {
    let mut book = three();
    let bids: Vec<Level> = (0..4).map(|index| level(95 + index, 1)).collect();
    assert_eq!(book.apply(update(2, &bids, &[])), Applied::Updated);
    assert_eq!(book.bids().len(), 3);
    assert_eq!(book.bid_horizon(), Some(dec!(97)));
}

#[test]
fn a_snapshot_with_too_many_levels_is_cut() {
    let mut book = OrderBook::with_limit(2);
    let asks = [level(103, 1), level(101, 1), level(102, 1)];
    assert_eq!(book.apply(snapshot(1, &[], &asks)), Applied::Snapshot);
    assert_eq!((prices(&book), book.ask_horizon()), (vec![101, 102], Some(dec!(102))));
}

#[test]
fn a_lost_book_has_no_horizon_and_keeps_its_limit() {
    let mut book = three();
    book.clear();
    assert_eq!((book.ask_horizon(), book.limit()), (None, Some(3)));
    assert_eq!(sides(&book), (vec![], vec![]));
}
