//! Faults of WebSocket frames and connections.

use bitmart_sandbox::{Fault, Sandbox};
use serde_json::json;
use tokio::time::{Duration, Instant, timeout};

use super::{
    common::{DEADLINE, Received, Socket, start},
    stepped_config,
};

const BOOK: &str = "spot/depth/increase100:BTC_USDT";

#[tokio::test]
async fn a_version_gap_skips_a_version() {
    let sandbox = start(stepped_config()).await;
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
async fn a_version_gap_affects_unchanged_books_and_only_its_topic() {
    let sandbox = start(stepped_config().market_maker(false)).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot(topic).await;
    let version =
        |frame: &serde_json::Value| frame["data"][0]["version"].as_u64().expect("a version");
    let snapshot = version(&socket.binary().await);
    sandbox.inject(Fault::VersionGap.on(topic));
    sandbox.step_market(1);
    assert_eq!(version(&socket.binary().await), snapshot + 2);
    // The versions stay skipped.
    socket.json(json!({ "op": "request", "args": [topic] })).await;
    assert_eq!(version(&socket.binary().await), snapshot + 2);

    let (faulty, sound) =
        ("futures/depthIncrease20:BTCUSDT@100ms", "futures/depthIncrease20:BTCUSDT@200ms");
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    let mut first = 0;
    for topic in [faulty, sound] {
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        assert_eq!(socket.text().await["success"], true);
        first = socket.text().await["data"]["version"].as_u64().expect("a version");
    }
    sandbox.inject(Fault::VersionGap.on(faulty));
    sandbox.step_market(4);
    for (topic, version) in
        [(faulty, first + 2), (sound, first + 1), (faulty, first + 3), (sound, first + 2)]
    {
        let update = socket.text().await;
        assert_eq!(
            (&update["group"], &update["data"]["version"]),
            (&json!(topic), &json!(version))
        );
    }
}

#[tokio::test]
async fn a_silent_socket_stays_open_and_sends_nothing() {
    let sandbox = start(stepped_config()).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    let mut silent = Socket::connect(&sandbox.spot().ws_public).await;
    silent.subscribe_spot(topic).await;
    silent.binary().await;
    sandbox.inject(Fault::SilentSocket.on(topic));
    sandbox.step_market(1);
    silent.send("ping").await;
    // Another socket receives the next updates. The silent socket is killed and has received nothing.
    let mut other = Socket::connect(&sandbox.spot().ws_public).await;
    other.subscribe_spot(topic).await;
    other.binary().await;
    for _ in 0..3 {
        sandbox.step_market(1);
        other.binary().await;
    }
    assert_eq!(sandbox.sockets(), 2);
    sandbox.kill_sockets();
    assert_eq!(silent.receive().await, Received::Gone);
    assert_eq!(other.receive().await, Received::Gone);
}

async fn book_socket(sandbox: &Sandbox, topic: &str) -> Socket {
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot(topic).await;
    socket.binary().await;
    socket
}

#[tokio::test]
async fn a_half_open_socket_sends_nothing() {
    let sandbox = start(stepped_config()).await;
    let mut half = book_socket(&sandbox, BOOK).await;
    sandbox.inject(Fault::HalfOpen.on(BOOK));
    sandbox.step_market(1);
    half.send("ping").await;
    let mut other = book_socket(&sandbox, BOOK).await;
    for _ in 0..3 {
        sandbox.step_market(1);
        other.binary().await;
    }
    sandbox.kill_sockets();
    assert_eq!(half.receive().await, Received::Gone);
}

/// A silent socket continues to read and notices that its client disconnects; a half-open socket does not.
#[tokio::test]
async fn a_half_open_socket_does_not_notice_that_its_client_disconnects() {
    let sandbox = start(stepped_config()).await;
    let quiet_book = "spot/depth/increase100:ETH_USDT";
    let half = book_socket(&sandbox, BOOK).await;
    let silent = book_socket(&sandbox, quiet_book).await;
    sandbox.inject(Fault::HalfOpen.on(BOOK));
    sandbox.inject(Fault::SilentSocket.on(quiet_book));
    sandbox.step_market(1);
    drop(half);
    drop(silent);
    let one_is_gone = async {
        while sandbox.sockets() == 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, one_is_gone).await.expect("the silent socket ends");
    let _third = book_socket(&sandbox, BOOK).await;
    assert_eq!(sandbox.sockets(), 2);
}

#[tokio::test]
async fn a_duplicated_frame_is_sent_twice() {
    let sandbox = start(stepped_config()).await;
    let mut socket = book_socket(&sandbox, BOOK).await;
    sandbox.inject(Fault::Duplicate.on(BOOK));
    sandbox.step_market(2);
    let (first, second, next) =
        (socket.binary().await, socket.binary().await, socket.binary().await);
    assert_eq!(first, second);
    let version =
        |frame: &serde_json::Value| frame["data"][0]["version"].as_u64().expect("a version");
    assert_eq!(version(&next), version(&first) + 1);
}

#[tokio::test]
async fn garbage_replaces_a_frame_by_one_that_cannot_be_inflated() {
    let sandbox = start(stepped_config()).await;
    let mut socket = book_socket(&sandbox, BOOK).await;
    sandbox.inject(Fault::Garbage.on(BOOK).times(2));
    sandbox.step_market(3);
    assert_eq!(socket.receive().await, Received::Garbage);
    assert_eq!(socket.receive().await, Received::Garbage);
    assert_eq!(socket.binary().await["data"][0]["type"], "update");
}

#[tokio::test]
async fn a_late_push_arrives_after_later_frames_and_only_at_its_socket() {
    let sandbox = start(stepped_config()).await;
    let late = Duration::from_millis(300);
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot(BOOK).await;
    let version =
        |frame: &serde_json::Value| frame["data"][0]["version"].as_u64().expect("a version");
    let first = version(&socket.binary().await);
    sandbox.inject(Fault::LatePush(late).on(BOOK));
    let from = Instant::now();
    sandbox.step_market(2);
    // Another socket that subscribes meanwhile does not receive it.
    let mut other = Socket::connect(&sandbox.spot().ws_public).await;
    other.subscribe_spot(BOOK).await;
    let next = version(&other.binary().await);
    assert_eq!(next, first + 2);
    assert_eq!(version(&socket.binary().await), first + 2, "the second frame is not delayed");
    assert_eq!(version(&socket.binary().await), first + 1);
    assert!(from.elapsed() >= late);
    sandbox.step_market(1);
    for subscriber in [&mut other, &mut socket] {
        assert_eq!(version(&subscriber.binary().await), next + 1);
    }
    // Nor does a socket that was closed.
    sandbox.inject(Fault::LatePush(late).on(BOOK));
    sandbox.step_market(1);
    sandbox.kill_sockets();
    while sandbox.sockets() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.receive().await, Received::Gone);
}
