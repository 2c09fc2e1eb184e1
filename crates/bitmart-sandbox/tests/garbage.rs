//! Malformed input from the network and unusual configurations: no panic.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Contract, Decimal, SpotPair};
use common::{Client, DEADLINE, Received, Socket, authority, start};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

fn stepped_config() -> Config {
    Config::new().stepped_clock(1_700_000_000_000).rate_limits(false)
}

#[tokio::test]
async fn malformed_bytes_end_only_their_connection() {
    let sandbox = start(stepped_config()).await;
    let long = "x".repeat(100_000);
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200)).into_bytes(),
        b"POST /spot/v2/submit_order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        b"GET /api?protocol=1.1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n".to_vec(),
        b"GET /spot/quotation/v3/ticker?symbol=%ff%00&&=&symbol HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
    ] {
        let mut stream = TcpStream::connect(authority(&sandbox.spot().rest)).await.expect("connects");
        let mut response = Vec::new();
        // The connection may be reset before everything is written. It only has to end.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = timeout(DEADLINE, stream.read_to_end(&mut response)).await.expect("in time");
        let shown = String::from_utf8_lossy(&response[..response.len().min(15)]).into_owned();
        assert!(!shown.contains(" 500"), "{shown}");
    }
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

/// Sends bytes, shuts down the writing half if `ends`, and returns everything that is received.
async fn response_to(url: &str, bytes: &[u8], ends: bool) -> String {
    String::from_utf8_lossy(&received_bytes(url, bytes, ends).await).into_owned()
}

async fn received_bytes(url: &str, bytes: &[u8], ends: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(authority(url)).await.expect("connects");
    let (mut reader, mut writer) = stream.split();
    let mut response = Vec::new();
    let sending = async {
        // The server may close before everything is written.
        let _ = writer.write_all(bytes).await;
        if ends {
            let _ = writer.shutdown().await;
        }
    };
    let reading = timeout(DEADLINE, reader.read_to_end(&mut response));
    let ((), read) = tokio::join!(sending, reading);
    read.expect("in time").expect("the response is not lost by a reset");
    response
}

#[tokio::test]
async fn anything_but_http_gets_400_before_the_close() {
    let sandbox = start(stepped_config()).await;
    for bytes in [
        &b"hello\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"{\"op\":\"subscribe\",\"args\":[\"spot/ticker:BTC_USDT\"]}\n",
        b"\x00\x00\x00\x00",
    ] {
        for url in [&sandbox.spot().rest, &sandbox.futures().rest] {
            let response = response_to(url, bytes, false).await;
            assert!(response.starts_with("HTTP/1.1 400"), "{bytes:?}: {response:?}");
        }
    }
    // A truncated head.
    for bytes in [&b"GET"[..], b"GET / HTTP/1.1\r\nhost: x\r\n", b"hello"] {
        let response = response_to(&sandbox.spot().rest, bytes, true).await;
        assert!(response.starts_with("HTTP/1.1 400"), "{bytes:?}: {response:?}");
    }
    // More bytes than the server reads.
    let much = b"\x00nonsense".repeat(20_000);
    let response = response_to(&sandbox.spot().rest, &much, false).await;
    assert!(response.starts_with("HTTP/1.1 400"), "{response:?}");
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

#[tokio::test]
async fn incomplete_requests_do_not_block_other_clients() {
    let sandbox = start(stepped_config()).await;
    let mut begun = Vec::new();
    for number in 0..1_100 {
        match TcpStream::connect(authority(&sandbox.spot().rest)).await {
            Ok(mut stream) => {
                stream.write_all(b"GET /system/time HTTP/1.1\r\n").await.expect("written");
                begun.push(stream);
            }
            Err(error) => {
                println!("skipped: only {number} connections can be opened here: {error}");
                return;
            }
        }
    }
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

/// A handshake without its method.
const HANDSHAKE: &[u8] =
    b" /api HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn a_malformed_frame_gets_a_close_frame_with_its_code() {
    let sandbox = start(stepped_config()).await;
    for (frame, code) in [
        // Reserved bits, an unknown opcode, and a fragmented ping, each empty and with a mask of zeros.
        (&b"\xf1\x80\0\0\0\0"[..], 1002_u16),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        // A text and a close frame without a mask.
        (b"\x81\x04ping", 1002),
        (b"\x88\x00", 1002),
        // A text that is not UTF-8.
        (b"\x81\x82\0\0\0\0\xc3\x28", 1007),
    ] {
        let sent = [&b"GET"[..], HANDSHAKE, frame].concat();
        let response = received_bytes(&sandbox.spot().rest, &sent, false).await;
        assert!(response.starts_with(b"HTTP/1.1 101"), "{frame:?}: {response:?}");
        let close = [&[0x88, 2], &code.to_be_bytes()[..]].concat();
        assert!(response.ends_with(&close), "{frame:?}: {response:?}");
    }
}

#[tokio::test]
async fn a_handshake_with_another_method_than_get_is_rejected() {
    let sandbox = start(stepped_config()).await;
    for method in ["POST", "PUT"] {
        let sent = [method.as_bytes(), HANDSHAKE].concat();
        let response = received_bytes(&sandbox.spot().rest, &sent, true).await;
        assert!(response.starts_with(b"HTTP/1.1 4"), "{method}: {response:?}");
    }
}

#[tokio::test]
async fn malformed_messages_are_rejected_and_the_socket_stays_open() {
    let sandbox = start(stepped_config()).await;
    let deep = "[".repeat(1_500);
    for (url, good, response) in [
        (&sandbox.spot().ws_public, "ping", "pong"),
        (&sandbox.futures().ws_public, "{\"action\":\"ping\"}", "\"pong+"),
    ] {
        let mut socket = Socket::connect(url).await;
        for text in [
            deep.as_str(),
            "{}",
            "null",
            "\u{0}",
            "{\"op\":\"subscribe\",\"args\":[\"spot/ticker:BTC_USDT@\",\":\",\"@\",\"é@é:é\"]}",
            "{\"op\":\"login\",\"args\":[[]]}",
            "{\"action\":\"subscribe\",\"args\":[null,{},\"futures/ticker:@\",\"é:é@é\"]}",
        ] {
            socket.send(text).await;
        }
        socket.send(good).await;
        loop {
            match socket.receive().await {
                Received::Text(text) if text.contains(response) => break,
                Received::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

#[tokio::test]
async fn extreme_configurations_start() {
    let mut pair = SpotPair::new("", "", 99, 99, Decimal::MAX);
    pair.price_decimals = 99;
    pair.min_notional = Decimal::MIN;
    let mut contract = Contract::new("X", "Y", Decimal::MIN, 99, Decimal::ZERO);
    contract.max_leverage = 0;
    contract.max_volume = u64::MAX;
    let config = Config::new()
        .stepped_clock(u64::MAX)
        .pairs([pair])
        .contracts([contract])
        .spot_balance("USDT", Decimal::MAX)
        .socket_queue(0);
    let sandbox = start(config).await;
    sandbox.advance(Duration::MAX);
    sandbox.step_market(20);
    assert_eq!(Client::futures(&sandbox).get("/contract/public/details").await.status, 200);
    drop(sandbox);
    start(Config::new().pairs([]).contracts([]).market_maker(true)).await;
}

#[tokio::test]
async fn extreme_timeouts_close_sockets_at_once_or_never() {
    for (idle, without_topic) in [
        (Duration::MAX, Duration::MAX),
        (Duration::MAX, Duration::ZERO),
        (Duration::ZERO, Duration::MAX),
    ] {
        let config = stepped_config().socket_idle(idle);
        let sandbox = start(config.socket_without_topic(without_topic, without_topic)).await;
        for (url, ping) in [
            (&sandbox.spot().ws_public, "ping"),
            (&sandbox.futures().ws_public, r#"{"action":"ping"}"#),
        ] {
            let mut socket = Socket::connect(url).await;
            if idle == without_topic {
                socket.send(ping).await;
                assert!(matches!(socket.receive().await, Received::Text(_)), "{url} stays open");
            } else {
                assert_eq!(socket.receive().await, Received::Close(1001), "{url}");
            }
            drop(socket);
            let gone = async {
                while sandbox.sockets() > 0 {
                    tokio::task::yield_now().await;
                }
            };
            timeout(DEADLINE, gone).await.expect("the connection leaves the feed");
        }
    }
}

#[tokio::test]
async fn the_largest_numbers_are_rejected() {
    let sandbox = start(stepped_config()).await;
    let largest = "1000000000000";
    for body in [
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": largest, "size": largest }),
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": largest }),
        json!({ "symbol": "BTC_USDT", "side": "sell", "type": "market", "size": largest }),
    ] {
        let response = Client::spot(&sandbox).post("/spot/v2/submit_order", body.clone()).await;
        assert_eq!(response.code(), 50020, "{body}: {}", response.text);
    }
    let body = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "1", "open_type": "cross",
        "price": largest, "size": 500_000,
    });
    assert_eq!(
        Client::futures(&sandbox).post("/contract/private/submit-order", body).await.code(),
        40029
    );
}
