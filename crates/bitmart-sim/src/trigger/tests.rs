//! When trigger orders are triggered.

mod bound;

use rust_decimal::Decimal;

use super::*;
use crate::{
    Command, OperatorCommand, Reject,
    account::WalletKind,
    book::SelfTradePrevention,
    futures_order::{FuturesOrder, FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::NewSpotOrder,
    tests::{START_MS, quiet, spot_order},
};

const ME: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
const SYMBOL: &str = "BTCUSDT";

fn order(side: FuturesSide, price: Option<i64>, size: i64) -> NewFuturesOrder {
    NewFuturesOrder {
        symbol: SYMBOL.into(),
        side,
        price: price.map(Decimal::from),
        size: size.into(),
        mode: OrderMode::GoodTillCanceled,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    }
}

fn reach(price: i64, way: Direction) -> Condition {
    Condition::Reach { price: price.into(), way, by: PriceType::Last }
}

fn new_plan(kind: PlanKind, order: NewFuturesOrder, condition: Condition) -> NewPlan {
    let terms = Plan { kind, order, whole_position: false, preset: Preset::default() };
    NewPlan { client_order_id: None, condition, terms }
}

fn plan(
    exchange: &mut Exchange,
    kind: PlanKind,
    order: NewFuturesOrder,
    when: Condition,
) -> OrderId {
    let id = exchange.submit_plan(ME, new_plan(kind, order, when), START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
    id
}

fn place(exchange: &mut Exchange, account: AccountId, order: NewFuturesOrder) -> OrderId {
    let id = exchange.place_futures(account, order, START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
    id
}

/// A trade of one contract at a price, between two other accounts.
fn trade(exchange: &mut Exchange, price: i64) {
    let (buyer, seller) = (AccountId(8), AccountId(9));
    for account in [buyer, seller] {
        exchange.set_available_balance(
            account,
            WalletKind::Futures,
            &"USDT".into(),
            Decimal::from(1_000_000),
        );
    }
    let (buy, sell) = (FuturesSide::OpenLong, FuturesSide::OpenShort);
    exchange.place_futures(buyer, order(buy, Some(price), 1), START_MS).expect("accepted");
    exchange.place_futures(seller, order(sell, Some(price), 1), START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
}

fn state(exchange: &Exchange, id: OrderId) -> TriggerState {
    exchange.triggers.futures.get(id).expect("kept").state
}

fn placed(exchange: &Exchange, id: OrderId) -> OrderId {
    match state(exchange, id) {
        TriggerState::Placed(order) => order,
        state => panic!("{state:?}"),
    }
}

/// A long position of 5 contracts, bought at 60,000.
fn long(exchange: &mut Exchange) {
    place(exchange, OTHER, order(FuturesSide::OpenShort, Some(60_000), 5));
    place(exchange, ME, order(FuturesSide::OpenLong, Some(60_000), 5));
}

#[test]
fn a_plan_order_is_triggered_once_when_its_price_is_reached() {
    let mut exchange = quiet();
    let buy = order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    trade(&mut exchange, 59_501);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    assert_eq!(
        exchange.wallet(ME, WalletKind::Futures, "USDT").frozen,
        Decimal::ZERO,
        "nothing is frozen"
    );
    trade(&mut exchange, 59_500);
    let order = placed(&exchange, id);
    assert_eq!(exchange.futures_orders[&order].request.price, Some(Decimal::from(59_000)));
    assert_eq!(exchange.futures_orders[&order].request.size, Decimal::TWO);
    for price in [59_600, 59_400] {
        trade(&mut exchange, price);
    }
    assert_eq!(placed(&exchange, id), order);
    assert_eq!(exchange.futures_orders_of(ME).count(), 1);
}

#[test]
fn a_plan_order_for_a_rising_price_ignores_a_falling_one() {
    let mut exchange = quiet();
    let buy = order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = plan(&mut exchange, PlanKind::Plan, buy, reach(60_500, Direction::Rise));
    trade(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    trade(&mut exchange, 60_500);
    placed(&exchange, id);
}

/// One command may move the price to the trigger price and back.
#[test]
fn a_price_of_a_single_trade_triggers_a_plan_order() {
    let mut exchange = quiet();
    let buy = order(FuturesSide::OpenLong, Some(58_000), 1);
    let id = plan(&mut exchange, PlanKind::Plan, buy, reach(59_100, Direction::Fall));
    for price in [59_500, 59_000, 58_500] {
        place(&mut exchange, OTHER, order(FuturesSide::OpenLong, Some(price), 1));
    }
    for (price, size) in [(58_600, 2), (59_900, 1)] {
        let sell = order(FuturesSide::OpenShort, Some(price), size);
        exchange.place_futures(ME, sell, START_MS).expect("accepted");
    }
    let back = order(FuturesSide::OpenLong, None, 1);
    exchange.place_futures(OTHER, back, START_MS).expect("accepted");
    assert_eq!(exchange.futures[SYMBOL].last_price(), Decimal::from(59_900));
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    exchange.run_triggers(START_MS);
    placed(&exchange, id);
}

#[test]
fn a_canceled_plan_order_is_never_triggered() {
    let mut exchange = quiet();
    let buy = order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    let cancel =
        |exchange: &mut Exchange| exchange.cancel_plan(ME, SYMBOL, id, &[PlanKind::Plan], START_MS);
    assert_eq!(cancel(&mut exchange), Ok(()));
    trade(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Canceled);
    assert_eq!(exchange.futures_orders_of(ME).count(), 0);
    assert_eq!(cancel(&mut exchange), Err(Reject::OrderNotOpen));
    let unknown = exchange.cancel_plan(OTHER, SYMBOL, id, &[PlanKind::Plan], START_MS);
    assert_eq!(unknown.expect_err("not theirs"), Reject::UnknownOrder);
}

#[test]
fn a_rejected_order_ends_its_trigger_order() {
    let mut exchange = quiet();
    let close = order(FuturesSide::CloseLong, None, 2);
    let id = plan(&mut exchange, PlanKind::Plan, close, reach(59_500, Direction::Fall));
    exchange.take_events();
    trade(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Rejected);
    let reported = exchange.take_events().into_iter().find_map(|event| match event {
        Event::FuturesPlan { plan, action } => Some((plan.state, action)),
        _ => None,
    });
    assert_eq!(reported, Some((TriggerState::Rejected, FuturesAction::Canceled)));
}

#[test]
fn a_trailing_order_follows_only_after_its_activation() {
    let mut exchange = quiet();
    long(&mut exchange);
    let trail = Trail {
        activation: Decimal::from(61_000),
        callback_rate: Decimal::ONE,
        by: PriceType::Last,
        way: Direction::Rise,
        peak: None,
    };
    let close = order(FuturesSide::CloseLong, None, 5);
    let id = plan(&mut exchange, PlanKind::Trailing, close, Condition::Trail(trail));
    // First 1 % down, before the activation; then up to 62,000, of which 1 % down is 61,380.
    for price in [59_000, 60_999, 61_000, 62_000, 61_381] {
        trade(&mut exchange, price);
        assert_eq!(state(&exchange, id), TriggerState::Waiting, "{price}");
    }
    place(&mut exchange, OTHER, order(FuturesSide::CloseShort, Some(61_300), 5));
    trade(&mut exchange, 61_380);
    let order = placed(&exchange, id);
    let closed = &exchange.futures_orders[&order];
    assert_eq!((closed.filled, closed.open), (Decimal::from(5), false));
}

#[test]
fn a_trailing_buy_follows_a_falling_price_and_is_triggered_by_a_rise() {
    let mut trail = Trail {
        activation: Decimal::ONE_HUNDRED,
        callback_rate: Decimal::TWO,
        by: PriceType::Last,
        way: Direction::Fall,
        peak: None,
    };
    let prices = [101, 100, 103, 50];
    let triggered: Vec<_> = prices.map(|price| trail.follow(Decimal::from(price))).into();
    assert_eq!(triggered, [false, false, true, false]);
    assert!(!trail.follow(Decimal::new(509, 1)) && trail.follow(Decimal::from(51)));
}

#[test]
fn an_algo_order_becomes_an_order_of_the_pair() {
    let mut exchange = quiet();
    let terms = Algo { kind: AlgoKind::Trigger, order: spot_order(true, 0, 0, -2_000, 10) };
    let new = NewAlgo { trigger_price: Decimal::from(59_000), terms };
    let mut submit = || exchange.submit_algo(ME, new.clone(), START_MS).expect("accepted");
    let (id, canceled) = (submit(), submit());
    assert_eq!(exchange.cancel_algo(ME, canceled, START_MS), Ok(()));
    assert_eq!(exchange.cancel_algo(ME, canceled, START_MS), Err(Reject::OrderNotOpen));
    let mut trade = |price: i64| {
        let request = |buy| spot_order(buy, 0, 0, price - 60_000, 1);
        exchange.set_available_balance(OTHER, WalletKind::Spot, &"BTC".into(), Decimal::ONE);
        exchange.place_spot(OTHER, request(true), START_MS).expect("accepted");
        exchange.place_spot(OTHER, request(false), START_MS).expect("accepted");
        exchange.run_triggers(START_MS);
        exchange.triggers.spot.get(id).expect("kept").state
    };
    assert_eq!(trade(59_001), TriggerState::Waiting);
    let TriggerState::Placed(order) = trade(59_000) else { panic!("it was not triggered") };
    assert_eq!(trade(58_900), TriggerState::Placed(order));
    assert_eq!(exchange.spot_orders[&order].request.price, Decimal::from(58_000));
    assert_eq!(exchange.account_mut(ME).spot_orders.all(), [order]);
}

#[test]
fn nothing_is_triggered_in_a_halted_market_until_it_resumes() {
    let mut exchange = quiet();
    let buy = order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    let halt = |exchange: &mut Exchange, halted| {
        let command = OperatorCommand::HaltMarket { symbol: SYMBOL.into(), halted };
        exchange.apply(Command::Operator(command), START_MS).expect("a market");
    };
    halt(&mut exchange, true);
    trade(&mut exchange, 59_500);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    halt(&mut exchange, false);
    placed(&exchange, id);
}

#[test]
fn the_client_order_id_of_a_waiting_algo_order_cannot_be_used_again() {
    let mut exchange = quiet();
    let order =
        || NewSpotOrder { client_order_id: Some("mine".into()), ..spot_order(true, 0, 0, -500, 1) };
    let terms = Algo { kind: AlgoKind::Trigger, order: order() };
    let new = NewAlgo { trigger_price: Decimal::from(59_900), terms };
    let id = exchange.submit_algo(ME, new, START_MS).expect("accepted");
    assert_eq!(
        exchange.place_spot(ME, order(), START_MS).expect_err("taken"),
        Reject::DuplicateClientOrderId
    );
    assert!(
        exchange.place_spot(OTHER, order(), START_MS).is_ok(),
        "client order ids are per account"
    );
    for (account, buys) in [(OTHER, true), (ME, false)] {
        let other = NewSpotOrder { size: Decimal::new(1, 3), ..spot_order(buys, 0, 0, -100, 1) };
        exchange.place_spot(account, other, START_MS).expect("accepted");
    }
    exchange.run_triggers(START_MS);
    let state = exchange.triggers.spot.get(id).expect("kept").state;
    assert!(matches!(state, TriggerState::Placed(_)), "{state:?}");
}
