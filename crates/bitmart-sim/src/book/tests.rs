//! Priority, self-trade prevention and level totals, on a book of three asks.

use super::*;

const ME: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
/// An account without orders in the book.
const TAKER: AccountId = AccountId(9);

fn d(units: i64) -> Decimal {
    Decimal::from(units)
}

/// Asks in the order in which they trade: 1 of another account and 1 of mine at 100, then 2 at 101.
fn book() -> Book {
    let mut book = Book::default();
    book.rest(Side::Sell, d(101), OrderId(1), OTHER, d(2));
    book.rest(Side::Sell, d(100), OrderId(2), OTHER, d(1));
    book.rest(Side::Sell, d(100), OrderId(3), ME, d(1));
    book
}

#[test]
fn better_price_then_older_order_trades_first() {
    let result =
        book().take(Side::Buy, None, Quantity::Size(d(3)), TAKER, SelfTradePrevention::Off);
    let makers: Vec<_> = result.matches.iter().map(|one| one.maker.0).collect();
    assert_eq!(makers, [2, 3, 1]);
    assert_eq!(result.unmatched, d(0));
}

#[test]
fn limit_stops_at_its_price() {
    let result =
        book().take(Side::Buy, Some(d(100)), Quantity::Size(d(5)), TAKER, SelfTradePrevention::Off);
    assert_eq!((result.matches.len(), result.unmatched), (2, d(3)));
}

#[test]
fn notional_buys_whole_lots_and_leaves_the_rest() {
    // Two lots at 100; 50 are less than a lot at 101.
    let quantity = Quantity::Notional { amount: d(250), lot: d(1) };
    let result = book().take(Side::Buy, None, quantity, TAKER, SelfTradePrevention::Off);
    assert_eq!((result.matches.len(), result.unmatched), (2, d(50)));
}

#[test]
fn self_trade_prevention_removes_the_chosen_orders() {
    let buy_with = |policy| book().take(Side::Buy, None, Quantity::Size(d(3)), ME, policy);
    let maker = buy_with(SelfTradePrevention::CancelMaker);
    assert_eq!((maker.removed.len(), maker.matches.len(), maker.stopped), (1, 2, false));
    let taker = buy_with(SelfTradePrevention::CancelTaker);
    assert_eq!((taker.removed.len(), taker.matches.len(), taker.stopped), (0, 1, true));
    let both = buy_with(SelfTradePrevention::CancelBoth);
    assert_eq!((both.removed.len(), both.matches.len(), both.stopped), (1, 1, true));
    assert_eq!(buy_with(SelfTradePrevention::Off).matches.len(), 3);
}

#[test]
fn matching_orders_are_those_that_a_taker_would_trade_with() {
    fn sum(matching: impl Iterator<Item = (OrderId, Decimal)>) -> Decimal {
        matching.map(|row| row.1).sum()
    }
    let mine = |policy| sum(book().matching_orders(Side::Buy, None, ME, policy));
    assert_eq!(mine(SelfTradePrevention::Off), d(4));
    assert_eq!(mine(SelfTradePrevention::CancelMaker), d(3));
    // The own order is second and stops the taker.
    assert_eq!(
        (mine(SelfTradePrevention::CancelTaker), mine(SelfTradePrevention::CancelBoth)),
        (d(1), d(1))
    );
    let limit = Some(d(100));
    assert_eq!(
        sum(book().matching_orders(Side::Buy, limit, OTHER, SelfTradePrevention::CancelMaker)),
        d(1)
    );
}

#[test]
fn highest_match_price_ignores_own_orders() {
    let highest = |size, account| book().highest_match_price(Side::Buy, None, d(size), account);
    assert_eq!(highest(2, TAKER), Some(d(100)));
    assert_eq!(highest(2, ME), Some(d(101)));
    assert_eq!(highest(1, OTHER), Some(d(100)));
    assert_eq!(book().highest_match_price(Side::Buy, Some(d(99)), d(1), ME), None);
}

#[test]
fn level_totals_follow_trades_and_removals() {
    let mut book = book();
    assert!(book.remove(OrderId(2)));
    assert!(!book.remove(OrderId(2)));
    assert_eq!(book.levels(Side::Sell, 9), [(d(100), d(1)), (d(101), d(2))]);
    book.take(Side::Buy, None, Quantity::Size(d(2)), OTHER, SelfTradePrevention::Off);
    assert_eq!(book.levels(Side::Sell, 9), [(d(101), d(1))]);
}
