//! Leverage brackets that the operator sets.

use super::*;
use crate::{
    control::ControlError,
    operator::{LeverageBracket, Operation},
};

fn bracket(leverage: u32, cap: i64, ratio: &str) -> LeverageBracket {
    LeverageBracket::new(leverage, d(cap), ratio.parse().expect("a number"))
}

fn set_brackets(
    exchange: &mut Exchange,
    brackets: Vec<LeverageBracket>,
) -> Result<(), ControlError> {
    exchange.operate(Operation::SetBrackets { symbol: "BTCUSDT".to_owned(), brackets }, START_MS)
}

#[test]
fn brackets_of_the_operator_bound_leverage_and_value_of_new_orders() {
    let mut exchange = quiet();
    set_brackets(&mut exchange, vec![bracket(20, 10_000, "0.01"), bracket(5, 60_000, "0.1")])
        .expect("accepted");
    let rules = &exchange.futures["BTCUSDT"].rules;
    assert_eq!(
        (rules.max_leverage, rules.max_value(20), rules.max_value(5)),
        (20, d(10_000), d(60_000))
    );
    let second = &rules.brackets[1];
    assert_eq!((second.floor, second.cum), (d(10_000), d(900)), "the margin has no jump");
    let order = |leverage, size| NewFuturesOrder {
        leverage,
        margin_type: MarginType::Isolated,
        ..open_long(Some(60_000), size)
    };
    let place = |exchange: &mut Exchange, order| exchange.place_futures(OWNER, order, START_MS);
    let high = rules.check_leverage(d(21));
    assert!(matches!(high, Err(Reject::LeverageOutOfRange { maximum: 20, .. })), "{high:?}");
    // 170 contracts of 0.001 coins are worth 10,200 at 60,000.
    let rejected = place(&mut exchange, order(20, 170)).expect_err("above the first bracket");
    assert!(matches!(rejected, Reject::LeverageTooHigh), "{rejected:?}");
    place(&mut exchange, order(5, 170)).expect("the second bracket allows it");
}

#[test]
fn a_leverage_that_was_set_counts_up_to_the_highest_of_the_contract() {
    let mut exchange = quiet();
    exchange.set_leverage(OWNER, &"BTCUSDT".into(), 50, MarginType::Isolated).expect("accepted");
    set_brackets(&mut exchange, vec![bracket(20, 1_000_000, "0.01")]).expect("accepted");
    let rules = &exchange.futures["BTCUSDT"].rules;
    assert_eq!(exchange.leverage_of(OWNER, rules, MarginType::Isolated), 20);
}

#[test]
fn a_higher_maintenance_ratio_liquidates_a_position_that_keeps_its_leverage() {
    let mut exchange = quiet();
    buy_long(&mut exchange, 60_000, 100, Leverage(20), MarginType::Isolated);
    move_mark_price(&mut exchange, 60_000, START_MS);
    set_brackets(&mut exchange, vec![bracket(10, 1_000_000, "0.04")]).expect("accepted");
    move_mark_price(&mut exchange, 60_000, START_MS + HOUR_MS);
    assert_eq!(long_size(&exchange), d(100), "its margin is 5 %");
    set_brackets(&mut exchange, vec![bracket(10, 1_000_000, "0.06")]).expect("accepted");
    move_mark_price(&mut exchange, 60_000, START_MS + 2 * HOUR_MS);
    assert_eq!(long_size(&exchange), Decimal::ZERO);
}

#[test]
fn brackets_that_do_not_fit_together_are_rejected() {
    let mut exchange = quiet();
    let before = exchange.futures["BTCUSDT"].rules.clone();
    for brackets in [
        vec![],
        vec![bracket(0, 1, "0.1")],
        vec![bracket(1_001, 1, "0.0001")],
        vec![bracket(10, 0, "0.01")],
        vec![bracket(10, i64::MAX, "0.01")],
        vec![bracket(10, 1, "0")],
        vec![bracket(10, 1, "0.1")],
        vec![bracket(10, 1, "0.000000001")],
        vec![bracket(10, 2, "0.01"), bracket(5, 2, "0.02")],
        vec![bracket(10, 1, "0.01"), bracket(10, 2, "0.02")],
        vec![bracket(10, 1, "0.02"), bracket(5, 2, "0.01")],
        (1..=51).rev().map(|at| bracket(at, 52 - i64::from(at), "0.001")).collect(),
    ] {
        let error = set_brackets(&mut exchange, brackets.clone()).expect_err("rejected");
        assert!(matches!(error, ControlError::InvalidBrackets(_)), "{brackets:?}: {error}");
    }
    let unknown =
        Operation::SetBrackets { symbol: "NOPE".to_owned(), brackets: vec![bracket(1, 1, "0.1")] };
    assert!(matches!(exchange.operate(unknown, START_MS), Err(ControlError::UnknownMarket(_))));
    assert_eq!(exchange.futures["BTCUSDT"].rules.brackets, before.brackets);
}
