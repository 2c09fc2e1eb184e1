//! The futures dialect.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    NOON_MS,
    common::{Client, Received, Socket, sign, start},
    stepped_config,
};

#[tokio::test]
async fn futures_addresses_serve_their_own_topics_only() {
    let sandbox = start(stepped_config()).await;
    let (key, now) = (sandbox.credentials(), NOON_MS.to_string());
    let access = json!([key.key, now, sign(key, &now, "bitmart.WebSocket"), "web"]);
    for (url, topic, expected) in [
        (&sandbox.futures().ws_public, "futures/order", "futures/order need authenication"),
        (
            &sandbox.futures().ws_private,
            "futures/trade:BTCUSDT",
            "group [futures/trade:BTCUSDT] not exist",
        ),
    ] {
        let mut socket = Socket::connect(url).await;
        socket.json(json!({ "action": "access", "args": access })).await;
        assert_eq!(socket.text().await["success"], true);
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        let response = socket.text().await;
        let text = response["error"].as_str().expect("text");
        assert!(text.starts_with(expected), "{text}");
    }
}

#[tokio::test]
async fn futures_pings_acks_and_errors_are_as_observed() {
    let sandbox = start(stepped_config()).await;
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    socket.json(json!({ "action": "ping" })).await;
    let pong = socket.text().await;
    assert_eq!(pong["group"], "System");
    assert!(pong["data"].as_str().expect("text").starts_with("pong+"), "{pong}");
    socket.send("ping").await;
    let expected = "Invalid message: message must be JSON: ping";
    assert_eq!(socket.text().await, json!({ "success": false, "error": expected }));
    socket.ping_frame(b"x").await;
    assert_eq!(socket.receive().await, Received::Pong(b"x".to_vec()));
    let request = json!({ "action": "subscribe", "args": ["futures/trade:BTCUSDT", "futures/trade:ETHUSDT"] });
    for _ in 0..2 {
        socket.json(request.clone()).await;
        for group in ["futures/trade:BTCUSDT", "futures/trade:ETHUSDT"] {
            let ack = json!({ "action": "subscribe", "group": group, "success": true, "request": request });
            assert_eq!(socket.text().await, ack);
        }
    }
    for (topic, expected) in [
        (
            "futures/depthIncrease50:NOPEUSDT@100ms",
            "Invalid channel: not found futures/depthIncrease50:NOPEUSDT@100ms",
        ),
        ("sfutures/depth50:BTCUSDT", "group [sfutures/depth50:BTCUSDT] not exist"),
        ("futures/order", "futures/order need authenication"),
        ("futures/unicast", "group [futures/unicast] is not served by the sandbox"),
    ] {
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        let rejected = socket.text().await;
        assert_eq!(rejected["success"], false);
        assert_eq!(rejected["error"], expected);
    }
    socket.send(&format!("{{\"action\":\"ping\"{}}}", " ".repeat(2_100))).await;
    assert_eq!(socket.receive().await, Received::Close(1009));
}

#[tokio::test]
async fn futures_send_protocol_pings_and_spot_does_not() {
    let sandbox = start(stepped_config().futures_socket_ping(Duration::from_millis(20))).await;
    for url in [&sandbox.futures().ws_public, &sandbox.futures().ws_private] {
        let mut socket = Socket::connect(url).await;
        for _ in 0..2 {
            assert_eq!(socket.receive().await, Received::Ping);
            socket.pong_frame(b"").await;
        }
    }
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    // More pings than one would have been due before the response.
    let mut futures = Socket::connect(&sandbox.futures().ws_public).await;
    for _ in 0..2 {
        assert_eq!(futures.receive().await, Received::Ping);
    }
    socket.send("ping").await;
    assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
}

#[tokio::test]
async fn futures_books_start_with_a_snapshot_and_the_version_always_advances() {
    let sandbox = start(stepped_config().market_maker(false)).await;
    let topic = "futures/depthIncrease20:BTCUSDT@200ms";
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
    assert_eq!(socket.text().await["success"], true);
    let snapshot = socket.text().await;
    assert_eq!(
        (&snapshot["group"], &snapshot["data"]["type"]),
        (&json!(topic), &json!("snapshot"))
    );
    let first = snapshot["data"]["version"].as_u64().expect("a version");
    sandbox.step_market(4);
    for version in [first + 1, first + 2] {
        let update = socket.text().await;
        assert_eq!(update["data"]["version"], version);
        assert_eq!((&update["data"]["asks"], &update["data"]["bids"]), (&json!([]), &json!([])));
    }
}

#[tokio::test]
async fn slow_futures_books_are_pushed_every_second() {
    let sandbox = start(stepped_config().market_maker(false).slow_futures_books(true)).await;
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    let topic = "futures/depthIncrease20:BTCUSDT";
    socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
    assert_eq!(socket.text().await["success"], true);
    let first = socket.text().await["data"]["version"].as_u64().expect("a version");
    sandbox.step_market(9);
    // A push that is too early would arrive before the response.
    socket.json(json!({ "action": "ping" })).await;
    assert_eq!(socket.text().await["group"], "System");
    sandbox.step_market(1);
    assert_eq!(socket.text().await["data"]["version"], first + 1);
}

#[tokio::test]
async fn futures_orders_are_pushed_with_their_last_trade() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let mut socket = Socket::connect(&sandbox.futures().ws_private).await;
    let (key, now) = (sandbox.credentials(), NOON_MS.to_string());
    let access = json!([key.key, now, sign(key, &now, "bitmart.WebSocket"), "web"]);
    socket.json(json!({ "action": "access", "args": access })).await;
    assert_eq!(socket.text().await, json!({ "action": "access", "success": true }));
    socket.json(json!({ "action": "subscribe", "args": ["futures/order"] })).await;
    assert_eq!(socket.text().await["success"], true);
    let body = json!({
        "symbol": "BTCUSDT", "side": 4, "type": "market", "leverage": "5", "open_type": "isolated", "size": 1,
        "client_order_id": "f9",
    });
    let placed = client.post("/contract/private/submit-order", body).await.data();
    let submitted = socket.text().await;
    assert_eq!(
        (&submitted["group"], &submitted["data"][0]["action"]),
        (&json!("futures/order"), &json!(2))
    );
    assert_eq!(submitted["data"][0]["order"]["last_trade"], Value::Null);
    let filled = socket.text().await["data"][0].clone();
    assert_eq!((&filled["action"], &filled["order"]["state"]), (&json!(1), &json!(4)));
    let id = placed["order_id"].as_u64().expect("a number").to_string();
    assert_eq!(filled["order"]["order_id"], id);
    assert_eq!(filled["order"]["last_trade"]["fillQty"], "1");
    assert!(filled["order"]["last_trade"]["fee"].as_str().expect("text").starts_with('-'));
    let mut wrong = Socket::connect(&sandbox.futures().ws_private).await;
    wrong.json(json!({ "action": "access", "args": [key.key, now, "00", "web"] })).await;
    assert_eq!(wrong.text().await["success"], false);
    assert_eq!(wrong.receive().await, Received::Close(1000));
}
