//! The dead-man's switch against an exchange that is badly reached, under turned time.

mod property;
mod world;

use std::time::Duration;

use bitmart_rest::dead_man::{
    Builder, Cleared, DeadManSwitch, Event, Guarded, Phase, Reason, Timer, Trouble,
};
use bitmart_rest::{Client, Outcome};
use tokio::time::{Instant, sleep};

use self::world::{
    CANCEL_AFTER, CANCEL_FUTURES, CANCEL_SPOT, CONTRACT, Fate, OPEN_SPOT, OTHER, PAIR, World,
};

const TIMEOUT: Duration = Duration::from_secs(30);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn guard(world: &World) -> Builder {
    DeadManSwitch::builder(world.client()).contract(CONTRACT).timeout(TIMEOUT)
}

fn timer(switch: &DeadManSwitch) -> Timer {
    switch.timers()[0].1
}

async fn armed(builder: Builder) -> DeadManSwitch {
    let switch = builder.start().unwrap();
    assert!(switch.armed().await.unwrap());
    switch
}

/// The events that are there.
async fn events(switch: &DeadManSwitch) -> Vec<Event> {
    let mut events = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, switch.next_event()).await {
        events.push(event);
    }
    events
}

#[tokio::test(start_paused = true)]
async fn the_timer_is_kept_running_for_as_long_as_the_switch_lives() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.place(CONTRACT);
    for _ in 0..100 {
        sleep(seconds(5)).await;
        assert!(switch.is_armed(), "{switch:?}");
        assert!(world.timer(CONTRACT).is_some());
    }
    assert_eq!(world.open(CONTRACT), 1);
    let renewals = world.sent(CANCEL_AFTER).len();
    assert!((50..=52).contains(&renewals), "every third of the timeout: {renewals}");
    assert!(matches!(events(&switch).await[..], [Event::Armed(_)]));
    std::mem::forget(switch);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_armed_before_the_exchange_has_said_so() {
    let world = World::new();
    world.next(&[Fate::Maintenance, Fate::Unanswered(20)]);
    let switch = guard(&world).start().unwrap();
    assert_eq!(timer(&switch), Timer::NotSet);
    sleep(seconds(3)).await;
    assert_eq!(timer(&switch), Timer::NotSet);
    assert!(switch.armed().await.unwrap());
    let events = events(&switch).await;
    assert!(
        matches!(
            &events[..],
            [
                Event::RenewalFailed { trouble: refused, .. },
                Event::RenewalFailed { trouble: lost, .. },
                Event::Armed(_)
            ] if !refused.is_unknown() && lost.is_unknown()
        ),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_told_and_followed_in_time() {
    for fate in [Fate::Lost, Fate::Unanswered(20), Fate::Maintenance, Fate::NoConnection] {
        let world = World::new();
        let switch = armed(guard(&world)).await;
        world.place(CONTRACT);
        world.next(&[fate, fate]);
        for _ in 0..10 {
            sleep(seconds(5)).await;
            assert!(switch.is_armed(), "{fate:?}: {switch:?}");
        }
        let events = events(&switch).await;
        let failed = |event: &&Event| matches!(event, Event::RenewalFailed { .. });
        assert_eq!(events.iter().filter(failed).count(), 2, "{fate:?}: {events:?}");
        assert_eq!(world.open(CONTRACT), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_longer_than_the_timeout_is_never_called_armed() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.place(CONTRACT);
    world.usual(Some(Fate::Lost));
    sleep(seconds(60)).await;
    assert_eq!(timer(&switch), Timer::MayHaveFired);
    assert!(!switch.is_armed() && switch.beat(), "it still guards");
    assert_eq!(world.open(CONTRACT), 0, "the exchange did its part");
    world.usual(None);
    sleep(seconds(20)).await;
    assert!(switch.is_armed());
    let events = events(&switch).await;
    let told = events.iter().filter(|event| !matches!(event, Event::RenewalFailed { .. }));
    let told: Vec<_> = told.collect();
    assert!(
        matches!(told[..], [Event::Armed(_), Event::MayHaveFired(_), Event::Rearmed(_)]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_is_no_armed_timer() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.usual(Some(Fate::Fine(60_000)));
    sleep(seconds(35)).await;
    assert_eq!(timer(&switch), Timer::MayHaveFired);
    let unknown = |event: &Event| match event {
        Event::RenewalFailed { trouble: Trouble::Request(error), .. } => {
            error.outcome() == Outcome::Unknown
        }
        Event::RenewalFailed { trouble, .. } => trouble.is_unknown(),
        _ => true,
    };
    assert!(events(&switch).await.iter().all(unknown));
}

#[tokio::test(start_paused = true)]
async fn a_missing_beat_cancels_at_once() {
    let world = World::new();
    let switch = armed(guard(&world).pair(PAIR).stale_after(seconds(10))).await;
    world.place(CONTRACT);
    world.place(PAIR);
    let heart = switch.heart();
    for _ in 0..10 {
        sleep(seconds(9)).await;
        assert!(heart.beat());
    }
    let last = Instant::now();
    let report = switch.ended().await;
    assert_eq!((report.reason, report.is_clear()), (Reason::Stale, true), "{report:?}");
    assert!(!heart.beat() && !switch.beat());
    assert_eq!((world.open(CONTRACT), world.open(PAIR)), (0, 0));
    for path in [CANCEL_FUTURES, CANCEL_SPOT] {
        let [at] = world.sent(path)[..] else { panic!("{path} is sent once") };
        assert!((10..11).contains(&(at - last).as_secs()), "{path}: {:?}", at - last);
    }
    let renewals = world.sent(CANCEL_AFTER).len();
    sleep(seconds(600)).await;
    assert_eq!(world.sent(CANCEL_AFTER).len(), renewals, "it renews no more");
    assert_eq!(switch.phase(), Phase::Ended);
}

#[tokio::test(start_paused = true)]
async fn a_beat_that_comes_too_late_trips_the_switch_itself() {
    let world = World::new();
    let switch = armed(guard(&world).stale_after(seconds(10))).await;
    // The tasks have no chance to notice it first.
    tokio::time::advance(seconds(10)).await;
    assert!(!switch.beat());
    assert_eq!(switch.ended().await.reason, Reason::Stale);
}

#[tokio::test(start_paused = true)]
async fn conditions_trip_it_when_they_end_and_when_they_panic() {
    let world = World::new();
    let switch = armed(guard(&world).cancel_on(sleep(seconds(100)))).await;
    sleep(seconds(99)).await;
    assert!(switch.is_armed());
    assert_eq!(switch.ended().await.reason, Reason::Condition);

    let broken = async {
        sleep(seconds(1)).await;
        panic!("a fault in the condition");
    };
    let switch = armed(guard(&world).cancel_on(broken)).await;
    assert_eq!(switch.ended().await.reason, Reason::Condition);
}

#[tokio::test(start_paused = true)]
async fn dropping_it_cancels_in_the_background() {
    let world = World::new();
    let switch = armed(guard(&world).pair(PAIR)).await;
    world.place(CONTRACT);
    world.place(PAIR);
    drop(switch);
    sleep(seconds(2)).await;
    assert_eq!((world.open(CONTRACT), world.open(PAIR)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_to_cancel_all_is_resolved_by_a_look_and_not_by_sending_again() {
    for (fate, sent) in [(Fate::Unanswered(20), 1), (Fate::Lost, 2)] {
        let world = World::new();
        let switch = armed(guard(&world).pair(PAIR)).await;
        world.place(CONTRACT);
        world.place(PAIR);
        world.next_on(CANCEL_FUTURES, &[fate]);
        world.next_on(CANCEL_SPOT, &[fate]);
        let report = switch.shutdown().await;
        assert!(report.is_clear(), "{fate:?}: {report:?}");
        assert_eq!((world.open(CONTRACT), world.open(PAIR)), (0, 0));
        for (path, market) in [(CANCEL_FUTURES, 0), (CANCEL_SPOT, 1)] {
            assert_eq!(world.sent(path).len(), sent, "{fate:?} {path}");
            let one = &report.markets[market];
            assert_eq!(one.accepted, sent == 2, "{one:?}");
            assert!(one.error.is_some(), "{one:?}");
            let cleared = if one.accepted { Cleared::Cancelled } else { Cleared::NothingOpen };
            assert_eq!(one.cleared, cleared);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_cancellation_is_not_repeated_while_nobody_can_look() {
    let world = World::new();
    let switch = armed(DeadManSwitch::builder(world.client()).pair(PAIR)).await;
    world.place(PAIR);
    world.next_on(CANCEL_SPOT, &[Fate::Lost]);
    world.next_on(OPEN_SPOT, &[Fate::Maintenance; 50]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].cleared, Cleared::Unknown, "{report:?}");
    assert_eq!(world.sent(CANCEL_SPOT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_that_had_no_effect_is_repeated_although_nobody_can_look() {
    let world = World::new();
    let switch = armed(DeadManSwitch::builder(world.client()).pair(PAIR)).await;
    world.place(PAIR);
    world.next_on(CANCEL_SPOT, &[Fate::NoConnection, Fate::Maintenance]);
    world.next_on(OPEN_SPOT, &[Fate::Maintenance; 4]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].cleared, Cleared::Cancelled, "{report:?}");
    assert_eq!((world.sent(CANCEL_SPOT).len(), world.open(PAIR)), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn orders_that_come_while_it_cancels_are_cancelled_too() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.place(CONTRACT);
    world.place_after_cancelling(CONTRACT);
    let report = switch.shutdown().await;
    assert!(report.is_clear(), "{report:?}");
    assert_eq!((world.sent(CANCEL_FUTURES).len(), world.open(CONTRACT)), (2, 0));
    // And what comes later still, by the timer that was left running.
    assert!(matches!(report.markets[0].timer, Some(Timer::Armed { .. })));
    world.place(CONTRACT);
    sleep(TIMEOUT).await;
    assert_eq!(world.open(CONTRACT), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cancelled_is_named() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.place(CONTRACT);
    world.next_on(CANCEL_FUTURES, &[Fate::Forbidden; 9]);
    let begin = Instant::now();
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].cleared, Cleared::Left(vec!["1".into()]), "{report:?}");
    assert!(begin.elapsed() < seconds(5), "what is refused for good is not tried for a minute");

    let switch = armed(guard(&world).cancel_within(seconds(20))).await;
    world.usual(Some(Fate::Lost));
    let begin = Instant::now();
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].cleared, Cleared::Unknown, "{report:?}");
    assert!(report.markets[0].error.is_some() && begin.elapsed() <= seconds(20));
}

#[tokio::test(start_paused = true)]
async fn disarming_switches_the_timer_off_and_cancels_nothing() {
    let world = World::new();
    let switch = armed(guard(&world).contract(OTHER)).await;
    world.place(CONTRACT);
    world.next(&[Fate::Lost]);
    let report = switch.disarm().await;
    assert_eq!(report.reason, Reason::Disarmed);
    for one in &report.markets {
        assert_eq!((&one.cleared, one.timer), (&Cleared::LeftAlone, None), "{one:?}");
    }
    assert_eq!((world.timer(CONTRACT), world.timer(OTHER)), (None, None));
    sleep(TIMEOUT * 3).await;
    assert_eq!(world.open(CONTRACT), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_on_its_way_is_no_timer_that_is_certainly_off() {
    let world = World::new();
    let switch = armed(guard(&world)).await;
    world.next(&[Fate::Unanswered(25_000)]);
    sleep(seconds(11)).await;
    let report = switch.disarm().await;
    assert!(report.markets[0].timer.is_some(), "{report:?}");
    sleep(seconds(25)).await;
    assert!(world.timer(CONTRACT).is_some(), "it came late");
}

#[tokio::test(start_paused = true)]
async fn many_contracts_stay_below_the_rate_limit_even_when_renewals_fail() {
    let world = World::new();
    let names: Vec<_> = (0..26).map(|number| format!("A{number}USDT")).collect();
    let mut builder = DeadManSwitch::builder(world.client());
    for name in &names {
        builder = builder.contract(name.as_str());
    }
    let switch = armed(builder).await;
    sleep(seconds(200)).await;
    assert!(switch.is_armed());
    world.usual(Some(Fate::Lost));
    sleep(seconds(200)).await;
    let sent = world.sent(CANCEL_AFTER);
    for window in sent.windows(5) {
        assert!(window[4] - window[0] > seconds(2), "5 within {:?}", window[4] - window[0]);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let world = World::new();
    let builder = || DeadManSwitch::builder(world.client());
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
async fn a_key_that_does_not_work_is_found_before_the_first_order() {
    let world = World::new();
    world.usual(Some(Fate::Forbidden));
    let switch = DeadManSwitch::builder(world.client()).pair(PAIR).start().unwrap();
    assert_eq!(switch.armed().await.unwrap_err().code(), Some(30002));
}

#[test]
fn a_runtime_that_stops_is_no_reason_to_call_anything_armed_or_cancelled() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let switch = runtime.block_on(async {
        let world = World::new();
        let client: Client = world.client();
        DeadManSwitch::builder(client).contract(CONTRACT).all_pairs().start().unwrap()
    });
    drop(runtime);
    assert_eq!(switch.phase(), Phase::Ended);
    assert!(!switch.is_armed() && !switch.beat());
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = other.block_on(switch.ended());
    assert_eq!(report.reason, Reason::RuntimeStopped);
    assert_eq!(report.markets[1].market, Guarded::AllPairs);
    assert!(report.markets.iter().all(|one| one.cleared == Cleared::Unknown));
}
