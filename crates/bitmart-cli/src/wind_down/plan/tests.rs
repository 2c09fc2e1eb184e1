//! Tests of the plan as a function of facts.

mod properties;

use std::collections::{BTreeMap, BTreeSet};

use bitmart::{Decimal, dec};

use super::super::facts::{
    Balance, Destination, Facts, Held, HeldBy, Loan, Network, OrderKind, Orders, Position, Saving,
    Wallet,
};
use super::{Plan, Skipped, plan};

fn balance(wallet: Wallet, currency: &str, free: Decimal, held: &[(HeldBy, Decimal)]) -> Balance {
    let held = held.iter().map(|(by, amount)| Held { by: *by, amount: *amount }).collect();
    Balance { wallet, currency: currency.to_owned(), free, held }
}

fn network(code: &str, fee: Decimal, minimum: Decimal) -> Network {
    Network {
        code: code.to_owned(),
        currency: code.split('-').next().unwrap_or(code).to_owned(),
        name: code.rsplit('-').next().unwrap_or(code).to_owned(),
        open: Some(true),
        fee: Some(fee),
        minimum: Some(minimum),
        decimals: Some(6),
        multiple_of: None,
    }
}

fn saved_address(code: &str) -> Destination {
    Destination {
        code: code.to_owned(),
        address: format!("address of {code}"),
        memo: String::new(),
        name: "mine".to_owned(),
        is_named: false,
        risks: Vec::new(),
    }
}

fn keys(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.key.as_str()).collect()
}

#[test]
fn the_plan_of_an_empty_account_is_empty() {
    assert_eq!(plan(&Facts::default(), &Skipped::new()), Plan::default());
    let facts = Facts {
        networks: vec![network("BTC", dec!(0.001), dec!(0.01))],
        destinations: vec![saved_address("BTC")],
        quota_btc: Some(dec!(1)),
        ..Facts::default()
    };
    assert_eq!(plan(&facts, &Skipped::new()), Plan::default());
}

/// An account with balances in every wallet, orders, a position, a loan and savings.
fn account_with_everything() -> Facts {
    let pair = "BTC_USDT".to_owned();
    Facts {
        balances: vec![
            balance(Wallet::Spot, "USDT", dec!(10), &[(HeldBy::Orders, dec!(40))]),
            balance(Wallet::Funding, "USDT", dec!(5), &[]),
            balance(
                Wallet::Futures,
                "USDT",
                dec!(20),
                &[(HeldBy::Orders, dec!(3)), (HeldBy::Positions, dec!(7))],
            ),
            balance(Wallet::Margin(pair.clone()), "BTC", dec!(1), &[]),
            balance(Wallet::SubSpot("sub2".into()), "USDT", dec!(8), &[]),
            balance(Wallet::SubFutures("sub2".into()), "USDT", dec!(2), &[]),
        ],
        orders: vec![
            Orders { kind: OrderKind::Spot, symbol: pair.clone(), count: 2 },
            Orders { kind: OrderKind::Futures, symbol: "BTCUSDT".into(), count: 1 },
        ],
        positions: vec![Position { symbol: "BTCUSDT".into(), long: true, size: dec!(4) }],
        loans: vec![Loan { symbol: pair, currency: "USDT".into(), owed: dec!(60) }],
        savings: vec![Saving {
            earn_id: "9".into(),
            currency: "USDT".into(),
            amount: Some(dec!(100)),
            fixed: false,
        }],
        networks: vec![
            network("USDT-TRC20", dec!(1), dec!(10)),
            network("BTC", dec!(0.001), dec!(0.01)),
        ],
        destinations: vec![saved_address("USDT-TRC20"), saved_address("BTC")],
        ..Facts::default()
    }
}

#[test]
fn steps_are_in_order_and_a_loan_is_repaid_after_transfers() {
    let plan = plan(&account_with_everything(), &Skipped::new());
    assert_eq!(
        keys(&plan),
        [
            "cancel BTC_USDT",
            "cancel futures BTCUSDT",
            "close BTCUSDT long",
            "redeem 9",
            "bring USDT from futures of sub2",
            "bring USDT from spot of sub2",
            "bring USDT from futures",
            "bring USDT from funding",
            "margin in BTC_USDT USDT",
            "repay BTC_USDT USDT",
            "margin out BTC_USDT BTC",
            "withdraw BTC",
            "withdraw USDT",
        ]
    );
    assert!(plan.stuck.is_empty() && plan.owed.is_empty(), "{:?} {:?}", plan.stuck, plan.owed);
    let last = plan.steps.last().expect("steps");
    assert_eq!(last.amount, Some(dec!(135)), "all of it less the loan");
    assert!(last.notes[0].contains("134 USDT arrive"), "{:?}", last.notes);
}

#[test]
fn skipped_steps_leave_their_amounts_stuck_with_the_reason() {
    let skipped = ["cancel BTC_USDT", "withdraw BTC"];
    let skipped: Skipped =
        skipped.iter().map(|key| ((*key).to_owned(), "declined".to_owned())).collect();
    let plan = plan(&account_with_everything(), &skipped);
    assert!(!keys(&plan).contains(&"withdraw BTC"), "{:?}", keys(&plan));
    let stuck: Vec<_> =
        plan.stuck.iter().map(|stuck| (stuck.amount, stuck.reason.as_str())).collect();
    assert!(stuck.contains(&(Some(dec!(40)), "declined")), "{stuck:?}");
    assert!(stuck.contains(&(Some(dec!(1)), "declined")), "{stuck:?}");
}

#[test]
fn without_trading_positions_stay_open() {
    let facts = Facts { no_trading: Some("trading ended".into()), ..account_with_everything() };
    let plan = plan(&facts, &Skipped::new());
    assert!(!keys(&plan).iter().any(|key| key.starts_with("close")));
    let margin = plan.stuck.iter().find(|stuck| stuck.amount == Some(dec!(7))).expect("the margin");
    assert!(margin.reason.contains("trading ended"), "{}", margin.reason);
}

/// The reason why 5 USDT cannot be withdrawn on the networks.
fn reason(networks: Vec<Network>, destinations: Vec<Destination>) -> String {
    let facts = Facts {
        balances: vec![balance(Wallet::Spot, "USDT", dec!(5), &[])],
        networks,
        destinations,
        ..Facts::default()
    };
    let plan = plan(&facts, &Skipped::new());
    assert_eq!(plan.steps, []);
    plan.stuck[0].reason.clone()
}

#[test]
fn reports_why_an_amount_cannot_be_withdrawn() {
    let tron = || network("USDT-TRC20", dec!(1), dec!(10));
    let addressed = || vec![saved_address("USDT-TRC20")];
    assert!(reason(vec![], vec![]).contains("no network"));
    assert!(reason(vec![tron()], vec![]).contains("no saved and verified address for TRC20"));
    assert!(reason(vec![tron()], addressed()).contains("below 10"));
    let closed = Network { open: Some(false), ..tron() };
    assert!(reason(vec![closed], addressed()).contains("are closed"));
    let dear = Network { fee: Some(dec!(5)), minimum: None, ..tron() };
    assert!(reason(vec![dear], addressed()).contains("not more than the fee"));
    let risky = Destination { risks: vec!["no memo".into()], ..saved_address("USDT-TRC20") };
    assert!(reason(vec![tron()], vec![risky.clone()]).contains("no memo"));
    // A saved address does not take the place of one of `--to`.
    let named = Destination { is_named: true, ..risky };
    let cheap = network("USDT-ERC20", dec!(1), dec!(2));
    let reason = reason(
        vec![tron(), cheap],
        vec![named, saved_address("USDT-TRC20"), saved_address("USDT-ERC20")],
    );
    assert_eq!(reason, "TRC20: no memo");
}

#[test]
fn an_address_of_the_option_wins_over_saved_ones_with_a_lower_fee() {
    let facts = Facts {
        balances: vec![
            balance(Wallet::Spot, "BTC", dec!(1), &[]),
            balance(Wallet::Spot, "USDT", dec!(100), &[]),
        ],
        networks: vec![
            network("USDT-TRC20", dec!(1), dec!(2)),
            network("USDT-ERC20", dec!(9), dec!(20)),
            network("BTC", dec!(0.1), dec!(0.1)),
        ],
        destinations: vec![
            Destination { is_named: true, ..saved_address("USDT-ERC20") },
            saved_address("USDT-TRC20"),
            saved_address("BTC"),
        ],
        ..Facts::default()
    };
    let plan = plan(&facts, &Skipped::new());
    let codes: Vec<_> = plan.steps.iter().map(|step| step.parameters[0].1.as_str()).collect();
    assert_eq!(codes, ["BTC", "USDT-ERC20"], "another coin goes to its saved address");
}

#[test]
fn an_amount_that_only_unlisted_orders_can_hold_is_freed_by_canceling_all() {
    let facts = Facts {
        balances: vec![
            balance(Wallet::Spot, "ETH", dec!(0), &[(HeldBy::Orders, dec!(2))]),
            balance(
                Wallet::Margin("BTC_USDT".into()),
                "BTC",
                dec!(0),
                &[(HeldBy::Orders, dec!(1))],
            ),
        ],
        ..Facts::default()
    };
    let once = plan(&facts, &Skipped::new());
    let cancellations: Vec<_> =
        once.steps.iter().filter(|step| step.endpoint == "spot_cancel_all_orders").collect();
    assert!(cancellations.len() == 1 && cancellations[0].parameters.is_empty(), "{once:?}");
    let skipped = Skipped::from([("cancel all pairs".to_owned(), "no effect".to_owned())]);
    let stuck = plan(&facts, &skipped).stuck;
    assert!(stuck.len() == 2 && stuck.iter().all(|one| one.reason == "no effect"), "{stuck:?}");
}

#[test]
fn withdrawals_are_limited_by_the_quota_of_the_day() {
    let facts = Facts {
        balances: vec![
            balance(Wallet::Spot, "BTC", dec!(3), &[]),
            balance(Wallet::Spot, "USDT", dec!(50000), &[]),
        ],
        networks: vec![network("BTC", dec!(0.001), dec!(0.01)), network("USDT", dec!(1), dec!(10))],
        destinations: vec![saved_address("BTC"), saved_address("USDT")],
        prices: BTreeMap::from([("BTC".to_owned(), dec!(50000))]),
        quota_btc: Some(dec!(2.5)),
        ..Facts::default()
    };
    let plan = plan(&facts, &Skipped::new());
    assert_eq!(keys(&plan), ["withdraw BTC"]);
    assert_eq!(plan.steps[0].amount, Some(dec!(2.5)));
    assert!(plan.stuck.iter().all(|stuck| stuck.reason.contains("today")), "{:?}", plan.stuck);
}
