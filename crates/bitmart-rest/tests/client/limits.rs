//! The client keeps the rate limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bitmart_rest::testing::{Reply, ScriptedTransport};
use bitmart_rest::transport::{Body, Transport, from_fn};
use bitmart_rest::{
    Auth, Effect, EncodeError, Endpoint, Error, ErrorKind, Host, LimitPolicy, LimitScope, Limiter,
    Metadata, Method, Outcome, Payload, RetryClass, ThrottleReason, TransportErrorKind,
};
use bitmart_types::Timestamp;
use bytes::Bytes;
use tokio::time::{Instant, advance};

use crate::endpoint::{ORDER, PLACED, Placed, ReadOrder, client};
use crate::mock::{Stopped, response};

/// A write with a published limit.
struct Limited;

impl Endpoint for Limited {
    type Response = Placed;
    const METADATA: Metadata = Metadata::new("limited", Method::Post, Host::Spot, "/limited")
        .auth(Auth::Signed)
        .effect(Effect::Trade)
        .limit(4, 2, LimitScope::Uid);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

const REFUSED: &str = r#"{"code":30013,"message":"Request too many requests","trace":"1"}"#;

fn fail_fast() -> Limiter {
    Limiter::new(LimitPolicy::FailFast).headroom(0)
}

fn throttled(error: &Error) -> (ThrottleReason, Duration) {
    let ErrorKind::Throttled(throttled) = error.kind() else { panic!("{error}") };
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(error.retry_after(), Some(throttled.retry_after));
    assert!(error.is_rate_limited());
    (throttled.reason, throttled.retry_after)
}

#[tokio::test(start_paused = true)]
async fn limits_are_kept_without_being_asked_for_and_shared_by_clones() {
    let script =
        ScriptedTransport::always(response(200, &[], PLACED).after(Duration::from_millis(30)));
    let client = client("https://spot").transport(script.clone()).build().unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Limited).await.map(|placed| placed.order_id) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "7");
    }
    let times: Vec<_> = script.requests().iter().map(|request| request.at).collect();
    assert_eq!(times[3], times[0], "as many at once as the limit allows");
    assert!(times.windows(5).all(|run| run[4] - run[0] >= Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_default_bound_is_refused_and_nothing_is_sent() {
    let script = ScriptedTransport::response(|_| response(200, &[], PLACED));
    let client = client("https://spot").transport(script.clone()).build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Limited).await })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        if let Err(error) = task.await.unwrap() {
            assert_eq!(throttled(&error).0, ThrottleReason::LimitReached);
            refused += 1;
        }
    }
    // Four at once, after one window and after two; the third would be over five seconds.
    assert_eq!((script.count(), refused), (12, 8));
}

#[tokio::test(start_paused = true)]
async fn fail_fast_says_until_when_by_the_clients_clock() {
    let script = ScriptedTransport::response(|_| response(200, &[], PLACED));
    let builder = client("https://spot").transport(script).clock(Stopped(1_000_000));
    let client = builder.limiter(fail_fast()).build().unwrap();
    for _ in 0..4 {
        client.send(Limited).await.unwrap();
    }
    advance(Duration::from_millis(500)).await;
    let error = client.send(Limited).await.unwrap_err();
    assert_eq!(throttled(&error), (ThrottleReason::LimitReached, Duration::from_millis(1500)));
    let ErrorKind::Throttled(throttled) = error.kind() else { unreachable!() };
    assert_eq!(throttled.until.as_millis(), 1_001_500);
    assert_eq!(
        error.to_string(),
        "limited: held back to keep the rate limit, free in 1500 ms. Nothing was sent."
    );
}

#[tokio::test(start_paused = true)]
async fn off_sends_everything() {
    let script = ScriptedTransport::response(|_| response(429, &[], REFUSED));
    let limiter = Limiter::new(LimitPolicy::Off);
    let client = client("https://spot").transport(script.clone()).limiter(limiter).build().unwrap();
    for _ in 0..9 {
        assert_eq!(client.send(Limited).await.unwrap_err().code(), Some(30013));
    }
    assert_eq!(script.paths().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_rest_the_bucket_until_the_named_time() {
    let page = "<html>slow down</html>";
    let cases = [
        // The published window.
        (429, REFUSED, None, 2),
        // The code decides, whatever the status.
        (200, REFUSED, None, 2),
        // A proxy's page, with and without a time.
        (429, page, Some("7"), 7),
        (429, page, Some("Wed, 21 Oct 2026 07:28:00 GMT"), 2),
    ];
    for (status, body, named, rest) in cases {
        let headers: Vec<_> = named.map(|named| ("Retry-After", named)).into_iter().collect();
        let script = ScriptedTransport::response(move |_| response(status, &headers, body));
        let client =
            client("https://spot").transport(script.clone()).limiter(fail_fast()).build().unwrap();
        let rest = Duration::from_secs(rest);
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(rest), "{status} {named:?}");
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(throttled(&error), (ThrottleReason::TooManyRequests, rest));
        assert!(client.send(ORDER).await.unwrap_err().retry_after().is_some(), "another bucket");
        assert_eq!(script.paths(), ["/limited", "/place"]);
        advance(rest).await;
        assert!(!matches!(client.send(Limited).await.unwrap_err().kind(), ErrorKind::Throttled(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_rests_everything() {
    let banned = r#"{"code":30017,"message":"rejected","trace":"1"}"#;
    for (status, body) in [(418, banned), (200, banned), (418, "<html></html>")] {
        let script = ScriptedTransport::response(move |_| response(status, &[], body));
        let client =
            client("https://spot").transport(script.clone()).limiter(fail_fast()).build().unwrap();
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        let error = client.send(ORDER).await.unwrap_err();
        assert_eq!(throttled(&error), (ThrottleReason::Banned, Duration::from_secs(60)));
        assert_eq!(script.paths(), ["/limited"]);
    }
}

#[tokio::test(start_paused = true)]
async fn headers_correct_the_count_downwards() {
    // Somebody else with the same user has used three of the four.
    let headers = [
        ("X-BM-RateLimit-Remaining", "4"),
        ("X-BM-RateLimit-Limit", "4"),
        ("X-BM-RateLimit-Reset", "2"),
    ];
    let script = ScriptedTransport::response(move |_| response(200, &headers, PLACED));
    let client = client("https://spot").transport(script).limiter(fail_fast()).build().unwrap();
    client.send(Limited).await.unwrap();
    let error = client.send(Limited).await.unwrap_err();
    assert_eq!(throttled(&error), (ThrottleReason::LimitReached, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn only_what_cannot_have_been_sent_gives_its_permit_back() {
    for (sent, expected) in [(false, 50), (true, 4)] {
        let script = ScriptedTransport::response(move |_| {
            if sent {
                Reply::maybe_sent(TransportErrorKind::Interrupted)
            } else {
                Reply::not_sent(TransportErrorKind::Connect)
            }
        });
        let builder = client("https://spot").transport(script.clone());
        let client = builder.limiter(fail_fast()).build().unwrap();
        for _ in 0..50 {
            client.send(Limited).await.unwrap_err();
        }
        assert_eq!(script.paths().len(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_under_way_counts() {
    let script =
        ScriptedTransport::always(response(200, &[], PLACED).after(Duration::from_secs(1)));
    let client = client("https://spot").transport(script).limiter(fail_fast()).build().unwrap();
    for _ in 0..4 {
        let dropped = tokio::time::timeout(Duration::from_millis(1), client.send(Limited)).await;
        assert!(dropped.is_err());
    }
    throttled(&client.send(Limited).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_address_share_a_limiter() {
    let script = ScriptedTransport::response(|_| response(200, &[], PLACED));
    let limiter = fail_fast();
    let build =
        || client("https://spot").transport(script.clone()).limiter(limiter.clone()).build();
    let (one, other) = (build().unwrap(), build().unwrap());
    let start = Instant::now();
    for _ in 0..2 {
        one.send(Limited).await.unwrap();
        other.send(Limited).await.unwrap();
    }
    assert!(one.send(Limited).await.is_err() && other.send(Limited).await.is_err());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

const BANNED: &str = r#"{"code":30017,"message":"rejected","trace":"1"}"#;

/// Bans 20 ms after a request arrived: the first response names ten minutes, the others no time. Which
/// one is first is decided when the response is sent.
fn bans(answered: &Arc<AtomicU32>) -> impl Transport {
    let answered = Arc::clone(answered);
    from_fn(move |_| {
        let answered = Arc::clone(&answered);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut response = http::Response::new(Body::from(Bytes::from(BANNED)));
            *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
            if answered.fetch_add(1, Ordering::Relaxed) == 0 {
                let wait = http::HeaderValue::from_static("600");
                response.headers_mut().insert("Retry-After", wait);
            }
            Ok(response)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_later_418_without_a_time_does_not_shorten_a_ban() {
    for limiter in [fail_fast(), Limiter::new(LimitPolicy::Off)] {
        let answered = Arc::new(AtomicU32::new(0));
        let builder = client("https://spot").transport(bans(&answered)).clock(Stopped(0));
        let client = builder.limiter(limiter).build().unwrap();
        // Both are under way before the first response.
        let (first, second) = tokio::join!(client.send(Limited), client.send(ORDER));
        let (wait, until) = (Duration::from_secs(600), Some(Timestamp::from_millis(600_000)));
        for error in [first.unwrap_err(), second.unwrap_err()] {
            assert_eq!(error.retry_class(), RetryClass::Banned { wait, until }, "{error}");
            assert_eq!(error.retry_after(), Some(wait));
        }
        assert_eq!(answered.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_new_after_two_bans_rests_for_the_longer_one() {
    let answered = Arc::new(AtomicU32::new(0));
    let builder = client("https://spot").transport(bans(&answered));
    let client = builder.limiter(fail_fast()).build().unwrap();
    let (first, second) = tokio::join!(client.send(Limited), client.send(ORDER));
    assert!(first.is_err() && second.is_err());
    advance(Duration::from_secs(599)).await;
    let error = client.send(ReadOrder).await.unwrap_err();
    assert_eq!(throttled(&error), (ThrottleReason::Banned, Duration::from_secs(1)));
    assert!(error.retry_class().is_banned());
    assert_eq!(answered.load(Ordering::Relaxed), 2, "nothing was sent");
    advance(Duration::from_secs(1)).await;
    assert!(!matches!(client.send(ReadOrder).await.unwrap_err().kind(), ErrorKind::Throttled(_)));
}
