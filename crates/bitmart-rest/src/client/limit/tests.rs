//! The limiter with tasks that wait, under paused time.

use std::sync::Mutex;

use tokio::time::{Instant, advance, sleep};

use proptest::prelude::*;

use super::*;
use crate::wire::endpoint::{Auth, Host, Method};

const BY_KEY: Metadata = Metadata::new("by_key", Method::Post, Host::Spot, "/by_key")
    .auth(Auth::Signed)
    .limit(5, 1, LimitScope::Key);
const BY_ADDRESS: Metadata =
    Metadata::new("by_address", Method::Get, Host::Spot, "/by_address").limit(5, 1, LimitScope::Ip);
const UNKNOWN: Metadata = Metadata::new("unknown", Method::Get, Host::Spot, "/unknown");

fn patient() -> Limiter {
    Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(60))).headroom(0)
}

fn impatient() -> Limiter {
    Limiter::new(LimitPolicy::FailFast).headroom(0)
}

/// Takes permits, each used and answered at once, until one is refused.
async fn taken(limiter: &Limiter, metadata: &'static Metadata, user: Option<usize>) -> usize {
    let mut count = 0;
    while let Ok(Some(mut permit)) = limiter.acquire(metadata, user).await {
        permit.count();
        count += 1;
        assert!(count < 1000, "not limited");
    }
    count
}

#[tokio::test(start_paused = true)]
async fn many_tasks_go_in_order_and_never_too_many_in_a_window() {
    let limiter = patient();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..57)
        .map(|number| {
            let (limiter, sent) = (limiter.clone(), Arc::clone(&sent));
            tokio::spawn(async move {
                let mut permit = limiter.acquire(&BY_KEY, Some(0)).await.unwrap().unwrap();
                permit.count();
                sent.lock().unwrap().push((number, Instant::now()));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let sent = sent.lock().unwrap();
    assert!(sent.iter().map(|(number, _)| *number).eq(0..57), "first come, first served");
    for run in sent.windows(6) {
        assert!(run[5].1 - run[0].1 >= Duration::from_secs(1));
    }
    // Not slower than the limit either: the timer is a millisecond late at most, each time.
    assert!(sent[56].1 - sent[0].1 < Duration::from_millis(11_050));
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_do_not_serialise_the_bucket() {
    let limiter = impatient();
    let permits = [limiter.acquire(&BY_KEY, None).await, limiter.acquire(&BY_KEY, None).await];
    assert!(permits.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn fail_fast_says_when_and_off_lets_everything_pass() {
    let limiter = impatient();
    assert_eq!(taken(&limiter, &BY_KEY, None).await, 5);
    advance(Duration::from_millis(400)).await;
    let later = limiter.acquire(&BY_KEY, None).await.unwrap_err();
    assert_eq!(later.reason, ThrottleReason::LimitReached);
    assert_eq!(later.at - gate::now(), Duration::from_millis(600));

    let off = Limiter::new(LimitPolicy::Off);
    for _ in 0..100 {
        assert!(off.acquire(&BY_KEY, None).await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_bound_is_refused_at_once() {
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_millis(900))).headroom(0);
    assert_eq!(taken(&limiter.clone(), &BY_KEY, None).await, 5);
    assert_eq!(Instant::now(), Instant::now());
    let start = Instant::now();
    assert!(limiter.acquire(&BY_KEY, None).await.is_err());
    assert_eq!(start.elapsed(), Duration::ZERO);
    advance(Duration::from_millis(200)).await;
    assert!(limiter.acquire(&BY_KEY, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_lets_the_next_one_go_earlier() {
    let limiter = patient();
    for _ in 0..5 {
        limiter.acquire(&BY_KEY, None).await.unwrap().unwrap().count();
    }
    let spawn = || {
        let limiter = limiter.clone();
        tokio::spawn(async move {
            let start = Instant::now();
            limiter.acquire(&BY_KEY, None).await.unwrap().unwrap().count();
            start.elapsed()
        })
    };
    // Five go after one window, the sixth after two.
    let mut first: Vec<_> = (0..5).map(|_| spawn()).collect();
    let last = spawn();
    sleep(Duration::from_millis(500)).await;
    first.remove(2).abort();
    assert!(last.await.unwrap() < Duration::from_millis(1010));
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_was_not_used_goes_to_the_next_at_once() {
    let limiter = patient();
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(limiter.acquire(&BY_KEY, None).await.unwrap());
    }
    let start = Instant::now();
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(&BY_KEY, None).await.unwrap().is_some() }
    });
    sleep(Duration::from_millis(10)).await;
    permits.pop();
    assert!(waiting.await.unwrap());
    assert!(start.elapsed() < Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn buckets_are_told_apart_by_endpoint_and_scope() {
    let limiter = impatient();
    let (one, other) = (limiter.user("one"), limiter.user("other"));
    assert_eq!(limiter.user("one"), one);
    assert_eq!(taken(&limiter, &BY_KEY, Some(one)).await, 5);
    assert_eq!(taken(&limiter, &BY_KEY, Some(other)).await, 5);
    assert_eq!(taken(&limiter, &BY_ADDRESS, Some(one)).await, 5);
    assert_eq!(taken(&limiter, &BY_ADDRESS, Some(other)).await, 0, "one address for all keys");
    assert!(limiter.acquire(&UNKNOWN, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_rests_its_bucket_for_the_time_it_names_or_a_window() {
    for (asked, rest) in [
        (None, Duration::from_secs(1)),
        (Some(Duration::ZERO), Duration::from_secs(1)),
        (Some(Duration::from_secs(7)), Duration::from_secs(7)),
        (Some(Duration::from_secs(3_596_400)), LONGEST_REST),
    ] {
        let limiter = impatient();
        let mut permit = limiter.acquire(&BY_KEY, None).await.unwrap().unwrap();
        permit.count();
        let told = limiter.refused(Some(&permit), asked, false).expect("a time");
        assert_eq!(told.at - gate::now(), rest);
        let later = limiter.acquire(&BY_KEY, None).await.unwrap_err();
        assert_eq!(later.reason, ThrottleReason::TooManyRequests);
        assert_eq!(later.at - gate::now(), rest);
        assert!(limiter.acquire(&BY_ADDRESS, None).await.is_ok(), "another bucket");
        advance(rest).await;
        assert!(limiter.acquire(&BY_KEY, None).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_rests_everything_also_what_was_not_used_before() {
    let limiter = impatient();
    let permit = limiter.acquire(&UNKNOWN, None).await.unwrap().unwrap();
    let told = limiter.refused(Some(&permit), None, true).expect("a time");
    assert_eq!((told.at - gate::now(), told.reason), (BAN_REST, ThrottleReason::Banned));
    for metadata in [&UNKNOWN, &BY_KEY, &BY_ADDRESS] {
        let later = limiter.acquire(metadata, Some(3)).await.unwrap_err();
        assert_eq!(later.reason, ThrottleReason::Banned);
    }
    advance(BAN_REST).await;
    assert!(limiter.acquire(&BY_KEY, Some(3)).await.is_ok());
}

/// A refusal: a ban or too many requests, the seconds that it names, and the milliseconds since the one
/// before.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    ban: bool,
    asked: Option<u64>,
    after: u64,
}

fn refusals() -> impl Strategy<Value = Vec<Refusal>> {
    let asked = prop_oneof![Just(None), (0u64..100_000).prop_map(Some), (0u64..120).prop_map(Some)];
    let one = (any::<bool>(), asked, 0u64..50_000).prop_map(|(ban, asked, after)| Refusal {
        ban,
        asked,
        after,
    });
    proptest::collection::vec(one, 1..12)
}

/// Takes in the refusals, and says after each until when bans last, as the limiter has to know it.
async fn bans_of(limiter: &Limiter, permit: Option<&Permit>, refusals: &[Refusal]) {
    let mut end = None;
    for refusal in refusals {
        advance(Duration::from_millis(refusal.after)).await;
        let asked = refusal.asked.map(Duration::from_secs);
        if refusal.ban {
            let rest = asked.unwrap_or_default().clamp(BAN_REST, LONGEST_BAN);
            end = end.max(Some(gate::now() + rest));
        }
        let told = limiter.refused(permit, asked, refusal.ban);
        let Some(end) = end.filter(|end| *end > gate::now()) else {
            assert!(told.is_none_or(|told| told.reason == ThrottleReason::TooManyRequests));
            continue;
        };
        let told = told.expect("a ban is in force");
        assert_eq!(told.reason, ThrottleReason::Banned);
        assert!(told.at >= end, "the answer shortens the ban by {:?}", end - told.at);
        if permit.is_none() {
            assert_eq!(told.at, end);
        }
    }
    // Whatever came last: nothing goes before the latest end, in buckets old and new.
    let Some(end) = end else { return };
    for metadata in [&UNKNOWN, &BY_KEY, &BY_ADDRESS] {
        if end > gate::now() && limiter.policy != LimitPolicy::Off {
            let later = limiter.acquire(metadata, Some(3)).await.expect_err("banned");
            assert_eq!(later.reason, ThrottleReason::Banned);
            assert!(later.at >= end);
        }
    }
    advance(end.saturating_duration_since(gate::now())).await;
    assert!(limiter.acquire(&BY_KEY, Some(4)).await.is_ok(), "the ban ends when it was to end");
}

proptest! {
    #[test]
    fn the_latest_end_of_a_ban_holds_whatever_the_order_of_answers(refusals in refusals()) {
        for policy in [LimitPolicy::FailFast, LimitPolicy::Off] {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
            runtime.block_on(async {
                let limiter = Limiter::new(policy).headroom(0);
                let permit = limiter.acquire(&UNKNOWN, None).await.expect("free");
                bans_of(&limiter, permit.as_ref(), &refusals).await;
            });
        }
    }
}
