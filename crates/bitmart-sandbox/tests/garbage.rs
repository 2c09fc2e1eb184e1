//! Nonsense from the network and from the configuration: refused, never a panic.

mod common;

use bitmart_sandbox::{Config, Contract, Decimal, SpotPair};
use common::{Client, DEADLINE, Heard, Socket, authority, start};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

fn still() -> Config {
    Config::new().stepped_clock(1_700_000_000_000).rate_limits(false)
}

#[tokio::test]
async fn nonsense_over_tcp_ends_only_its_own_connection() {
    let sandbox = start(still()).await;
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
        let mut answer = Vec::new();
        // A reset is as good as an answer, even before all is written; what counts is that it ends.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("in time");
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(15)]).into_owned();
        assert!(!shown.contains(" 500"), "{shown}");
    }
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

/// Everything that comes back when a client sends this and, or not, says that it has ended.
async fn answer_to(url: &str, bytes: &[u8], ends: bool) -> String {
    let mut stream = TcpStream::connect(authority(url)).await.expect("connects");
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    let sending = async {
        // The server may have enough before all is written.
        let _ = writer.write_all(bytes).await;
        if ends {
            let _ = writer.shutdown().await;
        }
    };
    let reading = timeout(DEADLINE, reader.read_to_end(&mut answer));
    let ((), read) = tokio::join!(sending, reading);
    read.expect("in time").expect("the answer is not lost by a reset");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_not_http_is_answered_400_before_the_close() {
    let sandbox = start(still()).await;
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
            let answer = answer_to(url, bytes, false).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{bytes:?}: {answer:?}");
        }
    }
    // A head that breaks off.
    for bytes in [&b"GET"[..], b"GET / HTTP/1.1\r\nhost: x\r\n", b"hello"] {
        let answer = answer_to(&sandbox.spot().rest, bytes, true).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{bytes:?}: {answer:?}");
    }
    // Much of it, which nobody reads to its end.
    let much = b"\x00nonsense".repeat(20_000);
    let answer = answer_to(&sandbox.spot().rest, &much, false).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

#[tokio::test]
async fn who_only_begins_requests_keeps_nobody_out() {
    let sandbox = start(still()).await;
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

#[tokio::test]
async fn nonsense_in_frames_is_refused_and_the_socket_lives() {
    let sandbox = start(still()).await;
    let deep = "[".repeat(1_500);
    for (url, good, answer) in [
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
            match socket.hear().await {
                Heard::Text(text) if text.contains(answer) => break,
                Heard::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(Client::spot(&sandbox).get("/system/time").await.status, 200);
}

#[tokio::test]
async fn odd_configurations_start() {
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
    sandbox.advance(std::time::Duration::MAX);
    sandbox.step_market(20);
    assert_eq!(Client::futures(&sandbox).get("/contract/public/details").await.status, 200);
    drop(sandbox);
    start(Config::new().pairs([]).contracts([]).market_maker(true)).await;
}

#[tokio::test]
async fn the_largest_numbers_are_refused() {
    let sandbox = start(still()).await;
    let largest = "1000000000000";
    for body in [
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": largest, "size": largest }),
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": largest }),
        json!({ "symbol": "BTC_USDT", "side": "sell", "type": "market", "size": largest }),
    ] {
        let answer = Client::spot(&sandbox).post("/spot/v2/submit_order", body.clone()).await;
        assert_eq!(answer.code(), 50020, "{body}: {}", answer.text);
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
