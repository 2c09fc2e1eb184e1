//! The dead-man's switch against a simulated exchange with delivery failures, under paused time.

mod cancellation;
mod properties;
mod simulation;

use std::time::Duration;

use bitmart_rest::dead_man::{
    Builder, CancelResult, DeadManSwitch, Event, GuardedMarket, Phase, Reason, RenewalError, Timer,
};
use bitmart_rest::{Client, Outcome};
use tokio::time::{Instant, sleep};

use self::simulation::{
    CANCEL_AFTER, CANCEL_FUTURES, CANCEL_SPOT, CONTRACT, Delivery, OPEN_SPOT, OTHER, PAIR,
    SimulatedExchange,
};

const TIMEOUT: Duration = Duration::from_secs(30);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A switch for the contract.
fn guard(exchange: &SimulatedExchange) -> Builder {
    DeadManSwitch::builder(exchange.client()).contract(CONTRACT).timeout(TIMEOUT)
}

/// The timer of the only contract.
fn timer(switch: &DeadManSwitch) -> Timer {
    switch.timers()[0].1
}

/// Starts the switch and waits until its timers are set.
async fn start_armed(builder: Builder) -> DeadManSwitch {
    let switch = builder.start().unwrap();
    assert!(switch.wait_until_armed().await.unwrap());
    switch
}

/// The queued events.
async fn events(switch: &DeadManSwitch) -> Vec<Event> {
    let mut events = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, switch.next_event()).await {
        events.push(event);
    }
    events
}

#[tokio::test(start_paused = true)]
async fn renews_the_timer_while_the_switch_is_guarding() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.place(CONTRACT);
    for _ in 0..100 {
        sleep(seconds(5)).await;
        assert!(switch.is_armed(), "{switch:?}");
        assert!(exchange.timer(CONTRACT).is_some());
    }
    assert_eq!(exchange.open(CONTRACT), 1);
    let renewals = exchange.sent(CANCEL_AFTER).len();
    // In 500 s, every third of the timeout of 30 s.
    assert!((50..=52).contains(&renewals), "{renewals}");
    assert!(matches!(events(&switch).await[..], [Event::Armed(_)]));
    std::mem::forget(switch);
}

#[tokio::test(start_paused = true)]
async fn is_not_armed_before_a_renewal_was_accepted() {
    let exchange = SimulatedExchange::new();
    exchange.enqueue(&[Delivery::Maintenance, Delivery::ResponseLost(20)]);
    let switch = guard(&exchange).start().unwrap();
    assert_eq!(timer(&switch), Timer::NotSet);
    sleep(seconds(3)).await;
    assert_eq!(timer(&switch), Timer::NotSet);
    assert!(switch.wait_until_armed().await.unwrap());
    let events = events(&switch).await;
    assert!(
        matches!(
            &events[..],
            [
                Event::RenewalFailed { error: rejected, .. },
                Event::RenewalFailed { error: lost, .. },
                Event::Armed(_)
            ] if !rejected.is_unknown() && lost.is_unknown()
        ),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_is_reported_and_repeated_in_time() {
    for delivery in
        [Delivery::Lost, Delivery::ResponseLost(20), Delivery::Maintenance, Delivery::NoConnection]
    {
        let exchange = SimulatedExchange::new();
        let switch = start_armed(guard(&exchange)).await;
        exchange.place(CONTRACT);
        exchange.enqueue(&[delivery, delivery]);
        for _ in 0..10 {
            sleep(seconds(5)).await;
            assert!(switch.is_armed(), "{delivery:?}: {switch:?}");
        }
        let events = events(&switch).await;
        let failed = |event: &&Event| matches!(event, Event::RenewalFailed { .. });
        assert_eq!(events.iter().filter(failed).count(), 2, "{delivery:?}: {events:?}");
        assert_eq!(exchange.open(CONTRACT), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn is_not_armed_during_an_outage_longer_than_the_timeout() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.place(CONTRACT);
    exchange.set_default(Some(Delivery::Lost));
    sleep(seconds(60)).await;
    assert_eq!(timer(&switch), Timer::MayHaveFired);
    assert!(!switch.is_armed() && switch.beat(), "it is still guarding");
    assert_eq!(exchange.open(CONTRACT), 0, "the exchange's timer has expired");
    exchange.set_default(None);
    sleep(seconds(20)).await;
    assert!(switch.is_armed());
    let events = events(&switch).await;
    let others = events.iter().filter(|event| !matches!(event, Event::RenewalFailed { .. }));
    let others: Vec<_> = others.collect();
    assert!(
        matches!(others[..], [Event::Armed(_), Event::MayHaveFired(_), Event::Rearmed(_)]),
        "{others:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn is_not_armed_while_a_renewal_hangs() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.set_default(Some(Delivery::Delayed(60_000)));
    sleep(seconds(35)).await;
    assert_eq!(timer(&switch), Timer::MayHaveFired);
    let unknown = |event: &Event| match event {
        Event::RenewalFailed { error: RenewalError::Request(error), .. } => {
            error.outcome() == Outcome::Unknown
        }
        Event::RenewalFailed { error, .. } => error.is_unknown(),
        _ => true,
    };
    assert!(events(&switch).await.iter().all(unknown));
}

#[tokio::test(start_paused = true)]
async fn cancels_when_beats_stop() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange).pair(PAIR).stale_after(seconds(10))).await;
    exchange.place(CONTRACT);
    exchange.place(PAIR);
    let heartbeat = switch.heartbeat();
    for _ in 0..10 {
        sleep(seconds(9)).await;
        assert!(heartbeat.beat());
    }
    let last = Instant::now();
    let report = switch.wait_until_ended().await;
    assert_eq!((report.reason, report.is_clear()), (Reason::Stale, true), "{report:?}");
    assert!(!heartbeat.beat() && !switch.beat());
    assert_eq!((exchange.open(CONTRACT), exchange.open(PAIR)), (0, 0));
    for path in [CANCEL_FUTURES, CANCEL_SPOT] {
        let [at] = exchange.sent(path)[..] else { panic!("{path} is sent once") };
        assert!((10..11).contains(&(at - last).as_secs()), "{path}: {:?}", at - last);
    }
    let renewals = exchange.sent(CANCEL_AFTER).len();
    sleep(seconds(600)).await;
    assert_eq!(exchange.sent(CANCEL_AFTER).len(), renewals, "it no longer renews");
    assert_eq!(switch.phase(), Phase::Ended);
}

#[tokio::test(start_paused = true)]
async fn a_late_beat_trips_the_switch() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange).stale_after(seconds(10))).await;
    // The tasks of the switch do not run before the beat.
    tokio::time::advance(seconds(10)).await;
    assert!(!switch.beat());
    assert_eq!(switch.wait_until_ended().await.reason, Reason::Stale);
}

#[tokio::test(start_paused = true)]
async fn conditions_trip_the_switch_when_they_complete_or_panic() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange).cancel_on(sleep(seconds(100)))).await;
    sleep(seconds(99)).await;
    assert!(switch.is_armed());
    assert_eq!(switch.wait_until_ended().await.reason, Reason::Condition);

    let broken = async {
        sleep(seconds(1)).await;
        panic!("a fault in the condition");
    };
    let switch = start_armed(guard(&exchange).cancel_on(broken)).await;
    assert_eq!(switch.wait_until_ended().await.reason, Reason::Condition);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_switch_cancels_in_the_background() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange).pair(PAIR)).await;
    exchange.place(CONTRACT);
    exchange.place(PAIR);
    drop(switch);
    sleep(seconds(2)).await;
    assert_eq!((exchange.open(CONTRACT), exchange.open(PAIR)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn disarming_switches_the_timer_off_and_cancels_no_order() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange).contract(OTHER)).await;
    exchange.place(CONTRACT);
    exchange.enqueue(&[Delivery::Lost]);
    let report = switch.disarm().await;
    assert_eq!(report.reason, Reason::Disarmed);
    for one in &report.markets {
        assert_eq!((&one.result, one.timer), (&CancelResult::Untouched, None), "{one:?}");
    }
    assert_eq!((exchange.timer(CONTRACT), exchange.timer(OTHER)), (None, None));
    sleep(TIMEOUT * 3).await;
    assert_eq!(exchange.open(CONTRACT), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timer_is_not_reported_off_while_a_renewal_is_in_flight() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.enqueue(&[Delivery::ResponseLost(25_000)]);
    sleep(seconds(11)).await;
    let report = switch.disarm().await;
    assert!(report.markets[0].timer.is_some(), "{report:?}");
    sleep(seconds(25)).await;
    assert!(exchange.timer(CONTRACT).is_some(), "the renewal arrived late");
}

#[tokio::test(start_paused = true)]
async fn a_timer_is_not_reported_off_while_a_signature_ahead_of_the_exchange_is_valid() {
    // A signature of a clock that is a minute ahead is accepted for two minutes.
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.enqueue(&[Delivery::ResponseLost(119_000)]);
    sleep(seconds(109)).await;
    let report = switch.disarm().await;
    assert!(report.markets[0].timer.is_some(), "{report:?}");
    sleep(seconds(25)).await;
    assert!(exchange.timer(CONTRACT).is_some(), "the renewal arrived late");
}

#[tokio::test(start_paused = true)]
async fn renewals_of_many_contracts_keep_the_rate_limit_even_when_they_fail() {
    let exchange = SimulatedExchange::new();
    let names: Vec<_> = (0..26).map(|number| format!("A{number}USDT")).collect();
    let mut builder = DeadManSwitch::builder(exchange.client());
    for name in &names {
        builder = builder.contract(name.as_str());
    }
    let switch = start_armed(builder).await;
    sleep(seconds(200)).await;
    assert!(switch.is_armed());
    exchange.set_default(Some(Delivery::Lost));
    sleep(seconds(200)).await;
    let sent = exchange.sent(CANCEL_AFTER);
    for window in sent.windows(5) {
        assert!(window[4] - window[0] > seconds(2), "5 within {:?}", window[4] - window[0]);
    }
}

#[tokio::test]
async fn rejects_invalid_settings() {
    let exchange = SimulatedExchange::new();
    let builder = || DeadManSwitch::builder(exchange.client());
    for (builder, setting) in [
        (builder(), "contract"),
        (builder().contract(CONTRACT).contract(CONTRACT), "contract"),
        (builder().contract(CONTRACT).timeout(seconds(4)), "timeout"),
        (builder().contract(CONTRACT).timeout(Duration::from_millis(5_500)), "timeout"),
        (builder().contract(CONTRACT).timeout(Duration::MAX), "timeout"),
        (builder().contract("A").contract("B").contract("C").timeout(seconds(5)), "timeout"),
    ] {
        assert_eq!(builder.start().unwrap_err().setting(), setting);
    }
}

#[tokio::test(start_paused = true)]
async fn armed_fails_with_an_invalid_key() {
    let exchange = SimulatedExchange::new();
    exchange.set_default(Some(Delivery::Forbidden));
    let switch = DeadManSwitch::builder(exchange.client()).pair(PAIR).start().unwrap();
    assert_eq!(switch.wait_until_armed().await.unwrap_err().code(), Some(30002));
}

#[test]
fn reports_unknown_results_when_the_runtime_stops() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let switch = runtime.block_on(async {
        let exchange = SimulatedExchange::new();
        let client: Client = exchange.client();
        DeadManSwitch::builder(client).contract(CONTRACT).all_pairs().start().unwrap()
    });
    drop(runtime);
    assert_eq!(switch.phase(), Phase::Ended);
    assert!(!switch.is_armed() && !switch.beat());
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = other.block_on(switch.wait_until_ended());
    assert_eq!(report.reason, Reason::RuntimeStopped);
    assert_eq!(report.markets[1].market, GuardedMarket::AllPairs);
    assert!(report.markets.iter().all(|one| one.result == CancelResult::Unknown));
}
