//! When trigger orders are triggered.

mod take_profit_stop_loss;

use rust_decimal::Decimal;

use super::*;
use crate::{
    Command, OperatorCommand, Reject,
    account::WalletKind,
    futures_order::{FuturesOrder, FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::NewSpotOrder,
    tests::{START_MS, futures_order, limit_buy, limit_sell, quiet},
};

const ME: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
const SYMBOL: &str = "BTCUSDT";

fn reach(price: i64, direction: Direction) -> Condition {
    Condition::Reach { price: price.into(), direction, price_type: PriceType::Last }
}

fn new_plan(kind: PlanKind, order: NewFuturesOrder, condition: Condition) -> NewPlan {
    let terms = Plan { kind, order, whole_position: false, preset: Preset::default() };
    NewPlan { client_order_id: None, condition, terms }
}

/// Submits a trigger order and checks it against the current prices.
fn submit_plan(
    exchange: &mut Exchange,
    kind: PlanKind,
    order: NewFuturesOrder,
    condition: Condition,
) -> OrderId {
    let new = new_plan(kind, order, condition);
    let id = exchange.submit_plan(ME, new, START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
    id
}

fn place(exchange: &mut Exchange, account: AccountId, order: NewFuturesOrder) -> OrderId {
    let id = exchange.place_futures(account, order, START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
    id
}

/// Makes a trade of one contract between two further accounts.
fn trade_at(exchange: &mut Exchange, price: i64) {
    let (buyer, seller) = (AccountId(8), AccountId(9));
    let (currency, money) = ("USDT".into(), Decimal::from(1_000_000));
    for (account, side) in [(buyer, FuturesSide::OpenLong), (seller, FuturesSide::OpenShort)] {
        exchange.set_available_balance(account, WalletKind::Futures, &currency, money);
        let order = futures_order(side, Some(price), 1);
        exchange.place_futures(account, order, START_MS).expect("accepted");
    }
    exchange.run_triggers(START_MS);
}

fn state(exchange: &Exchange, id: OrderId) -> TriggerState {
    exchange.triggers.futures.get(id).expect("kept").state
}

/// Returns the order that a trigger order has placed.
fn placed_order(exchange: &Exchange, id: OrderId) -> OrderId {
    match state(exchange, id) {
        TriggerState::Placed(order) => order,
        state => panic!("{state:?}"),
    }
}

/// Gives [`ME`] a long position of 5 contracts, bought at 60,000.
fn buy_five_long(exchange: &mut Exchange) {
    place(exchange, OTHER, futures_order(FuturesSide::OpenShort, Some(60_000), 5));
    place(exchange, ME, futures_order(FuturesSide::OpenLong, Some(60_000), 5));
}

#[test]
fn a_plan_order_is_triggered_once_when_its_price_is_reached() {
    let mut exchange = quiet();
    let buy = futures_order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    trade_at(&mut exchange, 59_501);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    assert_eq!(
        exchange.wallet(ME, WalletKind::Futures, "USDT").frozen,
        Decimal::ZERO,
        "nothing is frozen"
    );
    trade_at(&mut exchange, 59_500);
    let order = placed_order(&exchange, id);
    assert_eq!(exchange.futures_orders[&order].request.price, Some(Decimal::from(59_000)));
    assert_eq!(exchange.futures_orders[&order].request.size, Decimal::TWO);
    for price in [59_600, 59_400] {
        trade_at(&mut exchange, price);
    }
    assert_eq!(placed_order(&exchange, id), order);
    assert_eq!(exchange.futures_orders_of(ME).count(), 1);
}

#[test]
fn a_plan_order_for_a_rising_price_ignores_a_falling_one() {
    let mut exchange = quiet();
    let buy = futures_order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(60_500, Direction::Rise));
    trade_at(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    trade_at(&mut exchange, 60_500);
    placed_order(&exchange, id);
}

/// One command may move the price to the trigger price and back.
#[test]
fn a_price_of_a_single_trade_triggers_a_plan_order() {
    let mut exchange = quiet();
    let buy = futures_order(FuturesSide::OpenLong, Some(58_000), 1);
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(59_100, Direction::Fall));
    for price in [59_500, 59_000, 58_500] {
        place(&mut exchange, OTHER, futures_order(FuturesSide::OpenLong, Some(price), 1));
    }
    for (price, size) in [(58_600, 2), (59_900, 1)] {
        let sell = futures_order(FuturesSide::OpenShort, Some(price), size);
        exchange.place_futures(ME, sell, START_MS).expect("accepted");
    }
    let back = futures_order(FuturesSide::OpenLong, None, 1);
    exchange.place_futures(OTHER, back, START_MS).expect("accepted");
    assert_eq!(exchange.futures[SYMBOL].last_price(), Decimal::from(59_900));
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    exchange.run_triggers(START_MS);
    placed_order(&exchange, id);
}

#[test]
fn a_canceled_plan_order_is_never_triggered() {
    let mut exchange = quiet();
    let buy = futures_order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    let cancel =
        |exchange: &mut Exchange| exchange.cancel_plan(ME, SYMBOL, id, &[PlanKind::Plan], START_MS);
    assert_eq!(cancel(&mut exchange), Ok(()));
    trade_at(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Canceled);
    assert_eq!(exchange.futures_orders_of(ME).count(), 0);
    assert_eq!(cancel(&mut exchange), Err(Reject::OrderNotOpen));
    let unknown = exchange.cancel_plan(OTHER, SYMBOL, id, &[PlanKind::Plan], START_MS);
    assert_eq!(unknown.expect_err("not theirs"), Reject::UnknownOrder);
}

#[test]
fn a_rejected_order_ends_its_trigger_order() {
    let mut exchange = quiet();
    let close = futures_order(FuturesSide::CloseLong, None, 2);
    let id = submit_plan(&mut exchange, PlanKind::Plan, close, reach(59_500, Direction::Fall));
    exchange.take_events();
    trade_at(&mut exchange, 59_000);
    assert_eq!(state(&exchange, id), TriggerState::Rejected);
    let reported = exchange.take_events().into_iter().find_map(|event| match event {
        Event::FuturesPlan { plan, action } => Some((plan.state, action)),
        _ => None,
    });
    assert_eq!(reported, Some((TriggerState::Rejected, FuturesAction::Canceled)));
}

/// A trailing order that closes five contracts, 1 % below the highest price since 61,000 was reached.
fn submit_trailing_close(exchange: &mut Exchange) -> OrderId {
    let trail = Trail {
        activation: Decimal::from(61_000),
        callback_rate: Decimal::ONE,
        price_type: PriceType::Last,
        direction: Direction::Rise,
        extreme: None,
    };
    let close = futures_order(FuturesSide::CloseLong, None, 5);
    submit_plan(exchange, PlanKind::Trailing, close, Condition::Trail(trail))
}

#[test]
fn a_trailing_order_follows_only_after_its_activation() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let id = submit_trailing_close(&mut exchange);
    // First 1 % down, before the activation; then up to 62,000, of which 1 % down is 61,380.
    for price in [59_000, 60_999, 61_000, 62_000, 61_381] {
        trade_at(&mut exchange, price);
        assert_eq!(state(&exchange, id), TriggerState::Waiting, "{price}");
    }
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(61_300), 5));
    trade_at(&mut exchange, 61_380);
    let order = placed_order(&exchange, id);
    let closed = &exchange.futures_orders[&order];
    assert_eq!((closed.filled, closed.open), (Decimal::from(5), false));
}

#[test]
fn a_trailing_order_cannot_be_changed() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let id = submit_trailing_close(&mut exchange);
    let change = PlanChange {
        trigger_price: Decimal::from(62_000),
        price_type: PriceType::Last,
        price: None,
        whole_position: None,
    };
    let kinds = [PlanKind::Trailing];
    assert_eq!(
        exchange.change_plan(ME, SYMBOL, id, &kinds, change, START_MS),
        Err(Reject::ConditionMismatch)
    );
}

#[test]
fn a_trailing_buy_follows_a_falling_price_and_is_triggered_by_a_rise() {
    let mut trail = Trail {
        activation: Decimal::ONE_HUNDRED,
        callback_rate: Decimal::TWO,
        price_type: PriceType::Last,
        direction: Direction::Fall,
        extreme: None,
    };
    let prices = [101, 100, 103, 50];
    let triggered: Vec<_> = prices.map(|price| trail.follow(Decimal::from(price))).into();
    assert_eq!(triggered, [false, false, true, false]);
    assert!(!trail.follow(Decimal::new(509, 1)) && trail.follow(Decimal::from(51)));
}

#[test]
fn an_algo_order_becomes_an_order_of_the_pair() {
    let mut exchange = quiet();
    let terms = Algo { kind: AlgoKind::Trigger, order: limit_buy(58_000, 10) };
    let new = NewAlgo { trigger_price: Decimal::from(59_000), terms };
    let mut submit = || exchange.submit_algo(ME, new.clone(), START_MS).expect("accepted");
    let (id, canceled) = (submit(), submit());
    assert_eq!(exchange.cancel_algo(ME, canceled, START_MS), Ok(()));
    assert_eq!(exchange.cancel_algo(ME, canceled, START_MS), Err(Reject::OrderNotOpen));
    let mut trade = |price: i64| {
        exchange.set_available_balance(OTHER, WalletKind::Spot, &"BTC".into(), Decimal::ONE);
        exchange.place_spot(OTHER, limit_buy(price, 1), START_MS).expect("accepted");
        exchange.place_spot(OTHER, limit_sell(price, 1), START_MS).expect("accepted");
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
    let buy = futures_order(FuturesSide::OpenLong, Some(59_000), 2);
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(59_500, Direction::Fall));
    let halt = |exchange: &mut Exchange, halted| {
        let command = OperatorCommand::HaltMarket { symbol: SYMBOL.into(), halted };
        exchange.apply(Command::Operator(command), START_MS).expect("a market");
    };
    halt(&mut exchange, true);
    trade_at(&mut exchange, 59_500);
    assert_eq!(state(&exchange, id), TriggerState::Waiting);
    halt(&mut exchange, false);
    placed_order(&exchange, id);
}

#[test]
fn the_client_order_id_of_a_waiting_algo_order_cannot_be_used_again() {
    let mut exchange = quiet();
    let order = || NewSpotOrder { client_order_id: Some("mine".into()), ..limit_buy(59_500, 1) };
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
    // A trade at the trigger price.
    for (account, order) in [(OTHER, limit_buy(59_900, 1)), (ME, limit_sell(59_900, 1))] {
        exchange.place_spot(account, order, START_MS).expect("accepted");
    }
    exchange.run_triggers(START_MS);
    let state = exchange.triggers.spot.get(id).expect("kept").state;
    assert!(matches!(state, TriggerState::Placed(_)), "{state:?}");
}
