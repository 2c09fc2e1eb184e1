//! WebSockets of both hosts over real sockets.

mod common;
#[path = "ws/futures.rs"]
mod futures;

use bitmart_sandbox::{Config, Decimal, SpotPair};
use common::{Client, Received, Socket, sign, start};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

const NOON_MS: u64 = 1_700_000_000_000;

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

fn error(event: &str, code: &str, message: &str) -> Value {
    json!({ "event": event, "errorCode": code, "errorMessage": message })
}

#[tokio::test]
async fn spot_market_data_is_compressed_and_starts_with_the_current_value() {
    let sandbox = start(stepped_config()).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.send("ping").await;
    assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
    socket.subscribe_spot("spot/ticker:BTC_USDT").await;
    let ticker = socket.binary().await;
    assert_eq!(ticker["table"], "spot/ticker");
    assert_eq!(ticker["data"][0]["symbol"], "BTC_USDT");
    assert_eq!(ticker["data"][0]["ms_t"], NOON_MS);
    socket.subscribe_spot("spot/depth/increase100:BTC_USDT").await;
    let snapshot = socket.binary().await;
    assert_eq!(snapshot["data"][0]["type"], "snapshot");
    assert!(snapshot["data"][0]["asks"][0][0].is_string());
}

#[tokio::test]
async fn spot_book_updates_follow_the_snapshot_and_empty_ones_repeat_the_version() {
    let sandbox = start(stepped_config().market_maker(false)).await;
    let client = Client::spot(&sandbox);
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot("spot/depth/increase100:BTC_USDT").await;
    let first = socket.binary().await["data"][0]["version"].as_u64().expect("a version");
    let body = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.1" });
    let id = client.order(body).await;
    sandbox.step_market(1);
    let added = socket.binary().await["data"][0].clone();
    assert_eq!(
        (&added["version"], &added["bids"]),
        (&json!(first + 1), &json!([["50000.00", "0.10000"]]))
    );
    client
        .post("/spot/v3/cancel_order", json!({ "symbol": "BTC_USDT", "order_id": id }))
        .await
        .data();
    sandbox.step_market(1);
    let gone = socket.binary().await["data"][0].clone();
    assert_eq!((&gone["version"], &gone["bids"]), (&json!(first + 2), &json!([["50000.00", "0"]])));
    sandbox.step_market(10);
    let idle = socket.binary().await["data"][0].clone();
    assert_eq!(
        (&idle["version"], &idle["bids"], &idle["type"]),
        (&json!(first + 2), &json!([]), &json!("update"))
    );
}

#[tokio::test]
async fn spot_order_pushes_follow_the_states_of_an_order_with_string_values() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
    let topic = "spot/user/orders:ALL_SYMBOLS";
    socket.json(json!({ "op": "subscribe", "args": [topic] })).await;
    let rejected = error("subscribe", "91006", "User not logged in / User must be logged in");
    assert_eq!(socket.text().await, rejected);
    socket.log_in_spot(&sandbox).await;
    socket.subscribe_spot(topic).await;
    let body = json!({
        "symbol": "ETH_USDT", "side": "sell", "type": "ioc", "price": "1000", "size": "0.01",
        "client_order_id": "w1",
    });
    let id = client.order(body).await;
    let new = socket.text().await["data"][0].clone();
    assert_eq!(
        (&new["order_state"], &new["state"], &new["exec_type"]),
        (&json!("new"), &json!("4"), &json!(""))
    );
    let filled = socket.text().await["data"][0].clone();
    assert_eq!(filled["order_id"], id.as_str());
    assert_eq!(filled["client_order_id"], "w1");
    assert_eq!((&filled["order_state"], &filled["state"]), (&json!("filled"), &json!("6")));
    assert_eq!((&filled["entrust_type"], &filled["type"]), (&json!("IOC"), &json!("limit")));
    assert_eq!(filled["exec_type"], "T");
    let fills = sandbox.fills();
    assert_eq!(filled["detail_id"], fills[0].trade_id.as_str());
    let fee: Decimal = filled["dealFee"].as_str().expect("text").parse().expect("a number");
    assert_eq!(fee, fills[0].fee);
    let fields = filled.as_object().expect("an object");
    assert_eq!(fields.len(), 26);
    assert!(fields.values().all(Value::is_string), "{filled}");
}

#[tokio::test]
async fn a_command_with_more_pushes_than_the_capacity_of_the_queue_keeps_a_reader() {
    let sandbox = start(stepped_config().market_maker(false).socket_queue(8)).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let mut orders = Socket::connect(&sandbox.spot().ws_private).await;
    orders.log_in_spot(&sandbox).await;
    orders.subscribe_spot("spot/user/orders:ALL_SYMBOLS").await;
    let mut trades = Socket::connect(&sandbox.futures().ws_public).await;
    trades.json(json!({ "action": "subscribe", "args": ["futures/trade:BTCUSDT"] })).await;
    assert_eq!(trades.text().await["success"], true);
    for _ in 0..100 {
        let sell = json!({ "symbol": "BTC_USDT", "side": "sell", "type": "limit", "price": "70000", "size": "0.001" });
        spot.order(sell).await;
        assert_eq!(orders.text().await["data"][0]["order_state"], "new");
        let buy = json!({ "symbol": "BTCUSDT", "side": 1, "type": "limit", "price": "50000", "leverage": "10", "open_type": "cross", "size": 1 });
        futures.post("/contract/private/submit-order", buy).await.data();
    }
    spot.post("/spot/v4/cancel_all", json!({})).await;
    for _ in 0..100 {
        assert_eq!(orders.text().await["data"][0]["order_state"], "canceled");
    }
    let cancel = json!({ "symbol": "BTCUSDT" });
    futures.post("/contract/private/cancel-orders", cancel).await;
    sandbox.step_market(1);
    assert_eq!(sandbox.sockets(), 2);
}

#[tokio::test]
async fn failed_spot_logins_get_their_codes_and_close_the_connection() {
    let sandbox = start(stepped_config()).await;
    let key = sandbox.credentials().clone();
    let good = sign(&key, &NOON_MS.to_string(), "bitmart.WebSocket");
    let stale = NOON_MS - 60_001;
    let stale_sign = sign(&key, &stale.to_string(), "bitmart.WebSocket");
    for (args, code, message) in [
        (json!(["who", NOON_MS, good]), "91002", "API KEY not found"),
        (json!([key.key, NOON_MS.to_string(), "00"]), "91011", "Param sign is wrong"),
        (json!([key.key, stale, stale_sign]), "91022", "Param timestamp range. Within a minute"),
        (json!([key.key, "noon", good]), "91023", "Param timestamp invalid format"),
    ] {
        let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
        socket.json(json!({ "op": "login", "args": args })).await;
        assert_eq!(socket.text().await, error("login", code, message));
        assert_eq!(socket.receive().await, Received::Close(1000), "{code}");
    }
    // Some official clients send the timestamp as a number.
    let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
    socket.json(json!({ "op": "login", "args": [key.key, NOON_MS, good] })).await;
    assert_eq!(socket.text().await, json!({ "event": "login" }));
}

#[tokio::test]
async fn invalid_spot_messages_get_their_codes() {
    let sandbox = start(stepped_config()).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    let topic = "spot/trade:BTC_USDT";
    socket.subscribe_spot(topic).await;
    let many: Vec<&str> = vec![topic; 21];
    for (message, response) in [
        (
            json!({ "op": "subscribe", "args": [topic] }),
            error("subscribe", "90008", "Duplicate subscription"),
        ),
        (
            json!({ "op": "subscribe", "args": ["spot/nope:X"] }),
            error("subscribe", "90004", "Invalid channel param"),
        ),
        (
            json!({ "op": "subscribe", "args": ["spot/trade:X"] }),
            error("subscribe", "92001", "Invalid symbol param"),
        ),
        (
            json!({ "op": "unsubscribe", "args": ["spot/trade:ETH_USDT"] }),
            error("unsubscribe", "90009", "Invalid subscription"),
        ),
        (json!({ "op": "dance", "args": [topic] }), error("dance", "90002", "Invalid op param")),
        (json!({ "op": "subscribe" }), error("subscribe", "90003", "Invalid args param")),
        (
            json!({ "op": "subscribe", "args": many }),
            error("subscribe", "90005", "Topic quantity in single subscription exceeds limit"),
        ),
        (json!([1]), error("error", "90001", "Invalid message format")),
        (
            json!({ "op": "unsubscribe", "args": [topic] }),
            json!({ "event": "unsubscribe", "topic": topic }),
        ),
    ] {
        socket.json(message.clone()).await;
        assert_eq!(socket.text().await, response, "{message}");
    }
    socket.send(&" ".repeat(5_000)).await;
    assert_eq!(socket.receive().await, Received::Close(1009));
}

/// A client that writes first and reads then must get the close frame, and no reset, whatever is unread.
#[tokio::test]
async fn a_message_of_any_size_over_the_limit_gets_a_close_frame_and_no_reset() {
    let sandbox = start(stepped_config()).await;
    let (spot, futures) = (sandbox.spot(), sandbox.futures());
    for url in [&spot.ws_public, &spot.ws_private, &futures.ws_public, &futures.ws_private] {
        for size in [5_000, 65_535, 65_536, 300_000, 4_000_000] {
            let mut socket = Socket::connect(url).await;
            socket.send(&"x".repeat(size)).await;
            assert_eq!(socket.receive().await, Received::Close(1009), "{url} {size}");
            socket.close_frame(1009).await;
            assert_eq!(socket.end().await, None, "{url} {size}");
        }
    }
}

#[tokio::test]
async fn too_many_spot_messages_close_the_connection() {
    let sandbox = start(stepped_config().rate_limits(true)).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    for _ in 0..100 {
        socket.send("ping").await;
        assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
    }
    socket.send("ping").await;
    assert_eq!(socket.text().await["errorCode"], "90007");
    assert_eq!(socket.receive().await, Received::Close(1008));
}

#[tokio::test]
async fn advancing_a_stepped_clock_does_not_reset_the_message_limit() {
    let sandbox = start(stepped_config().rate_limits(true)).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    for _ in 0..100 {
        socket.send("ping").await;
        assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
        sandbox.advance(Duration::from_secs(60));
    }
    socket.send("ping").await;
    assert_eq!(socket.text().await["errorCode"], "90007");
}

#[tokio::test]
async fn protocol_pings_get_pongs_with_their_payload_on_all_addresses() {
    let sandbox = start(stepped_config()).await;
    let (spot, futures) = (sandbox.spot(), sandbox.futures());
    for url in [&spot.ws_public, &spot.ws_private, &futures.ws_public, &futures.ws_private] {
        let mut socket = Socket::connect(url).await;
        let longest = [b'x'; 125];
        for payload in [&b""[..], b"ping", &longest] {
            socket.ping_frame(payload).await;
            assert_eq!(socket.receive().await, Received::Pong(payload.to_vec()), "{url}");
        }
        // An unsolicited pong gets no response: the next frame is that of the ping after it.
        socket.pong_frame(b"heartbeat").await;
        socket.ping_frame(b"after").await;
        assert_eq!(socket.receive().await, Received::Pong(b"after".to_vec()), "{url}");
        socket.close_frame(4_321).await;
        assert_eq!(socket.receive().await, Received::Close(4_321), "{url}");
    }
}

#[tokio::test]
async fn spot_ignores_protocol_pings_if_configured() {
    let sandbox = start(stepped_config().spot_protocol_pings(false)).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.ping_frame(b"x").await;
    socket.send("ping").await;
    assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
    let mut futures = Socket::connect(&sandbox.futures().ws_public).await;
    futures.ping_frame(b"x").await;
    assert_eq!(futures.receive().await, Received::Pong(b"x".to_vec()));
}

#[tokio::test]
async fn a_kill_closes_a_socket_that_is_blocked_in_a_write() {
    let sandbox = start(stepped_config().socket_queue(100_000)).await;
    let mut blocked = Socket::connect_with_small_buffer(&sandbox.futures().ws_public).await;
    // Five megabytes of snapshots exceed the buffers of this connection.
    let topics = vec!["futures/depthIncrease50:BTCUSDT"; 50];
    for _ in 0..25 {
        blocked.json(json!({ "action": "request", "args": topics })).await;
    }
    // Once this socket has a response, the sandbox has processed the messages of the other one.
    let mut other = Socket::connect(&sandbox.futures().ws_public).await;
    other.json(json!({ "action": "ping" })).await;
    assert_eq!(other.text().await["group"], "System");
    assert_eq!(sandbox.sockets(), 2);
    let from = Instant::now();
    sandbox.kill_sockets();
    // A write would only time out after 10 s.
    while sandbox.sockets() > 0 {
        assert!(from.elapsed() < Duration::from_secs(5), "the blocked socket is still open");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn silent_sockets_and_sockets_without_topics_are_closed() {
    let short = Duration::from_millis(50);
    let long = Duration::from_secs(60);
    let idle = start(stepped_config().socket_idle(short)).await;
    let mut socket = Socket::connect(&idle.spot().ws_public).await;
    assert_eq!(socket.receive().await, Received::Close(1001));
    let without_topic =
        start(stepped_config().socket_idle(long).socket_without_topic(long, short)).await;
    let mut socket = Socket::connect(&without_topic.futures().ws_public).await;
    assert_eq!(socket.receive().await, Received::Close(1001));
    let mut busy = Socket::connect(&without_topic.spot().ws_public).await;
    busy.send("ping").await;
    assert_eq!(busy.receive().await, Received::Text("pong".to_owned()));
}

#[tokio::test]
async fn a_slow_reader_is_disconnected() {
    let sandbox = start(stepped_config().socket_queue(4)).await;
    let mut slow = Socket::connect(&sandbox.spot().ws_public).await;
    slow.subscribe_spot("spot/depth/increase100:BTC_USDT").await;
    slow.binary().await;
    assert_eq!(sandbox.sockets(), 1);
    // More steps than the capacity of the queue, without a pause in which frames could be written.
    sandbox.step_market(50);
    assert_eq!(sandbox.sockets(), 0);
    loop {
        if slow.receive().await == Received::Gone {
            break;
        }
    }
}

#[tokio::test]
async fn shutdown_ends_every_task_and_socket() {
    let sandbox = start(Config::new()).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    let from = Instant::now();
    sandbox.shutdown().await;
    // The shutdown would wait 5 s for tasks that do not end.
    assert!(from.elapsed() < Duration::from_secs(5));
    assert_eq!(socket.receive().await, Received::Gone);
}

#[tokio::test]
async fn a_spot_connection_is_limited_to_115_topics() {
    let bases: Vec<String> = (0..116).map(|number| format!("T{number}")).collect();
    let pairs: Vec<SpotPair> =
        bases.iter().map(|base| SpotPair::new(base, "USDT", 2, 4, Decimal::ONE)).collect();
    let sandbox = start(stepped_config().market_maker(false).pairs(pairs)).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    for base in &bases[..115] {
        socket.subscribe_spot(&format!("spot/trade:{base}_USDT")).await;
    }
    socket.json(json!({ "op": "subscribe", "args": ["spot/trade:T115_USDT"] })).await;
    let rejected = error("subscribe", "90006", "Subscribed total topic quantity exceeds limit");
    assert_eq!(socket.text().await, rejected);
}
