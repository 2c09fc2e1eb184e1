//! Rules of orders, tested over the wire.

mod common;

use bitmart_sandbox::{Config, Sandbox};
use common::{Client, start};
use serde_json::json;

/// A sandbox whose order books start empty.
async fn without_market_maker() -> Sandbox {
    let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
    start(config.market_maker(false)).await
}

#[tokio::test]
async fn an_order_of_another_market_cannot_be_canceled() {
    let sandbox = without_market_maker().await;
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.01", "price": "50000" });
    let id = client.order(order).await;
    let path = "/spot/v3/cancel_order";
    let cancel = |symbol: &str| json!({ "symbol": symbol, "order_id": id });
    assert_eq!(client.post(path, cancel("ETH_USDT")).await.code(), 50005);
    let many = |symbol: &str| json!({ "symbol": symbol, "orderIds": [id] });
    let rows = client.post("/spot/v4/cancel_orders", many("ETH_USDT")).await.data();
    assert_eq!((&rows["successCount"], &rows["failIds"]), (&json!(0), &json!([id])));
    assert_eq!(client.post(path, cancel("BTC_USDT")).await.data(), json!({ "result": true }));

    let client = Client::futures(&sandbox);
    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "size": 1, "price": "50000",
    });
    let data = client.post("/contract/private/submit-order", order).await.data();
    let cancel =
        |symbol: &str| json!({ "symbol": symbol, "order_id": data["order_id"].to_string() });
    let path = "/contract/private/cancel-order";
    assert_eq!(client.post(path, cancel("ETHUSDT")).await.code(), 40037);
    client.post(path, cancel("BTCUSDT")).await.data();
}

#[tokio::test]
async fn an_order_of_a_halted_contract_cannot_be_modified() {
    let sandbox = without_market_maker().await;
    let client = Client::futures(&sandbox);
    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "size": 1, "price": "50000",
    });
    let data = client.post("/contract/private/submit-order", order).await.data();
    sandbox.halt("BTCUSDT", true).expect("a contract");
    let change = json!({ "symbol": "BTCUSDT", "order_id": data["order_id"], "price": "50001" });
    let path = "/contract/private/modify-limit-order";
    assert_eq!(client.post(path, change.clone()).await.code(), 40015);
    sandbox.halt("BTCUSDT", false).expect("a contract");
    client.post(path, change).await.data();
}

#[tokio::test]
async fn a_post_only_order_below_the_minimum_is_accepted_and_canceled() {
    let sandbox = without_market_maker().await;
    let client = Client::spot(&sandbox);
    let order = json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "limit_maker", "size": "0.00001", "price": "50000",
    });
    let id = client.order(order).await;
    let row = client.post("/spot/v4/query/order", json!({ "orderId": id })).await.data();
    assert_eq!((&row["state"], &row["cancelSource"]), (&json!("canceled"), &json!("system")));
    assert!(sandbox.balances().iter().all(|row| row.frozen.is_zero()));
}
