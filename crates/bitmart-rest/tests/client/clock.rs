//! The client's clock follows the exchange's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_rest::code::ClockFault;
use bitmart_rest::testing::ScriptedTransport;
use bitmart_rest::{Client, Outcome, RetryPolicy};
use tokio::time::Instant;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, SignedRead, client};
use crate::mock::{OffsetClock, START_MILLIS, response};

/// An exchange whose clock is `ahead` milliseconds ahead, which responds after `latency` milliseconds
/// and rejects a signature whose time differs by more than a minute.
fn exchange_ahead(start: Instant, ahead: &Arc<AtomicI64>, latency: u64) -> ScriptedTransport {
    let ahead = Arc::clone(ahead);
    ScriptedTransport::from_fn(move |request| {
        let passed = i64::try_from(start.elapsed().as_millis()).unwrap();
        let half = i64::try_from(latency / 2).unwrap();
        let now = START_MILLIS + passed + half + ahead.load(Ordering::Relaxed);
        let late = Duration::from_millis(latency);
        if request.path() == "/system/time" {
            let body = format!(r#"{{"code":1000,"message":"OK","data":{{"server_time":{now}}}}}"#);
            return response(200, &[], &body).delay(late);
        }
        let timestamp = request.headers["x-bm-timestamp"].to_str().unwrap();
        let age = now - timestamp.parse::<i64>().unwrap();
        if age.abs() > 60_000 {
            let text = "Header X-BM-TIMESTAMP range. Within a minute";
            let body = format!(r#"{{"code":30007,"message":"{text}"}}"#);
            return response(401, &[], body).delay(late);
        }
        response(200, &[], ORDER_RESPONSE).delay(late)
    })
}

/// A builder of a client with the right time that sends to `script`.
fn client_of(start: Instant, script: &ScriptedTransport) -> bitmart_rest::ClientBuilder {
    client("https://spot").transport(script.clone()).clock(OffsetClock { start, offset_millis: 0 })
}

#[tokio::test(start_paused = true)]
async fn the_offset_is_measured_at_half_of_the_round_trip() {
    let start = Instant::now();
    for ahead in [90_000, -90_000] {
        let script = exchange_ahead(start, &Arc::new(AtomicI64::new(ahead)), 40);
        let client: Client = client_of(start, &script).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.clock_fault(), Some(ClockFault::Timestamp));
        assert_eq!(error.outcome(), Outcome::Rejected);

        let estimate = client.sync_clock().await.unwrap();
        assert!((estimate.offset_millis - ahead).abs() <= 2, "{estimate:?}");
        assert!(estimate.round_trip >= Duration::from_millis(40));
        assert!(estimate.round_trip < Duration::from_millis(45));
        assert_eq!(client.clock().offset_millis(), estimate.offset_millis);
        client.clone().send(PLACE_ORDER).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_is_not_requested_by_default() {
    let start = Instant::now();
    let script = exchange_ahead(start, &Arc::default(), 0);
    client_of(start, &script).build().unwrap().send(PLACE_ORDER).await.unwrap();
    assert_eq!(script.paths(), ["/place"]);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_synchronized_before_the_first_signature_and_after_30007_without_a_retry_of_orders()
 {
    let start = Instant::now();
    let ahead = Arc::new(AtomicI64::new(90_000));
    let script = exchange_ahead(start, &ahead, 10);
    let client = client_of(start, &script).auto_sync_clock(true).build().unwrap();
    let (one, other) = tokio::join!(client.send(PLACE_ORDER), client.send(PLACE_ORDER));
    assert!(one.is_ok() && other.is_ok());
    let time = "/system/time";
    assert_eq!(script.paths(), [time, time, time, "/place", "/place"]);

    ahead.store(-90_000, Ordering::Relaxed);
    assert!(client.send(PLACE_ORDER).await.unwrap_err().is_clock());
    assert_eq!(script.paths().len(), 6, "the rejected order is not sent again");
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(script.paths()[6..], [time, time, time, "/place"]);
}

#[tokio::test(start_paused = true)]
async fn a_signed_read_is_retried_with_the_corrected_time() {
    let start = Instant::now();
    let ahead = Arc::new(AtomicI64::new(0));
    let script = exchange_ahead(start, &ahead, 10);
    let policy = RetryPolicy::within(Duration::from_secs(10));
    let client =
        client_of(start, &script).auto_sync_clock(true).retry_reads(policy).build().unwrap();
    client.send(SignedRead).await.unwrap();
    ahead.store(90_000, Ordering::Relaxed);
    client.send(SignedRead).await.unwrap();
    let sent = script.paths().iter().filter(|path| *path == "/signed_read").count();
    assert_eq!(sent, 3);
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_the_time_a_quarter_of_the_timeout_at_most() {
    let start = Instant::now();
    let script = ScriptedTransport::from_fn(|request| match request.path() {
        "/system/time" => response(200, &[], "{}").delay(Duration::from_secs(3600)),
        _ => response(200, &[], ORDER_RESPONSE),
    });
    let builder = client_of(start, &script).auto_sync_clock(true);
    let client = builder.timeout(Duration::from_secs(8)).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    let waited = start.elapsed();
    assert!(
        waited >= Duration::from_secs(2) && waited < Duration::from_millis(2_100),
        "{waited:?}"
    );
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(start.elapsed(), waited, "the next one does not wait");
    assert_eq!(script.paths(), ["/system/time", "/place", "/place"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_time_service_sets_the_clock_all_the_same() {
    let start = Instant::now();
    // Two responses, after 0.95 s and 1.9 s, arrive within the quarter of the timeout, which is 2.5 of
    // 10 s. The third does not.
    let script = exchange_ahead(start, &Arc::new(AtomicI64::new(90_000)), 950);
    let client = client_of(start, &script).auto_sync_clock(true).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    let offset = client.clock().offset_millis();
    assert!((offset - 90_000).abs() <= 2, "{offset}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_time_request_does_not_hold_back_orders() {
    let start = Instant::now();
    let script = ScriptedTransport::from_fn(|request| match request.path() {
        "/system/time" => response(502, &[], "<html></html>"),
        _ => response(200, &[], ORDER_RESPONSE),
    });
    let client = client_of(start, &script).auto_sync_clock(true).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(script.paths(), ["/system/time", "/place", "/place"]);
    assert!(client.sync_clock().await.is_err());
}
