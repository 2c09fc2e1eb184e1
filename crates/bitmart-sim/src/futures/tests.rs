//! Rules of futures: brackets, margin types, one-way mode, funding, liquidation.

mod brackets;
mod orders;

use rust_decimal::Decimal;

use super::{margin::brackets, transactions::TransactionKind};
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode, Origin},
    ledger::HouseBook,
    reject::Reject,
    tests::{START_MS, futures_order, quiet},
    transfer::{AccountWallet, NewTransfer},
};

const ONE: AccountId = AccountId(1);
const TWO: AccountId = AccountId(2);
const HOUR_MS: u64 = 3_600_000;

fn d(amount: i64) -> Decimal {
    Decimal::from(amount)
}

/// Returns how much insurance has paid.
fn insured(exchange: &Exchange) -> Decimal {
    -exchange.ledger.book("USDT", HouseBook::Insurance)
}

fn place(exchange: &mut Exchange, account: AccountId, order: NewFuturesOrder) -> OrderId {
    exchange.place_futures(account, order, START_MS).expect("accepted")
}

/// Account 1 buys from account 2.
fn trade(exchange: &mut Exchange, price: i64, size: i64, leverage: u32, margin_type: MarginType) {
    let order =
        |buys| NewFuturesOrder { leverage, margin_type, ..futures_order(buys, Some(price), size) };
    place(
        exchange,
        TWO,
        NewFuturesOrder { leverage: 10, margin_type: MarginType::Cross, ..order(false) },
    );
    place(exchange, ONE, order(true));
}

/// Moves the mark price to a price.
fn mark_at(exchange: &mut Exchange, price: i64, now_ms: u64) {
    last_at(exchange, price, now_ms);
    exchange.run_due_tasks(now_ms + HOUR_MS);
}

/// Makes a trade at a price. The mark price follows later.
fn last_at(exchange: &mut Exchange, price: i64, now_ms: u64) {
    let order = |buys| NewFuturesOrder {
        leverage: 10,
        margin_type: MarginType::Cross,
        ..futures_order(buys, Some(price), 1)
    };
    for (account, buys) in [(3, true), (4, false)] {
        exchange.set_available_balance(
            AccountId(account),
            WalletKind::Futures,
            &"USDT".into(),
            d(1_000),
        );
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

/// Whether a wallet has an insufficient balance.
fn is_insufficient<T>(result: &Result<T, Reject>) -> bool {
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
fn a_liquidated_isolated_position_loses_only_its_margin() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, MarginType::Isolated);
    let before = cash(&exchange, ONE);
    let price = exchange.liquidation_price(ONE, &"BTCUSDT".into(), true).expect("a price");
    // 6,000 - 60 of margin must be 0.5 % more than what is left: 5,940 / 0.995 / 0.1 coins.
    assert_eq!(price.round(), d(59_698));
    mark_at(&mut exchange, 59_750, START_MS);
    assert_eq!(size(&exchange, ONE, true), d(100), "above its liquidation price");
    mark_at(&mut exchange, 50_000, START_MS + HOUR_MS);
    assert_eq!((size(&exchange, ONE, true), cash(&exchange, ONE)), (Decimal::ZERO, before));
    assert!(insured(&exchange) > Decimal::ZERO, "the margin did not cover the loss");
    let clearance =
        exchange.transactions.iter().find(|flow| flow.kind == TransactionKind::Liquidation);
    assert!(clearance.is_some_and(|flow| flow.account == ONE && flow.amount < Decimal::ZERO));
}

#[test]
fn positions_in_a_halted_contract_are_not_liquidated_until_it_resumes() {
    for margin_type in [MarginType::Isolated, MarginType::Cross] {
        let mut exchange = quiet();
        trade(&mut exchange, 60_000, 100, 100, margin_type);
        last_at(&mut exchange, 20_000, START_MS);
        exchange.halt("BTCUSDT", true).expect("a contract");
        exchange.run_due_tasks(START_MS + HOUR_MS);
        assert_eq!(size(&exchange, ONE, true), d(100), "{margin_type:?}");
        exchange.halt("BTCUSDT", false).expect("a contract");
        exchange.run_due_tasks(START_MS + 2 * HOUR_MS);
        assert_eq!(size(&exchange, ONE, true), d(0), "{margin_type:?}");
    }
}

#[test]
fn liquidation_cancels_orders_first_and_reports_its_orders() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, MarginType::Isolated);
    let close =
        NewFuturesOrder { side: FuturesSide::CloseLong, ..futures_order(false, Some(70_000), 40) };
    let resting = place(&mut exchange, ONE, close);
    exchange.take_events();
    mark_at(&mut exchange, 50_000, START_MS);
    let reported: Vec<_> = exchange
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
        reported,
        [
            (true, Origin::Customer, FuturesAction::CanceledByLiquidation),
            (false, Origin::Liquidation, FuturesAction::Submitted),
            (false, Origin::Liquidation, FuturesAction::Canceled),
            (false, Origin::Bankruptcy, FuturesAction::Submitted),
            (false, Origin::Bankruptcy, FuturesAction::Bankrupt),
        ]
    );
}

#[test]
fn the_wallet_backs_cross_positions() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 100, MarginType::Cross);
    mark_at(&mut exchange, 40_000, START_MS);
    assert_eq!(size(&exchange, ONE, true), d(100), "the wallet backs it");
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
fn unrealized_profit_pays_for_cross_orders_but_not_for_isolated_orders_or_transfers() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 400, 10, MarginType::Cross);
    let before = cash(&exchange, ONE);
    mark_at(&mut exchange, 63_000, START_MS);
    let money = exchange.collateral(ONE, &"USDT".into());
    assert_eq!(
        (money.withdrawable(), money.available().round()),
        (before, (before + d(1_200)).round())
    );
    let transfer = |amount| NewTransfer {
        from: AccountWallet { account: ONE, kind: WalletKind::Futures },
        to: AccountWallet { account: ONE, kind: WalletKind::Spot },
        currency: "USDT".into(),
        amount,
    };
    assert!(is_insufficient(&exchange.transfer(transfer(before + d(1)), START_MS)));
    let order = |size| futures_order(true, Some(60_000), size);
    // 260 contracts need 1,560 of margin: more than the cash, less than cash and profit.
    assert!(exchange.place_futures(ONE, order(260), START_MS).is_ok());
    assert!(cash(&exchange, ONE) < Decimal::ZERO);
    assert!(is_insufficient(&exchange.place_futures(ONE, order(500), START_MS)));
    assert!(is_insufficient(&exchange.transfer(transfer(d(1)), START_MS)));
}

#[test]
fn unrealized_losses_of_cross_positions_reduce_the_available_balance() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 400, 10, MarginType::Cross);
    mark_at(&mut exchange, 59_000, START_MS);
    let money = exchange.collateral(ONE, &"USDT".into());
    assert_eq!(money.withdrawable(), money.available());
    assert_eq!(money.available().round_dp(2), (money.cash - d(400)).round_dp(2));
}

#[test]
fn a_contract_has_one_leverage_and_one_margin_type() {
    let mut exchange = quiet();
    let symbol = "BTCUSDT".into();
    assert!(exchange.set_leverage(ONE, &symbol, 20, MarginType::Isolated).is_ok());
    trade(&mut exchange, 60_000, 10, 20, MarginType::Isolated);
    let order = |leverage, margin_type| NewFuturesOrder {
        leverage,
        margin_type,
        ..futures_order(false, Some(61_000), 1)
    };
    assert_eq!(
        exchange.place_futures(ONE, order(20, MarginType::Cross), START_MS).err(),
        Some(Reject::MarginTypeMismatch)
    );
    assert_eq!(
        exchange.place_futures(ONE, order(10, MarginType::Isolated), START_MS).err(),
        Some(Reject::LeverageMismatch)
    );
    assert_eq!(
        exchange.set_leverage(ONE, &symbol, 10, MarginType::Isolated).err(),
        Some(Reject::LeverageMismatch)
    );
    assert_eq!(
        exchange.set_leverage(ONE, &symbol, 20, MarginType::Cross).err(),
        Some(Reject::MarginTypeMismatch)
    );
    assert!(exchange.place_futures(ONE, order(20, MarginType::Isolated), START_MS).is_ok());
    // 9,000 contracts are worth 540,000: too much for a leverage of 100.
    let large = NewFuturesOrder { leverage: 100, ..futures_order(true, Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(TWO, large, START_MS).err(),
        Some(Reject::LeverageMismatch),
        "the open position has another leverage"
    );
    let large = NewFuturesOrder { leverage: 100, ..futures_order(true, Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(AccountId(5), large, START_MS).err(),
        Some(Reject::LeverageTooHigh)
    );
}

#[test]
fn long_positions_pay_funding_every_eight_hours_at_a_positive_rate() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 100, 10, MarginType::Isolated);
    let (long, short) = (cash(&exchange, ONE), cash(&exchange, TWO));
    // Prices do not move: the premium is 0, and the rate is the interest rate of 0.01 %, on a value of 6,000.
    exchange.run_due_tasks(START_MS + 8 * HOUR_MS);
    let owner = &exchange.accounts[&ONE];
    let margin =
        owner.position(&"BTCUSDT".into(), true).expect("a position").margin(&exchange.ledger);
    assert_eq!(margin, d(600) - Decimal::new(6, 1), "an isolated position pays from its margin");
    assert_eq!((cash(&exchange, ONE), cash(&exchange, TWO)), (long, short + Decimal::new(6, 1)));
    let rows: Vec<_> =
        exchange.transactions.iter().filter(|row| row.kind == TransactionKind::Funding).collect();
    assert_eq!(rows.iter().map(|row| row.time_ms).collect::<Vec<_>>(), [1_700_006_400_000; 2]);
    assert_eq!(
        exchange.futures["BTCUSDT"].funding_rates.past().next(),
        Some((1_700_006_400_000, Decimal::new(1, 4)))
    );
    // Contract at 61,200 and index at 60,000: 2 % of premium, less the 0.05 % that interest takes off it.
    mark_at(&mut exchange, 61_200, START_MS + 8 * HOUR_MS);
    exchange.run_due_tasks(START_MS + 80 * HOUR_MS);
    assert_eq!(exchange.futures["BTCUSDT"].funding_rates.last().round_dp(6), Decimal::new(195, 4));
    let times: Vec<u64> =
        exchange.futures["BTCUSDT"].funding_rates.past().map(|(time_ms, _)| time_ms).collect();
    assert!(times.len() >= 9, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 8 * HOUR_MS), "{times:?}");
}

/// Long 1,000 and short 400 contracts: the loss of one position is the profit of the other.
#[test]
fn long_and_short_cross_positions_are_liquidated_at_the_reported_price() {
    for (off, left) in [(50, d(1_000)), (-50, Decimal::ZERO)] {
        let mut exchange = quiet();
        exchange.set_available_balance(TWO, WalletKind::Futures, &"USDT".into(), d(100_000));
        trade(&mut exchange, 60_000, 1_000, 100, MarginType::Cross);
        place(&mut exchange, TWO, futures_order(true, Some(60_000), 400));
        let short = NewFuturesOrder { leverage: 100, ..futures_order(false, Some(60_000), 400) };
        place(&mut exchange, ONE, short);
        let price_of = |long| exchange.liquidation_price(ONE, &"BTCUSDT".into(), long);
        assert_eq!(price_of(true), price_of(false));
        let price = price_of(true).expect("a price").round();
        // 2,949.6 behind both; 0.6 coins lose with the price, 1.4 must keep 0.5 % of it: 0.593 coins.
        assert_eq!(price, (d(60_000) - d(2_529_600) / d(593)).round());
        mark_at(&mut exchange, i64::try_from(price).expect("whole") + off, START_MS);
        assert_eq!(size(&exchange, ONE, true), left, "{off}");
        assert_eq!(size(&exchange, ONE, false), d(400), "the losing position is closed first");
    }
}

/// The first fill leaves some margin, which pays a part of the loss of the second.
#[test]
fn insurance_pays_only_what_the_whole_margin_does_not_cover() {
    let mut exchange = quiet();
    trade(&mut exchange, 60_000, 10, 100, MarginType::Isolated);
    let (before, margin) = (cash(&exchange, ONE), margin_of(&exchange));
    last_at(&mut exchange, 50_000, START_MS);
    for price in [59_800, 59_000] {
        let buy = futures_order(true, Some(price), 5);
        place(
            &mut exchange,
            TWO,
            NewFuturesOrder { leverage: 10, margin_type: MarginType::Cross, ..buy },
        );
    }
    exchange.run_due_tasks(START_MS + HOUR_MS);
    assert_eq!((size(&exchange, ONE, true), cash(&exchange, ONE)), (Decimal::ZERO, before));
    let fills =
        exchange.futures_fills.iter().filter(|fill| fill.account == ONE && !fill.side.opens());
    let result: Decimal = fills.map(|fill| fill.realized - fill.fee).sum();
    assert_eq!(insured(&exchange), -result - margin, "and no more");
}

fn margin_of(exchange: &Exchange) -> Decimal {
    let position = exchange.accounts[&ONE].position(&"BTCUSDT".into(), true).expect("open");
    position.margin(&exchange.ledger)
}
