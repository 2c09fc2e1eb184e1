//! The REST API over real sockets.

mod common;
#[path = "rest/http.rs"]
mod http;

use bitmart_sandbox::{ApiKey, Config, Decimal, Permission, WalletKind};
use common::{Client, send, start};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

fn limit_buy(price: &str, size: &str) -> Value {
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": price, "size": size })
}

#[tokio::test]
async fn a_market_buy_fills_against_the_market_maker() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    // Official clients send empty strings for absent fields.
    let id = client
        .order(json!({
            "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500",
            "size": "", "price": "", "client_order_id": "mine1",
        }))
        .await;
    let order = client
        .post("/spot/v4/query/client-order", json!({ "clientOrderId": "mine1" }))
        .await
        .data();
    assert_eq!(order["orderId"], id.as_str());
    assert_eq!(order["state"], "partially_canceled");
    assert_eq!(order["cancelSource"], "system");
    let trades = client.post("/spot/v4/query/order-trades", json!({ "orderId": id })).await.data();
    assert_eq!(trades[0]["feeCoinName"], "USDT");
    assert_eq!(trades[0]["tradeRole"], "taker");
    let fills = sandbox.fills();
    assert_eq!(fills.len(), trades.as_array().expect("rows").len());
    assert_eq!(fills[0].order_id, id);
    let wallet = client.get("/spot/v1/wallet").await.data();
    let spent: Decimal = fills.iter().map(|fill| fill.price * fill.size + fill.fee).sum();
    let usdt = wallet["wallet"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["id"] == "USDT")
        .expect("USDT");
    let available: Decimal = usdt["available"].as_str().expect("text").parse().expect("a number");
    assert_eq!(available, Decimal::from(100_000) - spent);
    sandbox.set_balance(1, WalletKind::Spot, "ETH", Decimal::ZERO).expect("a balance");
    let wallet = client.get("/spot/v1/wallet").await.data();
    let listed =
        |name| wallet["wallet"].as_array().expect("rows").iter().any(|row| row["id"] == name);
    assert_eq!((listed("USDT"), listed("ETH")), (true, false), "empty balances are not listed");
}

#[tokio::test]
async fn wrong_credentials_get_their_codes() {
    let config = stepped_config()
        .api_key(ApiKey::new("key", "secret", "memo"))
        .api_key(ApiKey::new("ice", "secret", "memo").frozen())
        .api_key(ApiKey::new("reader", "secret", "memo").permissions([Permission::ReadOnly]));
    let sandbox = start(config).await;
    let good = Client::spot(&sandbox);
    let submit = "/spot/v2/submit_order";
    let body = limit_buy("50000", "0.001");
    let cases: [(&str, ApiKey, u64, u16, u64); 5] = [
        ("unknown key", ApiKey::new("who", "secret", "memo"), NOON_MS, 401, 30002),
        ("frozen key", ApiKey::new("ice", "secret", "memo"), NOON_MS, 401, 30003),
        ("wrong memo", ApiKey::new("key", "secret", "account"), NOON_MS, 401, 30005),
        ("stale clock", ApiKey::new("key", "secret", "memo"), NOON_MS - 60_001, 401, 30007),
        ("no permission", ApiKey::new("reader", "secret", "memo"), NOON_MS, 403, 30012),
    ];
    for (name, key, now_ms, status, code) in cases {
        let client = Client { host: good.host, key: &key, now_ms };
        let response = client.post(submit, body.clone()).await;
        assert_eq!((response.status, response.code()), (status, code), "{name}: {}", response.text);
        assert_eq!(response.json()["data"], Value::Null, "{name}");
    }
    let reader = ApiKey::new("reader", "secret", "memo");
    let reader = Client { host: good.host, key: &reader, now_ms: NOON_MS };
    let transfer =
        json!({ "requestNo": "1", "amount": "1", "currency": "USDT", "toAccount": "sub" });
    let response = reader.post("/account/sub-account/main/v1/sub-to-sub", transfer).await;
    assert_eq!((response.status, response.code()), (403, 30012), "transfer: {}", response.text);
    let bare = Request::get("/spot/v1/wallet")
        .header("host", "x")
        .body(Full::default())
        .expect("a request");
    assert_eq!(send(good.host, bare).await.expect("a response").code(), 30001);
    assert!(sandbox.orders().is_empty());
}

#[tokio::test]
async fn recv_window_is_checked_on_v4_only() {
    let sandbox = start(stepped_config()).await;
    let late = Client { now_ms: NOON_MS - 6_000, ..Client::spot(&sandbox) };
    let response = late.post("/spot/v4/query/order", json!({ "orderId": "1" })).await;
    assert_eq!((response.status, response.code()), (401, 30007));
    assert!(response.message().contains("outside of the recvWindow"), "{}", response.text);
    let wide =
        late.post("/spot/v4/query/order", json!({ "orderId": "1", "recvWindow": 10_000 })).await;
    assert_eq!(wide.code(), 50005);
    let text =
        late.post("/spot/v4/query/order", json!({ "orderId": "1", "recvWindow": "10000" })).await;
    assert!(text.message().contains("long type"), "{}", text.text);
    late.order(limit_buy("50000", "0.001")).await;
}

#[tokio::test]
async fn malformed_orders_get_their_codes() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let order = |patch: Value| {
        let mut body = limit_buy("50000", "0.001");
        for (name, value) in patch.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let cases = [
        (order(json!({ "symbol": "NOPE_USDT" })), 50001),
        (order(json!({ "side": "long" })), 52002),
        (order(json!({ "type": "stop" })), 52001),
        (order(json!({ "price": "" })), 50011),
        (order(json!({ "size": null })), 50010),
        (order(json!({ "price": "50000.001" })), 50021),
        (order(json!({ "size": "0.0000001" })), 50021),
        (order(json!({ "size": "-1" })), 50021),
        (order(json!({ "size": "1e400" })), 50021),
        (order(json!({ "size": {} })), 50021),
        (order(json!({ "size": "0.00001" })), 51011),
        (order(json!({ "size": "10" })), 50020),
        (order(json!({ "type": "market", "price": null })), 50021),
        (order(json!({ "type": "market", "price": null, "size": null })), 50012),
        (order(json!({ "type": "market", "price": null, "size": null, "notional": "1" })), 51012),
        (order(json!({ "client_order_id": "with_score" })), 50038),
        (order(json!({ "client_order_id": "x".repeat(33) })), 50037),
        (order(json!({ "stpMode": "maybe" })), 50021),
        (order(json!({ "clientOrderId": "x" })), 50029),
        (order(json!({ "Price": "1" })), 50029),
    ];
    for (body, code) in cases {
        let response = client.post("/spot/v2/submit_order", body.clone()).await;
        assert_eq!((response.status, response.code()), (400, code), "{body}: {}", response.text);
    }
    assert!(sandbox.orders().is_empty(), "a rejected order must not exist");
}

#[tokio::test]
async fn unknown_fields_are_rejected_by_name_or_ignored_if_lenient() {
    let mut body = limit_buy("50000.009", "0.001");
    body["clientOrderId"] = "x".into();
    let strict = start(stepped_config()).await;
    let response = Client::spot(&strict).post("/spot/v2/submit_order", body.clone()).await;
    assert!(response.reason().contains("\"clientOrderId\""), "{}", response.reason());
    assert!(
        response.reason().contains("did you mean \"client_order_id\""),
        "{}",
        response.reason()
    );
    let lenient = start(stepped_config().lenient(true)).await;
    let client = Client::spot(&lenient);
    let id = client.order(body).await;
    let order = client.post("/spot/v4/query/order", json!({ "orderId": id })).await.data();
    assert_eq!((&order["price"], &order["clientOrderId"]), (&json!("50000.00"), &json!(id)));
}

#[tokio::test]
async fn client_order_ids_are_unique_and_identify_the_order() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let mut body = limit_buy("50000", "0.001");
    body["client_order_id"] = "same1".into();
    let id = client.order(body.clone()).await;
    assert_eq!(client.post("/spot/v2/submit_order", body).await.code(), 50042);
    let cancel = json!({ "symbol": "BTC_USDT", "client_order_id": "same1" });
    assert_eq!(
        client.post("/spot/v3/cancel_order", cancel.clone()).await.data(),
        json!({ "result": true })
    );
    // Canceling a finished order is not an error: code 1000 with result false.
    assert_eq!(
        client.post("/spot/v3/cancel_order", cancel).await.data(),
        json!({ "result": false })
    );
    let order = client.post("/spot/v4/query/order", json!({ "orderId": id })).await.data();
    assert_eq!((&order["state"], &order["cancelSource"]), (&json!("canceled"), &json!("user")));
    let neither = client.post("/spot/v3/cancel_order", json!({ "symbol": "BTC_USDT" })).await;
    assert_eq!(neither.code(), 50039);
}

#[tokio::test]
async fn batches_can_be_placed_and_canceled_in_part() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let row =
        |price: &str| json!({ "side": "buy", "type": "limit", "price": price, "size": "0.001" });
    let batch = json!({ "symbol": "BTC_USDT", "orderParams": [row("50000"), row("50001")], "recvWindow": 5000 });
    let placed = client.post("/spot/v4/batch_orders", batch).await.data();
    assert_eq!(placed["code"], 0);
    let ids = placed["data"]["orderIds"].as_array().expect("ids").clone();
    assert_eq!(ids.len(), 2);
    let cancel = json!({ "symbol": "BTC_USDT", "orderIds": [ids[0], "999"] });
    let done = client.post("/spot/v4/cancel_orders", cancel).await.data();
    assert_eq!(
        done,
        json!({
            "successIds": [ids[0]], "failIds": ["999"], "totalCount": 2, "successCount": 1, "failedCount": 1,
        })
    );
    let wrong = json!({ "symbol": "BTC_USDT", "orderParams": [{ "client_order_id": "x" }] });
    assert_eq!(client.post("/spot/v4/batch_orders", wrong).await.code(), 50029);
    let many: Vec<Value> = (0..11).map(|_| row("50000")).collect();
    let many = json!({ "symbol": "BTC_USDT", "orderParams": many });
    assert_eq!(client.post("/spot/v4/batch_orders", many).await.code(), 50033);
}

#[tokio::test]
async fn a_withdrawal_changes_the_balance_and_is_in_the_history() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let apply = |amount: &str| json!({ "currency": "USDT-TRC20", "amount": amount, "address": "T1", "destination": "To Digital Address" });
    let data = client.post("/account/v1/withdraw/apply", apply("100")).await.data();
    let path = "/account/v2/deposit-withdraw/history?operation_type=withdraw&N=10";
    let records = client.get(path).await.data();
    assert_eq!(records["records"][0]["withdraw_id"], data["withdraw_id"]);
    assert_eq!(records["records"][0]["arrival_amount"], "99.9999");
    let usdt =
        sandbox.balances().into_iter().find(|row| row.wallet == "spot" && row.currency == "USDT");
    assert_eq!(usdt.expect("USDT").available, Decimal::from(99_900));
    let too_much = client.post("/account/v1/withdraw/apply", apply("1000000")).await;
    assert_eq!((too_much.status, too_much.code()), (400, 60008));
}

#[tokio::test]
async fn futures_orders_are_submitted_queried_and_canceled() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let order = |patch: Value| {
        let mut body = json!({
            "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
            "price": "50000", "size": 3,
        });
        for (name, value) in patch.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let submit = "/contract/private/submit-order";
    let resting = client.post(submit, order(json!({ "client_order_id": "f1" }))).await.data();
    let id = resting["order_id"].as_u64().expect("a number");
    assert_eq!(resting["price"], "50000");
    let query = format!("/contract/private/order?symbol=BTCUSDT&order_id={id}");
    let row = client.get(&query).await.data();
    assert_eq!((&row["order_id"], &row["state"]), (&json!(id.to_string()), &json!(2)));
    let cancel = json!({ "symbol": "BTCUSDT", "client_order_id": "f1" });
    assert_eq!(client.post("/contract/private/cancel-order", cancel).await.data(), json!({}));
    assert_eq!(client.get(&query).await.data()["state"], 4);
    // Numbers may be sent as strings, and the reverse.
    let market = json!({ "type": "market", "size": "2", "side": "1", "leverage": 10 });
    let filled = client.post(submit, order(market)).await.data();
    assert_eq!(filled["price"], "market price");
    assert_eq!(sandbox.fills().len(), 1);
    for (patch, code) in [
        (json!({ "symbol": "NOPE" }), 40034),
        (json!({ "side": 5 }), 40041),
        (json!({ "size": 0 }), 40044),
        (json!({ "size": 1.5 }), 40044),
        (json!({ "price": "50000.01" }), 40043),
        (json!({ "leverage": "101" }), 40029),
        (json!({ "open_type": "both" }), 40045),
        (json!({ "side": 3, "size": 5 }), 40020),
        (json!({ "size": 400_000 }), 40027),
        (json!({ "clientOrderId": "x" }), 40007),
    ] {
        let response = client.post(submit, order(patch.clone())).await;
        assert_eq!((response.status, response.code()), (400, code), "{patch}: {}", response.text);
    }
}

#[tokio::test]
async fn market_data_has_the_documented_form() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox.step_market(50);
    let tickers = client.get("/spot/quotation/v3/tickers").await.data();
    let first = tickers[0].as_array().expect("a row");
    assert_eq!(first.len(), 13);
    assert!(first.iter().all(Value::is_string), "{first:?}");
    let klines =
        client.get("/spot/quotation/v3/klines?symbol=BTC_USDT&step=15&limit=2").await.data();
    let times: Vec<u64> = klines
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row[0].as_str().expect("text").parse().expect("seconds"))
        .collect();
    assert_eq!(times.len(), 2);
    assert!(times[0] > times[1] && times[0].is_multiple_of(900), "{times:?}");
    assert_eq!(klines[0].as_array().expect("a row").len(), 7);
    let trades = client.get("/spot/quotation/v3/trades?symbol=BTC_USDT").await.data();
    assert_eq!(trades[0].as_array().expect("a row").len(), 5);
    let books = client.get("/spot/quotation/v3/books?symbol=BTC_USDT&limit=3").await.data();
    assert_eq!(books["asks"].as_array().expect("rows").len(), 3);
    let unknown = client.get("/spot/quotation/v3/ticker?symbol=NOPE_USDT").await;
    assert_eq!((unknown.status, unknown.code()), (200, 70002));
    let step = client.get("/spot/quotation/v3/klines?symbol=BTC_USDT&step=7").await;
    assert_eq!(step.code(), 71005);
}
