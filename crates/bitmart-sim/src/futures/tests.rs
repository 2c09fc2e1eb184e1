//! Single rules of futures: brackets, margin modes, one-way mode, funding, liquidation.

use rust_decimal::Decimal;

use super::{flows::FlowKind, margin::brackets};
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::Purse,
    book::{SelfTrade, Side},
    futures_order::{FuturesSide, Mode, NewFuturesOrder, Origin},
    ledger::House,
    reject::Reject,
    tests::{START_MS, futures_order, quiet},
    transfer::{End, NewTransfer},
};

const ONE: AccountId = AccountId(1);
const TWO: AccountId = AccountId(2);
const HOUR_MS: u64 = 3_600_000;

fn d(amount: i64) -> Decimal {
    Decimal::from(amount)
}

/// What insurance has paid.
fn insured(exchange: &Exchange) -> Decimal {
    -exchange.ledger.house("USDT", House::Insurance)
}

fn place(exchange: &mut Exchange, account: AccountId, order: NewFuturesOrder) -> OrderId {
    exchange.place_futures(account, order, START_MS).expect("accepted")
}

/// The first account buys from the second, at the price and with the leverage that are given.
fn trade(exchange: &mut Exchange, price: i64, size: i64, leverage: u32, isolated: bool) {
    let order =
        |buys| NewFuturesOrder { leverage, isolated, ..futures_order(buys, Some(price), size) };
    place(exchange, TWO, NewFuturesOrder { leverage: 10, isolated: false, ..order(false) });
    place(exchange, ONE, order(true));
}

/// Lets the mark price reach a price.
fn mark_at(exchange: &mut Exchange, price: i64, now_ms: u64) {
    last_at(exchange, price, now_ms);
    exchange.settle_due(now_ms + HOUR_MS);
}

/// A trade at a price, which the mark price does not follow yet.
fn last_at(exchange: &mut Exchange, price: i64, now_ms: u64) {
    let order = |buys| NewFuturesOrder {
        leverage: 10,
        isolated: false,
        ..futures_order(buys, Some(price), 1)
    };
    for (account, buys) in [(3, true), (4, false)] {
        exchange.grant(AccountId(account), Purse::Futures, &"USDT".into(), d(1_000));
        exchange.place_futures(AccountId(account), order(buys), now_ms).expect("accepted");
    }
}

fn cash(exchange: &Exchange, account: AccountId) -> Decimal {
    exchange.collateral(account, &"USDT".into()).cash
}

fn size(exchange: &Exchange, account: AccountId, long: bool) -> Decimal {
    let owner = &exchange.accounts[&account];
    owner.position(&"BTCUSDT".into(), long).map_or(Decimal::ZERO, |position| position.size)
}

/// Whether a wallet holds too little.
fn is_short<T>(result: &Result<T, Reject>) -> bool {
    matches!(result, Err(Reject::InsufficientBalance { .. }))
}

/// Leverage, ratio and deduction are those of the published sample; values are 50 times its.
#[test]
fn brackets_are_those_of_the_published_sample() {
    let rows = brackets(50);
    let sample = [
        (50, "0.01", "0"),
        (25, "0.02", "100"),
        (20, "0.025", "600"),
        (16, "0.03125", "1850"),
        (10, "0.05", "9350"),
        (8, "0.0625", "18100"),
        (5, "0.1", "59350"),
        (4, "0.125", "99350"),
        (2, "0.25", "374350"),
        (1, "0.5", "1099350"),
    ];
    for (row, (leverage, ratio, cum)) in rows.iter().zip(sample) {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!(
            (row.leverage, row.ratio, row.cum),
            (leverage, number(ratio), number(cum) * d(50))
        );
    }
    assert_eq!((rows.len(), rows[9].floor, rows[9].cap), (10, d(145_000_000), d(185_000_000)));
    let small = brackets(2);
    assert_eq!(small.iter().map(|row| row.leverage).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(small[1].floor, small[0].cap);
}

#[test]
fn an_isolated_position_is_liquidated_with_its_margin_and_nothing_else() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, true);
    let before = cash(&exchange, ONE);
    let price = exchange.liquidation_price(ONE, &"BTCUSDT".into(), true).expect("a price");
    // 6,000 - 60 of margin must be 0.5 % more than what is left: 5,940 / 0.995 / 0.1 coins.
    assert_eq!(price.round(), d(59_698));
    mark_at(&mut exchange, 59_750, START_MS);
    assert_eq!(size(&exchange, ONE, true), d(100), "above its liquidation price");
    mark_at(&mut exchange, 50_000, START_MS + HOUR_MS);
    assert_eq!((size(&exchange, ONE, true), cash(&exchange, ONE)), (Decimal::ZERO, before));
    assert!(insured(&exchange) > Decimal::ZERO, "the margin did not cover the loss");
    let clearance = exchange.flows.iter().find(|flow| flow.kind == FlowKind::Liquidation);
    assert!(clearance.is_some_and(|flow| flow.account == ONE && flow.amount < Decimal::ZERO));
}

/// Without a book the house takes the position over; its order says so.
#[test]
fn nothing_is_liquidated_in_a_halted_contract_until_it_goes_on() {
    for isolated in [true, false] {
        let mut exchange = quiet();
        trade(&mut exchange, 60_000, 100, 100, isolated);
        last_at(&mut exchange, 20_000, START_MS);
        exchange.halt("BTCUSDT", true).expect("a contract");
        exchange.settle_due(START_MS + HOUR_MS);
        assert_eq!(size(&exchange, ONE, true), d(100), "isolated {isolated}");
        exchange.halt("BTCUSDT", false).expect("a contract");
        exchange.settle_due(START_MS + 2 * HOUR_MS);
        assert_eq!(size(&exchange, ONE, true), d(0), "isolated {isolated}");
    }
}

#[test]
fn liquidation_cancels_orders_first_and_tells_what_it_did() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, true);
    let close =
        NewFuturesOrder { side: FuturesSide::CloseLong, ..futures_order(false, Some(70_000), 40) };
    let resting = place(&mut exchange, ONE, close);
    exchange.take_events();
    mark_at(&mut exchange, 50_000, START_MS);
    let told: Vec<_> = exchange
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::FuturesOrder { order, action, .. } if order.account == ONE => {
                Some((order.id == resting, order.origin, action))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            (true, Origin::Customer, FuturesAction::CancelledByLiquidation),
            (false, Origin::Liquidation, FuturesAction::Submitted),
            (false, Origin::Liquidation, FuturesAction::Cancelled),
            (false, Origin::Bankruptcy, FuturesAction::Submitted),
            (false, Origin::Bankruptcy, FuturesAction::Bankrupt),
        ]
    );
}

#[test]
fn cross_positions_stand_together_with_the_wallet() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, false);
    mark_at(&mut exchange, 40_000, START_MS);
    assert_eq!(size(&exchange, ONE, true), d(100), "the wallet stands behind it");
    // 2,000 are lost of 3,000 less fee; the margin was 60.
    let money = exchange.collateral(ONE, &"USDT".into());
    assert_eq!(money.equity().round(), d(996));
    assert!(money.available() < d(950));
    // The only bid is far below the price at which the wallet is used up.
    place(&mut exchange, TWO, futures_order(true, Some(20_000), 100));
    mark_at(&mut exchange, 30_000, START_MS + HOUR_MS);
    assert_eq!(size(&exchange, ONE, true), Decimal::ZERO);
    assert_eq!(cash(&exchange, ONE), Decimal::ZERO, "it lost more than it had");
    assert_eq!(insured(&exchange).round(), d(1_005));
}

#[test]
fn profit_pays_for_cross_orders_but_neither_for_isolated_ones_nor_for_transfers() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 400, 10, false);
    let before = cash(&exchange, ONE);
    mark_at(&mut exchange, 63_000, START_MS);
    let money = exchange.collateral(ONE, &"USDT".into());
    assert_eq!(
        (money.withdrawable(), money.available().round()),
        (before, (before + d(1_200)).round())
    );
    let transfer = |amount| NewTransfer {
        from: End { account: ONE, purse: Purse::Futures },
        to: End { account: ONE, purse: Purse::Spot },
        currency: "USDT".into(),
        amount,
    };
    assert!(is_short(&exchange.transfer(transfer(before + d(1)), START_MS)));
    let order = |size| futures_order(true, Some(60_000), size);
    // 260 contracts need 1,560 of margin: more than the cash, less than cash and profit.
    assert!(exchange.place_futures(ONE, order(260), START_MS).is_ok());
    assert!(cash(&exchange, ONE) < Decimal::ZERO);
    assert!(is_short(&exchange.place_futures(ONE, order(500), START_MS)));
    assert!(is_short(&exchange.transfer(transfer(d(1)), START_MS)));
}

#[test]
fn what_a_cross_position_lost_cannot_be_spent() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 400, 10, false);
    mark_at(&mut exchange, 59_000, START_MS);
    let money = exchange.collateral(ONE, &"USDT".into());
    assert_eq!(money.withdrawable(), money.available());
    assert_eq!(money.available().round_dp(2), (money.cash - d(400)).round_dp(2));
}

#[test]
fn leverage_and_margin_mode_are_one_per_contract() {
    let mut exchange = quiet();
    let symbol = "BTCUSDT".into();
    assert!(exchange.set_leverage(ONE, &symbol, 20, true).is_ok());
    trade(&mut exchange, 60_000, 10, 20, true);
    let order = |leverage, isolated| NewFuturesOrder {
        leverage,
        isolated,
        ..futures_order(false, Some(61_000), 1)
    };
    assert_eq!(
        exchange.place_futures(ONE, order(20, false), START_MS).err(),
        Some(Reject::MarginModeDiffers)
    );
    assert_eq!(
        exchange.place_futures(ONE, order(10, true), START_MS).err(),
        Some(Reject::LeverageDiffers)
    );
    assert_eq!(exchange.set_leverage(ONE, &symbol, 10, true).err(), Some(Reject::LeverageDiffers));
    assert_eq!(
        exchange.set_leverage(ONE, &symbol, 20, false).err(),
        Some(Reject::MarginModeDiffers)
    );
    assert!(exchange.place_futures(ONE, order(20, true), START_MS).is_ok());
    // 9,000 contracts are worth 540,000: too much for a leverage of 100.
    let large = NewFuturesOrder { leverage: 100, ..futures_order(true, Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(TWO, large, START_MS).err(),
        Some(Reject::LeverageDiffers),
        "of the open position"
    );
    let large = NewFuturesOrder { leverage: 100, ..futures_order(true, Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(AccountId(5), large, START_MS).err(),
        Some(Reject::LeverageTooHigh)
    );
}

#[test]
fn a_sell_in_one_way_mode_closes_the_long_position_and_opens_a_short_one() {
    let mut exchange = quiet();
    exchange.set_one_way(ONE, true).expect("nothing is open");
    trade(&mut exchange, 60_000, 10, 10, false);
    assert_eq!(exchange.set_one_way(ONE, false).err(), Some(Reject::PositionsOpen));
    let reduce = |size| NewFuturesOrder {
        side: FuturesSide::CloseLong,
        ..futures_order(false, Some(60_500), size)
    };
    let resting = place(&mut exchange, ONE, reduce(10));
    assert_eq!(
        exchange.place_futures(ONE, reduce(1), START_MS).err(),
        Some(Reject::PositionTooSmall),
        "all are promised"
    );
    place(&mut exchange, TWO, futures_order(true, Some(60_100), 25));
    place(&mut exchange, ONE, futures_order(false, Some(60_100), 25));
    assert_eq!((size(&exchange, ONE, true), size(&exchange, ONE, false)), (d(0), d(15)));
    assert!(!exchange.futures_orders[&resting].open, "it has nothing left to close");
    // In at 600, out at 601, less the fees of 60.0 and 150.25 (maker and taker) and the margin of 90.15.
    let fees: Decimal =
        exchange.futures_fills.iter().filter(|row| row.account == ONE).map(|row| row.fee).sum();
    assert_eq!(cash(&exchange, ONE), d(3_001) - fees - Decimal::new(9_015, 2));
}

#[test]
fn a_one_way_order_opens_what_another_one_closed_first() {
    let mut exchange = quiet();
    exchange.set_one_way(ONE, true).expect("nothing is open");
    trade(&mut exchange, 60_000, 10, 10, false);
    let resting = place(&mut exchange, ONE, futures_order(false, Some(70_000), 10));
    assert_eq!(exchange.futures_orders[&resting].reserved, d(0));
    place(&mut exchange, TWO, futures_order(true, Some(59_000), 6));
    place(&mut exchange, ONE, futures_order(false, None, 6));
    let order = &exchange.futures_orders[&resting];
    // Six of ten at 70,000 with leverage 10: 42, and the fee of a taker.
    assert_eq!((order.closes, order.open), (d(4), true));
    assert_eq!(order.reserved, d(42) + Decimal::new(252, 3));
    place(&mut exchange, TWO, futures_order(true, Some(70_000), 10));
    assert_eq!((size(&exchange, ONE, true), size(&exchange, ONE, false)), (d(0), d(6)));
}

#[test]
fn an_average_price_is_cut_to_the_decimals_of_the_contract() {
    let mut exchange = quiet();
    let id = place(&mut exchange, ONE, futures_order(true, Some(60_000), 2));
    let order = exchange.futures_orders.get_mut(&id).expect("an order");
    (order.filled, order.filled_value) = (d(2), Decimal::new(1_200_007, 1));
    assert_eq!(order.told_average(1), Decimal::new(600_003, 1), "of 60,000.35");
}

/// The promise of a position frees a plain order from margin, in one-way mode.
#[test]
fn closing_in_one_way_mode_needs_no_margin() {
    let mut exchange = quiet();
    exchange.set_one_way(ONE, true).expect("nothing is open");
    trade(&mut exchange, 60_000, 490, 10, false);
    assert!(cash(&exchange, ONE) < d(50));
    let id = place(&mut exchange, ONE, futures_order(false, Some(60_000), 490));
    assert_eq!(exchange.futures_orders[&id].reserved, Decimal::ZERO);
    assert!(is_short(&exchange.place_futures(
        ONE,
        futures_order(false, Some(60_000), 490),
        START_MS
    )));
}

#[test]
fn funding_is_paid_every_eight_hours_by_the_side_that_the_premium_is_for() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 10, true);
    let (long, short) = (cash(&exchange, ONE), cash(&exchange, TWO));
    // Nothing moves: the premium is 0 and the rate the interest of 0.01 %, of a value of 6,000.
    exchange.settle_due(START_MS + 8 * HOUR_MS);
    let owner = &exchange.accounts[&ONE];
    let margin =
        owner.position(&"BTCUSDT".into(), true).expect("a position").margin(&exchange.ledger);
    assert_eq!(margin, d(600) - Decimal::new(6, 1), "an isolated position pays from its margin");
    assert_eq!((cash(&exchange, ONE), cash(&exchange, TWO)), (long, short + Decimal::new(6, 1)));
    let rows: Vec<_> = exchange.flows.iter().filter(|row| row.kind == FlowKind::Funding).collect();
    assert_eq!(rows.iter().map(|row| row.time_ms).collect::<Vec<_>>(), [1_700_006_400_000; 2]);
    assert_eq!(
        exchange.futures["BTCUSDT"].rates.past().next(),
        Some((1_700_006_400_000, Decimal::new(1, 4)))
    );
    // Contract at 61,200 and index at 60,000: 2 % of premium, less the 0.05 % that interest takes off it.
    mark_at(&mut exchange, 61_200, START_MS + 8 * HOUR_MS);
    exchange.settle_due(START_MS + 80 * HOUR_MS);
    assert_eq!(exchange.futures["BTCUSDT"].rates.last().round_dp(6), Decimal::new(195, 4));
}

#[test]
fn a_modified_order_moves_and_stays_as_it_was_when_that_is_refused() {
    let mut exchange = quiet();
    let id = place(&mut exchange, ONE, futures_order(true, Some(59_000), 10));
    let frozen = |exchange: &Exchange| exchange.wallet(ONE, Purse::Futures, "USDT").frozen;
    let before = frozen(&exchange);
    assert!(is_short(&exchange.modify_futures(ONE, id, None, Some(d(10_000)), START_MS)));
    assert_eq!((frozen(&exchange), exchange.futures_orders[&id].request.size), (before, d(10)));
    assert_eq!(exchange.futures["BTCUSDT"].book.best_bid(), Some((d(59_000), d(10))));
    let later = place(&mut exchange, TWO, futures_order(true, Some(59_000), 1));
    assert!(is_short(&exchange.modify_futures(ONE, id, None, Some(d(10_000)), START_MS)));
    let queue =
        exchange.futures["BTCUSDT"].book.met_by(Side::Sell, None, AccountId(9), SelfTrade::Allow);
    assert_eq!(queue.map(|row| row.0).collect::<Vec<_>>(), [id, later], "where it was");
    exchange.cancel_futures(TWO, later, START_MS).expect("open");
    assert!(exchange.modify_futures(ONE, id, Some(d(58_000)), Some(d(20)), START_MS).is_ok());
    assert_eq!(exchange.futures["BTCUSDT"].book.best_bid(), Some((d(58_000), d(20))));
    place(&mut exchange, TWO, futures_order(false, Some(61_000), 5));
    assert!(exchange.modify_futures(ONE, id, Some(d(62_000)), None, START_MS).is_ok());
    assert_eq!((size(&exchange, ONE, true), exchange.futures_orders[&id].left()), (d(5), d(15)));
    assert_eq!(
        exchange.modify_futures(ONE, id, None, Some(d(5)), START_MS).err(),
        Some(Reject::SizeNotAboveFilled { filled: d(5) })
    );
    assert_eq!(
        exchange.modify_futures(TWO, id, None, Some(d(50)), START_MS).err(),
        Some(Reject::UnknownOrder)
    );
}

#[test]
fn a_countdown_cancels_the_orders_of_its_contract_unless_it_is_stopped() {
    let mut exchange = quiet();
    let symbol = "BTCUSDT".into();
    let id = place(&mut exchange, ONE, futures_order(true, Some(59_000), 10));
    let other = place(&mut exchange, TWO, futures_order(true, Some(59_000), 10));
    exchange.cancel_after(ONE, &symbol, Some(START_MS + 5_000));
    exchange.cancel_after(ONE, &symbol, Some(START_MS + 10_000));
    exchange.cancel_after(TWO, &symbol, Some(START_MS + 5_000));
    exchange.cancel_after(TWO, &symbol, None);
    exchange.settle_due(START_MS + 9_999);
    assert!(exchange.futures_orders[&id].open, "it was started anew");
    exchange.settle_due(START_MS + 10_000);
    assert_eq!(
        (exchange.futures_orders[&id].open, exchange.futures_orders[&other].open),
        (false, true)
    );
}

/// In one-way mode a sell that opens may close what a later sell was to close, which is cancelled then.
#[test]
fn fill_or_kill_does_not_count_on_orders_that_its_own_trades_would_cancel() {
    for fok in [true, false] {
        let mut exchange = quiet();
        let other = AccountId(3);
        exchange.grant(other, Purse::Futures, &"USDT".into(), d(3_000));
        exchange.set_one_way(ONE, true).expect("nothing is open");
        trade(&mut exchange, 60_000, 10, 10, false);
        let reduce = NewFuturesOrder {
            side: FuturesSide::CloseLong,
            ..futures_order(false, Some(60_200), 10)
        };
        let reduce = place(&mut exchange, ONE, reduce);
        place(&mut exchange, ONE, futures_order(false, Some(60_100), 10));
        let mode = if fok { Mode::FillOrKill } else { Mode::ImmediateOrCancel };
        let order = NewFuturesOrder { mode, ..futures_order(true, Some(60_200), 20) };
        let taker = place(&mut exchange, other, order);
        let filled = exchange.futures_orders[&taker].filled;
        assert_eq!(filled, if fok { d(0) } else { d(10) });
        assert_eq!(exchange.futures_orders[&reduce].open, fok);
    }
}

#[test]
fn a_killed_order_that_cancels_both_takes_the_own_order_that_it_meets_with_it() {
    for (others, stp, open) in [
        (4, SelfTrade::CancelBoth, false),
        (4, SelfTrade::CancelTaker, true),
        // Filled before it meets the own one.
        (5, SelfTrade::CancelBoth, true),
    ] {
        let mut exchange = quiet();
        place(&mut exchange, TWO, futures_order(false, Some(60_000), others));
        let own = place(&mut exchange, ONE, futures_order(false, Some(60_100), 10));
        let mode = Mode::FillOrKill;
        let order = NewFuturesOrder { mode, stp, ..futures_order(true, Some(60_200), 5) };
        let taker = place(&mut exchange, ONE, order);
        let filled = exchange.futures_orders[&taker].filled;
        assert_eq!(filled, if others < 5 { d(0) } else { d(5) }, "{stp:?} {others}");
        assert_eq!(exchange.futures_orders[&own].open, open, "{stp:?} {others}");
    }
}

#[test]
fn a_closing_order_has_leverage_and_margin_mode_of_its_position() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 10, 20, true);
    let close =
        NewFuturesOrder { side: FuturesSide::CloseLong, ..futures_order(false, Some(70_000), 4) };
    let id = place(&mut exchange, ONE, close);
    let order = &exchange.futures_orders[&id].request;
    assert_eq!((order.leverage, order.isolated), (20, true));
    // Changing how much it closes is told of the position.
    exchange.take_events();
    assert!(exchange.modify_futures(ONE, id, None, Some(d(6)), START_MS).is_ok());
    let told = exchange.take_events();
    assert!(told.iter().any(|event| matches!(event, Event::FuturesPosition { long: true, .. })));
    let position = exchange.accounts[&ONE].position(&"BTCUSDT".into(), true);
    assert_eq!(position.map(|position| position.closing), Some(d(6)));
}

/// Long 1,000 and short 400 of the same contract: the loss of one is the gain of the other.
#[test]
fn both_directions_of_a_cross_account_are_liquidated_at_the_price_that_is_shown() {
    for (off, left) in [(50, d(1_000)), (-50, Decimal::ZERO)] {
        let mut exchange = quiet();
        exchange.grant(TWO, Purse::Futures, &"USDT".into(), d(100_000));
        trade(&mut exchange, 60_000, 1_000, 100, false);
        place(&mut exchange, TWO, futures_order(true, Some(60_000), 400));
        let short = NewFuturesOrder { leverage: 100, ..futures_order(false, Some(60_000), 400) };
        place(&mut exchange, ONE, short);
        let shown = |long| exchange.liquidation_price(ONE, &"BTCUSDT".into(), long);
        assert_eq!(shown(true), shown(false));
        let price = shown(true).expect("a price").round();
        // 2,949.6 behind both; 0.6 coins lose with the price, 1.4 must keep 0.5 % of it: 0.593 coins.
        assert_eq!(price, (d(60_000) - d(2_529_600) / d(593)).round());
        mark_at(&mut exchange, i64::try_from(price).expect("whole") + off, START_MS);
        assert_eq!(size(&exchange, ONE, true), left, "{off}");
        assert_eq!(
            size(&exchange, ONE, false),
            d(400),
            "what wins is not closed before what loses"
        );
    }
}
