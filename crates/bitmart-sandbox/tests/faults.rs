//! Faults: their effect on the client, and on the exchange.

mod common;
#[path = "faults/sockets.rs"]
mod sockets;

use bitmart_sandbox::{Config, Fault, Sandbox};
use common::{Client, DEADLINE, authority, send, start};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, Instant, timeout},
};

const SUBMIT: &str = "/spot/v2/submit_order";
const TIME: &str = "/system/time";

fn stepped_config() -> Config {
    Config::new().stepped_clock(1_700_000_000_000).rate_limits(false)
}

fn order(client_order_id: &str) -> serde_json::Value {
    json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001",
        "client_order_id": client_order_id,
    })
}

#[tokio::test]
async fn an_order_whose_response_is_dropped_can_be_queried() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::DropAfter.on(SUBMIT));
    assert!(send(client.host, client.signed(SUBMIT, &order("lost1"))).await.is_none());
    let found = client
        .post("/spot/v4/query/client-order", json!({ "clientOrderId": "lost1" }))
        .await
        .data();
    assert_eq!(found["state"], "new");
    sandbox.inject(Fault::DropBefore.on(SUBMIT));
    assert!(send(client.host, client.signed(SUBMIT, &order("never1"))).await.is_none());
    let missing =
        client.post("/spot/v4/query/client-order", json!({ "clientOrderId": "never1" })).await;
    assert_eq!(missing.code(), 50005);
    client.order(order("fine1")).await;
}

#[tokio::test]
async fn a_request_is_held_back_until_faults_are_cleared_or_its_client_disconnects() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    for (fault, meanwhile, after) in [(Fault::HoldBefore, 0, 1), (Fault::HoldAfter, 2, 2)] {
        sandbox.inject(fault.on(SUBMIT));
        let held = async {
            sandbox.until_held(SUBMIT).await;
            assert_eq!(sandbox.until_any_held().await, SUBMIT);
            assert_eq!(sandbox.orders().len(), meanwhile, "{fault:?}");
            sandbox.clear_faults();
        };
        let id = format!("held{after}");
        let (response, ()) = tokio::join!(client.post(SUBMIT, order(&id)), held);
        assert_eq!(response.code(), 1000, "{fault:?}");
        assert_eq!(sandbox.orders().len(), after);
        sandbox.until_free(SUBMIT).await;
    }
    sandbox.inject(Fault::HoldBefore.on(SUBMIT));
    tokio::select! {
        _ = client.post(SUBMIT, order("gone")) => panic!("the request is held back"),
        () = sandbox.until_held(SUBMIT) => {}
    }
    // The client has disconnected, so the request is never processed.
    sandbox.until_free(SUBMIT).await;
    sandbox.clear_faults();
    assert_eq!(sandbox.orders().len(), 2);
}

#[tokio::test]
async fn html_and_truncated_json_replace_the_response() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::Html(502).on(SUBMIT).times(2));
    sandbox.inject(Fault::Html(403).on(SUBMIT));
    sandbox.inject(Fault::HtmlAfter(502).on(SUBMIT));
    sandbox.inject(Fault::TruncatedJson.on(SUBMIT));
    for (id, status, orders) in [("a", 502, 0), ("b", 502, 0), ("x", 403, 0), ("c", 502, 1)] {
        let page = client.post(SUBMIT, order(id)).await;
        assert_eq!((page.status, sandbox.orders().len()), (status, orders), "{id}");
        assert!(page.text.starts_with("<html>"), "{}", page.text);
    }
    let cut = client.post(SUBMIT, order("d")).await;
    assert_eq!((cut.status, sandbox.orders().len()), (200, 2));
    assert!(serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
}

#[tokio::test]
async fn the_members_of_rows_are_null() {
    const OPEN: &str = "/spot/v4/query/open-orders";
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    client.order(order("kept1")).await;
    sandbox.inject(Fault::NullRows.on(OPEN));
    let rows = |response: &common::ApiResponse| response.data().as_array().expect("rows").clone();
    let empty = rows(&client.post(OPEN, json!({})).await);
    assert!(empty[0].as_object().expect("a row").values().all(serde_json::Value::is_null));
    let whole = rows(&client.post(OPEN, json!({})).await);
    assert_eq!((whole.len(), &whole[0]["clientOrderId"]), (empty.len(), &json!("kept1")));
}

#[tokio::test]
async fn a_request_with_a_delayed_response_is_processed_at_once() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::Delay(Duration::from_secs(3600)).on(SUBMIT));
    let processed = async {
        while sandbox.orders().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        response = send(client.host, client.signed(SUBMIT, &order("late1"))) => {
            panic!("responded too early: {response:?}")
        }
        done = timeout(DEADLINE, processed) => done.expect("an order before the response"),
    }
    assert_eq!(sandbox.orders()[0].client_order_id, "late1");
}

#[tokio::test]
async fn a_delayed_response_arrives_after_the_delay() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let (delay, from) = (Duration::from_millis(100), Instant::now());
    sandbox.inject(Fault::Delay(delay).on(SUBMIT));
    client.order(order("late2")).await;
    assert!(from.elapsed() >= delay);
}

/// Sends a request for the time, without reading the response.
async fn request_time(sandbox: &Sandbox) -> TcpStream {
    let mut stream = TcpStream::connect(authority(&sandbox.spot().rest)).await.expect("connects");
    let head = format!("GET {TIME} HTTP/1.1\r\nHost: sandbox\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream
}

/// Reads a head and returns the announced length of its body.
async fn announced_length(stream: &mut TcpStream) -> usize {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(DEADLINE, stream.read_u8()).await.expect("in time").expect("a head"));
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length = head.split_once("content-length: ").expect("a length").1;
    length.lines().next().expect("a line").parse().expect("a number")
}

#[tokio::test]
async fn the_head_and_half_of_the_body_arrive_before_the_reset() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::ResetMidBody.on(SUBMIT));
    assert!(send(client.host, client.signed(SUBMIT, &order("cut1"))).await.is_none());
    assert_eq!(sandbox.orders().len(), 1);
    sandbox.inject(Fault::ResetMidBody.on(TIME));
    let mut stream = request_time(&sandbox).await;
    let (length, mut body) = (announced_length(&mut stream).await, Vec::new());
    let error = loop {
        match timeout(DEADLINE, stream.read_u8()).await.expect("in time") {
            Ok(byte) => body.push(byte),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(body.len(), length / 2);
}

#[tokio::test]
async fn a_slow_drip_sends_one_byte_and_delays_the_next() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::SlowDrip(Duration::from_secs(3600)).on(TIME));
    let mut stream = request_time(&sandbox).await;
    assert!(announced_length(&mut stream).await > 1);
    let first = timeout(DEADLINE, stream.read_u8()).await.expect("in time");
    assert_eq!(first.expect("a byte"), b'{');
    tokio::select! {
        second = stream.read_u8() => panic!("arrived too early: {second:?}"),
        other = client.get(TIME) => assert_eq!(other.status, 200),
    }
}

#[tokio::test]
async fn a_slow_drip_takes_its_time_and_sends_the_complete_body() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let (time, from) = (Duration::from_millis(100), Instant::now());
    sandbox.inject(Fault::SlowDrip(time).on(SUBMIT));
    client.order(order("slow1")).await;
    assert!(from.elapsed() >= time);
}

#[tokio::test]
async fn injected_rejections_have_the_documented_codes_and_the_request_is_not_processed() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    for (fault, status, code, counted) in [
        (Fault::RateLimited, 429, 30013, true),
        (Fault::Banned, 418, 30017, true),
        (Fault::Maintenance, 200, 30016, false),
    ] {
        sandbox.inject(fault.on(SUBMIT));
        let rejected = client.post(SUBMIT, order("later1")).await;
        assert_eq!((rejected.status, rejected.code()), (status, code), "{fault:?}");
        let header = |name: &str| {
            let value = rejected.headers.get(name)?.to_str().expect("text");
            Some(value.parse::<u32>().expect("a number"))
        };
        let used = header("x-bm-ratelimit-remaining");
        assert_eq!(used.is_some(), counted, "{fault:?}");
        assert!(used.is_none() || used > header("x-bm-ratelimit-limit"), "{fault:?}");
        assert_eq!(header("x-bm-ratelimit-reset").is_some(), counted, "{fault:?}");
    }
    assert!(sandbox.orders().is_empty());
    client.order(order("later1")).await;
}

const TRADES: &str = "/spot/v4/query/trades";

/// Places a market order that fills at once.
async fn trade(client: &Client<'_>) {
    let taker = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "20" });
    client.order(taker).await;
}

#[tokio::test]
async fn a_late_history_lacks_only_new_rows() {
    let sandbox = start(stepped_config()).await;
    trade(&Client::spot(&sandbox)).await;
    sandbox.advance(Duration::from_secs(3));
    let client = Client::spot(&sandbox);
    trade(&client).await;
    let fills = sandbox.fills();
    let young = fills.last().expect("fills").time_ms;
    let old = fills.iter().filter(|fill| fill.time_ms < young).count();
    assert!(0 < old && old < fills.len());
    sandbox.inject(Fault::LateHistory(Duration::from_secs(2)).on(TRADES).times(2));
    let rows = async |limit: usize| {
        let response = client.post(TRADES, json!({ "limit": limit })).await.data();
        response.as_array().expect("rows").clone()
    };
    assert_eq!(rows(200).await.len(), old);
    // Hidden new rows do not count towards the limit.
    let one = rows(1).await;
    assert_eq!(one.len(), 1);
    assert!(one[0]["createTime"].as_u64().expect("a time") < young);
    assert_eq!(rows(200).await.len(), fills.len(), "the fault occurred as often as configured");
}
