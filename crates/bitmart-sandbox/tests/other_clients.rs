//! Undocumented behavior of other clients that the sandbox accepts.

mod common;

use bitmart_sandbox::Config;
use common::{Client, Socket, sign, start};
use serde_json::json;

const NOON_MS: u64 = 1_700_000_000_000;

#[tokio::test]
async fn the_go_client_logs_in_to_futures_with_capitalized_fields() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let (key, now) = (sandbox.credentials(), NOON_MS.to_string());
    let args = json!([key.key, now, sign(key, &now, "bitmart.WebSocket"), "web"]);
    let mut socket = Socket::connect(&sandbox.futures().ws_private).await;
    socket.json(json!({ "Action": "access", "Args": args })).await;
    assert_eq!(socket.text().await, json!({ "action": "access", "success": true }));
}

#[tokio::test]
async fn ccxt_requests_time_and_transfers_on_either_host_and_sends_null_for_absent_fields() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    assert_eq!(futures.get("/system/time").await.data()["server_time"], NOON_MS);
    let transfer = json!({ "amount": "10", "currency": "USDT", "type": "spot_to_contract" });
    assert_eq!(spot.post("/account/v1/transfer-contract", transfer).await.data()["amount"], "10");
    let order = json!({ "symbol": "BTCUSDT", "side": 1, "type": "limit", "size": 1, "price": "50000",
        "leverage": "10", "open_type": "cross", "activation_price": null });
    assert!(
        futures.post("/contract/private/submit-order", order.clone()).await.data()["order_id"]
            .is_number()
    );
    // Any other undocumented field is still rejected by name.
    let mut wrong = order;
    wrong["activation_price"] = json!("1");
    let rejected = futures.post("/contract/private/submit-order", wrong).await;
    assert!(rejected.reason().contains("unknown field \"activation_price\""));
    // Other endpoints are only on the documented host.
    assert_eq!(futures.get("/spot/v1/currencies").await.code(), 30000);
}

#[tokio::test]
async fn the_php_example_and_ccxt_send_a_price_with_plan_orders() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let plan = json!({ "symbol": "BTCUSDT", "side": 1, "type": "limit", "size": 1, "price": "10",
        "leverage": "5", "open_type": "cross", "mode": 1, "trigger_price": "30000",
        "executive_price": "30010", "price_way": 2, "price_type": 1 });
    let futures = Client::futures(&sandbox);
    let placed = futures.post("/contract/private/submit-plan-order", plan).await;
    assert!(placed.data()["order_id"].is_number(), "{}", placed.text);
    let plans = futures.get("/contract/private/current-plan-order").await.data();
    assert_eq!(plans[0]["executive_price"], "30010", "{plans}");
}

#[tokio::test]
async fn the_java_client_sends_an_undocumented_currency() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let spot = Client::spot(&sandbox);
    for (path, list) in [("/spot/v1/wallet", "wallet"), ("/account/v1/currencies", "currencies")] {
        let all = spot.get(path).await.data()[list].clone();
        assert_eq!(spot.get(&format!("{path}?currency=BTC")).await.data()[list], all, "{path}");
    }
}

#[tokio::test]
async fn the_npm_package_bitmart_api_sends_recv_window_with_every_request() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000",
        "size": "0.001", "recvWindow": 5000 });
    assert!(spot.post("/spot/v2/submit_order", order).await.data()["order_id"].is_string());
    assert!(spot.get("/account/v1/wallet?recvWindow=5000").await.data()["wallet"].is_array());
    assert!(futures.get("/contract/private/assets-detail?recvWindow=5000").await.data().is_array());
    // It is enforced where it is documented.
    let query = json!({ "recvWindow": 60_001 });
    assert_eq!(spot.post("/spot/v4/query/open-orders", query).await.code(), 30007);
}
