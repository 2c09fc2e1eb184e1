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
    position::PositionSide,
    reject::Reject,
    tests::{START_MS, open_long, open_short, quiet},
    transfer::{AccountWallet, NewTransfer},
};

/// The account whose position is tested, and the one that it trades with.
const OWNER: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
const HOUR_MS: u64 = 3_600_000;
/// The first settlement of funding after the start: 2023-11-15, 00:00 UTC.
const FIRST_FUNDING_MS: u64 = 1_700_006_400_000;

fn d(amount: i64) -> Decimal {
    Decimal::from(amount)
}

/// Returns how much insurance has paid.
fn paid_by_insurance(exchange: &Exchange) -> Decimal {
    -exchange.ledger.book("USDT", HouseBook::Insurance)
}

fn place(exchange: &mut Exchange, account: AccountId, order: NewFuturesOrder) -> OrderId {
    exchange.place_futures(account, order, START_MS).expect("accepted")
}

struct Leverage(u32);

/// Gives [`OWNER`] a long position, with [`OTHER`] as seller. A contract is 0.001 BTC.
fn buy_long(
    exchange: &mut Exchange,
    price: i64,
    contracts: i64,
    Leverage(leverage): Leverage,
    margin_type: MarginType,
) {
    place(exchange, OTHER, open_short(Some(price), contracts));
    let buy = open_long(Some(price), contracts);
    place(exchange, OWNER, NewFuturesOrder { leverage, margin_type, ..buy });
}

/// Makes a trade at a price, and lets an hour pass in which the mark price reaches it.
fn move_mark_price(exchange: &mut Exchange, price: i64, now_ms: u64) {
    trade_at(exchange, price, now_ms);
    exchange.run_due_tasks(now_ms + HOUR_MS);
}

/// Makes a trade between two further accounts. The mark price follows later.
fn trade_at(exchange: &mut Exchange, price: i64, now_ms: u64) {
    for (account, order) in [(3, open_long(Some(price), 1)), (4, open_short(Some(price), 1))] {
        let (account, currency) = (AccountId(account), "USDT".into());
        exchange.set_available_balance(account, WalletKind::Futures, &currency, d(1_000));
        exchange.place_futures(account, order, now_ms).expect("accepted");
    }
}

/// The available balance without unrealized profit.
fn cash(exchange: &Exchange, account: AccountId) -> Decimal {
    exchange.collateral(account, &"USDT".into()).cash
}

fn long_size(exchange: &Exchange) -> Decimal {
    exchange.position_size(OWNER, &"BTCUSDT".into(), PositionSide::Long)
}

fn short_size(exchange: &Exchange) -> Decimal {
    exchange.position_size(OWNER, &"BTCUSDT".into(), PositionSide::Short)
}

fn long_margin(exchange: &Exchange) -> Decimal {
    let position =
        exchange.accounts[&OWNER].position(&"BTCUSDT".into(), PositionSide::Long).expect("open");
    position.margin(&exchange.ledger)
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
    buy_long(&mut exchange, 60_000, 100, Leverage(100), MarginType::Isolated);
    let before = cash(&exchange, OWNER);
    let price =
        exchange.liquidation_price(OWNER, &"BTCUSDT".into(), PositionSide::Long).expect("a price");
    // 6,000 - 60 of margin must be 0.5 % more than what is left: 5,940 / 0.995 / 0.1 coins.
    assert_eq!(price.round(), d(59_698));
    move_mark_price(&mut exchange, 59_750, START_MS);
    assert_eq!(long_size(&exchange), d(100), "above its liquidation price");
    move_mark_price(&mut exchange, 50_000, START_MS + HOUR_MS);
    assert_eq!((long_size(&exchange), cash(&exchange, OWNER)), (Decimal::ZERO, before));
    assert!(paid_by_insurance(&exchange) > Decimal::ZERO, "the margin did not cover the loss");
    let mut rows = exchange.transactions.iter();
    let loss = rows.find(|row| row.kind == TransactionKind::Liquidation);
    assert!(loss.is_some_and(|row| row.account == OWNER && row.amount < Decimal::ZERO));
}

#[test]
fn positions_in_a_halted_contract_are_not_liquidated_until_it_resumes() {
    for margin_type in [MarginType::Isolated, MarginType::Cross] {
        let mut exchange = quiet();
        buy_long(&mut exchange, 60_000, 100, Leverage(100), margin_type);
        trade_at(&mut exchange, 20_000, START_MS);
        exchange.halt("BTCUSDT", true).expect("a contract");
        exchange.run_due_tasks(START_MS + HOUR_MS);
        assert_eq!(long_size(&exchange), d(100), "{margin_type:?}");
        exchange.halt("BTCUSDT", false).expect("a contract");
        exchange.run_due_tasks(START_MS + 2 * HOUR_MS);
        assert_eq!(long_size(&exchange), d(0), "{margin_type:?}");
    }
}

#[test]
fn liquidation_cancels_orders_first_and_reports_its_orders() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 100, Leverage(100), MarginType::Isolated);
    let close = NewFuturesOrder { side: FuturesSide::CloseLong, ..open_short(Some(70_000), 40) };
    let resting = place(&mut exchange, OWNER, close);
    exchange.take_events();
    move_mark_price(&mut exchange, 50_000, START_MS);
    let reported: Vec<_> = exchange
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::FuturesOrder { order, action, .. } if order.account == OWNER => {
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
    buy_long(&mut exchange, 60_000, 100, Leverage(100), MarginType::Cross);
    move_mark_price(&mut exchange, 40_000, START_MS);
    assert_eq!(long_size(&exchange), d(100), "the wallet backs it");
    // 2,000 are lost of 3,000 less fee; the margin was 60.
    let money = exchange.collateral(OWNER, &"USDT".into());
    assert_eq!(money.equity().round(), d(996));
    assert!(money.available() < d(950));
    // The only bid is far below the price at which the wallet is used up.
    place(&mut exchange, OTHER, open_long(Some(20_000), 100));
    move_mark_price(&mut exchange, 30_000, START_MS + HOUR_MS);
    assert_eq!(long_size(&exchange), Decimal::ZERO);
    assert_eq!(cash(&exchange, OWNER), Decimal::ZERO, "it lost more than it had");
    assert_eq!(paid_by_insurance(&exchange).round(), d(1_005));
}

#[test]
fn unrealized_profit_pays_for_cross_orders_but_not_for_isolated_orders_or_transfers() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 400, Leverage(10), MarginType::Cross);
    let before = cash(&exchange, OWNER);
    move_mark_price(&mut exchange, 63_000, START_MS);
    let money = exchange.collateral(OWNER, &"USDT".into());
    assert_eq!(
        (money.withdrawable(), money.available().round()),
        (before, (before + d(1_200)).round())
    );
    let transfer = |amount| NewTransfer {
        from: AccountWallet { account: OWNER, kind: WalletKind::Futures },
        to: AccountWallet { account: OWNER, kind: WalletKind::Spot },
        currency: "USDT".into(),
        amount,
    };
    assert!(is_insufficient(&exchange.transfer(transfer(before + d(1)), START_MS)));
    let order = |size| open_long(Some(60_000), size);
    // 260 contracts need 1,560 of margin: more than the cash, less than cash and profit.
    assert!(exchange.place_futures(OWNER, order(260), START_MS).is_ok());
    assert!(cash(&exchange, OWNER) < Decimal::ZERO);
    assert!(is_insufficient(&exchange.place_futures(OWNER, order(500), START_MS)));
    assert!(is_insufficient(&exchange.transfer(transfer(d(1)), START_MS)));
}

#[test]
fn unrealized_losses_of_cross_positions_reduce_the_available_balance() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 400, Leverage(10), MarginType::Cross);
    move_mark_price(&mut exchange, 59_000, START_MS);
    let money = exchange.collateral(OWNER, &"USDT".into());
    assert_eq!(money.withdrawable(), money.available());
    assert_eq!(money.available().round_dp(2), (money.cash - d(400)).round_dp(2));
}

#[test]
fn a_contract_has_one_leverage_and_one_margin_type() {
    let mut exchange = quiet();
    let symbol = "BTCUSDT".into();
    assert!(exchange.set_leverage(OWNER, &symbol, 20, MarginType::Isolated).is_ok());
    buy_long(&mut exchange, 60_000, 10, Leverage(20), MarginType::Isolated);
    let order = |leverage, margin_type| NewFuturesOrder {
        leverage,
        margin_type,
        ..open_short(Some(61_000), 1)
    };
    assert_eq!(
        exchange.place_futures(OWNER, order(20, MarginType::Cross), START_MS).err(),
        Some(Reject::MarginTypeMismatch)
    );
    assert_eq!(
        exchange.place_futures(OWNER, order(10, MarginType::Isolated), START_MS).err(),
        Some(Reject::LeverageMismatch)
    );
    assert_eq!(
        exchange.set_leverage(OWNER, &symbol, 10, MarginType::Isolated).err(),
        Some(Reject::LeverageMismatch)
    );
    assert_eq!(
        exchange.set_leverage(OWNER, &symbol, 20, MarginType::Cross).err(),
        Some(Reject::MarginTypeMismatch)
    );
    assert!(exchange.place_futures(OWNER, order(20, MarginType::Isolated), START_MS).is_ok());
    // 9,000 contracts are worth 540,000: too much for a leverage of 100.
    let large = NewFuturesOrder { leverage: 100, ..open_long(Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(OTHER, large, START_MS).err(),
        Some(Reject::LeverageMismatch),
        "the open position has another leverage"
    );
    let large = NewFuturesOrder { leverage: 100, ..open_long(Some(60_000), 9_000) };
    assert_eq!(
        exchange.place_futures(AccountId(5), large, START_MS).err(),
        Some(Reject::LeverageTooHigh)
    );
}

#[test]
fn long_positions_pay_funding_every_eight_hours_at_a_positive_rate() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 100, Leverage(10), MarginType::Isolated);
    let (long, short) = (cash(&exchange, OWNER), cash(&exchange, OTHER));
    // Prices do not move: the premium is 0, and the rate is the interest rate of 0.01 %, on a value of 6,000.
    exchange.run_due_tasks(START_MS + 8 * HOUR_MS);
    let paid = Decimal::new(6, 1);
    assert_eq!(long_margin(&exchange), d(600) - paid, "an isolated position pays from its margin");
    assert_eq!((cash(&exchange, OWNER), cash(&exchange, OTHER)), (long, short + paid));
    let rows: Vec<_> =
        exchange.transactions.iter().filter(|row| row.kind == TransactionKind::Funding).collect();
    assert_eq!(rows.iter().map(|row| row.time_ms).collect::<Vec<_>>(), [FIRST_FUNDING_MS; 2]);
    assert_eq!(
        exchange.futures["BTCUSDT"].funding_rates.past().next(),
        Some((FIRST_FUNDING_MS, Decimal::new(1, 4)))
    );
    // Contract at 61,200 and index at 60,000: 2 % of premium, less the 0.05 % that interest takes off it.
    move_mark_price(&mut exchange, 61_200, START_MS + 8 * HOUR_MS);
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
    for (distance, left) in [(50, d(1_000)), (-50, Decimal::ZERO)] {
        let mut exchange = quiet();
        exchange.set_available_balance(OTHER, WalletKind::Futures, &"USDT".into(), d(100_000));
        buy_long(&mut exchange, 60_000, 1_000, Leverage(100), MarginType::Cross);
        place(&mut exchange, OTHER, open_long(Some(60_000), 400));
        let short = NewFuturesOrder { leverage: 100, ..open_short(Some(60_000), 400) };
        place(&mut exchange, OWNER, short);
        let price_of = |side| exchange.liquidation_price(OWNER, &"BTCUSDT".into(), side);
        assert_eq!(price_of(PositionSide::Long), price_of(PositionSide::Short));
        let price = price_of(PositionSide::Long).expect("a price").round();
        // 2,949.6 behind both; 0.6 coins lose with the price, 1.4 must keep 0.5 % of it: 0.593 coins.
        assert_eq!(price, (d(60_000) - d(2_529_600) / d(593)).round());
        move_mark_price(&mut exchange, i64::try_from(price).expect("whole") + distance, START_MS);
        assert_eq!(long_size(&exchange), left, "{distance}");
        assert_eq!(short_size(&exchange), d(400), "the losing position is closed first");
    }
}

/// The first fill leaves some margin, which pays a part of the loss of the second.
#[test]
fn insurance_pays_only_what_the_whole_margin_does_not_cover() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 10, Leverage(100), MarginType::Isolated);
    let (before, margin) = (cash(&exchange, OWNER), long_margin(&exchange));
    trade_at(&mut exchange, 50_000, START_MS);
    for price in [59_800, 59_000] {
        place(&mut exchange, OTHER, open_long(Some(price), 5));
    }
    exchange.run_due_tasks(START_MS + HOUR_MS);
    assert_eq!((long_size(&exchange), cash(&exchange, OWNER)), (Decimal::ZERO, before));
    let fills =
        exchange.futures_fills.iter().filter(|fill| fill.account == OWNER && !fill.side.opens());
    let result: Decimal = fills.map(|fill| fill.realized - fill.fee).sum();
    assert_eq!(paid_by_insurance(&exchange), -result - margin, "and no more");
}
