use std::time::Duration;

use bitmart_net::{ConnectErrorKind, Hop};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::dialect::{Access, Dialect, Limits};
use crate::error::ErrorKind;
use crate::event::RawEvent;
use crate::testing::own::{patient, venue};
use crate::topic::Topic;

fn gate() -> Arc<Gate> {
    Arc::new(Gate::new(&Limits::of(Dialect::Spot, Access::Public)))
}

fn direct() -> Arc<dyn Connect> {
    Arc::new(bitmart_net::Connector::direct())
}

fn ticker() -> Topic<RawEvent> {
    Topic::public(Dialect::Spot, "spot/ticker:BTC_USDT")
}

#[test]
fn addresses_are_taken_apart() {
    let cases = [
        ("wss://host.example/api?protocol=1.1", (true, "host.example", 443, "/api?protocol=1.1")),
        ("ws://127.0.0.1:8801/user", (false, "127.0.0.1", 8801, "/user")),
        ("ws://[::1]:9", (false, "::1", 9, "/")),
    ];
    for (text, (tls, host, port, target)) in cases {
        let address = Address::parse(text).expect(text);
        assert_eq!(
            (address.tls, address.host(), address.port, &*address.target),
            (tls, host, port, target)
        );
    }
}

#[test]
fn what_is_no_address_is_refused_with_the_reason() {
    for (text, reason) in [
        ("https://host/api", "scheme"),
        ("host", "scheme"),
        ("", "parse"),
        ("wss://me:secret@host/", "user name"),
        ("wss://a b/", "parse"),
    ] {
        let error = Address::parse(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn the_accept_key_is_the_one_of_the_standard() {
    // The example of RFC 6455, section 1.3.
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// Answers every attempt with these headers and gives the error of the subscription.
async fn answered(head: impl Fn(&str) -> String) -> String {
    let (mut venue, client) = venue();
    let attempts = async {
        loop {
            let (mut io, key) = venue.accept_request().await;
            io.write_all(head(&key).as_bytes()).await.expect("a client");
            // Until the client hangs up.
            let _ = io.read_u8().await;
        }
    };
    tokio::select! {
        result = client.subscribe(ticker()) => {
            let error = result.expect_err("a refused handshake");
            assert_eq!(error.kind(), ErrorKind::Timeout);
            error.to_string()
        }
        () = attempts => unreachable!("the attempts go on"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_accept_key_is_refused() {
    let error = answered(|_| {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            .to_owned()
    })
    .await;
    assert!(error.contains("accept key"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_do_not_upgrade_are_refused() {
    let error =
        answered(|_| "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n<h1>".to_owned()).await;
    assert!(error.contains("403"), "{error}");
    let error = answered(|key| {
        format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {key}\r\n\r\n")
    })
    .await;
    assert!(error.contains("does not upgrade"), "{error}");
    let error = answered(|key| {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
    })
    .await;
    assert!(error.contains("extension"), "{error}");
}

/// Refuses the first handshake with this answer. Gives what was told while `subscribe` waited, and
/// after which time the next attempt came.
async fn refused(answer: &str) -> (ReconnectReason, Duration) {
    let (mut venue, client) = venue();
    let mut troubles = client.troubles();
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    let (mut io, _) = venue.accept_request().await;
    io.write_all(answer.as_bytes()).await.expect("a client");
    let trouble = patient(troubles.next()).await.expect("told at once");
    assert_eq!((trouble.dialect, trouble.access), (Dialect::Spot, Access::Public));
    let begin = tokio::time::Instant::now();
    let next = venue.accept_request().await;
    let waited = begin.elapsed();
    drop((next, subscribing));
    (trouble.reason, waited)
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_waits_as_long_as_it_is_told_to_and_says_so() {
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
    for (status, headers, body, seconds, named) in cases {
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        let (reason, waited) = refused(&answer).await;
        let pause = Duration::from_secs(seconds);
        assert!(waited >= pause && waited < pause + Duration::from_secs(3), "{status} {waited:?}");
        let said = reason.to_string();
        assert!(
            said.contains(&format!("HTTP {}; next", &status[..3])) || named.is_some(),
            "{said}"
        );
        let ReconnectReason::HandshakeRefused { status: number, page, wait } = reason else {
            panic!("{reason:?}");
        };
        assert_eq!((number.to_string(), page.as_deref()), (status[..3].to_owned(), named));
        assert_eq!(wait, Some(pause));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_has_a_bound() {
    let limits = Limits::of(Dialect::Spot, Access::Public);
    let gate = gate();
    gate.close_for(Duration::MAX);
    let begin = tokio::time::Instant::now();
    patient(gate.pass()).await;
    assert!(begin.elapsed() >= limits.longest_refused_pause);
    assert!(begin.elapsed() < limits.longest_refused_pause + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_endless_head_is_cut_off() {
    let error =
        answered(|_| format!("HTTP/1.1 101 Switching Protocols\r\nX: {}", "x".repeat(1 << 20)))
            .await;
    assert!(error.contains("handshake"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_answer_ends_in_time() {
    let (mut venue, client) = venue();
    let begin = tokio::time::Instant::now();
    let attempt = tokio::spawn(async move { client.subscribe(ticker()).await });
    let silent = venue.accept_request().await;
    let _second = venue.accept_request().await;
    assert!(
        begin.elapsed() >= CONNECT_WITHIN
            && begin.elapsed() < CONNECT_WITHIN + Duration::from_secs(3)
    );
    drop(silent);
    let error = patient(attempt).await.expect("no panic").expect_err("no answer");
    assert!(error.to_string().contains("within 10s"), "{error}");
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let address = Address::parse(&format!("ws://127.0.0.1:{port}/")).expect("an address");
    let connector = Connector::new(address, direct(), None, gate(), CONNECT_WITHIN);
    let reason = connector.connect(Duration::ZERO).await.err().expect("nobody listens");
    assert!(reason.to_string().contains("refused"), "{reason}");
    let ReconnectReason::Unreached { hop, kind, .. } = reason else { panic!("{reason:?}") };
    assert_eq!((hop, kind), (Hop::Host, ConnectErrorKind::Refused));
}

#[tokio::test]
async fn tcp_carries_the_handshake_without_delay_of_small_writes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let address =
        Address::parse(&format!("ws://127.0.0.1:{port}/api?protocol=1.1")).expect("an address");
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
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        socket.write_all(answer.as_bytes()).await.expect("a client");
        socket
    });
    let connector = Connector::new(address, direct(), None, gate(), CONNECT_WITHIN);
    let halves = connector.connect(Duration::ZERO).await;
    assert!(halves.is_ok(), "{:?}", halves.err());
    server.await.expect("no panic");
}
