//! The limiter with waiting tasks, under paused time.

mod stored;

use std::sync::Mutex;

use tokio::time::{Instant, advance, sleep};

use proptest::prelude::*;

use super::*;
use crate::protocol::endpoint::{Auth, Host, Method};

/// 5 requests a second for each key.
const BY_KEY: Metadata = Metadata::new("by_key", Method::Post, Host::Spot, "/by_key")
    .auth(Auth::Signed)
    .limit(5, 1, LimitScope::Key);
/// 5 requests a second for each IP address.
const BY_ADDRESS: Metadata =
    Metadata::new("by_address", Method::Get, Host::Spot, "/by_address").limit(5, 1, LimitScope::Ip);
/// Without a published limit.
const UNKNOWN: Metadata = Metadata::new("unknown", Method::Get, Host::Spot, "/unknown");

/// Waits for a permit; the limits are used in full.
fn waiting_limiter() -> Limiter {
    Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(60))).headroom(0)
}

/// Fails when a permit is not free; the limits are used in full.
fn failing_limiter() -> Limiter {
    Limiter::new(LimitPolicy::FailFast).headroom(0)
}

/// Acquires permits, each used and released at once, until the limiter fails. Returns their number.
async fn acquire_all(limiter: &Limiter, metadata: &'static Metadata, user: Option<usize>) -> usize {
    let mut count = 0;
    while let Ok(Some(mut permit)) = limiter.acquire(metadata, user).await {
        permit.count();
        count += 1;
        assert!(count < 1000, "not limited");
    }
    count
}

#[tokio::test(start_paused = true)]
async fn many_tasks_are_served_in_order_within_the_limit() {
    let limiter = waiting_limiter();
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
    // At most 5 a second: each sixth one is sent a second after the first of them.
    for run in sent.windows(6) {
        assert!(run[5].1 - run[0].1 >= Duration::from_secs(1));
    }
    // Not slower than the limit: the 57th follows 11 full seconds of 5 requests, and the timer is at
    // most a millisecond late each time.
    assert!(sent[56].1 - sent[0].1 < Duration::from_millis(11_050));
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_do_not_serialize_the_bucket() {
    let limiter = failing_limiter();
    let permits = [limiter.acquire(&BY_KEY, None).await, limiter.acquire(&BY_KEY, None).await];
    assert!(permits.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn fail_fast_returns_the_delay_and_off_never_waits() {
    let limiter = failing_limiter();
    assert_eq!(acquire_all(&limiter, &BY_KEY, None).await, 5);
    advance(Duration::from_millis(400)).await;
    let delay = limiter.acquire(&BY_KEY, None).await.unwrap_err();
    assert_eq!(delay.reason, ThrottleReason::LimitReached);
    assert_eq!(delay.at - shared_bucket::now(), Duration::from_millis(600));

    let off = Limiter::new(LimitPolicy::Off);
    for _ in 0..100 {
        assert!(off.acquire(&BY_KEY, None).await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_maximum_fails_at_once() {
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_millis(900))).headroom(0);
    assert_eq!(acquire_all(&limiter.clone(), &BY_KEY, None).await, 5);
    let start = Instant::now();
    assert!(limiter.acquire(&BY_KEY, None).await.is_err());
    assert_eq!(start.elapsed(), Duration::ZERO);
    advance(Duration::from_millis(200)).await;
    assert!(limiter.acquire(&BY_KEY, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_wait_lets_the_next_caller_go_earlier() {
    let limiter = waiting_limiter();
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
    // Five are granted after one window, the sixth after two.
    let mut first: Vec<_> = (0..5).map(|_| spawn()).collect();
    let last = spawn();
    sleep(Duration::from_millis(500)).await;
    first.remove(2).abort();
    assert!(last.await.unwrap() < Duration::from_millis(1010));
}

#[tokio::test(start_paused = true)]
async fn an_unused_permit_is_granted_to_the_next_caller_at_once() {
    let limiter = waiting_limiter();
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
async fn buckets_are_separate_by_endpoint_and_scope() {
    let limiter = failing_limiter();
    let (one, other) = (limiter.user("one"), limiter.user("other"));
    assert_eq!(limiter.user("one"), one);
    assert_eq!(acquire_all(&limiter, &BY_KEY, Some(one)).await, 5);
    assert_eq!(acquire_all(&limiter, &BY_KEY, Some(other)).await, 5);
    assert_eq!(acquire_all(&limiter, &BY_ADDRESS, Some(one)).await, 5);
    assert_eq!(
        acquire_all(&limiter, &BY_ADDRESS, Some(other)).await,
        0,
        "one address for all keys"
    );
    assert!(limiter.acquire(&UNKNOWN, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rejection_pauses_its_bucket_for_the_requested_time_or_a_window() {
    for (requested, pause) in [
        (None, Duration::from_secs(1)),
        (Some(Duration::ZERO), Duration::from_secs(1)),
        (Some(Duration::from_secs(7)), Duration::from_secs(7)),
        (Some(Duration::from_secs(3_596_400)), MAX_PAUSE),
    ] {
        let limiter = failing_limiter();
        let mut permit = limiter.acquire(&BY_KEY, None).await.unwrap().unwrap();
        permit.count();
        let delay = limiter.rejected(Some(&permit), requested, false).expect("a time");
        assert_eq!(delay.at - shared_bucket::now(), pause);
        let delay = limiter.acquire(&BY_KEY, None).await.unwrap_err();
        assert_eq!(delay.reason, ThrottleReason::TooManyRequests);
        assert_eq!(delay.at - shared_bucket::now(), pause);
        assert!(limiter.acquire(&BY_ADDRESS, None).await.is_ok(), "another bucket");
        advance(pause).await;
        assert!(limiter.acquire(&BY_KEY, None).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_pauses_all_buckets_including_new_ones() {
    let limiter = failing_limiter();
    let permit = limiter.acquire(&UNKNOWN, None).await.unwrap().unwrap();
    let delay = limiter.rejected(Some(&permit), None, true).expect("a time");
    assert_eq!(
        (delay.at - shared_bucket::now(), delay.reason),
        (MIN_BAN_PAUSE, ThrottleReason::Banned)
    );
    for metadata in [&UNKNOWN, &BY_KEY, &BY_ADDRESS] {
        let delay = limiter.acquire(metadata, Some(3)).await.unwrap_err();
        assert_eq!(delay.reason, ThrottleReason::Banned);
    }
    advance(MIN_BAN_PAUSE).await;
    assert!(limiter.acquire(&BY_KEY, Some(3)).await.is_ok());
}

/// A rejection by the exchange.
#[derive(Clone, Copy, Debug)]
struct Rejection {
    /// Whether it is a ban; otherwise it is too many requests.
    is_ban: bool,
    /// The requested pause, in seconds.
    retry_after: Option<u64>,
    /// Milliseconds since the previous rejection.
    millis_later: u64,
}

fn rejections() -> impl Strategy<Value = Vec<Rejection>> {
    let retry_after =
        prop_oneof![Just(None), (0u64..100_000).prop_map(Some), (0u64..120).prop_map(Some)];
    let one = (any::<bool>(), retry_after, 0u64..50_000).prop_map(
        |(is_ban, retry_after, millis_later)| Rejection { is_ban, retry_after, millis_later },
    );
    proptest::collection::vec(one, 1..12)
}

/// Passes the rejections to the limiter and checks the end of the ban after each.
async fn check_bans(limiter: &Limiter, permit: Option<&Permit>, rejections: &[Rejection]) {
    let mut end = None;
    for rejection in rejections {
        advance(Duration::from_millis(rejection.millis_later)).await;
        let retry_after = rejection.retry_after.map(Duration::from_secs);
        if rejection.is_ban {
            let pause = retry_after.unwrap_or_default().clamp(MIN_BAN_PAUSE, MAX_BAN);
            end = end.max(Some(shared_bucket::now() + pause));
        }
        let delay = limiter.rejected(permit, retry_after, rejection.is_ban);
        let Some(end) = end.filter(|end| *end > shared_bucket::now()) else {
            assert!(delay.is_none_or(|delay| delay.reason == ThrottleReason::TooManyRequests));
            continue;
        };
        let delay = delay.expect("a ban is in force");
        assert_eq!(delay.reason, ThrottleReason::Banned);
        assert!(delay.at >= end, "the response shortens the ban by {:?}", end - delay.at);
        if permit.is_none() {
            assert_eq!(delay.at, end);
        }
    }
    // No request is allowed before the latest end, in existing and new buckets.
    let Some(end) = end else { return };
    for metadata in [&UNKNOWN, &BY_KEY, &BY_ADDRESS] {
        if end > shared_bucket::now() && limiter.policy != LimitPolicy::Off {
            let delay = limiter.acquire(metadata, Some(3)).await.expect_err("banned");
            assert_eq!(delay.reason, ThrottleReason::Banned);
            assert!(delay.at >= end);
        }
    }
    advance(end.saturating_duration_since(shared_bucket::now())).await;
    assert!(limiter.acquire(&BY_KEY, Some(4)).await.is_ok(), "the ban ends in time");
}

proptest! {
    #[test]
    fn the_latest_end_of_a_ban_counts_in_any_order_of_responses(rejections in rejections()) {
        for policy in [LimitPolicy::FailFast, LimitPolicy::Off] {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
            runtime.block_on(async {
                let limiter = Limiter::new(policy).headroom(0);
                let permit = limiter.acquire(&UNKNOWN, None).await.expect("free");
                check_bans(&limiter, permit.as_ref(), &rejections).await;
            });
        }
    }
}
