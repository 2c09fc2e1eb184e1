//! The rules of contracts, on rows in the form of the exchange.

use bitmart_types::{Decimal, dec};
use serde_json::{Value, json};

use super::OrderRules;
use crate::api::futures::ContractType;
use crate::futures::{
    Contract, Execution, Leverage, NewOrder, NewPlanOrder, NewTpSlOrder, NewTrailingOrder, Trail,
    Trigger, TriggeredExecution,
};

/// Returns the rules of a row from the exchange's reference, with changes.
fn rules(changes: Value) -> OrderRules {
    let recorded = include_str!("../../../../fixtures/futures_contracts/reference.json");
    let recorded: Value = serde_json::from_str(recorded).expect("JSON");
    let mut row = recorded["response"]["data"]["symbols"][0].clone();
    let (Value::Object(members), Value::Object(changes)) = (&mut row, changes) else {
        panic!("objects");
    };
    members.extend(changes);
    let contract: Contract = serde_json::from_str(&row.to_string()).expect("a contract");
    OrderRules::new(&contract).expect("the row is complete")
}

/// A contract is worth 0.001 BTC, the step of prices is 0.1.
fn btcusdt() -> OrderRules {
    rules(json!({}))
}

/// A contract is worth 100 USD, as observed.
fn coin_margined() -> OrderRules {
    rules(json!({"symbol": "BTCUSD", "quote_currency": "USD", "contract_size": "100"}))
}

fn order(size: u64, execution: Execution) -> NewOrder {
    NewOrder::open_long("BTCUSDT", size, execution)
}

#[test]
fn prices_are_rounded_to_the_step() {
    let cases: [(&str, Decimal, Decimal, Decimal); 7] = [
        ("0.1", dec!(60000.17), dec!(60000.1), dec!(60000.2)),
        ("0.1", dec!(60000.1), dec!(60000.1), dec!(60000.1)),
        ("0.5", dec!(60000.74), dec!(60000.5), dec!(60001)),
        ("5", dec!(60004), dec!(60000), dec!(60005)),
        ("0.00000001", dec!(0.000000123), dec!(0.00000012), dec!(0.00000013)),
        ("0.0000000001", dec!(0.0000000001), dec!(0.0000000001), dec!(0.0000000001)),
        ("0", dec!(1.23), dec!(1.23), dec!(1.23)),
    ];
    for (step, price, down, up) in cases {
        let rules = rules(json!({"price_precision": step}));
        assert_eq!(rules.round_price_down(price), down, "{price} by {step}");
        assert_eq!(rules.round_price_up(price), up, "{price} by {step}");
    }
}

#[test]
fn a_price_off_the_step_is_rejected_and_one_on_it_is_not() {
    let cases: [(&str, Decimal, bool); 7] = [
        ("0.1", dec!(60000.10), true),
        ("0.1", dec!(60000.15), false),
        ("0.5", dec!(0.7), false),
        ("10", dec!(60000), true),
        ("10", dec!(60001), false),
        ("0.0000001", dec!(0.0000123), true),
        ("0.1", dec!(0), false),
    ];
    for (step, price, fits) in cases {
        let rules = rules(json!({"price_precision": step}));
        assert_eq!(rules.check_price(price).is_ok(), fits, "{price} by {step}");
    }
}

#[test]
fn sizes_are_rounded_down_to_whole_contracts() {
    for (step, size, rounded) in [
        ("1", dec!(10.99), Some(10)),
        ("1", dec!(0.99), Some(0)),
        ("1", dec!(-3), Some(0)),
        ("5", dec!(14), Some(10)),
        ("0", dec!(14.5), Some(14)),
        ("1", Decimal::MAX, None),
    ] {
        let rules = rules(json!({"vol_precision": step}));
        assert_eq!(rules.round_size_down(size), rounded, "{size} by {step}");
    }
}

#[test]
fn limit_and_market_orders_have_their_own_largest_size() {
    // 1 to 1,000,000 for limit orders, to 50,000 for market orders.
    let rules = btcusdt();
    assert!(rules.check_size(1_000_000).is_ok());
    assert!(rules.check_size(1_000_001).is_err());
    assert!(rules.check_size(0).is_err());
    assert!(rules.check_market_size(50_000).is_ok());
    assert!(rules.check_market_size(50_001).is_err());

    let limit = Execution::Limit(dec!(60000));
    assert!(rules.check_order(&order(50_001, limit)).is_ok());
    let rejected = rules.check_order(&order(50_001, Execution::Market)).unwrap_err();
    assert_eq!(rejected.to_string(), "`size` must be 1 to 50000, not `50001`");
}

#[test]
fn bounds_that_are_not_given_do_not_bind() {
    let rules = rules(json!({"min_volume": "", "max_volume": "", "market_max_volume": ""}));
    assert!(rules.check_size(u64::MAX).is_ok());
    assert!(rules.check_market_size(u64::MAX).is_ok());
}

#[test]
fn a_contract_is_worth_an_amount_of_the_base_currency() {
    let rules = btcusdt();
    assert_eq!(rules.contract_type(), &ContractType::Usdt);
    assert_eq!(rules.notional(10, dec!(60000)), Some(dec!(600)));
    assert_eq!(rules.base_amount(10, dec!(60000)), Some(dec!(0.010)));
    // One contract is worth 60.
    assert_eq!(rules.size_worth(dec!(1000), dec!(60000)), Some(16));
    assert_eq!(rules.size_worth(dec!(59.99), dec!(60000)), Some(0));
}

#[test]
fn a_coin_margined_contract_is_worth_an_amount_of_the_quote_currency() {
    let rules = coin_margined();
    assert_eq!(rules.contract_type(), &ContractType::Coin);
    assert_eq!(rules.notional(10, dec!(60000)), Some(dec!(1000)));
    assert_eq!(rules.notional(10, dec!(1)), Some(dec!(1000)));
    assert_eq!(rules.base_amount(10, dec!(50000)), Some(dec!(0.02)));
    assert_eq!(rules.size_worth(dec!(1050), dec!(60000)), Some(10));
}

#[test]
fn the_margin_currency_can_be_set() {
    let rules = coin_margined().with_contract_type(ContractType::Usdt);
    assert_eq!(rules.notional(1, dec!(2)), Some(dec!(200)));
}

#[test]
fn amounts_beyond_a_decimal_are_none_and_do_not_panic() {
    let rules = btcusdt();
    assert_eq!(rules.notional(u64::MAX, Decimal::MAX), None);
    assert_eq!(rules.size_worth(dec!(1), dec!(0)), None);
    assert_eq!(coin_margined().base_amount(1, dec!(0)), None);
    assert_eq!(rules.round_price_up(Decimal::MAX), Decimal::MAX);
}

#[test]
fn leverage_keeps_to_the_range_of_the_contract() {
    let rules = btcusdt();
    let limit = order(1, Execution::Limit(dec!(60000)));
    assert!(rules.check_order(&limit.clone().leverage(dec!(100))).is_ok());
    let rejected = rules.check_order(&limit.leverage(dec!(100.5))).unwrap_err();
    assert_eq!(rejected.to_string(), "`leverage` must be 1 to 100, not `100.5`");
}

#[test]
fn a_delisted_and_another_contract_are_rejected() {
    let fine = order(1, Execution::Market);
    assert!(btcusdt().check_order(&fine).is_ok());
    let delisted = rules(json!({"status": "Delisted", "delist_time": 1_745_830_379}));
    assert_eq!(delisted.is_trading(), Some(false));
    let rejected = delisted.check_order(&fine).unwrap_err();
    assert_eq!(rejected.to_string(), "`symbol` must be a trading contract, not `BTCUSDT`");
    assert_eq!(coin_margined().check_order(&fine).unwrap_err().field(), "symbol");
}

#[test]
fn every_price_of_every_kind_of_order_is_checked() {
    let rules = btcusdt();
    // On the step of 0.1 and off it.
    let (on, off) = (dec!(60000.1), dec!(60000.15));
    let plan = |trigger, price| {
        let trigger = Trigger::falling(trigger);
        let leverage = Leverage::cross(dec!(5));
        NewPlanOrder::open_long("BTCUSDT", 1, leverage, trigger, Execution::Limit(price))
    };
    let stop = |trigger, price| {
        NewTpSlOrder::stop_loss_long("BTCUSDT", trigger).execution(TriggeredExecution::Limit(price))
    };
    let trailing = |price| {
        let trail = Trail::new(price, dec!(1));
        NewTrailingOrder::close_long("BTCUSDT", 1, Leverage::cross(dec!(5)), trail)
    };
    let field = |result: Result<(), crate::ValidationError>| {
        result.map_or_else(|error| error.field(), |()| "nothing")
    };
    let last = bitmart_types::futures::PriceType::Last;
    for (expected, result) in [
        ("nothing", rules.check_order(&order(1, Execution::Limit(on)))),
        ("price", rules.check_order(&order(1, Execution::PostOnly(off)))),
        (
            "preset_take_profit_price",
            rules.check_order(&order(1, Execution::Market).take_profit(off, last.clone())),
        ),
        (
            "preset_stop_loss_price",
            rules.check_order(&order(1, Execution::Market).stop_loss(off, last)),
        ),
        ("nothing", rules.check_plan_order(&plan(on, on))),
        ("trigger_price", rules.check_plan_order(&plan(off, on))),
        ("executive_price", rules.check_plan_order(&plan(on, off))),
        ("nothing", rules.check_tp_sl_order(&NewTpSlOrder::stop_loss_long("BTCUSDT", on))),
        ("nothing", rules.check_tp_sl_order(&stop(on, on))),
        ("trigger_price", rules.check_tp_sl_order(&stop(off, on))),
        ("executive_price", rules.check_tp_sl_order(&stop(on, off))),
        ("nothing", rules.check_trailing_order(&trailing(on))),
        ("activation_price", rules.check_trailing_order(&trailing(off))),
    ] {
        assert_eq!(field(result), expected);
    }
}

#[test]
fn without_a_price_above_zero_there_is_no_size() {
    for price in [dec!(0), dec!(-1), Decimal::MIN] {
        for notional in [dec!(1000), dec!(-1000)] {
            assert_eq!(btcusdt().size_worth(notional, price), None, "{notional} at {price}");
        }
    }
}
