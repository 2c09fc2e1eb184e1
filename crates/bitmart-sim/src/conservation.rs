//! Property tests over random operations: money is conserved, balances stay positive, books stay uncrossed, states
//! only move forward, and the same seed and operations give the same ledger.

mod abuse;
mod bounds;
mod checks;
mod closed;
mod control;
mod histories;
mod margins;
mod order_events;
mod raw;
mod rejected;
mod steps;
mod triggers;

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::RngAlgorithm};
use rust_decimal::Decimal;

use self::checks::{book, check, check_fills, check_frozen, check_transactions, wallets};
use self::order_events::OrderEvents;
use self::steps::{START_MS, Step, run, setup, start, step};
use super::{
    AccountId, Exchange,
    book::Side,
    futures_order::Origin,
    ledger::HouseBook,
    margin::{MarginTransfer, PairAmount},
    payment::PaymentState,
    savings::{SavingAction, SavingRecord},
    spot_order::NewSpotOrder,
    tests::spot_limit,
    trigger::{self, Plan, PlanKind, Trigger},
};

/// Returns all events and the final state as text.
fn ledger(seed: u64, steps: &[(u32, Step)]) -> String {
    let (mut exchange, mut now_ms) = (start(seed), START_MS);
    let mut events = Vec::new();
    for (account, step) in steps {
        run(&mut exchange, *account, step, &mut now_ms);
        events.extend(exchange.take_events());
    }
    let triggers = &exchange.triggers;
    let orders = (exchange.fill_rows(), exchange.order_rows(), exchange.balance_rows());
    let money = (&exchange.payments, &exchange.transfers, &exchange.loans, &exchange.repayments);
    let futures = (&exchange.transactions, &exchange.futures, &exchange.savings, triggers);
    format!("{events:?}\n{orders:?}\n{money:?}\n{:?}\n{futures:?}", exchange.ledger)
}

/// Runs a number of cases, or as many as the variable `PROPTEST_CASES` says.
fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(default);
    ProptestConfig {
        cases,
        max_shrink_iters: 4_000,
        failure_persistence: None,
        // In debug builds the default generator is slower than the exchange.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

proptest! {
    // About 40,000 operations.
    #![proptest_config(cases(80))]

    #[test]
    fn money_is_conserved_over_random_operations(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..1_000),
    ) {
        let (mut exchange, mut now_ms) = (start(seed), START_MS);
        let (at_start, mut order_events) = (exchange.clone(), OrderEvents::default());
        for (account, step) in &steps {
            run(&mut exchange, *account, step, &mut now_ms);
            check(&exchange)?;
            order_events.check(exchange.take_events())?;
        }
        prop_assert_eq!(exchange.check_consistency(), Ok(()));
        check_frozen(&exchange)?;
        check_transactions(&exchange, &at_start)?;
        check_fills(&exchange)?;
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn same_seed_and_steps_give_the_same_ledger(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        prop_assert_eq!(ledger(seed, &steps), ledger(seed, &steps));
    }
}

/// An account that has traded its margin loan at 60,000, before trades of another account move the last price.
struct Borrower {
    /// Whether it owes BTC, or else USDT.
    owes_base: bool,
    /// Own money in the margin account, in USDT.
    own_usdt: i64,
    borrowed: Decimal,
    /// The last price afterwards.
    price: i64,
}

fn after_a_crash(borrower: &Borrower) -> Exchange {
    let Borrower { owes_base, own_usdt, borrowed, price } = *borrower;
    let mut exchange = Exchange::new(&setup(1).without_market_maker(), START_MS);
    let currency = if owes_base { "BTC" } else { "USDT" };
    let sum = |currency: &str, amount| PairAmount {
        symbol: "BTC_USDT".into(),
        currency: currency.into(),
        amount,
    };
    let owner = AccountId(1);
    exchange
        .transfer_margin(owner, sum("USDT", Decimal::from(own_usdt)), MarginTransfer::In)
        .expect("moved");
    exchange.borrow(owner, sum(currency, borrowed), START_MS).expect("lent");
    let mut place = |account: u32, order: NewSpotOrder| {
        exchange.place_spot(AccountId(account), order, START_MS).expect("placed");
    };
    // The loan is traded for the other currency, 6,000 USDT and most of the own money for 0.13 BTC.
    let milli_btc = if owes_base { borrowed * Decimal::ONE_THOUSAND } else { Decimal::from(130) };
    let milli_btc = i64::try_from(milli_btc).expect("whole");
    let own = if owes_base { Side::Sell } else { Side::Buy };
    let other = own.opposite();
    let of_margin = |order| NewSpotOrder { margin: true, ..order };
    place(2, spot_limit(other, 60_000, milli_btc));
    place(1, of_margin(spot_limit(own, 60_000, milli_btc)));
    // An order that the liquidation must cancel, and a trade that sets the price.
    let far = if owes_base { 1_000 } else { 900_000 };
    place(1, of_margin(spot_limit(other, far, 1)));
    place(2, spot_limit(own, price, 200));
    place(2, spot_limit(other, price, 1));
    exchange
}

#[test]
fn a_liquidation_of_a_margin_account_conserves_money() {
    let borrower =
        |owes_base, borrowed, price| Borrower { owes_base, own_usdt: 2_000, borrowed, price };
    let (usdt, btc) = (Decimal::from(6_000), Decimal::new(1, 1));
    // With the least that insurance loses.
    let cases = [
        // Owes 6,000 USDT and holds 0.13 BTC and 192 USDT: at 48,000 a rate of 1.07.
        (borrower(false, usdt, 48_000), Decimal::ZERO),
        // At 30,000 the assets are less than the debt.
        (borrower(false, usdt, 30_000), Decimal::from(1_900)),
        // Owes 0.1 BTC and holds 7,994 USDT.
        (borrower(true, btc, 75_000), Decimal::ZERO),
        (borrower(true, btc, 100_000), Decimal::new(2, 2)),
    ];
    for (borrower, least_lost) in cases {
        let mut exchange = after_a_crash(&borrower);
        let price = borrower.price;
        assert!(exchange.risk(AccountId(1), "BTC_USDT").debts > Decimal::ZERO);
        exchange.run_due_tasks(START_MS + 1);
        check(&exchange).and_then(|()| check_frozen(&exchange)).expect("consistent");
        assert_eq!(exchange.risk(AccountId(1), "BTC_USDT").debts, Decimal::ZERO, "{price}");
        assert!(exchange.account_mut(AccountId(1)).spot_orders.open().is_empty());
        assert!(exchange.repayments().len() > 0);
        let lost = -book(&exchange, HouseBook::Insurance).into_values().sum::<Decimal>();
        assert!(lost >= least_lost && (lost.is_zero() == least_lost.is_zero()), "{lost}");
    }
}

#[test]
fn a_margin_account_above_the_liquidation_rate_is_not_liquidated() {
    // Its assets are 0.13 BTC at 50,000 and 192 USDT: 1.115 times the debt of 6,000.
    let borrower = Borrower {
        owes_base: false,
        own_usdt: 2_000,
        borrowed: Decimal::from(6_000),
        price: 50_000,
    };
    let mut exchange = after_a_crash(&borrower);
    exchange.run_due_tasks(START_MS + 1);
    assert!(exchange.repayments().len() == 0);
    assert_eq!(exchange.account_mut(AccountId(1)).spot_orders.open().len(), 1);
}

/// The random operations must reach all features: a run in which all commands are rejected proves nothing.
#[test]
fn random_operations_reach_all_features() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 30_000).new_tree(&mut runner).expect("steps");
    let (mut exchange, mut now_ms) = (start(1), START_MS);
    for (account, step) in steps.current() {
        run(&mut exchange, account, &step, &mut now_ms);
    }
    let paid_interest = exchange.repayments.iter().any(|row| !row.paid.interest.is_zero());
    let states: Vec<_> = exchange.payments.values().map(|row| (row.deposit, row.state)).collect();
    let margin_fill = exchange.spot_fills.iter().any(|fill| fill.request.margin);
    assert!(paid_interest && margin_fill && exchange.loans.len() > 10, "{states:?}");
    for state in
        [(true, PaymentState::Done), (false, PaymentState::Done), (false, PaymentState::Failed)]
    {
        assert!(states.contains(&state), "{state:?}");
    }
    for act in [SavingAction::Subscribe, SavingAction::Redeem, SavingAction::Interest] {
        for fixed in [false, true] {
            let has =
                |row: &SavingRecord| row.action == act && row.product.lock_days.is_some() == fixed;
            assert!(exchange.savings.records().any(has), "{act:?} {fixed}");
        }
    }
    let plans: Vec<_> = (1..5).flat_map(|id| exchange.triggers.futures.of(AccountId(id))).collect();
    for kind in [PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss, PlanKind::Trailing] {
        let triggered = |plan: &&&Trigger<Plan>| {
            matches!(plan.state, trigger::TriggerState::Placed(_)) && plan.terms.kind == kind
        };
        assert!(plans.iter().filter(triggered).count() > 2, "{kind:?} is hardly triggered");
    }
    let algos = (1..5).flat_map(|id| exchange.triggers.spot.of(AccountId(id)));
    let triggered = algos.filter(|algo| matches!(algo.state, trigger::TriggerState::Placed(_)));
    assert!(triggered.count() > 5, "algo orders are never triggered");
    let kinds: BTreeSet<_> =
        exchange.transactions.iter().map(|row| format!("{:?}", row.kind)).collect();
    assert_eq!(kinds.len(), 5, "transfers, profit, funding, fees, liquidation");
    let mut orders = exchange.futures_orders.values();
    assert!(orders.any(|order| order.origin == Origin::Liquidation), "no position is liquidated");
    let one_way = exchange.futures_orders.values().filter(|order| order.one_way).count();
    let insured = book(&exchange, HouseBook::Insurance);
    assert!(one_way > 20 && !insured.is_empty(), "{one_way} {insured:?}");
    let between = exchange.transfers.iter().filter(|row| row.is_between_accounts()).count();
    let fills = (exchange.spot_fills().len(), exchange.futures_fills().len());
    assert!(between > 50 && fills.0 > 300 && fills.1 > 150, "{between} {fills:?}");
}
