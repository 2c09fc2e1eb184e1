//! Property tests of completeness: a simulated exchange, connection and consumer under virtual time,
//! with random failures.

mod connection;
mod exchange_model;
mod previous_tracker;
mod script;
mod simulation;
mod tracker_model;

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::Assumptions;
use exchange_model::ExchangeParams;
use previous_tracker::PreviousTracker;
use script::Action;
use simulation::Simulation;
use tracker_model::CurrentTracker;

/// Environment variables for the number of cases of each property test and for their seed.
const CASES: &str = "BITMART_PROOF_CASES";
const SEED: &str = "BITMART_PROOF_SEED";

fn from_env<T: std::str::FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is not a number"))
    })
}

fn cases() -> u32 {
    from_env(CASES, 2_000)
}

fn seed() -> u64 {
    from_env(SEED, 0)
}

fn correct_assumptions(params: &ExchangeParams) -> Assumptions {
    let duration = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    Assumptions::default()
        .max_push_delay(duration(params.push_delay))
        .max_history_lag(duration(params.history_lag))
        .max_clock_skew(duration(params.clock_skew))
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..=100_i64, 0..=100_i64, -100..=100_i64)
            .prop_map(|(push_delay, history_lag, clock_skew)| Action::Fill { push_delay, history_lag, clock_skew }),
        1 => (2..20_u32).prop_map(Action::Fills),
        2 => (0..=100_i64, 0..=100_i64)
            .prop_map(|(push_delay, history_lag)| Action::PlaceOrder { push_delay, history_lag }),
        2 => (0..=100_i64, 0..=100_i64)
            .prop_map(|(push_delay, history_lag)| Action::CancelOrder { push_delay, history_lag }),
        2 => (0..=100_i64).prop_map(|push_delay| Action::ChangeBalance { push_delay }),
        3 => (any::<bool>(), 0..8_000_i64).prop_map(|(silent, downtime)| Action::Disconnect { silent, downtime }),
        1 => Just(Action::MalformNext),
        1 => Just(Action::DuplicateNext),
        2 => (0..60_000_i64).prop_map(Action::PauseConsumer),
        1 => (0..40_000_i64).prop_map(Action::StallConnection),
        2 => (0..60_000_i64, 0..4_u8, 0..=100_i64)
            .prop_map(|(duration, fails, history_lag)| Action::NextFetch { duration, fails: fails == 0, history_lag }),
        1 => Just(Action::Audit),
        1 => (-90_000..90_000_i64).prop_map(Action::StepClock),
    ]
}

/// Short pauses between actions, so that their effects overlap.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..50_i64, 2 => 0..2_000_i64, 1 => 0..30_000_i64]
}

fn script() -> impl Strategy<Value = Vec<(i64, Action)>> {
    prop::collection::vec((pause(), action()), 1..30)
}

fn params() -> impl Strategy<Value = ExchangeParams> {
    let duration = || prop_oneof![1 => Just(0), 3 => 0..8_000_i64];
    (duration(), duration(), duration(), -100..=100_i64, 2..12_usize).prop_map(
        |(push_delay, history_lag, clock_skew, clock_offset, capacity)| ExchangeParams {
            push_delay,
            history_lag,
            clock_skew,
            clock_offset,
            capacity,
        },
    )
}

/// Runs cases until one fails and returns its failure.
fn search(
    cases: u32,
    run: impl Fn(ExchangeParams, Vec<(i64, Action)>) -> Result<(), String>,
) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, rng)
        .run(&(params(), script()), |(params, script)| {
            run(params, script).map_err(TestCaseError::fail)
        })
        .map_err(|failure| failure.to_string())
}

#[test]
fn no_fill_is_missing_or_duplicated_and_balances_are_current() {
    let found = search(cases(), |params, script| {
        Simulation::new(params, CurrentTracker::new(correct_assumptions(&params)), script).run()
    });
    found.unwrap_or_else(|failure| panic!("{failure}"));
    println!(
        "proof: {} cases from {SEED}={}: no fill missing or doubled, no balance outdated",
        cases(),
        seed()
    );
}

/// Makes one assumption too optimistic: reduces it to a percentage of its correct value.
const OPTIMISTIC: [fn(Assumptions, u32) -> Assumptions; 3] = [
    |correct, percent| correct.max_push_delay(correct.max_push_delay * percent / 100),
    |correct, percent| correct.max_history_lag(correct.max_history_lag * percent / 100),
    |correct, percent| correct.max_clock_skew(correct.max_clock_skew * percent / 100),
];
/// What [`OPTIMISTIC`] changes, in the same order.
const ASSUMPTIONS: [&str; 3] =
    ["maximum push delay (P)", "maximum history lag (H)", "maximum clock skew (C)"];

#[test]
fn each_assumption_is_necessary() {
    for (index, weaken) in OPTIMISTIC.into_iter().enumerate() {
        let found = search(20_000, |params, script| {
            let result = Simulation::new(
                params,
                CurrentTracker::new(weaken(correct_assumptions(&params), 0)),
                script,
            )
            .run();
            // Alarms of audits are tested separately.
            result.or_else(
                |failure| {
                    if failure.contains("missing") { Err(failure) } else { Ok(()) }
                },
            )
        });
        assert!(found.is_err(), "assumption {index} is violated and no fill is missing");
    }
}

#[test]
fn audits_detect_fills_lost_to_a_violated_assumption() {
    for (index, weaken) in OPTIMISTIC.into_iter().enumerate() {
        let lost = Cell::new(0);
        let cases = cases() / 4;
        let found = search(cases, |params, script| {
            // Between fully violated and almost correct.
            let percent = u32::try_from(script.len() * 7 % 100).unwrap_or(0);
            let tracker = CurrentTracker::new(weaken(correct_assumptions(&params), percent));
            lost.set(
                lost.get()
                    + Simulation::new(params, tracker, script).run_with_violated_assumptions()?,
            );
            Ok(())
        });
        found.unwrap_or_else(|failure| panic!("assumption {index}: {failure}"));
        let lost = lost.get();
        assert!(lost > 0, "no fill was lost, so the test proves nothing for assumption {index}");
        println!(
            "proof: {cases} cases with the {} exceeded: {lost} fills lost; every lost fill within the \
             range of an audit was reported by it",
            ASSUMPTIONS[index]
        );
    }
}

#[test]
fn the_simulation_detects_the_faults_of_the_previous_tracker() {
    let found = search(20_000, |params, script| {
        Simulation::new(params, PreviousTracker::new(), script).run()
    });
    let failure = found.expect_err("the previous tracker loses fills");
    assert!(failure.contains("missing"), "{failure}");
}

/// Runs a script with both trackers: the previous one loses a fill, the current one does not.
fn compare_trackers(capacity: usize, script: Vec<(i64, Action)>) {
    let params = ExchangeParams {
        push_delay: 5_000,
        history_lag: 5_000,
        clock_skew: 5_000,
        clock_offset: 0,
        capacity,
    };
    let previous = Simulation::new(params, PreviousTracker::new(), script.clone()).run();
    assert!(previous.expect_err("the previous tracker loses fills").contains("missing"));
    let current =
        Simulation::new(params, CurrentTracker::new(Assumptions::default()), script).run();
    current.unwrap_or_else(|failure| panic!("{failure}"));
}

fn fill() -> Action {
    Action::Fill { push_delay: 1, history_lag: 1, clock_skew: 0 }
}

#[test]
fn an_overflow_read_40_seconds_late_loses_no_fill() {
    let mut script = vec![(20_000, Action::PauseConsumer(40_000))];
    script.extend((0..1_500).map(|_| (2, fill())));
    compare_trackers(1_024, script);
}

#[test]
fn a_fill_during_a_disconnect_read_40_seconds_late_is_not_lost() {
    let disconnect = Action::Disconnect { silent: false, downtime: 3_000 };
    compare_trackers(
        1_024,
        vec![(20_000, Action::PauseConsumer(40_000)), (100, disconnect), (1_000, fill())],
    );
}

#[test]
fn a_second_disconnect_during_a_slow_fetch_loses_no_fill() {
    let disconnect = || Action::Disconnect { silent: false, downtime: 2_000 };
    let slow = Action::NextFetch { duration: 45_000, fails: false, history_lag: 0 };
    compare_trackers(
        1_024,
        vec![(20_000, slow), (0, disconnect()), (6_000, disconnect()), (1_000, fill())],
    );
}

/// Runs a script with the default assumptions.
fn run(script: Vec<(i64, Action)>) -> Result<(), String> {
    let params = ExchangeParams {
        push_delay: 5_000,
        history_lag: 5_000,
        clock_skew: 5_000,
        clock_offset: 0,
        capacity: 1_024,
    };
    Simulation::new(params, CurrentTracker::new(Assumptions::default()), script).run()
}

#[test]
fn a_fill_during_a_disconnect_is_not_lost_when_the_clock_was_set_back_or_ahead() {
    for step in [-60_000, 60_000] {
        let disconnect = Action::Disconnect { silent: false, downtime: 3_000 };
        let script = vec![(60_000, Action::StepClock(step)), (1_000, disconnect), (1_000, fill())];
        run(script).unwrap_or_else(|failure| panic!("a step of {step} ms: {failure}"));
    }
}

#[test]
fn a_currency_that_was_sold_during_a_disconnect_has_no_balance() {
    let change = || Action::ChangeBalance { push_delay: 1 };
    let disconnect = Action::Disconnect { silent: false, downtime: 3_000 };
    run(vec![(20_000, change()), (1_000, disconnect), (1_000, change())]).expect("current");
}

#[test]
fn an_order_canceled_during_a_disconnect_shortly_after_it_was_placed_is_not_open() {
    // Both kinds: an order that the exchange no longer knows, and one that it reports as finished.
    for placed in 1..3 {
        let disconnect = Action::Disconnect { silent: false, downtime: 1_500 };
        let mut script = vec![(20_000, disconnect)];
        for _ in 0..placed {
            script.insert(0, (0, Action::PlaceOrder { push_delay: 1, history_lag: 1 }));
            script.push((150, Action::CancelOrder { push_delay: 1, history_lag: 1 }));
        }
        script[0].0 = 60_000;
        script[placed].0 = 500;
        run(script).unwrap_or_else(|failure| panic!("{placed}: {failure}"));
    }
}
