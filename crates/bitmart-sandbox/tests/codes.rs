//! The table "Error codes" of the README: every row is triggered with its HTTP status, and every triggered code is in
//! the table.

mod common;
#[path = "codes/futures.rs"]
mod futures;
#[path = "codes/money.rs"]
mod money;
#[path = "codes/operator.rs"]
mod operator;

use std::collections::BTreeMap;

use bitmart_sandbox::{ApiKey, Config, Fault, Permission};
use bytes::Bytes;
use common::{ApiResponse, Client, send, start};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const SUBMIT: &str = "/spot/v2/submit_order";
const FUTURES: &str = "/contract/private/submit-order";

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

/// A body with some fields replaced; null removes a field.
fn with(mut body: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { panic!("an object") };
    let fields = body.as_object_mut().expect("an object");
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    body
}

/// The received codes, each with its statuses.
#[derive(Default)]
struct TriggeredCodes(BTreeMap<u64, Vec<u16>>);

impl TriggeredCodes {
    #[track_caller]
    fn record(&mut self, code: u64, response: &ApiResponse) {
        assert_eq!(response.code(), code, "{}", response.text);
        self.0.entry(code).or_default().push(response.status);
    }

    async fn post(&mut self, client: &Client<'_>, path: &str, cases: Vec<(u64, Value)>) {
        for (code, body) in cases {
            let response = client.post(path, body.clone()).await;
            assert_eq!(response.code(), code, "{path} {body}: {}", response.text);
            self.record(code, &response);
        }
    }

    async fn get(&mut self, client: &Client<'_>, cases: &[(u64, &str)]) {
        for (code, path) in cases {
            let response = client.get(path).await;
            assert_eq!(response.code(), *code, "{path}: {}", response.text);
            self.record(*code, &response);
        }
    }
}

/// A row of the table: its codes and statuses.
struct Row {
    codes: Vec<u64>,
    statuses: Vec<u64>,
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

fn table() -> Vec<Row> {
    let readme = include_str!("../README.md");
    let (_, after) = readme.split_once("## Error codes").expect("the section");
    let lines = after.trim().lines().take_while(|line| line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        let (name, columns) = (cells[2], (numbers(cells[2]), numbers(cells[3])));
        // In "42000 (HTTP 200)" the status belongs to that code only.
        let (inner, codes): (Vec<u64>, Vec<u64>) =
            columns.0.iter().partition(|code| **code < 1_000);
        assert!(!codes.is_empty(), "{name}");
        Row { codes, statuses: [columns.1, inner].concat() }
    };
    lines.map(row).collect()
}

#[tokio::test]
async fn exactly_the_documented_codes_are_triggered() {
    let mut triggered = TriggeredCodes::default();
    keys(&mut triggered).await;
    paths_methods_and_bodies(&mut triggered).await;
    injected(&mut triggered).await;
    spot_orders(&mut triggered).await;
    spot_lists(&mut triggered).await;
    futures::futures_orders(&mut triggered).await;
    futures::futures_settings(&mut triggered).await;
    market_data(&mut triggered).await;
    money::withdrawals(&mut triggered).await;
    money::transfers(&mut triggered).await;
    money::margin(&mut triggered).await;
    operator::frozen_accounts(&mut triggered).await;
    operator::delisted_contracts(&mut triggered).await;
    operator::closed_currencies(&mut triggered).await;
    operator::saved_addresses(&mut triggered).await;
    operator::network_terms(&mut triggered).await;

    let rows = table();
    assert!(rows.len() > 40, "the table was not found");
    for code in rows.iter().flat_map(|row| &row.codes) {
        assert!(triggered.0.contains_key(code), "{code} is not triggered");
    }
    for (code, statuses) in triggered.0 {
        let fitting: Vec<&Row> = rows.iter().filter(|row| row.codes.contains(&code)).collect();
        assert!(!fitting.is_empty(), "{code} is in no row of the table");
        for status in statuses {
            let is_listed = |row: &&Row| row.statuses.contains(&status.into());
            assert!(fitting.iter().any(is_listed), "{code} came with {status}");
        }
    }
}

fn limit_buy() -> Value {
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" })
}

/// A request with some of the headers of a signed one.
fn headers(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::post(path).header("host", "sandbox");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from("{}")).expect("a request")
}

async fn keys(triggered: &mut TriggeredCodes) {
    let key = |name: &str| ApiKey::new(name, "secret", "memo");
    let far = "192.0.2.1".parse::<std::net::IpAddr>().expect("an address");
    let config = stepped_config()
        .api_key(key("good"))
        .api_key(key("ice").frozen())
        .api_key(key("bound").only_from([far]))
        .api_key(key("old").expires(NOON_MS))
        .api_key(key("young").expires(NOON_MS + 1))
        .api_key(key("reader").permissions([Permission::ReadOnly]));
    let sandbox = start(config).await;
    let good = Client::spot(&sandbox);
    for (name, code) in
        [("who", 30002), ("ice", 30003), ("bound", 30010), ("old", 30011), ("reader", 30012)]
    {
        let key = key(name);
        triggered
            .post(
                &Client { key: &key, ..Client::spot(&sandbox) },
                SUBMIT,
                vec![(code, limit_buy())],
            )
            .await;
    }
    let young = key("young");
    Client { key: &young, ..Client::spot(&sandbox) }.order(limit_buy()).await;
    let now = NOON_MS.to_string();
    for (code, given) in [
        (30001, &[][..]),
        (30004, &[("x-bm-key", "good")]),
        (30006, &[("x-bm-key", "good"), ("x-bm-sign", "x")]),
        (30006, &[("x-bm-key", "good"), ("x-bm-sign", "x"), ("x-bm-timestamp", "noon")]),
        (30005, &[("x-bm-key", "good"), ("x-bm-sign", "x"), ("x-bm-timestamp", &*now)]),
    ] {
        let response = send(good.host, headers(SUBMIT, given)).await.expect("a response");
        triggered.record(code, &response);
    }
    let stale = Client { now_ms: NOON_MS - 60_001, ..Client::spot(&sandbox) };
    triggered.post(&stale, SUBMIT, vec![(30007, limit_buy())]).await;
    for (now_ms, code) in [(NOON_MS - 60_001, 40039), (NOON_MS + 60_001, 40013)] {
        let off = Client { now_ms, ..Client::futures(&sandbox) };
        triggered.post(&off, FUTURES, vec![(code, json!({}))]).await;
        // The code of an endpoint that is on both hosts.
        triggered.post(&off, "/account/v1/transfer-contract", vec![(30007, json!({}))]).await;
    }
    let query = "/spot/v4/query/order";
    let late = Client { now_ms: NOON_MS - 5_001, ..Client::spot(&sandbox) };
    triggered.post(&late, query, vec![(30007, json!({ "orderId": "1" }))]).await;
    let window = |window: Value| (30007, json!({ "orderId": "1", "recvWindow": window }));
    let cases = vec![window(json!("5000")), window(json!(0)), window(json!(60_001))];
    triggered.post(&good, query, cases).await;
}

async fn paths_methods_and_bodies(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let withdraw = "/account/v1/withdraw/apply";
    triggered.get(&spot, &[(30000, "/spot/v9/nope"), (30030, "/contract/public/details")]).await;
    triggered.get(&spot, &[(30031, "/spot/v1/ticker"), (30031, "/spot/v3/orders")]).await;
    triggered.get(&futures, &[(30000, "/spot/v1/ticker"), (30000, "/spot/v1/symbols")]).await;
    triggered.get(&spot, &[(57001, SUBMIT), (60030, withdraw)]).await;
    for (path, code) in [(SUBMIT, 58001), (withdraw, 60031)] {
        let mut request = spot.signed(path, &json!({}));
        request.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
        triggered.record(code, &send(spot.host, request).await.expect("a response"));
    }
    triggered.post(&spot, SUBMIT, vec![(30018, json!([]))]).await;
    let mut request = spot.signed(SUBMIT, &json!({}));
    *request.body_mut() = Full::from(vec![b' '; (1 << 20) + 1]);
    // The connection may be closed before the whole body is sent.
    if let Some(response) = send(spot.host, request).await {
        triggered.record(50000, &response);
    }
    let nope = || json!({ "nope": 1 });
    triggered.post(&spot, SUBMIT, vec![(50029, nope()), (50028, json!({}))]).await;
    triggered.post(&spot, withdraw, vec![(60000, nope()), (60000, json!({}))]).await;
    triggered.post(&futures, FUTURES, vec![(40007, nope()), (40007, json!({}))]).await;
    triggered.get(&spot, &[(70001, "/spot/quotation/v3/ticker")]).await;
}

async fn injected(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config().rate_limits(true)).await;
    let client = Client::spot(&sandbox);
    let path = "/system/service";
    for (fault, code) in
        [(Fault::Unavailable, 30014), (Fault::Maintenance, 30016), (Fault::Banned, 30017)]
    {
        sandbox.inject(fault.on(path));
        triggered.get(&client, &[(code, path)]).await;
    }
    let path = "/system/time";
    for at in 0..21 {
        let response = client.get(path).await;
        match at {
            0..10 => assert_eq!(response.code(), 1000),
            10..20 => triggered.record(30013, &response),
            _ => triggered.record(30017, &response),
        }
    }
}

async fn spot_orders(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let order = |patch: Value| with(limit_buy(), patch);
    let market = |side: &str, patch: Value| {
        with(json!({ "symbol": "BTC_USDT", "side": side, "type": "market" }), patch)
    };
    let cases = vec![
        (50001, order(json!({ "symbol": "NOPE_USDT" }))),
        (50010, order(json!({ "size": null }))),
        (50011, order(json!({ "price": null }))),
        (50012, market("buy", json!({}))),
        (50021, market("buy", json!({ "size": "1" }))),
        (50021, order(json!({ "size": "many" }))),
        (50021, order(json!({ "size": "0" }))),
        (50021, order(json!({ "price": "50000.001" }))),
        (50021, order(json!({ "stpMode": "maybe" }))),
        (51011, order(json!({ "size": "0.00001" }))),
        (51012, market("buy", json!({ "notional": "4.99" }))),
        (51014, market("sell", json!({ "size": "0.00001" }))),
        (52002, order(json!({ "side": "long" }))),
        (52001, order(json!({ "type": "stop" }))),
        (50037, order(json!({ "client_order_id": "x".repeat(33) }))),
        (50038, order(json!({ "client_order_id": "a-b" }))),
        (1000, order(json!({ "client_order_id": "once" }))),
        (50042, order(json!({ "client_order_id": "once" }))),
        (50020, order(json!({ "size": "10" }))),
    ];
    triggered.post(&client, SUBMIT, cases).await;
    // A size below the step has too many decimals, which only a lenient sandbox truncates.
    let lenient = start(stepped_config().lenient(true)).await;
    let small = order(json!({ "size": "0.000001" }));
    triggered.post(&Client::spot(&lenient), SUBMIT, vec![(50006, small)]).await;

    let empty = start(stepped_config().market_maker(false)).await;
    let ioc = |side: &str| order(json!({ "type": "ioc", "side": side }));
    let cases = vec![
        (50034, ioc("buy")),
        (50034, market("buy", json!({ "notional": "10" }))),
        (50035, ioc("sell")),
        (50035, market("sell", json!({ "size": "0.001" }))),
        // The book has an order on the other side at a worse price, so this one is accepted and canceled.
        (1000, order(json!({ "side": "sell", "price": "51000" }))),
        (1000, ioc("buy")),
    ];
    triggered.post(&Client::spot(&empty), SUBMIT, cases).await;

    sandbox.halt("BTC_USDT", true).expect("a market");
    triggered.post(&client, SUBMIT, vec![(50023, limit_buy())]).await;
    sandbox.halt("BTC_USDT", false).expect("a market");

    let cancel = json!({ "symbol": "BTC_USDT", "client_order_id": "once" });
    let cases = vec![
        (1000, cancel.clone()),
        (1000, cancel),
        (50005, json!({ "symbol": "BTC_USDT", "order_id": "1" })),
        (50039, json!({ "symbol": "BTC_USDT" })),
    ];
    triggered.post(&client, "/spot/v3/cancel_order", cases).await;
    let batch = json!({ "symbol": "BTC_USDT", "orderParams": [] });
    triggered.post(&client, "/spot/v4/batch_orders", vec![(50033, batch)]).await;
}

async fn spot_lists(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let query = json!({ "orderId": "1", "queryState": "old" });
    triggered.post(&client, "/spot/v4/query/order", vec![(52003, query)]).await;
    let cases = vec![
        (52000, json!({ "orderMode": "both" })),
        (52004, json!({ "startTime": 2, "endTime": 1 })),
        (50015, json!({ "limit": 0 })),
        (50016, json!({ "limit": 201 })),
    ];
    triggered.post(&client, "/spot/v4/query/history-orders", cases).await;
}

async fn market_data(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let path = |rest: &str| format!("/spot/quotation/v3/klines?symbol=BTC_USDT&{rest}");
    for (code, rest) in [
        (71005, "step=2"),
        (71004, "limit=201"),
        (71001, "after=noon"),
        (71002, "before=noon"),
        (71003, "after=2&before=1"),
        (70000, "before=1"),
    ] {
        triggered.get(&Client::spot(&sandbox), &[(code, &path(rest))]).await;
    }
    triggered
        .get(&Client::spot(&sandbox), &[(70002, "/spot/quotation/v3/ticker?symbol=NOPE")])
        .await;
    let candles = "/contract/public/kline?symbol=BTCUSDT&step=2&start_time=1&end_time=2";
    triggered.get(&Client::futures(&sandbox), &[(40038, candles)]).await;
}
