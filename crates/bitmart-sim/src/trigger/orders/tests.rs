//! A price finds the trigger orders that it triggers as if each of them were checked.

use proptest::prelude::*;

use super::*;
use crate::{
    Command, OperatorCommand,
    operator::Operation,
    spot_order::NewSpotOrder,
    tests::{START_MS, quiet},
    trigger::{Algo, AlgoKind, Direction, Trail},
};

const SYMBOLS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];
const ACCOUNTS: [u32; 2] = [1, 2];

type Orders = TriggerOrders<Algo>;

#[derive(Debug, Clone)]
enum Step {
    Add { market: usize, account: u32, condition: Condition },
    Change { pick: usize, condition: Condition },
    Take { pick: usize },
    Price { market: usize, kind: PriceType, price: i64 },
    Freeze { account: u32, frozen: bool },
    Restore,
}

fn kind() -> impl Strategy<Value = PriceType> {
    prop_oneof![Just(PriceType::Last), Just(PriceType::Mark)]
}

fn condition() -> impl Strategy<Value = Condition> {
    let direction = prop_oneof![Just(Direction::Rise), Just(Direction::Fall)];
    (1..20_i64, kind(), direction, any::<bool>()).prop_map(
        |(price, price_type, direction, trails)| {
            let price = Decimal::from(price);
            if trails {
                let callback_rate = Decimal::from(5);
                Condition::Trail(Trail {
                    activation: price,
                    callback_rate,
                    price_type,
                    direction,
                    extreme: None,
                })
            } else {
                Condition::Reach { price, direction, price_type }
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<usize>;
    prop_oneof![
        8 => (0..2_usize, 1..3_u32, condition())
            .prop_map(|(market, account, condition)| Step::Add { market, account, condition }),
        2 => (pick(), condition()).prop_map(|(pick, condition)| Step::Change { pick, condition }),
        2 => pick().prop_map(|pick| Step::Take { pick }),
        8 => (0..2_usize, kind(), 1..20_i64)
            .prop_map(|(market, kind, price)| Step::Price { market, kind, price }),
        1 => (1..3_u32, any::<bool>())
            .prop_map(|(account, frozen)| Step::Freeze { account, frozen }),
        1 => Just(Step::Restore),
    ]
}

fn new_order(number: u64, market: usize, account: u32, condition: Condition) -> Trigger<Algo> {
    let order = NewSpotOrder::market_sell(SYMBOLS[market], Decimal::ONE);
    Trigger {
        id: OrderId(number),
        account: AccountId(account),
        client_order_id: None,
        condition,
        terms: Algo { kind: AlgoKind::Trigger, order },
        state: TriggerState::Waiting,
        created_ms: 0,
        updated_ms: 0,
    }
}

/// The orders that a price triggers, by a check of every order.
fn triggered(
    all: &mut [Trigger<Algo>],
    symbol: &str,
    kind: PriceType,
    price: Decimal,
    operator_settings: &OperatorSettings,
) -> Vec<OrderId> {
    let mut triggered = Vec::new();
    for one in all {
        if one.terms.order.symbol != symbol || operator_settings.is_frozen(one.account) {
            continue;
        }
        let is_met = match &mut one.condition {
            Condition::Reach { price: trigger, direction, price_type } => {
                *price_type == kind && direction.is_reached(price, *trigger)
            }
            Condition::Trail(trail) => trail.price_type == kind && trail.follow(price),
        };
        if is_met {
            triggered.push(one.id);
        }
    }
    triggered
}

/// Both lists have the same orders in the same states.
fn check(orders: &Orders, all: &[Trigger<Algo>]) -> Result<(), TestCaseError> {
    for account in ACCOUNTS.map(AccountId) {
        let own = all.iter().rev().filter(|one| one.account == account);
        prop_assert!(orders.of(account).eq(own));
    }
    for symbol in SYMBOLS {
        let here = all.iter().filter(|one| one.terms.order.symbol == symbol);
        let mut fixed: Vec<_> = here
            .filter_map(|one| match one.condition {
                Condition::Reach { price, .. } => Some(price),
                Condition::Trail(_) => None,
            })
            .collect();
        let mut prices: Vec<_> = orders.prices(symbol).collect();
        fixed.sort_unstable();
        prices.sort_unstable();
        prop_assert_eq!(prices, fixed);
    }
    let markets: BTreeSet<_> = all.iter().map(|one| one.terms.order.symbol.clone()).collect();
    prop_assert!(orders.markets().map(|row| row.0).eq(&markets), "no index stays behind");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_price_triggers_what_a_check_of_every_order_triggers(
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        let (mut orders, mut all) = (Orders::default(), Vec::<Trigger<Algo>>::new());
        let mut exchange = quiet();
        for (number, step) in (1..).zip(steps) {
            match step {
                Step::Add { market, account, condition } => {
                    let order = new_order(number, market, account, condition);
                    all.push(order.clone());
                    orders.insert(order);
                }
                Step::Change { pick, condition } if !all.is_empty() => {
                    let one = pick % all.len();
                    all[one].condition = condition.clone();
                    orders.change(all[one].id, |one| one.condition = condition);
                }
                Step::Take { pick } if !all.is_empty() => {
                    let removed = all.remove(pick % all.len());
                    prop_assert_eq!(orders.take(removed.id), Some(removed));
                }
                Step::Price { market, kind, price } => {
                    let (symbol, price) = (SYMBOLS[market], Decimal::from(price));
                    let operator_settings = &exchange.operator_settings;
                    let watch = orders.by_market.get(symbol);
                    let is_affected = watch.is_some_and(|one| one.is_affected_by(kind, price));
                    let before = all.clone();
                    let expected = triggered(&mut all, symbol, kind, price, operator_settings);
                    prop_assert!(is_affected || before == all, "an order did not see the price");
                    prop_assert!(is_affected || expected.is_empty());
                    let triggered = orders.triggered_by(symbol, kind, price, operator_settings);
                    prop_assert_eq!(&triggered, &expected);
                    for id in expected {
                        all.retain(|one| one.id != id);
                        prop_assert!(orders.take(id).is_some());
                    }
                }
                Step::Freeze { account, frozen } => {
                    let operation = Operation::Freeze { account, frozen };
                    let command = Command::Operator(OperatorCommand::Operate(operation));
                    exchange.apply(command, START_MS).expect("an account");
                }
                Step::Restore => {
                    let TriggerOrders { waiting, finished, .. } = orders;
                    orders = Orders::from(StoredOrders { waiting, finished });
                }
                Step::Change { .. } | Step::Take { .. } => {}
            }
            check(&orders, &all)?;
        }
    }
}
