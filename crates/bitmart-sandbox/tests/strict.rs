//! Strict validation: spelling of numbers, and duplicate fields.

mod common;

use bitmart_sandbox::{Config, Sandbox};
use common::{ApiResponse, Client, send, sign, start};
use hyper::Request;
use serde_json::{Value, json};

const SUBMIT: &str = "/spot/v2/submit_order";

async fn stepped_sandbox(lenient: bool) -> Sandbox {
    let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
    start(config.lenient(lenient)).await
}

/// Posts a body without changes.
async fn raw(client: &Client<'_>, path: &str, body: &str) -> ApiResponse {
    let timestamp = client.now_ms.to_string();
    let request = Request::post(path)
        .header("host", "sandbox")
        .header("content-type", "application/json")
        .header("x-bm-key", &client.key.key)
        .header("x-bm-timestamp", &timestamp)
        .header("x-bm-sign", sign(client.key, &timestamp, body))
        .body(body.to_owned().into())
        .expect("a request");
    send(client.host, request).await.expect("a response")
}

fn limit_buy(price: &str, size: &str) -> Value {
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": price, "size": size })
}

#[tokio::test]
async fn numbers_with_other_spellings_are_rejected() {
    for lenient in [false, true] {
        let sandbox = stepped_sandbox(lenient).await;
        let client = Client::spot(&sandbox);
        for number in ["1_000", "0.0_1", "+1", "1.", ".5", "1e", "0x1", "١", "1,5", "- 1", "1__0"]
        {
            for body in [limit_buy(number, "0.1"), limit_buy("1000", number)] {
                let response = client.post(SUBMIT, body.clone()).await;
                assert_eq!(
                    (response.status, response.code()),
                    (400, 50021),
                    "{body}: {}",
                    response.text
                );
            }
        }
        for path in [
            "/spot/quotation/v3/trades?symbol=BTC_USDT&limit=1_0",
            "/spot/quotation/v3/trades?symbol=BTC_USDT&limit=%2B10",
        ] {
            assert_ne!(client.get(path).await.code(), 1000, "{path}");
        }
        assert_eq!(sandbox.orders().len(), 0);
        for (price, size) in [("1000", "0.1"), ("1e3", "1E-1"), ("1000.00", "00.1")] {
            client.order(limit_buy(price, size)).await;
        }
    }
}

#[tokio::test]
async fn a_duplicate_field_is_rejected_or_the_last_counts_if_lenient() {
    let body = r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","price":"1000","size":"0.1","size":"0.2"}"#;
    let batch = r#"{"symbol":"BTC_USDT","orderParams":[{"side":"buy","type":"limit","price":"1000","size":"0.1","price":"1001"}]}"#;
    let contract = r#"{"symbol":"BTCUSDT","side":1,"side":4,"type":"market","size":1}"#;
    let query = "/spot/quotation/v3/ticker?symbol=BTC_USDT&symbol=ETH_USDT";
    let sandbox = stepped_sandbox(false).await;
    let (client, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    for (response, name) in [
        (raw(&client, SUBMIT, body).await, "size"),
        (raw(&client, "/spot/v4/batch_orders", batch).await, "price"),
        (raw(&futures, "/contract/private/submit-order", contract).await, "side"),
        (client.get(query).await, "symbol"),
    ] {
        assert_eq!(response.status, 400, "{}", response.text);
        let reason = response.reason();
        assert!(reason.contains(&format!("{name}: is duplicated")), "{reason}");
    }
    assert_eq!(sandbox.orders().len(), 0);
    let sandbox = stepped_sandbox(true).await;
    let client = Client::spot(&sandbox);
    raw(&client, SUBMIT, body).await.data();
    let open = client.post("/spot/v4/query/open-orders", json!({})).await.data();
    assert_eq!(open[0]["size"].as_str().map(|size| size.trim_end_matches('0')), Some("0.2"));
    assert_eq!(client.get(query).await.data()["symbol"], "ETH_USDT");
}

#[tokio::test]
async fn a_malformed_number_that_the_order_type_ignores_is_rejected_unless_lenient() {
    for lenient in [false, true] {
        let sandbox = stepped_sandbox(lenient).await;
        let (client, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
        let spot = |word: &str| {
            json!({
                "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "10", "price": word,
            })
        };
        let contract = |word: &str| json!({ "symbol": "BTCUSDT", "side": 1, "type": "market", "size": 1, "leverage": "10", "open_type": "cross", "price": word });
        for word in ["NaN", "1_0", "Infinity", "none"] {
            for (client, path, body) in [
                (&client, SUBMIT, spot(word)),
                (&futures, "/contract/private/submit-order", contract(word)),
            ] {
                let response = client.post(path, body.clone()).await;
                let (status, is_accepted) = if lenient { (200, true) } else { (400, false) };
                assert_eq!(response.status, status, "{body}: {}", response.text);
                assert_eq!(response.code() == 1000, is_accepted, "{body}: {}", response.text);
            }
        }
        // Null and empty strings for absent fields are accepted.
        client.post(SUBMIT, spot("")).await.data();
    }
}
