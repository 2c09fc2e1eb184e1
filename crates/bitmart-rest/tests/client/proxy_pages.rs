//! Responses of proxies: redirects, error pages and `Retry-After`.

use std::time::Duration;

use bitmart_rest::limit::{LimitPolicy, Limiter, ThrottleReason};
use bitmart_rest::testing::ScriptedTransport;
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{ErrorKind, Outcome, RetryPolicy, Unexpected};
use tokio::time::Instant;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, ReadOrder, SignedRead, client};
use crate::mock::{FixedClock, OffsetClock, response};
use crate::server::{Action, Server};

const CHALLENGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head>\
    <body><script>window._cf_chl_opt={}</script></body></html>";

type Page = (u16, &'static [(&'static str, &'static str)], &'static str, Unexpected, &'static str);

/// Status, headers, body, expected reason, and a part of the error text.
const PAGES: &[Page] = &[
    (403, &[], CHALLENGE, Unexpected::Challenge, "checks for a browser"),
    (503, &[("cf-mitigated", "challenge")], "", Unexpected::Challenge, "bot"),
    (403, &[], "error code: 1020", Unexpected::Blocked, "error code 1020"),
    (429, &[], "error code: 1015", Unexpected::Blocked, "error code 1015"),
    (403, &[], "error code: 1009", Unexpected::Region, "region"),
    (
        403,
        &[],
        "<html><h1>Sorry, you have been blocked</h1></html>",
        Unexpected::Blocked,
        "Name your program",
    ),
    (
        403,
        &[],
        r#"{"title":"Error 1010: Access denied","status":403,"error_code":1010}"#,
        Unexpected::Blocked,
        "1010",
    ),
    (
        403,
        &[],
        "<html>The Amazon CloudFront distribution is configured to block access from your \
         country.</html>",
        Unexpected::Region,
        "region",
    ),
    (451, &[], "<html>unavailable</html>", Unexpected::Region, "region"),
    (451, &[], "", Unexpected::Region, "region"),
    (403, &[], "<html>403</html>", Unexpected::Html, "rejects the request"),
    (502, &[], "<html>502</html>", Unexpected::Html, "does not reach the exchange"),
    (522, &[], "error code: 522", Unexpected::NotJson, "error code 522"),
    (503, &[], "no healthy upstream", Unexpected::NotJson, "reports a server error"),
    (504, &[], "", Unexpected::Empty, "reports a server error"),
    (200, &[], "<html>Hotel WiFi</html>", Unexpected::Html, "network that requires a login"),
    (511, &[], "<html></html>", Unexpected::Html, "network that requires a login"),
    (302, &[("Location", "http://login.example/a")], "", Unexpected::Redirect, "login.example/a"),
];

#[tokio::test]
async fn pages_of_proxies_are_identified_and_leave_the_outcome_unknown() {
    for (status, headers, body, reason, expected) in PAGES {
        let script = ScriptedTransport::from_fn(move |_| response(*status, headers, body));
        let builder = client("https://spot").transport(script.clone());
        let client = builder.limiter(Limiter::new(LimitPolicy::Off)).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unexpected(*reason), "{status} {body}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{status} {body}");
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains(&format!("HTTP {status}")), "{text}");
        assert!(error.advice().is_some(), "{text}");
        assert_eq!(script.paths().len(), 1, "sent once");
    }
}

#[tokio::test]
async fn an_envelope_with_the_text_of_a_proxy_page_is_an_error_of_the_exchange() {
    let body = r#"{"code":50020,"message":"Just a moment... error code: 1020","trace":"1"}"#;
    let script =
        ScriptedTransport::from_fn(move |_| response(403, &[("cf-mitigated", "challenge")], body));
    let client = client("https://spot").transport(script).build().unwrap();
    assert_eq!(client.send(PLACE_ORDER).await.unwrap_err().code(), Some(50020));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_error_hides_the_credentials_of_its_target() {
    let other = Server::start(|_| Action::Respond("200 OK", ORDER_RESPONSE.to_owned())).await;
    let secret = "token=CANARY";
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Same", "308 Same"] {
        let to = other.address.trim_start_matches("http://").to_owned();
        let location = format!("http://CANARY:CANARY@{to}/login/page?{secret}#CANARY");
        let server = Server::start(move |_| {
            let head = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0");
            Action::Write(format!("{head}\r\n\r\n").into_bytes())
        })
        .await;
        let client = client(&server.address).build().unwrap();
        for error in [
            client.send(PLACE_ORDER).await.unwrap_err(),
            client.send(SignedRead).await.unwrap_err(),
            client.send(ReadOrder).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Redirect));
            let text = format!("{error} {error:?}");
            assert!(text.contains(&format!("{to}/login/page")), "{text}");
            assert!(!text.contains("CANARY"), "{text}");
        }
        assert_eq!(server.requests().len(), 3, "{status}");
    }
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn long_and_invalid_redirect_targets_are_truncated() {
    let long = format!("https://x.example/{}", "a".repeat(5_000));
    for location in [long.as_str(), "/relative?secret", "", "::::", "http://[::1]:99/x", "é"] {
        let location = location.to_owned();
        let script =
            ScriptedTransport::from_fn(move |_| response(302, &[("Location", &location)], ""));
        let client = client("https://spot").transport(script).build().unwrap();
        let error = client.send(ReadOrder).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Redirect));
        assert!(error.to_string().len() < 500, "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn too_many_headers_are_an_error() {
    let server = Server::start(|number| {
        let count = if number == 1 { 101 } else { 90 };
        let headers = "X-Extra: 1\r\n".repeat(count);
        let length = ORDER_RESPONSE.len();
        let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n");
        Action::Write(format!("{head}{ORDER_RESPONSE}").into_bytes())
    })
    .await;
    let client = client(&server.address).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::HeadTooLarge));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.to_string().contains("more than 100 headers"), "{error}");
    client.send(PLACE_ORDER).await.unwrap();
}

const NOW: i64 = 1_796_000_000_000; // 2026-11-30T00:53:20Z

#[tokio::test(start_paused = true)]
async fn a_date_in_retry_after_pauses_the_bucket_and_in_a_ban_all_requests() {
    let soon = "Mon, 30 Nov 2026 00:54:50 GMT";
    let far = "Mon, 30 Nov 2099 00:00:00 GMT";
    for (status, date, expected, reason) in [
        (429, soon, 90, ThrottleReason::TooManyRequests),
        (418, soon, 90, ThrottleReason::Banned),
        (429, far, 3600, ThrottleReason::TooManyRequests),
    ] {
        let script = ScriptedTransport::from_fn(move |_| {
            response(status, &[("Retry-After", date)], "<html>")
        });
        let limiter = Limiter::new(LimitPolicy::FailFast);
        let builder = client("https://spot").transport(script.clone()).clock(FixedClock(NOW));
        let client = builder.limiter(limiter).build().unwrap();
        let expected = Duration::from_secs(expected);
        assert_eq!(client.send(PLACE_ORDER).await.unwrap_err().retry_after(), Some(expected));
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        let ErrorKind::Throttled(throttled) = error.kind() else { panic!("{error}") };
        assert_eq!((throttled.reason, throttled.retry_after), (reason, expected));
        assert_eq!(script.paths().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retried_read_waits_as_long_as_retry_after_requests() {
    for (status, name, text, wait) in [
        (503, "Retry-After", "7", 7),
        // The clock starts at 22:13:20.
        (503, "Retry-After", "Tue, 14 Nov 2023 22:13:29 GMT", 9),
        (429, "Retry-After", "Tue, 14 Nov 2023 22:13:29 GMT", 9),
    ] {
        let start = Instant::now();
        let script = ScriptedTransport::from_fn(move |_| {
            if start.elapsed() < Duration::from_secs(wait) {
                response(status, &[(name, text)], "<html></html>")
            } else {
                response(200, &[], ORDER_RESPONSE)
            }
        });
        let client = client("https://spot")
            .transport(script.clone())
            .clock(OffsetClock { start, offset_millis: 0 })
            .retry_reads(RetryPolicy::within(Duration::from_secs(30)))
            .build()
            .unwrap();
        client.send(ReadOrder).await.unwrap();
        assert_eq!(script.paths().len(), 2, "{status} {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_not_retried_after_a_decision_of_a_proxy() {
    for (status, headers, body, reason, _) in PAGES {
        let is_decided = matches!(
            reason,
            Unexpected::Redirect | Unexpected::Challenge | Unexpected::Blocked | Unexpected::Region
        ) || (*reason == Unexpected::Html
            && (400..500).contains(status)
            && *status != 429);
        let script = ScriptedTransport::from_fn(move |_| response(*status, headers, body));
        let client = client("https://spot")
            .transport(script.clone())
            .limiter(Limiter::new(LimitPolicy::Off))
            .retry_reads(RetryPolicy::within(Duration::from_secs(30)))
            .build()
            .unwrap();
        client.send(ReadOrder).await.unwrap_err();
        assert_eq!(script.paths().len(), if is_decided { 1 } else { 3 }, "{status} {body}");
    }
}
