//! The proof put to the test: a simple exchange, a network and a consumer under virtual time, with
//! everything going wrong at once.

mod driver;
mod exchange;
mod old;
mod rule;
mod world;

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::Assumptions;
use exchange::Truth;
use old::OldRule;
use rule::Proven;
use world::{Action, World};

/// Cases of each property test, and from which of their sequences; others with these variables.
const CASES: &str = "BITMART_PROOF_CASES";
const SEED: &str = "BITMART_PROOF_SEED";

fn number<T: std::str::FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is no number"))
    })
}

fn cases() -> u32 {
    number(CASES, 2_000)
}

fn seed() -> u64 {
    number(SEED, 0)
}

fn believed(truth: &Truth) -> Assumptions {
    let span = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    Assumptions::default()
        .push_late(span(truth.late))
        .history_behind(span(truth.behind))
        .clocks_differ(span(truth.differ))
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..=100_i64, 0..=100_i64, -100..=100_i64)
            .prop_map(|(late, behind, differ)| Action::Fill { late, behind, differ }),
        1 => (2..20_u32).prop_map(Action::Burst),
        2 => (0..=100_i64, 0..=100_i64).prop_map(|(late, behind)| Action::Place { late, behind }),
        3 => (any::<bool>(), 0..8_000_i64).prop_map(|(silent, down)| Action::Cut { silent, down }),
        1 => Just(Action::Malform),
        1 => Just(Action::Duplicate),
        2 => (0..60_000_i64).prop_map(Action::Pause),
        1 => (0..40_000_i64).prop_map(Action::Stall),
        2 => (0..60_000_i64, 0..4_u8)
            .prop_map(|(takes, fails)| Action::Fetch { takes, fails: fails == 0 }),
        1 => Just(Action::Audit),
    ]
}

/// Things happen close together, so that they meet.
fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..50_i64, 2 => 0..2_000_i64, 1 => 0..30_000_i64]
}

fn script() -> impl Strategy<Value = Vec<(i64, Action)>> {
    prop::collection::vec((gap(), action()), 1..30)
}

fn truth() -> impl Strategy<Value = Truth> {
    let span = || prop_oneof![1 => Just(0), 3 => 0..8_000_i64];
    (span(), span(), span(), -100..=100_i64, 2..12_usize).prop_map(
        |(late, behind, differ, offset, capacity)| Truth { late, behind, differ, offset, capacity },
    )
}

/// Runs cases until one fails. Gives what failed.
fn search(
    cases: u32,
    run: impl Fn(Truth, Vec<(i64, Action)>) -> Result<(), String>,
) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, rng)
        .run(&(truth(), script()), |(truth, script)| {
            run(truth, script).map_err(TestCaseError::fail)
        })
        .map_err(|failure| failure.to_string())
}

#[test]
fn no_fill_is_missing_or_doubled_whatever_happens() {
    let found = search(cases(), |truth, script| {
        World::new(truth, Proven::new(believed(&truth)), script).run()
    });
    found.unwrap_or_else(|failure| panic!("{failure}"));
    println!("proof: {} cases from {SEED}={}: no fill missing or doubled", cases(), seed());
}

/// Beliefs that are better than the exchange, one for each assumption: by this share of what is true,
/// in per cent.
const DOUBTS: [fn(Assumptions, u32) -> Assumptions; 3] = [
    |believed, percent| believed.push_late(believed.push_late * percent / 100),
    |believed, percent| believed.history_behind(believed.history_behind * percent / 100),
    |believed, percent| believed.clocks_differ(believed.clocks_differ * percent / 100),
];

#[test]
fn each_assumption_matters() {
    for (at, doubt) in DOUBTS.into_iter().enumerate() {
        let found = search(20_000, |truth, script| {
            let failed = World::new(truth, Proven::new(doubt(believed(&truth), 0)), script).run();
            // What the audits say is a matter of its own.
            failed.or_else(
                |failure| {
                    if failure.contains("missing") { Err(failure) } else { Ok(()) }
                },
            )
        });
        assert!(
            found.is_err(),
            "the exchange is worse than assumption {at} and nothing is missing"
        );
    }
}

#[test]
fn what_a_broken_assumption_lost_is_in_the_alarm_of_an_audit() {
    for (at, doubt) in DOUBTS.into_iter().enumerate() {
        let lost = Cell::new(0);
        let cases = cases() / 4;
        let found = search(cases, |truth, script| {
            // Anything between as bad as believed and arbitrarily worse.
            let percent = u32::try_from(script.len() * 7 % 100).unwrap_or(0);
            let rule = Proven::new(doubt(believed(&truth), percent));
            lost.set(lost.get() + World::new(truth, rule, script).run_broken()?);
            Ok(())
        });
        found.unwrap_or_else(|failure| panic!("assumption {at}: {failure}"));
        let lost = lost.get();
        assert!(lost > 0, "nothing was lost by assumption {at}: this shows nothing");
        println!(
            "proof: {cases} cases with assumption {at} broken: {lost} fills lost, each that an audit could see in its alarm"
        );
    }
}

#[test]
fn the_old_rule_is_found_out() {
    let found = search(20_000, |truth, script| World::new(truth, OldRule::new(), script).run());
    let failure = found.expect_err("the old rule loses fills");
    assert!(failure.contains("missing"), "{failure}");
}

/// The fault of the old rule that each test below shows, and that the new one does not have.
fn both(capacity: usize, script: Vec<(i64, Action)>) {
    let truth = Truth { late: 5_000, behind: 5_000, differ: 5_000, offset: 0, capacity };
    let old = World::new(truth, OldRule::new(), script.clone()).run();
    assert!(old.expect_err("the old rule loses fills").contains("missing"));
    let new = World::new(truth, Proven::new(Assumptions::default()), script).run();
    new.unwrap_or_else(|failure| panic!("{failure}"));
}

fn fill() -> Action {
    Action::Fill { late: 1, behind: 1, differ: 0 }
}

#[test]
fn an_overflow_that_is_read_40_seconds_later() {
    let mut script = vec![(20_000, Action::Pause(40_000))];
    script.extend((0..1_500).map(|_| (2, fill())));
    both(1_024, script);
}

#[test]
fn a_fill_while_the_socket_is_down_that_is_looked_for_40_seconds_later() {
    let cut = Action::Cut { silent: false, down: 3_000 };
    both(1_024, vec![(20_000, Action::Pause(40_000)), (100, cut), (1_000, fill())]);
}

#[test]
fn a_second_cut_while_a_fetch_is_slow() {
    let cut = || Action::Cut { silent: false, down: 2_000 };
    let slow = Action::Fetch { takes: 45_000, fails: false };
    both(1_024, vec![(20_000, slow), (0, cut()), (6_000, cut()), (1_000, fill())]);
}
