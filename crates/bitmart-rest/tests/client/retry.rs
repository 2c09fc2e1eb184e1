//! Reads are retried if a policy is set. Writes are never retried.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{Outcome, RetryClass, RetryPolicy};
use tokio::time::Instant;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, ReadOrder, SignedRead, client};
use crate::mock::{OffsetClock, response};

const HALF_MINUTE: Duration = Duration::from_secs(30);

/// Exchanges that fail, one for each kind of failure.
fn failures() -> Vec<(&'static str, ScriptedTransport)> {
    let api = |status: u16, code: i64, message: &'static str| {
        let body = format!(r#"{{"code":{code},"message":"{message}","trace":"1"}}"#);
        ScriptedTransport::from_fn(move |_| response(status, &[], &body))
    };
    vec![
        (
            "connect",
            ScriptedTransport::from_fn(|_| ScriptedResponse::not_sent(TransportErrorKind::Connect)),
        ),
        (
            "broken",
            ScriptedTransport::from_fn(|_| {
                ScriptedResponse::maybe_sent(TransportErrorKind::Interrupted)
            }),
        ),
        (
            "timeout",
            ScriptedTransport::from_fn(|_| {
                ScriptedResponse::maybe_sent(TransportErrorKind::Timeout)
            }),
        ),
        ("page", ScriptedTransport::from_fn(|_| response(502, &[], "<html></html>"))),
        ("empty", ScriptedTransport::from_fn(|_| response(200, &[], ""))),
        ("cut off", ScriptedTransport::from_fn(|_| response(200, &[], &ORDER_RESPONSE[..30]))),
        ("no code", ScriptedTransport::from_fn(|_| response(200, &[], "{}"))),
        ("contradiction", ScriptedTransport::from_fn(|_| response(500, &[], ORDER_RESPONSE))),
        ("fault inside", api(500, 59002, "Internal Server Error")),
        ("unknown code", api(500, 12345, "?")),
        ("maintenance", api(200, 30016, "Service maintenance")),
        ("too many", api(429, 30013, "Request too many requests")),
        ("clock", api(401, 30007, "Header X-BM-TIMESTAMP range. Within a minute")),
    ]
}

/// Exchanges that ban the client, by code and by a proxy's page.
fn bans() -> Vec<(&'static str, ScriptedTransport)> {
    let banned = r#"{"code":30017,"message":"rejected","trace":"1"}"#;
    vec![
        ("ban", ScriptedTransport::from_fn(move |_| response(418, &[], banned))),
        ("ban without status", ScriptedTransport::from_fn(move |_| response(200, &[], banned))),
        ("ban by a page", ScriptedTransport::from_fn(|_| response(418, &[], "<html></html>"))),
        (
            "ban for a second",
            ScriptedTransport::from_fn(|_| response(418, &[("Retry-After", "1")], "<html></html>")),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_write_is_never_retried() {
    for (name, script) in failures().into_iter().chain(bans()) {
        let start = Instant::now();
        let client = client("https://spot")
            .transport(script.clone())
            .clock(OffsetClock { start, offset_millis: 0 })
            .auto_sync_clock(true)
            .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(9))
            .build()
            .unwrap();
        let error = client.send(PLACE_ORDER).await.expect_err(name);
        let needs_query =
            matches!(error.retry_class(), RetryClass::AfterQuery | RetryClass::Banned { .. });
        assert_eq!(
            needs_query,
            error.outcome() == Outcome::Unknown || name.starts_with("ban"),
            "{name}"
        );
        client.send_detailed(PLACE_ORDER).await.expect_err(name);
        let sent = script.paths().iter().filter(|path| *path == "/place").count();
        assert!(sent <= 2, "{name}: sent {sent} times for two calls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_not_retried_by_default() {
    for (name, script) in failures() {
        let client = client("https://spot").transport(script.clone()).build().unwrap();
        client.send(ReadOrder).await.expect_err(name);
        assert_eq!(script.paths().len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_retried_up_to_the_maximum_after_temporary_failures() {
    for (name, script) in failures() {
        let client = client("https://spot")
            .transport(script.clone())
            .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(4))
            .build()
            .unwrap();
        let start = Instant::now();
        client.send(ReadOrder).await.expect_err(name);
        // Without synchronization the clock stays wrong.
        let expected = if name == "clock" { 1 } else { 4 };
        assert_eq!(script.paths().len(), expected, "{name}");
        assert!(start.elapsed() < HALF_MINUTE, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_rejection_is_not_retried() {
    for (status, code) in [(400, 50000), (401, 30005), (400, 50020), (418, 30017), (400, 12345)] {
        let body = format!(r#"{{"code":{code},"message":"no","trace":"1"}}"#);
        let script = ScriptedTransport::from_fn(move |_| response(status, &[], &body));
        let client = client("https://spot")
            .transport(script.clone())
            .retry_reads(RetryPolicy::within(Duration::from_secs(3600)).attempts(4))
            .build()
            .unwrap();
        assert_eq!(client.send(ReadOrder).await.unwrap_err().code(), Some(code));
        assert_eq!(script.paths().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_not_retried_during_a_ban() {
    for (name, script) in bans() {
        for (index, policy) in [LimitPolicy::default(), LimitPolicy::Off].into_iter().enumerate() {
            let client = client("https://spot")
                .transport(script.clone())
                .limiter(Limiter::new(policy))
                .retry_reads(RetryPolicy::within(Duration::from_secs(3600)).attempts(4))
                .build()
                .unwrap();
            let error = client.send(ReadOrder).await.expect_err(name);
            assert!(error.retry_class().is_banned(), "{name}: {error}");
            assert_eq!(script.paths().len(), index + 1, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_pauses_grow_until_success() {
    let attempts = AtomicU32::new(0);
    let script =
        ScriptedTransport::from_fn(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
            0..3 => response(502, &[], "<html></html>"),
            _ => response(200, &[], ORDER_RESPONSE),
        });
    let client = client("https://spot")
        .transport(script.clone())
        .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(9))
        .build()
        .unwrap();
    assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    let times: Vec<_> = script.requests().iter().map(|request| request.sent_at).collect();
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.len(), 3);
    // A pause is random between half of its maximum and its maximum, which doubles from 200 ms. The
    // timer is at most 2 ms late.
    for (pause, maximum) in pauses.iter().zip([200, 400, 800]) {
        let maximum = Duration::from_millis(maximum);
        assert!(*pause >= maximum / 2, "{pause:?}");
        assert!(*pause <= maximum + Duration::from_millis(2), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_attempts_and_pauses_together() {
    let budget = Duration::from_secs(3);
    // Slow failures, and one that takes longer than the budget.
    for latency in [Duration::from_millis(700), HALF_MINUTE] {
        let script = ScriptedTransport::always(response(502, &[], "<html></html>").delay(latency));
        let client = client("https://spot")
            .transport(script.clone())
            .timeout(Duration::from_secs(120))
            .retry_reads(RetryPolicy::within(budget).attempts(1000))
            .build()
            .unwrap();
        let start = Instant::now();
        client.send(ReadOrder).await.unwrap_err();
        assert!(start.elapsed() <= budget + Duration::from_millis(2), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_signed_anew() {
    let start = Instant::now();
    let script = ScriptedTransport::from_fn(|_| response(502, &[], "<html></html>"));
    let client = client("https://spot")
        .transport(script.clone())
        .clock(OffsetClock { start, offset_millis: 0 })
        .retry_reads(RetryPolicy::within(HALF_MINUTE))
        .build()
        .unwrap();
    client.send(SignedRead).await.unwrap_err();
    let sent = script.requests();
    let signatures: std::collections::HashSet<_> =
        sent.iter().map(|request| request.headers["x-bm-sign"].clone()).collect();
    assert_eq!((sent.len(), signatures.len()), (3, 3));
}
