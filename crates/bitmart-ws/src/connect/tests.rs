//! Addresses, handshakes, and what a failed attempt reports.

use std::time::Duration;

use bitmart_net::{ConnectErrorKind, Hop, from_fn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::dialect::{Access, Limits, Market};
use crate::error::ErrorKind;
use crate::event::RawEvent;
use crate::testing::test_support::{server_and_client, with_timeout};
use crate::topic::Topic;

fn limits() -> Limits {
    Limits::for_endpoint(Market::Spot, Access::Public)
}

fn throttle() -> Arc<ConnectThrottle> {
    Arc::new(ConnectThrottle::new(&limits()))
}

/// A connector to `url` without TLS configuration.
fn connector(url: &str, dialer: Arc<dyn Connect>, timeout: Duration) -> Connector {
    let address = Address::parse("spot_ws_public", url).expect("an address");
    Connector::new(address, dialer, None, throttle(), timeout)
}

/// Connects at once and returns the error.
async fn connect_error(connector: Connector) -> ReconnectReason {
    connector.connect(Duration::ZERO).await.err().expect("no connection")
}

fn direct() -> Arc<dyn Connect> {
    Arc::new(bitmart_net::Connector::direct())
}

fn ticker() -> Topic<RawEvent> {
    Topic::public(Market::Spot, "spot/ticker:BTC_USDT")
}

#[test]
fn parses_addresses() {
    let cases = [
        ("wss://host.example/api?protocol=1.1", (true, "host.example", 443, "/api?protocol=1.1")),
        ("ws://127.0.0.1:8801/user", (false, "127.0.0.1", 8801, "/user")),
        ("ws://[::1]:9", (false, "::1", 9, "/")),
    ];
    for (text, (tls, host, port, target)) in cases {
        let address = Address::parse("spot_ws_public", text).expect(text);
        assert_eq!(
            (address.tls, address.host(), address.port, &*address.target),
            (tls, host, port, target)
        );
    }
}

#[test]
fn rejects_invalid_addresses_with_the_reason() {
    for (text, reason) in [
        ("https://host/api", "scheme"),
        ("host", "scheme"),
        ("", "parse"),
        ("wss://me:secret@host/", "user name"),
        ("wss://a b/", "parse"),
    ] {
        let error = Address::parse("spot_ws_public", text).expect_err(text);
        assert_eq!(error.setting(), "spot_ws_public");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn computes_the_accept_key_of_the_rfc_example() {
    // The example of RFC 6455, section 1.3.
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// Responds to every attempt with this head and returns the error of the subscription.
async fn subscribe_error(head: impl Fn(&str) -> String) -> String {
    let (mut server, client) = server_and_client();
    let attempts = async {
        loop {
            let (mut io, key) = server.accept_request().await;
            io.write_all(head(&key).as_bytes()).await.expect("a client");
            // Returns when the client disconnects.
            let _ = io.read_u8().await;
        }
    };
    tokio::select! {
        result = client.subscribe(ticker()) => {
            let error = result.expect_err("a rejected handshake");
            assert_eq!(error.kind(), ErrorKind::Timeout);
            error.to_string()
        }
        () = attempts => unreachable!("the attempts continue"),
    }
}

#[tokio::test(start_paused = true)]
async fn rejects_a_wrong_accept_key() {
    let error = subscribe_error(|_| {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            .to_owned()
    })
    .await;
    assert!(error.contains("accept key"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn rejects_responses_that_do_not_upgrade() {
    let error =
        subscribe_error(|_| "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n<h1>".to_owned())
            .await;
    assert!(error.contains("403"), "{error}");
    let error = subscribe_error(|key| {
        format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {key}\r\n\r\n")
    })
    .await;
    assert!(error.contains("does not upgrade"), "{error}");
    let error = subscribe_error(|key| {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
    })
    .await;
    assert!(error.contains("extension"), "{error}");
}

/// Rejects the first handshake with this response. Returns the reported problem and the time until the
/// next attempt.
async fn reject_handshake(response: &str) -> (ReconnectReason, Duration) {
    let (mut server, client) = server_and_client();
    let mut problems = client.connection_problems();
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    let (mut io, _) = server.accept_request().await;
    io.write_all(response.as_bytes()).await.expect("a client");
    let problem = with_timeout(problems.next()).await.expect("a problem");
    assert_eq!((problem.market, problem.access), (Market::Spot, Access::Public));
    let begin = tokio::time::Instant::now();
    let next = server.accept_request().await;
    let waited = begin.elapsed();
    drop((next, subscribing));
    (problem.reason, waited)
}

#[tokio::test(start_paused = true)]
async fn a_rejected_handshake_honors_retry_after_and_reports_the_delay() {
    let block = "error code: 1020";
    let cases = [
        ("429 Too Many Requests", "Retry-After: 7\r\n", "", 7, None),
        ("403 Forbidden", "", block, 10, Some("a Cloudflare page, error code: 1020")),
        ("429 Too Many Requests", "", "", 10, None),
        ("503 Unavailable", "Retry-After: 12\r\n", "", 12, None),
        (
            "429 Too Many Requests",
            "Date: Sat, 01 Aug 2026 00:00:00 GMT\r\nRetry-After: Sat, 01 Aug 2026 00:00:20 GMT\r\n",
            "<!DOCTYPE html>",
            20,
            Some("an HTML page, probably of a proxy"),
        ),
    ];
    for (status, headers, body, seconds, page_name) in cases {
        let length = body.len();
        let response =
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        let (reason, waited) = reject_handshake(&response).await;
        let delay = Duration::from_secs(seconds);
        assert!(waited >= delay && waited < delay + Duration::from_secs(3), "{status} {waited:?}");
        let text = reason.to_string();
        assert!(
            text.contains(&format!("HTTP {}; next", &status[..3])) || page_name.is_some(),
            "{text}"
        );
        let ReconnectReason::HandshakeRejected { status: number, page, retry_after } = reason
        else {
            panic!("{reason:?}");
        };
        assert_eq!((number.to_string(), page.as_deref()), (status[..3].to_owned(), page_name));
        assert_eq!(retry_after, Some(delay));
    }
}

#[tokio::test(start_paused = true)]
async fn bounds_the_pause_of_a_retry_after() {
    let limits = limits();
    let throttle = throttle();
    throttle.pause_for(Duration::MAX);
    let begin = tokio::time::Instant::now();
    with_timeout(throttle.acquire()).await;
    assert!(begin.elapsed() >= limits.max_retry_after);
    assert!(begin.elapsed() < limits.max_retry_after + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn rejects_an_endless_response_head() {
    let error = subscribe_error(|_| {
        format!("HTTP/1.1 101 Switching Protocols\r\nX: {}", "x".repeat(1 << 20))
    })
    .await;
    assert!(error.contains("handshake"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_a_response_times_out() {
    let (mut server, client) = server_and_client();
    let begin = tokio::time::Instant::now();
    let attempt = tokio::spawn(async move { client.subscribe(ticker()).await });
    let silent = server.accept_request().await;
    let _second = server.accept_request().await;
    assert!(
        begin.elapsed() >= limits().connect_timeout
            && begin.elapsed() < limits().connect_timeout + Duration::from_secs(3)
    );
    drop(silent);
    let error = with_timeout(attempt).await.expect("no panic").expect_err("no response");
    assert!(error.to_string().contains("within 10s"), "{error}");
}

#[tokio::test]
async fn reports_a_refused_tcp_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let url = format!("ws://127.0.0.1:{port}/");
    let reason = connect_error(connector(&url, direct(), limits().connect_timeout)).await;
    assert!(reason.to_string().contains("refused"), "{reason}");
    let ReconnectReason::Unreachable { hop, kind, .. } = reason else { panic!("{reason:?}") };
    assert_eq!((hop, kind), (Hop::Host, ConnectErrorKind::Refused));
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_host_fails_after_half_of_the_connect_timeout_with_its_hop() {
    for seconds in [3, 10, 30] {
        let timeout = Duration::from_secs(seconds);
        // Like the connectors of `bitmart_net`: they end with the timeout of their target.
        let unreachable = from_fn(|target| async move {
            tokio::time::sleep(target.timeout().expect("a timeout")).await;
            Err(ConnectError::new(Hop::Host, ConnectErrorKind::Timeout))
        });
        let begin = tokio::time::Instant::now();
        let reason =
            connect_error(connector("ws://host.example/", Arc::new(unreachable), timeout)).await;
        let took = begin.elapsed();
        assert!(took >= timeout / 2 && took < timeout / 2 + Duration::from_millis(100), "{took:?}");
        let ReconnectReason::Unreachable { hop, kind, .. } = reason else { panic!("{reason:?}") };
        assert_eq!((hop, kind), (Hop::Host, ConnectErrorKind::Timeout));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_the_host_was_reached_is_a_failed_attempt() {
    // The peer closes the connection at once.
    let dialer = || -> Arc<dyn Connect> {
        Arc::new(from_fn(|_| async {
            let (client, _) = tokio::io::duplex(64);
            Ok(bitmart_net::Stream::new(client))
        }))
    };
    for (url, text) in [
        ("wss://host.example/", "no TLS configuration"),
        ("ws://host.example/", "WebSocket handshake with host.example failed"),
    ] {
        let reason = connect_error(connector(url, dialer(), limits().connect_timeout)).await;
        assert!(reason.to_string().starts_with(&format!("cannot connect: {text}")), "{reason}");
        assert!(matches!(reason, ReconnectReason::ConnectFailed { .. }), "{reason:?}");
    }
}

#[test]
fn details_are_cut_and_contain_no_control_characters() {
    let long = format!("\u{1b}[31m{}", "x".repeat(1000));
    for reason in [ReconnectReason::connect_failed(&long), ReconnectReason::lost(&long)] {
        let (ReconnectReason::ConnectFailed { detail } | ReconnectReason::Lost { detail }) = reason
        else {
            panic!("another reason")
        };
        assert!(detail.starts_with("\u{fffd}[31mx"), "{detail}");
        assert_eq!(detail.chars().count(), 300);
    }
}

#[tokio::test]
async fn completes_the_handshake_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("ws://127.0.0.1:{port}/api?protocol=1.1");
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a request"));
        }
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("GET /api?protocol=1.1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{head}");
        let key =
            head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("a key");
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        socket.write_all(response.as_bytes()).await.expect("a client");
        socket
    });
    let halves = connector(&url, direct(), limits().connect_timeout).connect(Duration::ZERO).await;
    assert!(halves.is_ok(), "{:?}", halves.err());
    server.await.expect("no panic");
}
