//! The client's clock follows the exchange's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_rest::testing::ScriptedTransport;
use bitmart_rest::{Client, ClockFault, Outcome, RetryPolicy};
use tokio::time::Instant;

use crate::endpoint::{ORDER, PLACED, SignedRead, client};
use crate::mock::{NOW, Off, response};

/// An exchange that is `ahead` of the client's clock and refuses signatures a minute old.
fn exchange(start: Instant, ahead: &Arc<AtomicI64>, latency: u64) -> ScriptedTransport {
    let ahead = Arc::clone(ahead);
    ScriptedTransport::response(move |request| {
        let passed = i64::try_from(start.elapsed().as_millis()).unwrap();
        let half = i64::try_from(latency / 2).unwrap();
        let now = NOW + passed + half + ahead.load(Ordering::Relaxed);
        let late = Duration::from_millis(latency);
        if request.path() == "/system/time" {
            let body = format!(r#"{{"code":1000,"message":"OK","data":{{"server_time":{now}}}}}"#);
            return response(200, &[], &body).after(late);
        }
        let timestamp = request.headers["x-bm-timestamp"].to_str().unwrap();
        let age = now - timestamp.parse::<i64>().unwrap();
        if age.abs() > 60_000 {
            let text = "Header X-BM-TIMESTAMP range. Within a minute";
            let body = format!(r#"{{"code":30007,"message":"{text}"}}"#);
            return response(401, &[], body).after(late);
        }
        response(200, &[], PLACED).after(late)
    })
}

fn build(start: Instant, script: &ScriptedTransport) -> bitmart_rest::ClientBuilder {
    client("https://spot").transport(script.clone()).clock(Off { start, by: 0 })
}

#[tokio::test(start_paused = true)]
async fn the_offset_is_measured_from_the_middle_of_the_way() {
    let start = Instant::now();
    for ahead in [90_000, -90_000] {
        let script = exchange(start, &Arc::new(AtomicI64::new(ahead)), 40);
        let client: Client = build(start, &script).build().unwrap();
        let error = client.send(ORDER).await.unwrap_err();
        assert_eq!(error.clock_fault(), Some(ClockFault::Timestamp));
        assert_eq!(error.outcome(), Outcome::Rejected);

        let estimate = client.sync_clock().await.unwrap();
        assert!((estimate.offset_millis - ahead).abs() <= 2, "{estimate:?}");
        assert!(estimate.round_trip >= Duration::from_millis(40));
        assert!(estimate.round_trip < Duration::from_millis(45));
        assert_eq!(client.clock().offset_millis(), estimate.offset_millis);
        client.clone().send(ORDER).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_unless_wanted() {
    let start = Instant::now();
    let script = exchange(start, &Arc::default(), 0);
    build(start, &script).build().unwrap().send(ORDER).await.unwrap();
    assert_eq!(script.paths(), ["/place"]);
}

#[tokio::test(start_paused = true)]
async fn it_synchronises_before_the_first_signature_and_after_30007_but_sends_no_order_again() {
    let start = Instant::now();
    let ahead = Arc::new(AtomicI64::new(90_000));
    let script = exchange(start, &ahead, 10);
    let client = build(start, &script).sync_clock(true).build().unwrap();
    let (one, other) = tokio::join!(client.send(ORDER), client.send(ORDER));
    assert!(one.is_ok() && other.is_ok());
    let time = "/system/time";
    assert_eq!(script.paths(), [time, time, time, "/place", "/place"]);

    ahead.store(-90_000, Ordering::Relaxed);
    assert!(client.send(ORDER).await.unwrap_err().is_clock());
    assert_eq!(script.paths().len(), 6, "the refused order is not sent again");
    client.send(ORDER).await.unwrap();
    assert_eq!(script.paths()[6..], [time, time, time, "/place"]);
}

#[tokio::test(start_paused = true)]
async fn a_signed_read_is_tried_again_with_the_right_time() {
    let start = Instant::now();
    let ahead = Arc::new(AtomicI64::new(0));
    let script = exchange(start, &ahead, 10);
    let policy = RetryPolicy::within(Duration::from_secs(10));
    let client = build(start, &script).sync_clock(true).retry_reads(policy).build().unwrap();
    client.send(SignedRead).await.unwrap();
    ahead.store(90_000, Ordering::Relaxed);
    client.send(SignedRead).await.unwrap();
    let sent = script.paths().iter().filter(|path| *path == "/signed_read").count();
    assert_eq!(sent, 3);
}

#[tokio::test(start_paused = true)]
async fn a_silent_time_service_holds_no_order_back() {
    let start = Instant::now();
    let script = ScriptedTransport::response(|request| match request.path() {
        "/system/time" => response(502, &[], "<html></html>"),
        _ => response(200, &[], PLACED),
    });
    let client = build(start, &script).sync_clock(true).build().unwrap();
    client.send(ORDER).await.unwrap();
    client.send(ORDER).await.unwrap();
    assert_eq!(script.paths(), ["/system/time", "/place", "/place"]);
    assert!(client.sync_clock().await.is_err());
}
