//! Codes of futures orders and settings.

use serde_json::{Value, json};

use super::{
    FUTURES, TriggeredCodes,
    common::{Client, start},
    stepped_config, with,
};

pub(super) async fn futures_settings(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let bound = json!({
        "symbol": "BTCUSDT", "type": "take_profit", "side": 3, "size": 1, "plan_category": 1,
        "trigger_price": "90000", "executive_price": "89000", "price_type": 1,
    });
    let open = |margin: &str| {
        json!({
            "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": margin,
            "price": "50000", "size": 1,
        })
    };
    triggered.post(&client, "/contract/private/submit-tp-sl-order", vec![(40021, bound)]).await;
    let cases = vec![(1000, open("cross")), (40012, open("isolated"))];
    triggered.post(&client, FUTURES, cases).await;
    let one_way = json!({ "position_mode": "one_way_mode" });
    triggered.post(&client, "/contract/private/set-position-mode", vec![(40059, one_way)]).await;
    let plan = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "mode": 1, "size": 1, "trigger_price": "30000", "executive_price": "30000", "price_way": 2,
        "price_type": 1,
    });
    let mut cases = vec![(1000, plan.clone()); 200];
    cases.push((40028, plan));
    triggered.post(&client, "/contract/private/submit-plan-order", cases).await;
}

pub(super) async fn futures_orders(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let good = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "price": "50000", "size": 1,
    });
    let order = |patch: Value| with(good.clone(), patch);
    let cases = vec![
        (40034, order(json!({ "symbol": "NOPEUSDT" }))),
        (40041, order(json!({ "side": 5 }))),
        (40042, order(json!({ "type": "stop" }))),
        (40043, order(json!({ "price": "50000.01" }))),
        (40044, order(json!({ "size": 0 }))),
        (40029, order(json!({ "leverage": "101" }))),
        (40030, order(json!({ "leverage": "0.5" }))),
        (40040, order(json!({ "leverage": "1.5" }))),
        (40045, order(json!({ "open_type": "both" }))),
        (40048, order(json!({ "client_order_id": "a-b" }))),
        (40049, order(json!({ "client_order_id": "x".repeat(33) }))),
        (1000, order(json!({ "client_order_id": "once" }))),
        (40050, order(json!({ "client_order_id": "once" }))),
        (40027, order(json!({ "size": 500_000 }))),
        (40020, order(json!({ "side": 3 }))),
    ];
    triggered.post(&client, FUTURES, cases).await;
    sandbox.halt("BTCUSDT", true).expect("a market");
    triggered.post(&client, FUTURES, vec![(40015, good)]).await;

    let id = sandbox.orders()[0].order_id.clone();
    let cancel = |id: &str| json!({ "symbol": "BTCUSDT", "order_id": id });
    let cases = vec![(1000, cancel(&id)), (40036, cancel(&id)), (40037, cancel("1"))];
    triggered.post(&client, "/contract/private/cancel-order", cases).await;
    let lists = [
        (40035, "/contract/private/order?symbol=BTCUSDT&order_id=1"),
        (40007, "/contract/private/order-history?symbol=BTCUSDT&start_time=2&end_time=1"),
        (40007, "/contract/private/order-history?symbol=BTCUSDT&start_time=0&end_time=7776001"),
    ];
    triggered.get(&client, &lists).await;
}
