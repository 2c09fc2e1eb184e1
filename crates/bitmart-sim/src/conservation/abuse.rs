//! Sequences of commands by which somebody could gain money, a place in the queue, or something that a rule forbids.

mod futures;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    checks::{check, check_fills, check_frozen},
    steps::START_MS,
};
use crate::{
    AccountId, Command, Exchange, FuturesRequest, OrderId, Reject, Setup, SpotPair, SpotRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::NewFuturesOrder,
    spot_order::{NewSpotOrder, SpotOrderState, SpotOrderType},
    tests::{limit_buy, limit_sell, market_buy, open_long, with_prevention},
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanKind, Preset, PriceType,
        TriggerState,
    },
};

fn quiet() -> Exchange {
    let setup = Setup::new().account(AccountId(1)).account(AccountId(2)).account(AccountId(3));
    let setup = setup.spot_balance("USDT", Decimal::from(30_000));
    Exchange::new(
        &setup.futures_balance("USDT", Decimal::from(3_000)).without_market_maker(),
        START_MS,
    )
}

/// Applies a request of a customer, checks the exchange, and returns the number of what was created.
fn apply(
    exchange: &mut Exchange,
    account: u32,
    request: impl Into<crate::Request>,
) -> Result<u64, Reject> {
    let command = Command::Customer { account: AccountId(account), request: request.into() };
    let outcome = exchange.apply(command, START_MS);
    let checks = [check, check_frozen, check_fills];
    checks.iter().try_for_each(|check| check(exchange)).expect("money is where it belongs");
    outcome.map(|outcome| outcome.number().unwrap_or_default())
}

fn spot(exchange: &mut Exchange, account: u32, order: NewSpotOrder) -> Result<OrderId, Reject> {
    apply(exchange, account, SpotRequest::Place(order)).map(OrderId)
}

fn place_futures(
    exchange: &mut Exchange,
    account: u32,
    order: NewFuturesOrder,
) -> Result<OrderId, Reject> {
    let place = FuturesRequest::Place { order, preset: Preset::default() };
    apply(exchange, account, place).map(OrderId)
}

/// A limit order for a plan that triggers at once.
fn plan(kind: PlanKind, order: NewFuturesOrder) -> NewPlan {
    let condition = Condition::Reach {
        price: Decimal::ONE,
        direction: Direction::Rise,
        price_type: PriceType::Last,
    };
    let terms = Plan { kind, order, whole_position: false, preset: Preset::default() };
    NewPlan { client_order_id: None, condition, terms }
}

/// A number that is some units of the eighth decimal above or below a whole one.
fn near(
    whole: std::ops::Range<i64>,
    units: std::ops::Range<i64>,
) -> impl Strategy<Value = Decimal> {
    (whole, units).prop_map(|(whole, units)| Decimal::from(whole) + Decimal::new(units, 8))
}

proptest! {
    #![proptest_config(super::cases(200))]

    /// The value of a huge order has more digits than a number can hold. Its fills must not cost more than it has
    /// frozen. These prices and sizes make values that are a little below one with 8 decimals.
    #[test]
    fn the_fills_of_a_huge_order_cost_at_most_what_it_has_frozen(
        price in near(1_000_000..2_000_000, 1..5),
        sizes in proptest::collection::vec(near(8_000_000..9_000_000, -4..0), 2..5),
    ) {
        let pair = SpotPair::new("BIG", "USDT", 8, 8, Decimal::from(1_000_000));
        let setup = Setup::new().pairs([pair]).contracts([]).without_market_maker();
        let setup = setup.account(AccountId(1)).account(AccountId(2));
        let rich = Decimal::from(1_000_000_000_000_000_i64);
        let setup = setup.spot_balance("USDT", rich).spot_balance("BIG", rich);
        let mut exchange = Exchange::new(&setup, START_MS);
        let order = |side, size| NewSpotOrder::limit("BIG_USDT", side, size, price);
        let buy = spot(&mut exchange, 1, order(Side::Buy, sizes.iter().sum()));
        let buy = buy.expect("accepted");
        // It has no other money.
        exchange.set_available_balance(
            AccountId(1), WalletKind::Spot, &"USDT".into(), Decimal::ZERO,
        );
        for size in &sizes {
            spot(&mut exchange, 2, order(Side::Sell, *size)).expect("accepted");
        }
        let order = exchange.spot_order(buy).expect("kept");
        prop_assert_eq!((order.state, order.reserved), (SpotOrderState::Filled, Decimal::ZERO));
    }
}

#[test]
fn a_client_order_id_has_a_character() {
    let mut exchange = quiet();
    let empty = || Some("".into());
    let order = NewSpotOrder { client_order_id: empty(), ..limit_buy(59_991, 1) };
    let rejected = Err(Reject::InvalidClientOrderId);
    assert_eq!(spot(&mut exchange, 1, order.clone()), rejected);
    let terms = Algo { kind: AlgoKind::Trigger, order };
    let algo = NewAlgo { trigger_price: Decimal::from(50_000), terms };
    assert_eq!(
        apply(&mut exchange, 1, SpotRequest::PlaceTrigger(algo)),
        Err(Reject::InvalidClientOrderId)
    );
    let order = NewFuturesOrder { client_order_id: empty(), ..open_long(Some(59_000), 1) };
    assert_eq!(place_futures(&mut exchange, 1, order), rejected);
    let plan =
        NewPlan { client_order_id: empty(), ..plan(PlanKind::Plan, open_long(Some(59_000), 1)) };
    assert_eq!(
        apply(&mut exchange, 1, FuturesRequest::PlacePlan(plan)),
        Err(Reject::InvalidClientOrderId)
    );
}

/// The taker stops at its own order: what it traded before stays, and its money is released.
#[test]
fn a_self_trade_ends_with_money_and_orders_in_their_places() {
    for (policy, own_left, traded) in [
        (SelfTradePrevention::CancelTaker, true, 2),
        (SelfTradePrevention::CancelBoth, false, 2),
        (SelfTradePrevention::CancelMaker, false, 4),
    ] {
        let mut exchange = quiet();
        spot(&mut exchange, 2, limit_sell(60_000, 2)).expect("placed");
        let own = spot(&mut exchange, 1, limit_sell(60_001, 5)).expect("placed");
        spot(&mut exchange, 2, limit_sell(60_002, 2)).expect("placed");
        let order = with_prevention(policy, limit_buy(60_010, 4));
        let taker = spot(&mut exchange, 1, order).expect("placed");
        let order = exchange.spot_order(taker).expect("kept");
        assert_eq!(order.filled_size, Decimal::new(traded, 3), "{policy:?}");
        assert!(!order.state.is_open() && order.reserved.is_zero());
        let own = exchange.spot_order(own).expect("kept");
        assert_eq!(own.state.is_open(), own_left, "{policy:?}");
    }
}

#[test]
fn a_client_order_id_is_not_used_twice_whatever_became_of_its_order() {
    let mut exchange = quiet();
    let named = |order| NewSpotOrder { client_order_id: Some("one".into()), ..order };
    let taken = Err(Reject::DuplicateClientOrderId);
    let first = spot(&mut exchange, 1, named(limit_buy(59_991, 1))).expect("placed");
    let elsewhere = NewSpotOrder {
        price: Decimal::from(1_000),
        size: Decimal::ONE,
        symbol: "ETH_USDT".into(),
        ..limit_buy(60_000, 1)
    };
    assert_eq!(spot(&mut exchange, 1, named(elsewhere.clone())), taken, "in another pair");
    spot(&mut exchange, 2, named(elsewhere)).expect("of another account");
    apply(&mut exchange, 1, SpotRequest::Cancel(first)).expect("open");
    assert_eq!(spot(&mut exchange, 1, named(limit_buy(59_991, 1))), taken, "canceled");
    // A waiting trigger order reserves its id for the order that it places.
    let named = |order| NewSpotOrder { client_order_id: Some("two".into()), ..order };
    let terms = Algo { kind: AlgoKind::Trigger, order: named(limit_buy(59_991, 1)) };
    let algo = NewAlgo { trigger_price: Decimal::from(50_000), terms };
    let waiting = apply(&mut exchange, 1, SpotRequest::PlaceTrigger(algo.clone())).expect("waits");
    assert_eq!(spot(&mut exchange, 1, named(limit_buy(59_991, 1))), taken);
    assert_eq!(
        apply(&mut exchange, 1, SpotRequest::PlaceTrigger(algo)),
        Err(Reject::DuplicateClientOrderId)
    );
    apply(&mut exchange, 1, SpotRequest::CancelTrigger(OrderId(waiting))).expect("waits");
    spot(&mut exchange, 1, named(limit_buy(59_991, 1))).expect("the id was not used");
}

/// The order of a trigger is placed without anybody who could read a rejection: it must keep the rules all the same.
#[test]
fn the_order_of_a_trigger_keeps_the_rules_of_an_order() {
    // No margin account, more money than there is, and a market order for an empty book.
    let market = NewSpotOrder { margin: false, ..market_buy(370) };
    let costly = NewSpotOrder { size: Decimal::from(100), ..limit_buy(60_000, 1) };
    let margin = NewSpotOrder { margin: true, ..limit_buy(60_000, 1) };
    for order in [market, costly, margin] {
        let mut exchange = quiet();
        let terms = Algo { kind: AlgoKind::Trigger, order };
        let algo = NewAlgo { trigger_price: Decimal::from(60_000), terms };
        let Ok(id) = apply(&mut exchange, 1, SpotRequest::PlaceTrigger(algo)) else { continue };
        spot(&mut exchange, 2, limit_sell(60_000, 1)).expect("placed");
        spot(&mut exchange, 3, limit_buy(60_000, 1)).expect("placed");
        let algo = exchange.triggers().spot.get(OrderId(id)).expect("kept");
        let placed = match algo.state {
            TriggerState::Placed(id) => exchange.spot_order(id).map(|order| order.state.is_open()),
            _ => Some(false),
        };
        assert_eq!(placed, Some(false), "{algo:?}");
        let wallet = exchange.wallet(AccountId(1), WalletKind::Spot, "USDT");
        assert_eq!(wallet.frozen, Decimal::ZERO);
    }
}

/// Of a market buy that is cut to whole lots nothing is lost, for any money and price.
#[test]
fn the_rest_of_a_market_buy_is_released_to_the_last_digit() {
    for units in [500_000_001_i64, 599_999_999, 600_000_001, 1_234_567_891, 9_999_999_999] {
        let mut exchange = quiet();
        spot(&mut exchange, 2, limit_sell(59_987, 300)).expect("placed");
        let notional = Decimal::new(units, 8);
        let order = NewSpotOrder::market_buy("BTC_USDT", notional);
        let id = spot(&mut exchange, 1, order).expect("accepted");
        let order = exchange.spot_order(id).expect("kept");
        assert!(!order.state.is_open() && order.reserved.is_zero());
        let fees: Decimal = exchange.spot_fills_of(id).map(|fill| fill.fee).sum();
        let wallet = exchange.wallet(AccountId(1), WalletKind::Spot, "USDT");
        assert_eq!(wallet.available, Decimal::from(30_000) - order.filled_notional - fees);
        assert!(order.filled_notional <= notional && wallet.frozen.is_zero());
    }
}

/// Time that goes back, as that of a machine may, moves no money.
#[test]
fn commands_at_an_earlier_time_are_safe() {
    let mut exchange = quiet();
    let at = |exchange: &mut Exchange, account, order: NewSpotOrder, now_ms| {
        let request = SpotRequest::Place(order).into();
        let command = Command::Customer { account: AccountId(account), request };
        exchange.apply(command, now_ms).expect("accepted");
        check(exchange).expect("consistent");
    };
    at(&mut exchange, 1, limit_sell(60_000, 10), START_MS + 90_000);
    at(&mut exchange, 2, limit_buy(60_000, 5), START_MS + 95_000);
    at(&mut exchange, 2, limit_buy(60_000, 5), START_MS - 95_000);
    assert_eq!(exchange.spot_fills().len(), 4);
    let kind = SpotOrderType::ImmediateOrCancel;
    at(&mut exchange, 1, limit_sell(60_000, 10), START_MS);
    at(&mut exchange, 2, NewSpotOrder { kind, ..limit_buy(60_000, 1) }, 0);
}
