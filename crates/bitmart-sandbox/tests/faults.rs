//! Faults: what the client sees, and what the exchange did.

mod common;

use bitmart_sandbox::{Config, Fault};
use common::{Client, DEADLINE, Heard, Socket, send, start};
use serde_json::json;
use tokio::time::{Duration, Instant, timeout};

const SUBMIT: &str = "/spot/v2/submit_order";

fn still() -> Config {
    Config::new().stepped_clock(1_700_000_000_000).rate_limits(false)
}

fn order(client_id: &str) -> serde_json::Value {
    json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001",
        "client_order_id": client_id,
    })
}

#[tokio::test]
async fn a_drop_after_accept_leaves_an_order_that_can_be_found() {
    let sandbox = start(still()).await;
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
async fn html_and_cut_json_come_as_a_proxy_sends_them() {
    let sandbox = start(still()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::Html(502).on(SUBMIT).times(2));
    sandbox.inject(Fault::HtmlAfter(502).on(SUBMIT));
    sandbox.inject(Fault::TruncatedJson.on(SUBMIT));
    for (id, orders) in [("a", 0), ("b", 0), ("c", 1)] {
        let page = client.post(SUBMIT, order(id)).await;
        assert_eq!((page.status, sandbox.orders().len()), (502, orders), "{id}");
        assert!(page.text.starts_with("<html>"), "{}", page.text);
    }
    let cut = client.post(SUBMIT, order("d")).await;
    assert_eq!((cut.status, sandbox.orders().len()), (200, 2));
    assert!(serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
}

#[tokio::test]
async fn a_delayed_answer_was_processed_at_once() {
    let sandbox = start(still()).await;
    let client = Client::spot(&sandbox);
    sandbox.inject(Fault::Delay(Duration::from_hours(1)).on(SUBMIT));
    let processed = async {
        while sandbox.orders().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = send(client.host, client.signed(SUBMIT, &order("late1"))) => {
            panic!("answered before its time: {answer:?}")
        }
        done = timeout(DEADLINE, processed) => done.expect("an order while the answer is due"),
    }
    assert_eq!(sandbox.orders()[0].client_order_id, "late1");
}

#[tokio::test]
async fn a_delayed_answer_comes_after_the_delay() {
    let sandbox = start(still()).await;
    let client = Client::spot(&sandbox);
    let (delay, from) = (Duration::from_millis(100), Instant::now());
    sandbox.inject(Fault::Delay(delay).on(SUBMIT));
    client.order(order("late2")).await;
    assert!(from.elapsed() >= delay);
}

#[tokio::test]
async fn a_version_gap_is_a_gap_for_the_subscriber() {
    let sandbox = start(still()).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot(topic).await;
    let version =
        |frame: &serde_json::Value| frame["data"][0]["version"].as_u64().expect("a version");
    let snapshot = version(&socket.binary().await);
    sandbox.inject(Fault::VersionGap.on(topic));
    sandbox.step_market(1);
    assert!(version(&socket.binary().await) > snapshot + 1);
    socket.json(json!({ "op": "request", "args": [topic] })).await;
    let whole = socket.binary().await;
    assert_eq!(whole["data"][0]["type"], "snapshot");
    assert!(version(&whole) > snapshot + 1);
}

#[tokio::test]
async fn a_version_gap_is_one_on_a_still_book_and_on_its_own_topic_only() {
    let sandbox = start(still().market_maker(false)).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot(topic).await;
    let version =
        |frame: &serde_json::Value| frame["data"][0]["version"].as_u64().expect("a version");
    let snapshot = version(&socket.binary().await);
    sandbox.inject(Fault::VersionGap.on(topic));
    sandbox.step_market(1);
    assert_eq!(version(&socket.binary().await), snapshot + 2);
    // What was skipped stays skipped.
    socket.json(json!({ "op": "request", "args": [topic] })).await;
    assert_eq!(version(&socket.binary().await), snapshot + 2);

    let (struck, spared) =
        ("futures/depthIncrease20:BTCUSDT@100ms", "futures/depthIncrease20:BTCUSDT@200ms");
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    let mut first = 0;
    for topic in [struck, spared] {
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        assert_eq!(socket.text().await["success"], true);
        first = socket.text().await["data"]["version"].as_u64().expect("a version");
    }
    sandbox.inject(Fault::VersionGap.on(struck));
    sandbox.step_market(4);
    for (topic, version) in
        [(struck, first + 2), (spared, first + 1), (struck, first + 3), (spared, first + 2)]
    {
        let update = socket.text().await;
        assert_eq!(
            (&update["group"], &update["data"]["version"]),
            (&json!(topic), &json!(version))
        );
    }
}

#[tokio::test]
async fn a_silent_socket_stays_open_and_answers_nothing() {
    let sandbox = start(still()).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    let mut silent = Socket::connect(&sandbox.spot().ws_public).await;
    silent.subscribe_spot(topic).await;
    silent.binary().await;
    sandbox.inject(Fault::SilentSocket.on(topic));
    sandbox.step_market(1);
    silent.send("ping").await;
    // Another socket hears the next updates; the silent one is cut without having said a word.
    let mut other = Socket::connect(&sandbox.spot().ws_public).await;
    other.subscribe_spot(topic).await;
    other.binary().await;
    for _ in 0..3 {
        sandbox.step_market(1);
        other.binary().await;
    }
    assert_eq!(sandbox.sockets(), 2);
    sandbox.kill_sockets();
    assert_eq!(silent.hear().await, Heard::Gone);
    assert_eq!(other.hear().await, Heard::Gone);
}
