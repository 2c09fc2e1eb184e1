//! Properties of the switch under random beats, delays and delivery failures.

use std::time::Duration;

use bitmart_rest::dead_man::{CancelResult, DeadManSwitch, Event, GuardedMarket, Phase, Timer};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::simulation::{CONTRACT, Delivery, OTHER, PAIR, SimulatedExchange};

/// One step of a scenario.
#[derive(Clone, Debug)]
enum Step {
    Beat,
    /// Lets so many milliseconds pass.
    Wait(u64),
    /// Sets the delivery of requests without a queued one; `None` for a short delay.
    SetDefault(Option<Delivery>),
    /// Queues the deliveries of the next requests.
    Enqueue(Vec<Delivery>),
    Place(&'static str),
}

fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        (0..12_000_u64).prop_map(Delivery::Delayed),
        Just(Delivery::Lost),
        (0..40_000_u64).prop_map(Delivery::ResponseLost),
        Just(Delivery::Maintenance),
        Just(Delivery::NoConnection),
        Just(Delivery::Forbidden),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Beat),
        4 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (4_000..60_000_u64).prop_map(Step::Wait),
        1 => proptest::option::of(delivery()).prop_map(Step::SetDefault),
        1 => Just(Step::SetDefault(None)),
        2 => proptest::collection::vec(delivery(), 1..6).prop_map(Step::Enqueue),
        1 => prop::sample::select(vec![CONTRACT, OTHER, PAIR]).prop_map(Step::Place),
    ]
}

/// Every timer that is reported as armed is running, for at least the reported time.
fn assert_armed_timers_run(switch: &DeadManSwitch, exchange: &SimulatedExchange) {
    for (contract, timer) in switch.timers() {
        if let Timer::Armed { left } = timer {
            let real = exchange.timer(contract.as_str());
            assert!(real.is_some_and(|real| left <= real), "{contract}: {left:?} {real:?}");
        }
    }
}

async fn run_scenario(steps: Vec<Step>, timeout: u64, stale_after: Option<u64>) {
    let exchange = SimulatedExchange::new();
    let mut builder = DeadManSwitch::builder(exchange.client())
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
            // In small steps, to check in between.
            Step::Wait(millis) => {
                for _ in 0..=millis / 700 {
                    sleep(Duration::from_millis(millis.min(700))).await;
                    assert_armed_timers_run(&switch, &exchange);
                }
            }
            Step::SetDefault(delivery) => exchange.set_default(delivery),
            Step::Enqueue(deliveries) => exchange.enqueue(&deliveries),
            // A strategy stops placing orders once the switch was tripped.
            Step::Place(symbol) if switch.phase() == Phase::Guarding => exchange.place(symbol),
            Step::Place(_) => {}
        }
        assert_armed_timers_run(&switch, &exchange);
        if let Some(millis) = stale_after
            && last_beat.elapsed() > Duration::from_millis(millis)
        {
            assert_ne!(switch.phase(), Phase::Guarding, "no beat for {:?}", last_beat.elapsed());
        }
    }
    // It ends within a minute and reports the result.
    switch.trigger();
    let report = tokio::time::timeout(Duration::from_secs(61), switch.wait_until_ended()).await;
    let report = report.expect("an end in time");
    assert_armed_timers_run(&switch, &exchange);
    let (mut tripped, mut markets, mut ended) = (0, 0, 0);
    while let Some(event) = switch.next_event().await {
        match event {
            Event::Tripped(reason) => {
                assert_eq!(reason, report.reason);
                tripped += 1;
            }
            Event::MarketEnded(_) => markets += 1,
            Event::Ended => ended += 1,
            _ => {}
        }
    }
    assert_eq!((tripped, markets, ended), (1, 3, 1));
    for one in report.markets {
        let symbol = match &one.market {
            GuardedMarket::Contract(symbol) => symbol.as_str(),
            _ => PAIR,
        };
        match one.result {
            // No order was placed since the switch was tripped.
            CancelResult::Canceled | CancelResult::NothingOpen => {
                assert_eq!(exchange.open(symbol), 0, "{symbol}");
            }
            CancelResult::StillOpen(ids) => assert!(!ids.is_empty()),
            CancelResult::Unknown => assert!(one.error.is_some(), "{symbol}"),
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
    fn never_reports_an_expired_timer_as_armed_and_always_reports_its_end(
        steps in proptest::collection::vec(step(), 1..60),
        timeout in 5..60_u64,
        stale_after in proptest::option::of(1_000..30_000_u64),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run_scenario(steps, timeout, stale_after));
    }
}
