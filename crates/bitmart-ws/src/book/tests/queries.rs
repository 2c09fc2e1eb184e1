//! Sweeps, statistics and comparisons.

use bitmart_types::{Decimal, dec};
use proptest::{collection::btree_map, prelude::*};

use super::{level, snapshot, update};
use crate::book::{Difference, DifferenceSide, OrderBook, Sweep, SweepLimit};
use crate::event::Level;

fn book(limit: usize, bids: &[Level], asks: &[Level]) -> OrderBook {
    let mut book = OrderBook::with_limit(limit);
    let _ = book.apply(snapshot(1, bids, asks));
    assert!(book.is_synchronized());
    book
}

/// Bids of 4 at 98 and 2 at 99, asks of 1 at 101 and 3 at 102, which are all levels.
fn complete_book() -> OrderBook {
    book(10, &[level(99, 2), level(98, 4)], &[level(101, 1), level(102, 3)])
}

/// The same levels with a limit of two levels a side.
fn limited_book() -> OrderBook {
    book(2, &[level(99, 2), level(98, 4)], &[level(101, 1), level(102, 3)])
}

fn values(sweep: Sweep) -> (Decimal, Decimal, Option<Decimal>, usize, bool, bool) {
    (sweep.size, sweep.notional, sweep.worst_price, sweep.levels, sweep.complete, sweep.exact)
}

#[test]
fn sweeps_start_at_the_best_price() {
    let book = complete_book();
    let asks = [
        (SweepLimit::Size(dec!(0.5)), (dec!(0.5), dec!(50.5), Some(dec!(101)), 1, true, true)),
        (SweepLimit::Size(dec!(1)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (SweepLimit::Size(dec!(2)), (dec!(2), dec!(203), Some(dec!(102)), 2, true, true)),
        (SweepLimit::Size(dec!(5)), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (SweepLimit::Size(dec!(0)), (dec!(0), dec!(0), None, 0, true, true)),
        (SweepLimit::Notional(dec!(101)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (SweepLimit::Notional(dec!(152)), (dec!(1.5), dec!(152), Some(dec!(102)), 2, true, true)),
        (SweepLimit::Notional(dec!(500)), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (SweepLimit::Notional(Decimal::MAX), (dec!(4), dec!(407), Some(dec!(102)), 2, false, true)),
        (SweepLimit::Price(dec!(100)), (dec!(0), dec!(0), None, 0, true, true)),
        (SweepLimit::Price(dec!(101)), (dec!(1), dec!(101), Some(dec!(101)), 1, true, true)),
        (SweepLimit::Price(dec!(1000)), (dec!(4), dec!(407), Some(dec!(102)), 2, true, true)),
    ];
    for (limit, expected) in asks {
        assert_eq!(values(book.sweep_asks(limit).expect("fits")), expected, "{limit:?}");
    }
    let sweep = book.sweep_bids(SweepLimit::Price(dec!(98.5))).expect("fits");
    assert_eq!(
        (sweep.size, sweep.worst_price, sweep.average_price()),
        (dec!(2), Some(dec!(99)), Some(dec!(99)))
    );
    let sweep = book.sweep_bids(SweepLimit::Size(dec!(4))).expect("fits");
    assert_eq!((sweep.notional, sweep.average_price()), (dec!(394), Some(dec!(98.5))));
    assert_eq!(
        book.sweep_asks(SweepLimit::Size(dec!(0))).and_then(|sweep| sweep.average_price()),
        None
    );
}

#[test]
fn sweeps_report_where_the_topic_ends() {
    let mut book = limited_book();
    let flags = |book: &OrderBook, limit| {
        let sweep = book.sweep_asks(limit).expect("fits");
        (sweep.complete, sweep.exact)
    };
    assert_eq!(flags(&book, SweepLimit::Size(dec!(4))), (true, true));
    assert_eq!(flags(&book, SweepLimit::Size(dec!(5))), (false, false));
    assert_eq!(flags(&book, SweepLimit::Notional(dec!(500))), (false, false));
    assert_eq!(flags(&book, SweepLimit::Price(dec!(102))), (true, true));
    assert_eq!(flags(&book, SweepLimit::Price(dec!(103))), (false, false));
    // 101 is removed and 105 is sent: there may be levels between 102 and 105.
    let _ = book.apply(update(2, &[], &[level(101, 0), level(105, 9)]));
    assert_eq!(flags(&book, SweepLimit::Size(dec!(3))), (true, true));
    assert_eq!(flags(&book, SweepLimit::Size(dec!(4))), (true, false));
}

#[test]
fn a_resyncing_book_has_no_statistics() {
    let book = OrderBook::new();
    assert_eq!(book.sweep_asks(SweepLimit::Size(dec!(1))), None);
    assert_eq!(book.sweep_bids(SweepLimit::Price(dec!(1))), None);
    assert_eq!((book.mid_price(), book.spread(), book.imbalance(5)), (None, None, None));
    assert_eq!(book.differences([], []), None);
}

#[test]
fn calculates_statistics() {
    let book = complete_book();
    assert_eq!((book.mid_price(), book.spread()), (Some(dec!(100)), Some(dec!(2))));
    assert_eq!(book.imbalance(1).map(|value| value.round_dp(4)), Some(dec!(0.3333)));
    assert_eq!(book.imbalance(10), Some(dec!(0.2)));
    assert_eq!(book.imbalance(0), None);
    let sums: Vec<_> = book.cumulative_bids().map(|sum| (sum.size, sum.notional)).collect();
    assert_eq!(sums, [(dec!(2), dec!(198)), (dec!(6), dec!(590))]);
    assert_eq!(book.cumulative_asks().last().map(|sum| sum.level), Some(level(102, 3)));
}

#[test]
fn overflow_does_not_panic() {
    let huge = Level { price: Decimal::MAX, size: Decimal::MAX };
    let tiny = Level { price: Decimal::MIN, size: Decimal::MAX };
    let book = book(9, &[level(1, 1), tiny], &[level(2, 1), huge]);
    for limit in
        [SweepLimit::Size(dec!(2)), SweepLimit::Price(Decimal::MAX), SweepLimit::Size(Decimal::MIN)]
    {
        let _ = book.sweep_asks(limit);
        let _ = book.sweep_bids(limit);
    }
    assert_eq!(book.sweep_bids(SweepLimit::Price(Decimal::MIN)), None);
    assert_eq!(book.sweep_bids(SweepLimit::Notional(dec!(9))), None);
    let sweep = book.sweep_asks(SweepLimit::Notional(dec!(10))).expect("fits");
    assert!(sweep.complete && sweep.size > dec!(1));
    assert_eq!(book.cumulative_asks().count(), 1);
    assert_eq!(book.imbalance(2), None);
    let book = self::book(9, &[tiny], &[huge]);
    assert_eq!(book.spread(), None);
    assert_eq!(book.imbalance(1), None);
}

#[test]
fn sweeps_of_long_decimals_reach_their_target() {
    let half = Level { price: dec!(0.5), size: dec!(0.5) };
    let rest = Level { price: dec!(1), size: Decimal::MAX };
    let book = book(9, &[], &[half, rest]);
    let target = dec!(4069789977372778506307125286);
    let target = target * dec!(10) + dec!(7);
    let sweep = book.sweep_asks(SweepLimit::Size(target)).expect("fits");
    assert_eq!((sweep.size, sweep.complete), (target, true));
}

#[test]
fn compares_only_prices_that_both_sources_cover() {
    let book = limited_book();
    let rest = |bids: &[Level], asks: &[Level]| {
        book.differences(asks.to_vec(), bids.to_vec()).expect("synchronized")
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
    assert_eq!(other.differences, found);
    assert_eq!(rest(&[], &[]).differences.len(), 4, "a side without levels counts as empty");
}

#[test]
fn only_repeated_differences_persist() {
    let mut book = limited_book();
    let rest = [level(99, 5), level(98, 7)];
    let first = book.differences([level(101, 1)], rest).expect("synchronized");
    assert_eq!(first.differences.len(), 2);
    // The update of 99 was in flight; that of 98 never arrives.
    let _ = book.apply(update(2, &[level(99, 6)], &[]));
    let second = book.differences([level(101, 1)], rest).expect("synchronized");
    let wrong = first.persisting(&second);
    assert_eq!(wrong.differences.iter().map(|found| found.price).collect::<Vec<_>>(), [dec!(98)]);
}

proptest! {
    #[test]
    fn sweeps_agree_with_sums(
        levels in btree_map(1_i64..500, 1_i64..50, 1..20),
        target in 0_i64..1_000,
        limit in 0_i64..500,
    ) {
        let asks: Vec<Level> = levels.iter().map(|(price, size)| level(*price, *size)).collect();
        let book = book(50, &[], &asks);
        let (mut size, mut notional) = (0, 0);
        for (price, here) in &levels {
            let taken = (*here).min(target - size);
            size += taken;
            notional += taken * price;
        }
        let sweep = book.sweep_asks(SweepLimit::Size(target.into())).expect("fits");
        prop_assert_eq!((sweep.size, sweep.notional), (size.into(), notional.into()));
        prop_assert_eq!(sweep.complete, size == target);
        let within = || levels.iter().filter(|(price, _)| **price <= limit);
        let sweep = book.sweep_asks(SweepLimit::Price(limit.into())).expect("fits");
        let sum: i64 = within().map(|(_, size)| size).sum();
        prop_assert_eq!((sweep.size, sweep.levels), (sum.into(), within().count()));
        // A sweep up to the notional of a size has that size.
        let by_notional = book.sweep_asks(SweepLimit::Notional(notional.into())).expect("fits");
        prop_assert_eq!((by_notional.size, by_notional.complete), (size.into(), true));
    }

    #[test]
    fn a_changed_level_is_a_difference(
        levels in btree_map(1_i64..500, 1_i64..50, 2..20),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bids: Vec<Level> = levels.iter().map(|(price, size)| level(*price, *size)).collect();
        let book = book(50, &bids, &[]);
        prop_assert!(book.differences([], bids.clone()).expect("synchronized").is_empty());
        let at = at.index(bids.len());
        bids[at].size += Decimal::ONE;
        let found = book.differences([], bids.clone()).expect("synchronized").differences;
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].price, found[0].other), (bids[at].price, Some(bids[at].size)));
    }
}
