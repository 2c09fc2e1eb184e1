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
