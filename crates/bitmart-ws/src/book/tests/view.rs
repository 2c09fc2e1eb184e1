//! Walks, figures and comparisons.

use bitmart_types::{Decimal, dec};
use proptest::{collection::btree_map, prelude::*};

use super::{level, snapshot, update};
use crate::book::{Difference, DifferenceSide, OrderBook, Until, Walk};
use crate::event::Level;

fn book(limit: usize, bids: &[Level], asks: &[Level]) -> OrderBook {
    let mut book = OrderBook::with_limit(limit);
    let _ = book.apply(snapshot(1, bids, asks));
    assert!(book.is_whole());
    book
}

/// Bids of 4 at 98 and 2 at 99, asks of 1 at 101 and 3 at 102: all there is.
fn whole() -> OrderBook {
    book(10, &[level(99, 2), level(98, 4)], &[level(101, 1), level(102, 3)])
}

/// The same when the topic covers two levels a side.
fn cut() -> OrderBook {
    book(2, &[level(99, 2), level(98, 4)], &[level(101, 1), level(102, 3)])
}

fn figures(walk: Walk) -> (Decimal, Decimal, Option<Decimal>, usize, bool, bool) {
    (walk.size, walk.notional, walk.worst, walk.levels, walk.complete, walk.certain)
}

#[test]
fn walks_take_levels_from_the_best_on() {
    let book = whole();
    let asks = [
        (Until::Size(dec!(0.5)), (dec!(0.5), dec!(50.5), Some(dec!(101)), 1, true, true)),
        (Until::Size(dec!(1)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (Until::Size(dec!(2)), (dec!(2), dec!(203), Some(dec!(102)), 2, true, true)),
        (Until::Size(dec!(5)), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (Until::Size(dec!(0)), (dec!(0), dec!(0), None, 0, true, true)),
        (Until::Notional(dec!(101)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (Until::Notional(dec!(152)), (dec!(1.5), dec!(152), Some(dec!(102)), 2, true, true)),
        (Until::Notional(dec!(500)), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (Until::Notional(Decimal::MAX), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (Until::Price(dec!(100)), (dec!(0), dec!(0), None, 0, true, true)),
        (Until::Price(dec!(101)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (Until::Price(dec!(1000)), (dec!(4), dec!(407), Some(dec!(102)), 2, true, true)),
    ];
    for (until, expected) in asks {
        assert_eq!(figures(book.walk_asks(until).expect("fits")), expected, "{until:?}");
    }
    let walk = book.walk_bids(Until::Price(dec!(98.5))).expect("fits");
    assert_eq!((walk.size, walk.worst, walk.average()), (dec!(2), Some(dec!(99)), Some(dec!(99))));
    let walk = book.walk_bids(Until::Size(dec!(4))).expect("fits");
    assert_eq!((walk.notional, walk.average()), (dec!(394), Some(dec!(98.5))));
    assert_eq!(book.walk_asks(Until::Size(dec!(0))).and_then(|walk| walk.average()), None);
}

#[test]
fn walks_say_when_the_topic_ends_before_the_book() {
    let mut book = cut();
    let ends = |book: &OrderBook, until| {
        let walk = book.walk_asks(until).expect("fits");
        (walk.complete, walk.certain)
    };
    assert_eq!(ends(&book, Until::Size(dec!(4))), (true, true));
    assert_eq!(ends(&book, Until::Size(dec!(5))), (false, false));
    assert_eq!(ends(&book, Until::Notional(dec!(500))), (false, false));
    assert_eq!(ends(&book, Until::Price(dec!(102))), (true, true));
    assert_eq!(ends(&book, Until::Price(dec!(103))), (false, false));
    // 101 goes and 105 is heard of: there may be something between 102 and 105.
    let _ = book.apply(update(2, &[], &[level(101, 0), level(105, 9)]));
    assert_eq!(ends(&book, Until::Size(dec!(3))), (true, true));
    assert_eq!(ends(&book, Until::Size(dec!(4))), (true, false));
}

#[test]
fn nothing_is_said_of_a_book_that_is_not_there() {
    let book = OrderBook::new();
    assert_eq!(book.walk_asks(Until::Size(dec!(1))), None);
    assert_eq!(book.walk_bids(Until::Price(dec!(1))), None);
    assert_eq!((book.mid_price(), book.spread(), book.imbalance(5)), (None, None, None));
    assert_eq!(book.differences([], []), None);
}

#[test]
fn figures_of_a_book() {
    let book = whole();
    assert_eq!((book.mid_price(), book.spread()), (Some(dec!(100)), Some(dec!(2))));
    assert_eq!(book.imbalance(1).map(|value| value.round_dp(4)), Some(dec!(0.3333)));
    assert_eq!(book.imbalance(10), Some(dec!(0.2)));
    assert_eq!(book.imbalance(0), None);
    let sums: Vec<_> = book.cumulative_bids().map(|sum| (sum.size, sum.notional)).collect();
    assert_eq!(sums, [(dec!(2), dec!(198)), (dec!(6), dec!(590))]);
    assert_eq!(book.cumulative_asks().last().map(|sum| sum.level), Some(level(102, 3)));
}

#[test]
fn what_fits_no_decimal_is_no_panic() {
    let huge = Level { price: Decimal::MAX, size: Decimal::MAX };
    let tiny = Level { price: Decimal::MIN, size: Decimal::MAX };
    let book = book(9, &[level(1, 1), tiny], &[level(2, 1), huge]);
    for until in [Until::Size(dec!(2)), Until::Price(Decimal::MAX), Until::Size(Decimal::MIN)] {
        let _ = book.walk_asks(until);
        let _ = book.walk_bids(until);
    }
    assert_eq!(book.walk_bids(Until::Price(Decimal::MIN)), None);
    assert_eq!(book.walk_bids(Until::Notional(dec!(9))), None);
    let walk = book.walk_asks(Until::Notional(dec!(10))).expect("fits");
    assert!(walk.complete && walk.size > dec!(1));
    assert_eq!(book.cumulative_asks().count(), 1);
    assert_eq!(book.imbalance(2), None);
    let book = self::book(9, &[tiny], &[huge]);
    assert_eq!(book.spread(), None);
    assert_eq!(book.imbalance(1), None);
}

#[test]
fn the_longest_decimals_are_not_rounded_away() {
    let half = Level { price: dec!(0.5), size: dec!(0.5) };
    let rest = Level { price: dec!(1), size: Decimal::MAX };
    let book = book(9, &[], &[half, rest]);
    let wanted = dec!(4069789977372778506307125286);
    let wanted = wanted * dec!(10) + dec!(7);
    let walk = book.walk_asks(Until::Size(wanted)).expect("fits");
    assert_eq!((walk.size, walk.complete), (wanted, true));
}

#[test]
fn comparisons_keep_to_what_both_know() {
    let book = cut();
    let rest = |bids: &[Level], asks: &[Level]| {
        book.differences(asks.to_vec(), bids.to_vec()).expect("whole")
    };
    let same = rest(&[level(99, 2), level(98, 4)], &[level(101, 1), level(102, 3)]);
    assert_eq!((same.compared, same.is_empty()), (4, true));
    // Deeper than the book, and less deep.
    let other = rest(&[level(99, 2), level(98, 4), level(97, 1)], &[level(101, 1)]);
    assert_eq!((other.compared, other.is_empty()), (3, true));
    let other = rest(&[level(99, 3), level(98, 4)], &[level(100, 1), level(102, 3)]);
    let difference = |side, price: i64, book: Option<i64>, other: Option<i64>| Difference {
        side,
        price: price.into(),
        book: book.map(Decimal::from),
        other: other.map(Decimal::from),
    };
    let (asks, bids) = (DifferenceSide::Asks, DifferenceSide::Bids);
    let found = [
        difference(asks, 100, None, Some(1)),
        difference(asks, 101, Some(1), None),
        difference(bids, 99, Some(2), Some(3)),
    ];
    assert_eq!(other.found, found);
    assert_eq!(rest(&[], &[]).found.len(), 4, "an empty side is known to be empty");
}

#[test]
fn only_what_stays_wrong_persists() {
    let mut book = cut();
    let rest = [level(99, 5), level(98, 7)];
    let first = book.differences([level(101, 1)], rest).expect("whole");
    assert_eq!(first.found.len(), 2);
    // The update of 99 was on its way; the one of 98 never comes.
    let _ = book.apply(update(2, &[level(99, 6)], &[]));
    let second = book.differences([level(101, 1)], rest).expect("whole");
    let wrong = first.persisting(&second);
    assert_eq!(wrong.found.iter().map(|found| found.price).collect::<Vec<_>>(), [dec!(98)]);
}

proptest! {
    #[test]
    fn walks_agree_with_sums(
        levels in btree_map(1_i64..500, 1_i64..50, 1..20),
        wanted in 0_i64..1_000,
        limit in 0_i64..500,
    ) {
        let asks: Vec<Level> = levels.iter().map(|(price, size)| level(*price, *size)).collect();
        let book = book(50, &[], &asks);
        let (mut size, mut notional) = (0, 0);
        for (price, here) in &levels {
            let taken = (*here).min(wanted - size);
            size += taken;
            notional += taken * price;
        }
        let walk = book.walk_asks(Until::Size(wanted.into())).expect("fits");
        prop_assert_eq!((walk.size, walk.notional), (size.into(), notional.into()));
        prop_assert_eq!(walk.complete, size == wanted);
        let within = || levels.iter().filter(|(price, _)| **price <= limit);
        let walk = book.walk_asks(Until::Price(limit.into())).expect("fits");
        let sum: i64 = within().map(|(_, size)| size).sum();
        prop_assert_eq!((walk.size, walk.levels), (sum.into(), within().count()));
        // As much notional as a size costs buys that size.
        let by_notional = book.walk_asks(Until::Notional(notional.into())).expect("fits");
        prop_assert_eq!((by_notional.size, by_notional.complete), (size.into(), true));
    }

    #[test]
    fn a_changed_level_is_the_difference(
        levels in btree_map(1_i64..500, 1_i64..50, 2..20),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bids: Vec<Level> = levels.iter().map(|(price, size)| level(*price, *size)).collect();
        let book = book(50, &bids, &[]);
        prop_assert!(book.differences([], bids.clone()).expect("whole").is_empty());
        let at = at.index(bids.len());
        bids[at].size += Decimal::ONE;
        let found = book.differences([], bids.clone()).expect("whole").found;
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].price, found[0].other), (bids[at].price, Some(bids[at].size)));
    }
}
