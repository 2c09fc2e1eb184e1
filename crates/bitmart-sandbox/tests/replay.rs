//! Replays of recordings on the public channels.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, RecordedFrame};
use common::{Received, Socket, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const NOON_US: u64 = NOON_MS * 1_000;
/// Time from the first subscription to the first frame.
const LEAD_TIME: Duration = Duration::from_millis(500);

fn spot(after_ms: u64, channel: &str, entry: &Value) -> RecordedFrame {
    let frame = json!({ "table": channel, "data": [entry] }).to_string();
    RecordedFrame::new(NOON_US + after_ms * 1_000, format!("{channel}:OLD_USDT"), frame)
}

fn book(after_ms: u64, kind: &str, version: u64) -> RecordedFrame {
    let entry = json!({ "symbol": "OLD_USDT", "type": kind, "version": version });
    spot(after_ms, "spot/depth/increase100", &entry)
}

fn trade(after_ms: u64, price: &str) -> RecordedFrame {
    spot(after_ms, "spot/trade", &json!({ "symbol": "OLD_USDT", "price": price }))
}

/// A recording of a pair that the sandbox does not list.
fn recording() -> Vec<RecordedFrame> {
    let futures = json!({ "group": "futures/ticker:BTCUSDT", "data": { "symbol": "BTCUSDT" } });
    vec![
        book(0, "snapshot", 1),
        trade(0, "1.10"),
        book(200, "update", 2),
        book(300, "snapshot", 3),
        trade(400, "1.2"),
        book(400, "update", 4),
        RecordedFrame::new(NOON_US + 400_000, "futures/ticker:BTCUSDT", futures.to_string()),
        RecordedFrame::new(NOON_US, "spot/user/balance:BALANCE_UPDATE", "{\"mine\":1}"),
    ]
}

fn stepped_config() -> Config {
    Config::new().stepped_clock(NOON_MS + 5_000).replay(recording())
}

#[tokio::test]
async fn frames_are_sent_at_their_times_to_all_subscribers() {
    let sandbox = start(stepped_config()).await;
    assert!(sandbox.is_replay());
    let mut trades = Socket::connect(&sandbox.spot().ws_public).await;
    trades.subscribe_spot("spot/trade:OLD_USDT").await;
    let mut tickers = Socket::connect(&sandbox.futures().ws_public).await;
    tickers.json(json!({ "action": "subscribe", "args": ["futures/ticker:BTCUSDT"] })).await;
    assert_eq!(tickers.text().await["success"], true);
    sandbox.advance(Duration::ZERO);
    sandbox.advance(LEAD_TIME);
    assert_eq!(trades.binary().await["data"][0]["price"], "1.10");
    // Just before the next frame, and then at its time. A frame that is too early would arrive before the pong.
    sandbox.advance(Duration::from_millis(399));
    trades.send("ping").await;
    assert_eq!(trades.receive().await, Received::Text("pong".to_owned()));
    sandbox.advance(Duration::from_millis(1));
    assert_eq!(trades.binary().await["data"][0]["price"], "1.2");
    assert_eq!(tickers.text().await["group"], "futures/ticker:BTCUSDT");
}

#[tokio::test]
async fn a_late_subscriber_receives_the_last_book_snapshot_and_its_updates() {
    let sandbox = start(stepped_config()).await;
    let mut early = Socket::connect(&sandbox.spot().ws_public).await;
    early.subscribe_spot("spot/depth/increase100:OLD_USDT").await;
    sandbox.advance(Duration::ZERO);
    sandbox.advance(LEAD_TIME + Duration::from_secs(1));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(early.binary().await["data"][0]["version"].clone());
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    let mut late = Socket::connect(&sandbox.spot().ws_public).await;
    late.subscribe_spot("spot/depth/increase100:OLD_USDT").await;
    for version in [3, 4] {
        assert_eq!(late.binary().await["data"][0]["version"], version);
    }
}

#[tokio::test]
async fn a_subscriber_after_many_updates_receives_a_merged_snapshot() {
    let level = |version: u64, price: &str| {
        let kind = if version == 0 { "snapshot" } else { "update" };
        let bids = json!([[price, "1"]]);
        let entry = json!({ "symbol": "OLD_USDT", "type": kind, "version": version, "bids": bids, "asks": [] });
        spot(version, "spot/depth/increase100", &entry)
    };
    let updates = (1..=3_000).map(|version| level(version, &(10_000 - version).to_string()));
    let recording: Vec<_> = std::iter::once(level(0, "20000")).chain(updates).collect();
    let sandbox = start(Config::new().stepped_clock(NOON_MS).replay(recording)).await;
    let mut other = Socket::connect(&sandbox.spot().ws_public).await;
    other.subscribe_spot("spot/ticker:BTC_USDT").await;
    sandbox.advance(Duration::ZERO);
    sandbox.advance(LEAD_TIME + Duration::from_secs(3));
    let mut late = Socket::connect(&sandbox.spot().ws_public).await;
    late.subscribe_spot("spot/depth/increase100:OLD_USDT").await;
    let whole = late.binary().await["data"][0].clone();
    assert_eq!(whole["type"], "snapshot");
    let version = whole["version"].as_u64().expect("a version");
    // One level per update so far, and the initial level is still the best.
    let bids = whole["bids"].as_array().expect("levels");
    assert_eq!(bids.len() as u64, version + 1);
    assert_eq!(bids[0][0], "20000");
    for version in version + 1..=3_000 {
        assert_eq!(late.binary().await["data"][0]["version"], version);
    }
}

#[tokio::test]
async fn other_market_data_is_not_pushed_and_private_channels_work() {
    let sandbox = start(stepped_config()).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    // A listed topic that was not recorded sends nothing. A topic that is neither listed nor recorded is rejected.
    socket.subscribe_spot("spot/ticker:BTC_USDT").await;
    sandbox.step_market(20);
    socket.json(json!({ "op": "subscribe", "args": ["spot/ticker:NO_USDT"] })).await;
    assert_eq!(socket.text().await["errorCode"], "92001");
    let mut private = Socket::connect(&sandbox.spot().ws_private).await;
    private.log_in_spot(&sandbox).await;
    private.subscribe_spot("spot/user/balance:BALANCE_UPDATE").await;
    sandbox.deposit(1, "USDT", "5".parse().expect("an amount")).expect("a deposit");
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(private.text().await["table"], "spot/user/balance");
}
