//! Rules of futures orders: one-way mode, changes, countdowns, fill-or-kill.

use super::*;
use crate::tests::futures_order;

#[test]
fn a_sell_in_one_way_mode_closes_the_long_position_and_opens_a_short_one() {
    let mut exchange = quiet();
    exchange.set_one_way(OWNER, true).expect("nothing is open");
    buy_long(&mut exchange, 60_000, 10, Leverage(10), MarginType::Cross);
    assert_eq!(exchange.set_one_way(OWNER, false).err(), Some(Reject::PositionsOpen));
    let reduce = |contracts| futures_order(FuturesSide::CloseLong, Some(60_500), contracts);
    let resting = place(&mut exchange, OWNER, reduce(10));
    assert_eq!(
        exchange.place_futures(OWNER, reduce(1), START_MS).err(),
        Some(Reject::PositionTooSmall),
        "all contracts are reserved"
    );
    place(&mut exchange, OTHER, open_long(Some(60_100), 25));
    place(&mut exchange, OWNER, open_short(Some(60_100), 25));
    assert_eq!((long_size(&exchange), short_size(&exchange)), (d(0), d(15)));
    assert!(!exchange.futures_orders[&resting].open, "it has nothing left to close");
    // In at 600, out at 601, less the fees of 60.0 and 150.25 (maker and taker) and the margin of 90.15.
    let fees: Decimal =
        exchange.futures_fills.iter().filter(|row| row.account == OWNER).map(|row| row.fee).sum();
    assert_eq!(cash(&exchange, OWNER), d(3_001) - fees - Decimal::new(9_015, 2));
}

#[test]
fn a_one_way_order_opens_when_another_order_closed_its_contracts() {
    let mut exchange = quiet();
    exchange.set_one_way(OWNER, true).expect("nothing is open");
    buy_long(&mut exchange, 60_000, 10, Leverage(10), MarginType::Cross);
    let resting = place(&mut exchange, OWNER, open_short(Some(70_000), 10));
    assert_eq!(exchange.futures_orders[&resting].reserved, d(0));
    place(&mut exchange, OTHER, open_long(Some(59_000), 6));
    place(&mut exchange, OWNER, open_short(None, 6));
    let order = &exchange.futures_orders[&resting];
    // Six of ten at 70,000 with leverage 10: 42, and the fee of a taker.
    assert_eq!((order.closes, order.open), (d(4), true));
    assert_eq!(order.reserved, d(42) + Decimal::new(252, 3));
    place(&mut exchange, OTHER, open_long(Some(70_000), 10));
    assert_eq!((long_size(&exchange), short_size(&exchange)), (d(0), d(6)));
}

#[test]
fn an_average_price_is_rounded_down_to_the_decimals_of_the_contract() {
    let mut exchange = quiet();
    let id = place(&mut exchange, OWNER, open_long(Some(60_000), 2));
    let order = exchange.futures_orders.get_mut(&id).expect("an order");
    (order.filled, order.filled_value) = (d(2), Decimal::new(1_200_007, 1));
    assert_eq!(order.truncated_average_price(1), Decimal::new(600_003, 1), "of 60,000.35");
}

#[test]
fn closing_in_one_way_mode_needs_no_margin() {
    let mut exchange = quiet();
    exchange.set_one_way(OWNER, true).expect("nothing is open");
    buy_long(&mut exchange, 60_000, 490, Leverage(10), MarginType::Cross);
    assert!(cash(&exchange, OWNER) < d(50));
    let id = place(&mut exchange, OWNER, open_short(Some(60_000), 490));
    assert_eq!(exchange.futures_orders[&id].reserved, Decimal::ZERO);
    assert!(is_insufficient(&exchange.place_futures(
        OWNER,
        open_short(Some(60_000), 490),
        START_MS
    )));
}

#[test]
fn a_modified_order_moves_and_a_rejected_change_leaves_it_in_its_place() {
    let mut exchange = quiet();
    let id = place(&mut exchange, OWNER, open_long(Some(59_000), 10));
    let frozen = |exchange: &Exchange| exchange.wallet(OWNER, WalletKind::Futures, "USDT").frozen;
    let before = frozen(&exchange);
    assert!(is_insufficient(&exchange.modify_futures(OWNER, id, None, Some(d(10_000)), START_MS)));
    assert_eq!((frozen(&exchange), exchange.futures_orders[&id].request.size), (before, d(10)));
    assert_eq!(exchange.futures["BTCUSDT"].book.best_bid(), Some((d(59_000), d(10))));
    let later = place(&mut exchange, OTHER, open_long(Some(59_000), 1));
    assert!(is_insufficient(&exchange.modify_futures(OWNER, id, None, Some(d(10_000)), START_MS)));
    let queue = exchange.futures["BTCUSDT"].book.matching_orders(
        Side::Sell,
        None,
        AccountId(9),
        SelfTradePrevention::Off,
    );
    assert_eq!(
        queue.map(|row| row.0).collect::<Vec<_>>(),
        [id, later],
        "the order keeps its place"
    );
    exchange.cancel_futures(OTHER, later, START_MS).expect("open");
    assert!(exchange.modify_futures(OWNER, id, Some(d(58_000)), Some(d(20)), START_MS).is_ok());
    assert_eq!(exchange.futures["BTCUSDT"].book.best_bid(), Some((d(58_000), d(20))));
    place(&mut exchange, OTHER, open_short(Some(61_000), 5));
    assert!(exchange.modify_futures(OWNER, id, Some(d(62_000)), None, START_MS).is_ok());
    assert_eq!((long_size(&exchange), exchange.futures_orders[&id].left()), (d(5), d(15)));
    assert_eq!(
        exchange.modify_futures(OWNER, id, None, Some(d(5)), START_MS).err(),
        Some(Reject::SizeNotAboveFilled { filled: d(5) })
    );
    assert_eq!(
        exchange.modify_futures(OTHER, id, None, Some(d(50)), START_MS).err(),
        Some(Reject::UnknownOrder)
    );
}

#[test]
fn a_countdown_cancels_the_orders_of_its_contract_unless_it_was_stopped() {
    let mut exchange = quiet();
    let symbol = "BTCUSDT".into();
    let id = place(&mut exchange, OWNER, open_long(Some(59_000), 10));
    let other = place(&mut exchange, OTHER, open_long(Some(59_000), 10));
    exchange.cancel_after(OWNER, &symbol, Some(START_MS + 5_000));
    exchange.cancel_after(OWNER, &symbol, Some(START_MS + 10_000));
    exchange.cancel_after(OTHER, &symbol, Some(START_MS + 5_000));
    exchange.cancel_after(OTHER, &symbol, None);
    exchange.run_due_tasks(START_MS + 9_999);
    assert!(exchange.futures_orders[&id].open, "the countdown was restarted");
    exchange.run_due_tasks(START_MS + 10_000);
    assert_eq!(
        (exchange.futures_orders[&id].open, exchange.futures_orders[&other].open),
        (false, true)
    );
}

#[test]
fn fill_or_kill_does_not_count_orders_that_its_own_trades_would_cancel() {
    for mode in [OrderMode::FillOrKill, OrderMode::ImmediateOrCancel] {
        let mut exchange = quiet();
        let other = AccountId(3);
        exchange.set_available_balance(other, WalletKind::Futures, &"USDT".into(), d(3_000));
        exchange.set_one_way(OWNER, true).expect("nothing is open");
        buy_long(&mut exchange, 60_000, 10, Leverage(10), MarginType::Cross);
        let reduce = futures_order(FuturesSide::CloseLong, Some(60_200), 10);
        let reduce = place(&mut exchange, OWNER, reduce);
        place(&mut exchange, OWNER, open_short(Some(60_100), 10));
        let order = NewFuturesOrder { mode, ..open_long(Some(60_200), 20) };
        let taker = place(&mut exchange, other, order);
        let filled = exchange.futures_orders[&taker].filled;
        // The first trade closes the position, and with it the reduce-only order ends.
        let is_killed = mode == OrderMode::FillOrKill;
        assert_eq!(filled, if is_killed { d(0) } else { d(10) });
        assert_eq!(exchange.futures_orders[&reduce].open, is_killed);
    }
}

#[test]
fn a_killed_order_with_cancel_both_cancels_the_own_order_that_it_would_match() {
    for (others, self_trade_prevention, open) in [
        (4, SelfTradePrevention::CancelBoth, false),
        (4, SelfTradePrevention::CancelTaker, true),
        // Filled before it reaches the own order.
        (5, SelfTradePrevention::CancelBoth, true),
    ] {
        let mut exchange = quiet();
        place(&mut exchange, OTHER, open_short(Some(60_000), others));
        let own = place(&mut exchange, OWNER, open_short(Some(60_100), 10));
        let mode = OrderMode::FillOrKill;
        let order = NewFuturesOrder { mode, self_trade_prevention, ..open_long(Some(60_200), 5) };
        let taker = place(&mut exchange, OWNER, order);
        let filled = exchange.futures_orders[&taker].filled;
        assert_eq!(
            filled,
            if others < 5 { d(0) } else { d(5) },
            "{self_trade_prevention:?} {others}"
        );
        assert_eq!(exchange.futures_orders[&own].open, open, "{self_trade_prevention:?} {others}");
    }
}

#[test]
fn a_closing_order_has_leverage_and_margin_type_of_its_position() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 10, Leverage(20), MarginType::Isolated);
    let close = futures_order(FuturesSide::CloseLong, Some(70_000), 4);
    let id = place(&mut exchange, OWNER, close);
    let order = &exchange.futures_orders[&id].request;
    assert_eq!((order.leverage, order.margin_type), (20, MarginType::Isolated));
    // Changing how much it closes is reported as a change of the position.
    exchange.take_events();
    assert!(exchange.modify_futures(OWNER, id, None, Some(d(6)), START_MS).is_ok());
    let events = exchange.take_events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::FuturesPosition { side: PositionSide::Long, .. }))
    );
    let position = exchange.accounts[&OWNER].position(&"BTCUSDT".into(), PositionSide::Long);
    assert_eq!(position.map(|position| position.closing), Some(d(6)));
}
