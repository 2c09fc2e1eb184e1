//! The pushes of each channel over real sockets: documented fields with the state of the exchange.

mod common;

use bitmart_sandbox::{Config, Decimal, Sandbox};
use common::{Client, Received, Socket, sign, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().expect("a decimal string").parse().expect("a decimal")
}

/// Checks names and types of the fields: `a` array, `b` boolean, `d` decimal string, `i` integer, `m` integer string,
/// `t` other string.
fn check(entry: &Value, fields: &[(&str, char)]) {
    let members = entry.as_object().expect("an object");
    let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = fields.iter().map(|field| field.0).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{entry}");
    for (name, kind) in fields {
        let value = &entry[name];
        let fits = match kind {
            'd' => value.as_str().is_some_and(|text| text.parse::<Decimal>().is_ok()),
            'm' => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
            't' => value.is_string(),
            'i' => value.is_u64(),
            'b' => value.is_boolean(),
            'a' => value.is_array(),
            other => panic!("{other} is no type"),
        };
        assert!(fits, "{name} is no {kind}: {entry}");
    }
}

async fn futures(sandbox: &Sandbox, topic: &str) -> Socket {
    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
    let ack = socket.text().await;
    assert_eq!((&ack["success"], &ack["group"]), (&json!(true), &json!(topic)));
    socket
}

async fn futures_private(sandbox: &Sandbox, topics: &[&str]) -> Socket {
    let mut socket = Socket::connect(&sandbox.futures().ws_private).await;
    let (key, now) = (sandbox.credentials(), sandbox.now_ms().to_string());
    let access = json!([key.key, now, sign(key, &now, "bitmart.WebSocket"), "web"]);
    socket.json(json!({ "action": "access", "args": access })).await;
    assert_eq!(socket.text().await["success"], true);
    for topic in topics {
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        assert_eq!(socket.text().await["success"], true, "{topic}");
    }
    socket
}

#[tokio::test]
async fn spot_market_channels_push_their_documented_fields() {
    let sandbox = start(stepped_config()).await;
    let book = &[("symbol", 't'), ("asks", 'a'), ("bids", 'a'), ("ms_t", 'i')][..];
    let kline = &[("symbol", 't'), ("candle", 'a')][..];
    for (topic, steps, fields) in [
        (
            "spot/bookTicker:BTC_USDT",
            1,
            &[
                ("symbol", 't'),
                ("bid_px", 'd'),
                ("bid_sz", 'd'),
                ("ask_px", 'd'),
                ("ask_sz", 'd'),
                ("ts", 'm'),
            ][..],
        ),
        ("spot/depth5:BTC_USDT", 0, book),
        ("spot/depth20:BTC_USDT", 0, book),
        ("spot/depth50:BTC_USDT", 0, book),
        ("spot/kline1m:BTC_USDT", 0, kline),
        ("spot/kline3m:BTC_USDT", 0, kline),
        ("spot/kline1M:BTC_USDT", 0, kline),
    ] {
        let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
        socket.subscribe_spot(topic).await;
        sandbox.step_market(steps);
        let pushed = socket.binary().await;
        assert_eq!(pushed["table"], topic.split(':').next().expect("a name"));
        let entry = &pushed["data"][0];
        check(entry, fields);
        if let Some(levels) = topic.strip_prefix("spot/depth") {
            let levels: usize = levels.split(':').next().expect("a number").parse().expect("one");
            for side in ["asks", "bids"] {
                assert_eq!(entry[side].as_array().expect("levels").len(), levels, "{topic}");
            }
            assert!(decimal(&entry["bids"][0][0]) < decimal(&entry["asks"][0][0]));
        }
        if let Some(candle) = entry["candle"].as_array() {
            assert_eq!(candle.len(), 6);
            assert!(candle[0].is_u64() && candle[1..].iter().all(Value::is_string));
            let [open, high, low, close] = [1, 2, 3, 4].map(|at| decimal(&candle[at]));
            assert!(low <= open.min(close) && open.max(close) <= high, "{entry}");
        }
    }
}

#[tokio::test]
async fn futures_market_channels_push_their_documented_fields() {
    let sandbox = start(stepped_config()).await;
    let candle =
        &[("symbol", 't'), ("o", 'd'), ("h", 'd'), ("l", 'd'), ("c", 'd'), ("v", 'd'), ("ts", 'i')]
            [..];
    for (topic, fields) in [
        (
            "futures/bookticker:BTCUSDT",
            &[
                ("symbol", 't'),
                ("best_bid_price", 'd'),
                ("best_bid_vol", 'd'),
                ("best_ask_price", 'd'),
                ("best_ask_vol", 'd'),
                ("ms_t", 'i'),
            ][..],
        ),
        (
            "futures/depthAll5:BTCUSDT@200ms",
            &[("symbol", 't'), ("asks", 'a'), ("bids", 'a'), ("ms_t", 'i')],
        ),
        (
            "futures/depth50:BTCUSDT@100ms",
            &[("symbol", 't'), ("way", 'i'), ("depths", 'a'), ("ms_t", 'i')],
        ),
        ("futures/klineBin1m:BTCUSDT", candle),
        ("futures/klineBin1H:BTCUSDT", candle),
        ("futures/markPriceKlineBin1W:BTCUSDT", candle),
    ] {
        let mut socket = futures(&sandbox, topic).await;
        sandbox.step_market(10);
        let pushed = socket.text().await;
        assert_eq!(pushed["group"], topic);
        check(&pushed["data"], fields);
        if topic.contains("depthAll") {
            let data = &pushed["data"];
            for side in ["asks", "bids"] {
                assert_eq!(data[side].as_array().expect("levels").len(), 5);
                check(&data[side][0], &[("price", 'd'), ("vol", 'd')]);
            }
            assert!(decimal(&data["bids"][0]["price"]) < decimal(&data["asks"][0]["price"]));
        }
    }
}

#[tokio::test]
async fn a_funding_rate_is_sent_at_first_each_minute_and_on_request() {
    let sandbox = start(stepped_config()).await;
    let topic = "futures/fundingRate:BTCUSDT";
    let mut socket = futures(&sandbox, topic).await;
    let fields = [
        ("symbol", 't'),
        ("fundingRate", 'd'),
        ("fundingTime", 'i'),
        ("nextFundingRate", 'd'),
        ("nextFundingTime", 'i'),
        ("funding_upper_limit", 'd'),
        ("funding_lower_limit", 'd'),
        ("ts", 'i'),
    ];
    let first = socket.text().await;
    check(&first["data"], &fields);
    assert!(first["data"]["nextFundingTime"].as_u64() > first["data"]["ts"].as_u64());
    socket.json(json!({ "action": "request", "args": [topic] })).await;
    assert_eq!(socket.text().await, first);
    sandbox.advance(std::time::Duration::from_secs(60));
    sandbox.step_market(600);
    let next = socket.text().await;
    assert!(next["data"]["ts"].as_u64() > first["data"]["ts"].as_u64());
    let expected = "group [futures/trade:BTCUSDT] does not support requests";
    socket.json(json!({ "action": "request", "args": ["futures/trade:BTCUSDT"] })).await;
    assert_eq!(socket.text().await["error"], expected);
}

#[tokio::test]
async fn a_futures_depth_frame_has_one_side() {
    let sandbox = start(stepped_config()).await;
    let mut socket = futures(&sandbox, "futures/depth5:BTCUSDT").await;
    sandbox.step_market(2);
    let (bids, asks) = (socket.text().await["data"].clone(), socket.text().await["data"].clone());
    assert_eq!((&bids["way"], &asks["way"]), (&json!(1), &json!(2)));
    let best = |side: &Value| {
        assert_eq!(side["depths"].as_array().expect("levels").len(), 5);
        decimal(&side["depths"][0]["price"])
    };
    assert!(best(&bids) < best(&asks));
}

#[tokio::test]
async fn simultaneous_trades_share_a_frame_oldest_first_on_spot_and_newest_first_on_futures() {
    let sandbox = start(stepped_config()).await;
    // Larger than any level of the book, so that the order trades at several prices.
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot("spot/trade:BTC_USDT").await;
    let order =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "90000" });
    Client::spot(&sandbox).order(order).await;
    let trades = socket.binary().await["data"].clone();
    let trades = trades.as_array().expect("entries");
    assert!(trades.len() > 1, "{trades:?}");
    assert!(trades.iter().all(|trade| trade["side"] == "buy"));
    let prices: Vec<Decimal> = trades.iter().map(|trade| decimal(&trade["price"])).collect();
    assert!(
        prices.is_sorted(),
        "a buyer trades at rising prices, so this is oldest first: {prices:?}"
    );

    let mut socket = futures(&sandbox, "futures/trade:BTCUSDT").await;
    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "50",
        "open_type": "cross", "size": 5_000,
    });
    Client::futures(&sandbox).post("/contract/private/submit-order", order).await.data();
    let trades = socket.text().await["data"].clone();
    let trades = trades.as_array().expect("entries");
    assert!(trades.len() > 1, "{trades:?}");
    let fields = [
        ("trade_id", 'i'),
        ("symbol", 't'),
        ("deal_price", 'd'),
        ("deal_vol", 'd'),
        ("m", 'b'),
        ("created_at", 't'),
    ];
    for trade in trades {
        check(trade, &fields);
    }
    let ids: Vec<u64> = trades.iter().filter_map(|trade| trade["trade_id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "newest first: {ids:?}");
}

#[tokio::test]
async fn spot_balances_are_pushed_with_the_reason_of_the_change() {
    let sandbox = start(stepped_config()).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
    socket.log_in_spot(&sandbox).await;
    socket.subscribe_spot("spot/user/balance:BALANCE_UPDATE").await;
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "100" });
    client.order(order).await;
    let pushed = socket.text().await;
    assert_eq!(pushed["table"], "spot/user/balance");
    let entry = &pushed["data"][0];
    check(entry, &[("event_type", 't'), ("event_time", 'm'), ("balance_details", 'a')]);
    assert_eq!(entry["event_type"], "TRANSACTION_COMPLETED");
    for row in entry["balance_details"].as_array().expect("balances") {
        check(row, &[("ccy", 't'), ("av_bal", 'd'), ("fz_bal", 'd')]);
        let now = sandbox
            .balances()
            .into_iter()
            .find(|now| now.currency == row["ccy"].as_str().expect("text"));
        assert_eq!(now.map(|now| now.available), Some(decimal(&row["av_bal"])));
    }
}

#[tokio::test]
async fn balances_of_unknown_currencies_cannot_be_subscribed() {
    let sandbox = start(stepped_config()).await;
    let mut socket = futures_private(&sandbox, &["futures/asset:BTC", "futures/asset:USDT"]).await;
    for topic in ["futures/asset:GOLD", "futures/asset:usdt"] {
        socket.json(json!({ "action": "subscribe", "args": [topic] })).await;
        assert_eq!(socket.text().await["success"], false, "{topic}");
    }
}

#[tokio::test]
async fn futures_balances_and_positions_are_pushed_on_a_fill() {
    let sandbox = start(stepped_config()).await;
    let mut assets = futures_private(&sandbox, &["futures/asset:USDT"]).await;
    let mut positions = futures_private(&sandbox, &["futures/position"]).await;
    let client = Client::futures(&sandbox);
    let order = |side: u64, price: Option<&str>| {
        json!({
            "symbol": "BTCUSDT", "side": side, "type": price.map_or("market", |_| "limit"),
            "leverage": "5", "open_type": "isolated", "size": 3, "price": price.unwrap_or("0"),
        })
    };
    let mut market = order(1, None);
    market.as_object_mut().expect("an object").remove("price");
    client.post("/contract/private/submit-order", market).await.data();
    let asset = socket_until(&mut assets, |frame| {
        decimal(&frame["data"]["position_deposit"]) > Decimal::ZERO
    })
    .await;
    assert_eq!(asset["group"], "futures/asset:USDT");
    check(
        &asset["data"],
        &[
            ("currency", 't'),
            ("available_balance", 'd'),
            ("position_deposit", 'd'),
            ("frozen_balance", 'd'),
        ],
    );
    let pushed = socket_until(&mut positions, |frame| frame["data"][0]["hold_volume"] == "3").await;
    let position = &pushed["data"][0];
    check(
        position,
        &[
            ("symbol", 't'),
            ("hold_volume", 'd'),
            ("position_type", 'i'),
            ("open_type", 'i'),
            ("frozen_volume", 'd'),
            ("close_volume", 'd'),
            ("hold_avg_price", 'd'),
            ("close_avg_price", 'd'),
            ("open_avg_price", 'd'),
            ("liquidate_price", 'd'),
            ("create_time", 'i'),
            ("update_time", 'i'),
            ("position_mode", 't'),
        ],
    );
    assert_eq!((&position["position_type"], &position["open_type"]), (&json!(1), &json!(1)));
    assert_eq!(position["position_mode"], "hedge_mode");
    assert!(decimal(&position["hold_avg_price"]) > Decimal::ZERO);

    // A closing order reserves contracts until it fills.
    client.post("/contract/private/submit-order", order(3, Some("900000"))).await.data();
    let bound = positions.text().await;
    assert_eq!(bound["data"][0]["frozen_volume"], "3");

    // Positions are pushed every ten seconds without a change.
    sandbox.step_market(100);
    assert_eq!(positions.text().await["data"], bound["data"]);
}

/// Returns the first frame that satisfies `wanted`.
async fn socket_until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = socket.text().await;
        if wanted(&frame) {
            return frame;
        }
    }
}

#[tokio::test]
async fn all_tickers_are_pushed_one_by_one() {
    let sandbox = start(stepped_config()).await;
    let mut socket = futures(&sandbox, "futures/ticker").await;
    sandbox.step_market(10);
    let symbols = [socket.text().await, socket.text().await].map(|frame| {
        assert_eq!(frame["group"], "futures/ticker");
        frame["data"]["symbol"].as_str().expect("text").to_owned()
    });
    assert_ne!(symbols[0], symbols[1]);
    socket.json(json!({ "action": "unsubscribe", "args": ["futures/ticker"] })).await;
    while socket.text().await["action"] != "unsubscribe" {}
    sandbox.step_market(20);
    socket.json(json!({ "action": "ping" })).await;
    assert!(matches!(socket.receive().await, Received::Text(text) if text.contains("pong+")));
}
