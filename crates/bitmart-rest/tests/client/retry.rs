//! Reads are sent again when asked for. Nothing else ever is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bitmart_rest::testing::{Reply, ScriptedTransport};
use bitmart_rest::{LimitPolicy, Limiter, Outcome, RetryClass, RetryPolicy, TransportErrorKind};
use tokio::time::Instant;

use crate::endpoint::{ORDER, PLACED, ReadOrder, SignedRead, client};
use crate::mock::{Off, response};

const HALF_MINUTE: Duration = Duration::from_secs(30);

/// Fails in every way there is, in turn.
fn failures() -> Vec<(&'static str, ScriptedTransport)> {
    let api = |status: u16, code: i64, message: &'static str| {
        let body = format!(r#"{{"code":{code},"message":"{message}","trace":"1"}}"#);
        ScriptedTransport::response(move |_| response(status, &[], &body))
    };
    vec![
        ("connect", ScriptedTransport::response(|_| Reply::not_sent(TransportErrorKind::Connect))),
        (
            "broken",
            ScriptedTransport::response(|_| Reply::maybe_sent(TransportErrorKind::Interrupted)),
        ),
        (
            "timeout",
            ScriptedTransport::response(|_| Reply::maybe_sent(TransportErrorKind::Timeout)),
        ),
        ("page", ScriptedTransport::response(|_| response(502, &[], "<html></html>"))),
        ("empty", ScriptedTransport::response(|_| response(200, &[], ""))),
        ("cut off", ScriptedTransport::response(|_| response(200, &[], &PLACED[..30]))),
        ("no code", ScriptedTransport::response(|_| response(200, &[], "{}"))),
        ("contradiction", ScriptedTransport::response(|_| response(500, &[], PLACED))),
        ("fault inside", api(500, 59002, "Internal Server Error")),
        ("unknown code", api(500, 12345, "?")),
        ("maintenance", api(200, 30016, "Service maintenance")),
        ("too many", api(429, 30013, "Request too many requests")),
        ("clock", api(401, 30007, "Header X-BM-TIMESTAMP range. Within a minute")),
    ]
}

/// Fails for what somebody has decided: a ban, by code and by a proxy's page.
fn bans() -> Vec<(&'static str, ScriptedTransport)> {
    let banned = r#"{"code":30017,"message":"rejected","trace":"1"}"#;
    vec![
        ("ban", ScriptedTransport::response(move |_| response(418, &[], banned))),
        ("ban without status", ScriptedTransport::response(move |_| response(200, &[], banned))),
        ("ban by a page", ScriptedTransport::response(|_| response(418, &[], "<html></html>"))),
        (
            "ban for a second",
            ScriptedTransport::response(|_| {
                response(418, &[("Retry-After", "1")], "<html></html>")
            }),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_write_is_never_sent_again_whatever_fails() {
    for (name, script) in failures().into_iter().chain(bans()) {
        let start = Instant::now();
        let client = client("https://spot")
            .transport(script.clone())
            .clock(Off { start, by: 0 })
            .sync_clock(true)
            .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(9))
            .build()
            .unwrap();
        let error = client.send(ORDER).await.expect_err(name);
        let asked_first =
            matches!(error.retry_class(), RetryClass::AfterQuery | RetryClass::Banned { .. });
        assert_eq!(
            asked_first,
            error.outcome() == Outcome::Unknown || name.starts_with("ban"),
            "{name}"
        );
        client.send_detailed(ORDER).await.expect_err(name);
        let sent = script.paths().iter().filter(|path| *path == "/place").count();
        assert!(sent <= 2, "{name}: sent {sent} times for two calls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_once_unless_asked_for() {
    for (name, script) in failures() {
        let client = client("https://spot").transport(script.clone()).build().unwrap();
        client.send(ReadOrder).await.expect_err(name);
        assert_eq!(script.paths().len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_as_often_as_allowed_after_failures_that_may_pass() {
    for (name, script) in failures() {
        let client = client("https://spot")
            .transport(script.clone())
            .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(4))
            .build()
            .unwrap();
        let start = Instant::now();
        client.send(ReadOrder).await.expect_err(name);
        // Without synchronising, a clock that is off stays off.
        let expected = if name == "clock" { 1 } else { 4 };
        assert_eq!(script.paths().len(), expected, "{name}");
        assert!(start.elapsed() < HALF_MINUTE, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_stays_is_not_tried_again() {
    for (status, code) in [(400, 50000), (401, 30005), (400, 50020), (418, 30017), (400, 12345)] {
        let body = format!(r#"{{"code":{code},"message":"no","trace":"1"}}"#);
        let script = ScriptedTransport::response(move |_| response(status, &[], &body));
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
async fn nothing_is_asked_again_during_a_ban() {
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
async fn pauses_grow_and_success_ends_them() {
    let attempts = AtomicU32::new(0);
    let script =
        ScriptedTransport::response(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
            0..3 => response(502, &[], "<html></html>"),
            _ => response(200, &[], PLACED),
        });
    let client = client("https://spot")
        .transport(script.clone())
        .retry_reads(RetryPolicy::within(HALF_MINUTE).attempts(9))
        .build()
        .unwrap();
    assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    let times: Vec<_> = script.requests().iter().map(|request| request.at).collect();
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.len(), 3);
    for (pause, whole) in pauses.iter().zip([200, 400, 800]) {
        let whole = Duration::from_millis(whole);
        assert!(*pause >= whole / 2 && *pause <= whole + Duration::from_millis(2), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_attempts_and_pauses_together() {
    let budget = Duration::from_secs(3);
    // Slow failures, and one that never comes.
    for latency in [Duration::from_millis(700), HALF_MINUTE] {
        let script = ScriptedTransport::always(response(502, &[], "<html></html>").after(latency));
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
    let script = ScriptedTransport::response(|_| response(502, &[], "<html></html>"));
    let client = client("https://spot")
        .transport(script.clone())
        .clock(Off { start, by: 0 })
        .retry_reads(RetryPolicy::within(HALF_MINUTE))
        .build()
        .unwrap();
    client.send(SignedRead).await.unwrap_err();
    let sent = script.requests();
    let signatures: std::collections::HashSet<_> =
        sent.iter().map(|request| request.headers["x-bm-sign"].clone()).collect();
    assert_eq!((sent.len(), signatures.len()), (3, 3));
}
