//! The proof put to the test: a simple exchange, a network and a consumer under virtual time, with
//! everything going wrong at once.

mod old;
mod rule;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::Assumptions;
use old::OldRule;
use rule::Proven;
use world::{Action, Truth, World};

/// Cases of the property test; more with this variable.
const CASES: &str = "BITMART_PROOF_CASES";

fn cases() -> u32 {
    std::env::var(CASES).ok().and_then(|text| text.parse().ok()).unwrap_or(3_000)
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
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(&(truth(), script()), |(truth, script)| run(truth, script).map_err(TestCaseError::fail))
    .map_err(|failure| failure.to_string())
}

#[test]
fn no_fill_is_missing_or_doubled_whatever_happens() {
    let found = search(cases(), |truth, script| {
        World::new(truth, Proven::new(believed(&truth)), script).run()
    });
    found.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn each_assumption_matters() {
    let broken: [fn(Assumptions) -> Assumptions; 3] = [
        |believed| believed.push_late(Duration::ZERO),
        |believed| believed.history_behind(Duration::ZERO),
        |believed| believed.clocks_differ(Duration::ZERO),
    ];
    for (at, doubt) in broken.into_iter().enumerate() {
        let found = search(20_000, |truth, script| {
            let failed = World::new(truth, Proven::new(doubt(believed(&truth))), script).run();
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

#[test]
fn an_audit_finds_what_a_broken_assumption_lost() {
    let truth = Truth { late: 0, behind: 8_000, differ: 0, offset: 0, capacity: 64 };
    let lost = Action::Fill { late: 0, behind: 100, differ: 0 };
    let cut = Action::Cut { silent: false, down: 2_000 };
    let script = vec![(20_000, cut), (1_000, lost)];
    let doubted = believed(&truth).history_behind(Duration::ZERO);
    let mut world = World::new(truth, Proven::new(doubted), script);
    assert!(world.run().expect_err("a fill is missing").contains("missing"));
    world.settle();
    assert!(world.rule.audits().missing > 0, "{:?}", world.rule.audits());
    assert!(world.rule.told_of_an_audit, "there is an alarm");
    assert_eq!(world.rule.audits().surplus, 0);
}
