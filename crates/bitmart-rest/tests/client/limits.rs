//! The client enforces the rate limits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_rest::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload,
};
use bitmart_rest::limit::{LimitPolicy, Limiter, ThrottleReason};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::transport::{
    Body, Reservation, ReservationFuture, Transport, TransportFuture, from_fn,
};
use bitmart_rest::{Error, ErrorKind, Outcome, RetryClass};
use bitmart_types::Timestamp;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, advance, sleep_until};

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, PlacedOrder, ReadOrder, client};
use crate::mock::{FixedClock, response};

/// A write with a published limit.
struct Limited;

impl Endpoint for Limited {
    type Response = PlacedOrder;
    const METADATA: Metadata = Metadata::new("limited", Method::Post, Host::Spot, "/limited")
        .auth(Auth::Signed)
        .effect(Effect::Trade)
        .limit(4, 2, LimitScope::Uid);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

const TOO_MANY: &str = r#"{"code":30013,"message":"Request too many requests","trace":"1"}"#;

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
async fn limits_are_enforced_by_default_and_shared_by_clones() {
    let script = ScriptedTransport::always(
        response(200, &[], ORDER_RESPONSE).delay(Duration::from_millis(30)),
    );
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
    let times: Vec<_> = script.requests().iter().map(|request| request.sent_at).collect();
    assert_eq!(times[3], times[0], "as many at once as the limit allows");
    assert!(times.windows(5).all(|run| run[4] - run[0] >= Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_default_maximum_fails_without_sending() {
    let script = ScriptedTransport::from_fn(|_| response(200, &[], ORDER_RESPONSE));
    let client = client("https://spot").transport(script.clone()).build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Limited).await })
        })
        .collect();
    let mut throttled_count = 0;
    for task in tasks {
        if let Err(error) = task.await.unwrap() {
            assert_eq!(throttled(&error).0, ThrottleReason::LimitReached);
            throttled_count += 1;
        }
    }
    // Four at once, after one window and after two; the third would be over five seconds.
    assert_eq!((script.count(), throttled_count), (12, 8));
}

#[tokio::test(start_paused = true)]
async fn fail_fast_reports_the_end_of_the_limit_by_the_clients_clock() {
    let script = ScriptedTransport::from_fn(|_| response(200, &[], ORDER_RESPONSE));
    let builder = client("https://spot").transport(script).clock(FixedClock(1_000_000));
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
        "limited: held back to keep the rate limit, retry in 1500 ms. Nothing was sent."
    );
}

#[tokio::test(start_paused = true)]
async fn policy_off_sends_every_request() {
    let script = ScriptedTransport::from_fn(|_| response(429, &[], TOO_MANY));
    let limiter = Limiter::new(LimitPolicy::Off);
    let client = client("https://spot").transport(script.clone()).limiter(limiter).build().unwrap();
    for _ in 0..9 {
        assert_eq!(client.send(Limited).await.unwrap_err().code(), Some(30013));
    }
    assert_eq!(script.paths().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_pause_the_bucket_until_the_requested_time() {
    let page = "<html>slow down</html>";
    let cases = [
        // The published window.
        (429, TOO_MANY, None, 2),
        // The code decides, whatever the status.
        (200, TOO_MANY, None, 2),
        // A proxy's page with `Retry-After`: in seconds, and as a date in the past, which is ignored.
        (429, page, Some("7"), 7),
        (429, page, Some("Sun, 06 Nov 1994 08:49:37 GMT"), 2),
    ];
    for (status, body, retry_after, pause) in cases {
        let headers: Vec<_> = retry_after.map(|value| ("Retry-After", value)).into_iter().collect();
        let script = ScriptedTransport::from_fn(move |_| response(status, &headers, body));
        let client =
            client("https://spot").transport(script.clone()).limiter(fail_fast()).build().unwrap();
        let pause = Duration::from_secs(pause);
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(pause), "{status} {retry_after:?}");
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(throttled(&error), (ThrottleReason::TooManyRequests, pause));
        assert!(
            client.send(PLACE_ORDER).await.unwrap_err().retry_after().is_some(),
            "another bucket"
        );
        assert_eq!(script.paths(), ["/limited", "/place"]);
        advance(pause).await;
        assert!(!matches!(client.send(Limited).await.unwrap_err().kind(), ErrorKind::Throttled(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_pauses_all_requests() {
    let banned = r#"{"code":30017,"message":"rejected","trace":"1"}"#;
    for (status, body) in [(418, banned), (200, banned), (418, "<html></html>")] {
        let script = ScriptedTransport::from_fn(move |_| response(status, &[], body));
        let client =
            client("https://spot").transport(script.clone()).limiter(fail_fast()).build().unwrap();
        let error = client.send(Limited).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(throttled(&error), (ThrottleReason::Banned, Duration::from_secs(60)));
        assert_eq!(script.paths(), ["/limited"]);
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_headers_reduce_the_free_permits() {
    // Another program of the same user has used three of the four permits.
    let headers = [
        ("X-BM-RateLimit-Remaining", "4"),
        ("X-BM-RateLimit-Limit", "4"),
        ("X-BM-RateLimit-Reset", "2"),
    ];
    let script = ScriptedTransport::from_fn(move |_| response(200, &headers, ORDER_RESPONSE));
    let client = client("https://spot").transport(script).limiter(fail_fast()).build().unwrap();
    client.send(Limited).await.unwrap();
    let error = client.send(Limited).await.unwrap_err();
    assert_eq!(throttled(&error), (ThrottleReason::LimitReached, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn only_requests_that_were_not_sent_release_their_permit() {
    for (sent, expected) in [(false, 50), (true, 4)] {
        let script = ScriptedTransport::from_fn(move |_| {
            if sent {
                ScriptedResponse::maybe_sent(TransportErrorKind::Interrupted)
            } else {
                ScriptedResponse::not_sent(TransportErrorKind::Connect)
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
async fn a_request_that_is_dropped_in_flight_counts() {
    let script =
        ScriptedTransport::always(response(200, &[], ORDER_RESPONSE).delay(Duration::from_secs(1)));
    let client = client("https://spot").transport(script).limiter(fail_fast()).build().unwrap();
    for _ in 0..4 {
        let dropped = tokio::time::timeout(Duration::from_millis(1), client.send(Limited)).await;
        assert!(dropped.is_err());
    }
    throttled(&client.send(Limited).await.unwrap_err());
}

/// An exchange that responds to nothing until `recovers_at`, over a limited number of connections.
struct Stalled {
    recovers_at: Instant,
    connections: Arc<Semaphore>,
    sent: Arc<Mutex<Vec<Instant>>>,
}

impl Stalled {
    fn new(stall: Duration, connections: usize) -> Self {
        let recovers_at = Instant::now() + stall;
        Self {
            recovers_at,
            connections: Arc::new(Semaphore::new(connections)),
            sent: Arc::default(),
        }
    }
}

impl Transport for Stalled {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async {
            self.sent.lock().unwrap().push(Instant::now());
            sleep_until(self.recovers_at).await;
            Ok(http::Response::new(Body::from(Bytes::from(ORDER_RESPONSE))))
        })
    }
    fn reserve<'a>(&'a self, _: &'a http::uri::Authority) -> ReservationFuture<'a> {
        Box::pin(async {
            let connection = self.connections.clone().acquire_owned().await.unwrap();
            Reservation::with_guard(connection)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_a_stalled_exchange_are_not_sent_in_a_burst() {
    let exchange = Stalled::new(Duration::from_secs(9), 2);
    let sent = Arc::clone(&exchange.sent);
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(300))).headroom(0);
    let builder = client("https://spot").transport(exchange).limiter(limiter);
    let client = builder.timeout(Duration::from_secs(60)).build().unwrap();
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Limited).await.map(|placed| placed.order_id) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "7");
    }
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 30);
    for run in sent.windows(5) {
        let took = run[4] - run[0];
        assert!(took >= Duration::from_secs(2), "five requests within {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_dropped_while_the_exchange_stalls_release_their_permits() {
    let exchange = Stalled::new(Duration::from_secs(3600), 2);
    let (connections, sent) = (Arc::clone(&exchange.connections), Arc::clone(&exchange.sent));
    let builder = client("https://spot").transport(exchange).limiter(fail_fast());
    let client = builder.timeout(Duration::from_secs(100)).build().unwrap();
    // Two are in flight, two wait for a connection: all permits are in use, however long it takes.
    let spawn = || {
        let client = client.clone();
        tokio::spawn(async move { client.send(Limited).await.map(|_| ()) })
    };
    let tasks = [spawn(), spawn(), spawn(), spawn()];
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!((sent.lock().unwrap().len(), connections.available_permits()), (2, 0));
    throttled(&client.send(Limited).await.unwrap_err());
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    // The permits of those that were not sent are free at once, those of the others after a window of
    // two seconds. Counts how many of the requests are sent.
    let count_sent = |count| {
        let client = client.clone();
        async move {
            let requests = (0..count).map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    let request = client.send(Limited);
                    tokio::time::timeout(Duration::from_millis(1), request).await.is_err()
                })
            });
            let mut in_flight = 0;
            for request in requests.collect::<Vec<_>>() {
                in_flight += usize::from(request.await.unwrap());
            }
            in_flight
        }
    };
    assert_eq!(count_sent(9).await, 2);
    advance(Duration::from_secs(3)).await;
    assert_eq!(count_sent(9).await, 4);
}

#[tokio::test(start_paused = true)]
async fn clients_can_share_a_limiter() {
    let script = ScriptedTransport::from_fn(|_| response(200, &[], ORDER_RESPONSE));
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

/// Bans 20 ms after a request arrived. The response that is sent first has a `Retry-After` of ten minutes,
/// the others have none.
fn exchange_that_bans(responses: &Arc<AtomicU32>) -> impl Transport {
    let responses = Arc::clone(responses);
    from_fn(move |_| {
        let responses = Arc::clone(&responses);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut response = http::Response::new(Body::from(Bytes::from(BANNED)));
            *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
            if responses.fetch_add(1, Ordering::Relaxed) == 0 {
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
        let responses = Arc::new(AtomicU32::new(0));
        let builder =
            client("https://spot").transport(exchange_that_bans(&responses)).clock(FixedClock(0));
        let client = builder.limiter(limiter).build().unwrap();
        // Both are in flight before the first response.
        let (first, second) = tokio::join!(client.send(Limited), client.send(PLACE_ORDER));
        let (wait, until) = (Duration::from_secs(600), Some(Timestamp::from_millis(600_000)));
        for error in [first.unwrap_err(), second.unwrap_err()] {
            assert_eq!(error.retry_class(), RetryClass::Banned { wait, until }, "{error}");
            assert_eq!(error.retry_after(), Some(wait));
        }
        assert_eq!(responses.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_bucket_after_two_bans_is_paused_for_the_longer_one() {
    let responses = Arc::new(AtomicU32::new(0));
    let builder = client("https://spot").transport(exchange_that_bans(&responses));
    let client = builder.limiter(fail_fast()).build().unwrap();
    let (first, second) = tokio::join!(client.send(Limited), client.send(PLACE_ORDER));
    assert!(first.is_err() && second.is_err());
    advance(Duration::from_secs(599)).await;
    let error = client.send(ReadOrder).await.unwrap_err();
    assert_eq!(throttled(&error), (ThrottleReason::Banned, Duration::from_secs(1)));
    assert!(error.retry_class().is_banned());
    assert_eq!(responses.load(Ordering::Relaxed), 2, "nothing was sent");
    advance(Duration::from_secs(1)).await;
    assert!(!matches!(client.send(ReadOrder).await.unwrap_err().kind(), ErrorKind::Throttled(_)));
}
