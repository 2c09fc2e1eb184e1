//! Whatever happens in whatever order: *armed* is true, and the end is told.

use std::time::Duration;

use bitmart_rest::dead_man::{Cleared, DeadManSwitch, Event, Guarded, Phase, Timer};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::world::{CONTRACT, Fate, OTHER, PAIR, World};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Beat,
    /// Milliseconds pass.
    Wait(u64),
    /// All goes well from now on, or all goes so.
    Usual(Option<Fate>),
    /// So go the next requests.
    Next(Vec<Fate>),
    Place(&'static str),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        (0..12_000_u64).prop_map(Fate::Fine),
        Just(Fate::Lost),
        (0..40_000_u64).prop_map(Fate::Unanswered),
        Just(Fate::Maintenance),
        Just(Fate::NoConnection),
        Just(Fate::Forbidden),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Beat),
        4 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (4_000..60_000_u64).prop_map(Step::Wait),
        1 => proptest::option::of(fate()).prop_map(Step::Usual),
        1 => Just(Step::Usual(None)),
        2 => proptest::collection::vec(fate(), 1..6).prop_map(Step::Next),
        1 => prop::sample::select(vec![CONTRACT, OTHER, PAIR]).prop_map(Step::Place),
    ]
}

/// *Armed* is said of no timer that does not run, and for no longer than it runs.
fn armed_is_true(switch: &DeadManSwitch, world: &World) {
    for (contract, timer) in switch.timers() {
        if let Timer::Armed { left } = timer {
            let real = world.timer(contract.as_str());
            assert!(real.is_some_and(|real| left <= real), "{contract}: {left:?} {real:?}");
        }
    }
}

async fn story(steps: Vec<Step>, timeout: u64, stale_after: Option<u64>) {
    let world = World::new();
    let mut builder = DeadManSwitch::builder(world.client())
        .contract(CONTRACT)
        .contract(OTHER)
        .pair(PAIR)
        .timeout(Duration::from_secs(timeout));
    if let Some(millis) = stale_after {
        builder = builder.stale_after(Duration::from_millis(millis));
    }
    let switch = builder.start().unwrap();
    let mut last_beat = Instant::now();
    for step in steps {
        match step {
            Step::Beat => {
                let beat = Instant::now();
                if switch.beat() {
                    last_beat = beat;
                }
            }
            // In small pieces, to look in between.
            Step::Wait(millis) => {
                for _ in 0..=millis / 700 {
                    sleep(Duration::from_millis(millis.min(700))).await;
                    armed_is_true(&switch, &world);
                }
            }
            Step::Usual(fate) => world.usual(fate),
            Step::Next(fates) => world.next(&fates),
            // Not by a strategy that was told to stop.
            Step::Place(symbol) if switch.phase() == Phase::Guarding => world.place(symbol),
            Step::Place(_) => {}
        }
        armed_is_true(&switch, &world);
        if let Some(millis) = stale_after
            && last_beat.elapsed() > Duration::from_millis(millis)
        {
            assert_ne!(switch.phase(), Phase::Guarding, "no beat for {:?}", last_beat.elapsed());
        }
    }
    // It ends within a minute, and everybody hears how.
    switch.trigger();
    let report = tokio::time::timeout(Duration::from_secs(61), switch.ended()).await;
    let report = report.expect("an end in time");
    armed_is_true(&switch, &world);
    let (mut tripped, mut cleared, mut ended) = (0, 0, 0);
    while let Some(event) = switch.next_event().await {
        match event {
            Event::Tripped(reason) => {
                assert_eq!(reason, report.reason);
                tripped += 1;
            }
            Event::Cleared(_) => cleared += 1,
            Event::Ended => ended += 1,
            _ => {}
        }
    }
    assert_eq!((tripped, cleared, ended), (1, 3, 1));
    for one in report.markets {
        let symbol = match &one.market {
            Guarded::Contract(symbol) => symbol.as_str(),
            _ => PAIR,
        };
        match one.cleared {
            // Nothing was placed since the switch was tripped.
            Cleared::Cancelled | Cleared::NothingOpen => {
                assert_eq!(world.open(symbol), 0, "{symbol}");
            }
            Cleared::Left(ids) => assert!(!ids.is_empty()),
            Cleared::Unknown => assert!(one.error.is_some(), "{symbol}"),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(15), ..ProptestConfig::default()
    })]

    #[test]
    fn armed_is_never_said_of_a_timer_that_may_have_run_out_and_the_end_is_always_told(
        steps in proptest::collection::vec(step(), 1..60),
        timeout in 5..60_u64,
        stale_after in proptest::option::of(1_000..30_000_u64),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(story(steps, timeout, stale_after));
    }
}
