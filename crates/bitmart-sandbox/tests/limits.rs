//! Rate limits, connection limits, and faults of handshakes.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Fault, Sandbox};
use common::{Client, DEADLINE, Received, Socket, authority, start};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const NOON_MS: u64 = 1_700_000_000_000;

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS)
}

#[tokio::test]
async fn a_client_that_ignores_429_is_banned_with_418_from_all_endpoints_until_the_ban_ends() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let get = async |path: &str| {
        let response = client.get(path).await;
        (response.status, response.code())
    };
    // The limit is 10 per second and address.
    for _ in 0..10 {
        assert_eq!(get("/system/time").await, (200, 1000));
    }
    for _ in 0..10 {
        assert_eq!(get("/system/time").await, (429, 30013));
    }
    assert_eq!(get("/system/time").await, (418, 30017));
    assert_eq!(get("/spot/quotation/v3/tickers").await, (418, 30017));
    // Limits of keys are separate from those of addresses.
    assert_eq!(get("/spot/v1/wallet").await, (200, 1000));
    sandbox.advance(Duration::from_secs(59));
    assert_eq!(get("/system/time").await, (418, 30017));
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(get("/system/time").await, (200, 1000));
}

/// Opens a connection over the limit and returns what it receives.
async fn over_limit(url: &str) -> (String, Received) {
    let mut socket = Socket::connect(url).await;
    let code = socket.text().await["errorCode"].as_str().expect("a code").to_owned();
    (code, socket.receive().await)
}

#[tokio::test]
async fn an_address_can_open_twenty_public_and_ten_private_spot_sockets() {
    let sandbox = start(stepped_config()).await;
    for (url, max_open) in [(&sandbox.spot().ws_public, 20), (&sandbox.spot().ws_private, 10)] {
        let mut sockets = Vec::new();
        for _ in 0..max_open {
            let mut socket = Socket::connect(url).await;
            socket.send("ping").await;
            assert_eq!(socket.text().await, "pong");
            sockets.push(socket);
        }
        assert_eq!(over_limit(url).await, ("94002".to_owned(), Received::Close(1008)));
    }
}

#[tokio::test]
async fn the_thirty_first_spot_socket_within_a_minute_is_over_limit() {
    let sandbox = start(stepped_config()).await;
    let url = &sandbox.spot().ws_private;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(Socket::connect(url).await);
    }
    for _ in 10..30 {
        assert_eq!(over_limit(url).await.0, "94002");
    }
    assert_eq!(over_limit(url).await, ("94001".to_owned(), Received::Close(1008)));

    let free = start(stepped_config().rate_limits(false)).await;
    for _ in 0..31 {
        let mut socket = Socket::connect(&free.spot().ws_private).await;
        socket.send("ping").await;
        assert_eq!(socket.text().await, "pong");
        sockets.push(socket);
    }
}

/// Sends a handshake and returns the head of the response; empty without a response.
async fn handshake(url: &str) -> String {
    let mut stream = TcpStream::connect(authority(url)).await.expect("connects");
    let head = "GET /api?protocol=1.1 HTTP/1.1\r\nHost: sandbox\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Sec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("writes");
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\n") {
        match timeout(DEADLINE, stream.read_u8()).await.expect("in time") {
            Ok(byte) => received.push(byte),
            Err(error) => return format!("{:?}", error.kind()),
        }
    }
    String::from_utf8(received).expect("text")
}

#[tokio::test]
async fn faults_reject_drop_and_corrupt_handshakes() {
    let sandbox: Sandbox = start(stepped_config()).await;
    let with_fault = async |fault: Fault| {
        sandbox.inject(fault.on("spot/api"));
        handshake(&sandbox.spot().ws_public).await
    };
    assert!(with_fault(Fault::Html(503)).await.starts_with("HTTP/1.1 503"));
    assert_eq!(with_fault(Fault::DropBefore).await, "UnexpectedEof");
    assert_eq!(with_fault(Fault::ResetMidBody).await, "ConnectionReset");
    let wrong = with_fault(Fault::WrongAccept).await;
    assert!(wrong.starts_with("HTTP/1.1 101"), "{wrong}");
    assert!(wrong.contains("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "{wrong}");
    // A fault of the other address does not apply, and each fault occurs once.
    sandbox.inject(Fault::Html(403).on("spot/user"));
    assert!(handshake(&sandbox.spot().ws_public).await.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[tokio::test]
async fn a_handshake_is_delayed_by_its_fault() {
    let sandbox = start(stepped_config()).await;
    let late = Duration::from_millis(300);
    sandbox.inject(Fault::Delay(late).on("futures/api"));
    let sent = std::time::Instant::now();
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    assert!(sent.elapsed() >= late);
    socket.json(json!({ "action": "ping" })).await;
    assert_eq!(socket.text().await["group"], "System");
}
