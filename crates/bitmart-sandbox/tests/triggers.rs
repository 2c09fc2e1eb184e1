//! Trigger orders over real sockets.

mod common;

use bitmart_sandbox::{ApiKey, Config, Decimal, Permission, Sandbox, WalletKind};
use common::{Client, start};
use serde_json::{Value, json};

const SYMBOL: &str = "BTCUSDT";

/// A market without market makers, in which a second customer sets the price.
struct TestMarket {
    sandbox: Sandbox,
    other: ApiKey,
}

impl TestMarket {
    async fn open() -> Self {
        let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
        let sandbox = start(config.market_maker(false)).await;
        let account = sandbox.create_account().expect("stored");
        let other = sandbox
            .create_key(account, [Permission::FutureTrade, Permission::SpotTrade])
            .expect("a key");
        let coins = Decimal::from(10);
        sandbox.set_balance(account, WalletKind::Spot, "BTC", coins).expect("coins");
        Self { sandbox, other }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        Client::futures(&self.sandbox).post(&format!("/contract/private/{path}"), body).await.data()
    }

    /// The code of the response.
    async fn code_of(&self, path: &str, body: Value) -> u64 {
        Client::futures(&self.sandbox).post(&format!("/contract/private/{path}"), body).await.code()
    }

    async fn get(&self, path: &str) -> Value {
        Client::futures(&self.sandbox).get(&format!("/contract/private/{path}")).await.data()
    }

    async fn waiting_orders(&self) -> Value {
        self.get("current-plan-order?symbol=BTCUSDT").await
    }

    /// An order of the other customer.
    async fn other_order(&self, side: u8, price: u32, size: u32) {
        let client = Client { key: &self.other, ..Client::futures(&self.sandbox) };
        let body = json!({
            "symbol": SYMBOL, "side": side, "type": "limit", "leverage": "10", "open_type": "cross",
            "price": price.to_string(), "size": size,
        });
        client.post("/contract/private/submit-order", body).await.data();
    }

    /// Trades one contract at a price. The tested customer is the buyer.
    async fn trade(&self, price: u32) {
        self.other_order(4, price, 1).await;
        let body = json!({
            "symbol": SYMBOL, "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
            "price": price.to_string(), "size": 1,
        });
        self.post("submit-order", body).await;
    }

    /// The order with this id in the history.
    async fn finished(&self, id: &str) -> Value {
        self.get(&format!("order-history?symbol={SYMBOL}&order_id={id}")).await[0].clone()
    }
}

fn plan(more: &Value) -> Value {
    let mut plan = json!({
        "symbol": SYMBOL, "side": 1, "type": "limit", "leverage": "10", "open_type": "cross", "size": 2,
        "trigger_price": "59000", "executive_price": "58000", "price_way": 2, "price_type": 1,
    });
    for (name, value) in more.as_object().expect("fields") {
        plan[name] = value.clone();
    }
    plan
}

fn tp_sl(kind: &str, trigger: &str) -> Value {
    json!({
        "symbol": SYMBOL, "side": 3, "type": kind, "trigger_price": trigger, "executive_price": "0",
        "price_type": 1, "client_order_id": kind.replace('_', ""),
    })
}

#[tokio::test]
async fn a_plan_order_can_be_modified_triggers_and_is_in_the_history() {
    let market = TestMarket::open().await;
    let id = market.post("submit-plan-order", plan(&json!({}))).await["order_id"].to_string();
    let rows = market.waiting_orders().await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    let row = &rows[0];
    assert_eq!((&row["order_id"], &row["type"]), (&json!(id), &json!("plan")));
    assert_eq!(
        (&row["trigger_price"], &row["executive_price"]),
        (&json!("59000"), &json!("58000"))
    );
    assert_eq!((&row["state"], &row["price_way"]), (&json!(2), &json!(2)));

    let change = json!({
        "symbol": SYMBOL, "order_id": id, "type": "limit", "trigger_price": "59500",
        "executive_price": "58500", "price_type": 1,
    });
    assert_eq!(market.post("modify-plan-order", change.clone()).await["order_id"], json!(id));
    market.trade(59_501).await;
    assert_eq!(market.finished(&id).await, Value::Null);
    market.trade(59_500).await;
    assert_eq!(market.waiting_orders().await, json!([]));
    let finished = market.finished(&id).await;
    assert_eq!((&finished["type"], &finished["state"]), (&json!("planorder"), &json!(4)));
    let prices = (&finished["trigger_price"], &finished["execution_price"]);
    assert_eq!(prices, (&json!("59500"), &json!("58500")));
    let open = &market.get("get-open-orders?symbol=BTCUSDT").await[0];
    assert_eq!(open["order_id"], finished["executive_order_id"]);
    assert_eq!(open["client_order_id"], json!(format!("PLAN_{id}")));
    assert_eq!((&open["price"], &open["size"]), (&json!("58500"), &json!("2")));
    assert_eq!(market.code_of("modify-plan-order", change).await, 40036);
}

#[tokio::test]
async fn plan_orders_are_listed_by_kind_and_canceled_together() {
    let market = TestMarket::open().await;
    market.trade(60_000).await;
    for body in [plan(&json!({})), plan(&json!({ "type": "market", "executive_price": null }))] {
        market.post("submit-plan-order", body).await;
    }
    market.post("submit-tp-sl-order", tp_sl("take_profit", "61000")).await;
    let count = async |query: &str| {
        let rows = market.get(&format!("current-plan-order?{query}")).await;
        rows.as_array().map(Vec::len)
    };
    assert_eq!(count("").await, Some(3));
    assert_eq!(count("plan_type=plan").await, Some(2));
    assert_eq!(count("plan_type=profit_loss").await, Some(1));
    assert_eq!(count("plan_type=plan&type=market").await, Some(1));
    assert_eq!(count("symbol=ETHUSDT").await, Some(0));
    assert_eq!(count("limit=1").await, Some(1));
    let one = json!({ "symbol": SYMBOL, "client_order_id": "takeprofit" });
    market.post("cancel-plan-order", one.clone()).await;
    assert_eq!(count("").await, Some(2));
    assert_eq!(market.code_of("cancel-plan-order", one).await, 40036);
    market.post("cancel-plan-order", json!({ "symbol": SYMBOL })).await;
    assert_eq!(count("").await, Some(0));
    let ledger = market.sandbox.orders();
    assert_eq!(ledger.iter().filter(|order| order.state == "canceled").count(), 3);
    market.trade(50_000).await;
    assert!(
        !market.sandbox.orders().iter().any(|order| order.client_order_id.starts_with("PLAN_"))
    );
}

#[tokio::test]
async fn a_stop_loss_closes_the_position_and_cancels_the_take_profit() {
    let market = TestMarket::open().await;
    market.trade(60_000).await;
    let stop = market.post("submit-tp-sl-order", tp_sl("stop_loss", "59000")).await;
    let take = market.post("submit-tp-sl-order", tp_sl("take_profit", "61000")).await;
    assert_eq!(take["client_order_id"], "takeprofit");
    let change = json!({
        "symbol": SYMBOL, "client_order_id": "stoploss", "trigger_price": "59500", "price_type": 1,
    });
    assert_eq!(
        market.post("modify-tp-sl-order", change).await,
        json!({ "order_id": stop["order_id"] })
    );
    market.other_order(2, 59_400, 1).await;
    // The third trade is at the new trigger price.
    let third = market.sandbox.create_account().expect("stored");
    let key = market.sandbox.create_key(third, [Permission::FutureTrade]).expect("a key");
    market.other_order(4, 59_500, 1).await;
    let client = Client { key: &key, ..Client::futures(&market.sandbox) };
    let buy = json!({
        "symbol": SYMBOL, "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "price": "59500", "size": 1,
    });
    client.post("/contract/private/submit-order", buy).await.data();
    let finished = market.finished(stop["order_id"].as_str().expect("text")).await;
    let order = market.finished(finished["executive_order_id"].as_str().expect("text")).await;
    assert_eq!((&order["deal_size"], &order["deal_avg_price"]), (&json!("1"), &json!("59400")));
    assert_eq!(market.get("position-v2").await, json!([]));
    assert_eq!(market.waiting_orders().await, json!([]));
    let gone = market.finished(take["order_id"].as_str().expect("text")).await;
    assert_eq!((&gone["state"], &gone["executive_order_id"]), (&json!(4), &json!("")));
}

#[tokio::test]
async fn presets_are_listed_and_become_a_take_profit_and_a_stop_loss() {
    let market = TestMarket::open().await;
    let order = json!({
        "symbol": SYMBOL, "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "price": "60000", "size": 3, "preset_take_profit_price": "61000", "preset_stop_loss_price": "59000",
        "preset_stop_loss_price_type": 2,
    });
    let id = market.post("submit-order", order.clone()).await["order_id"].to_string();
    let row = &market.get("get-open-orders").await[0];
    assert_eq!(row["preset_take_profit_price"], "61000");
    let types = (&row["preset_take_profit_price_type"], &row["preset_stop_loss_price_type"]);
    assert_eq!(types, (&json!(1), &json!(2)));
    let change = json!({ "symbol": SYMBOL, "order_id": id, "preset_take_profit_price": "62000" });
    assert_eq!(
        market.post("modify-preset-plan-order", change.clone()).await["order_id"],
        json!(id)
    );
    assert_eq!(market.waiting_orders().await, json!([]));
    market.other_order(4, 60_000, 3).await;
    let rows = market.waiting_orders().await;
    let legs: Vec<_> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (row["type"].as_str(), row["trigger_price"].as_str(), row["side"].as_u64()))
        .collect();
    let stop = (Some("stop_loss"), Some("59000"), Some(3));
    assert_eq!(legs, [stop, (Some("take_profit"), Some("62000"), Some(3))]);
    assert_eq!(market.code_of("modify-preset-plan-order", change).await, 40036);
    let mut close = order;
    close["side"] = 3.into();
    assert_eq!(market.code_of("submit-order", close).await, 40041);
}

#[tokio::test]
async fn a_trailing_order_is_listed_as_open_until_it_triggers_or_is_canceled() {
    let market = TestMarket::open().await;
    market.trade(60_000).await;
    let trail = json!({
        "symbol": SYMBOL, "side": 3, "leverage": "10", "open_type": "cross", "size": 1,
        "activation_price": "60500", "callback_rate": "1", "activation_price_type": 1,
    });
    let submit =
        async || market.post("submit-trail-order", trail.clone()).await["order_id"].to_string();
    let (id, canceled) = (submit().await, submit().await);
    let cancel = json!({ "symbol": SYMBOL, "order_id": canceled });
    assert_eq!(market.code_of("cancel-plan-order", cancel.clone()).await, 40037);
    market.post("cancel-trail-order", cancel.clone()).await;
    assert_eq!(market.code_of("cancel-trail-order", cancel).await, 40036);
    let rows = market.get("get-open-orders?type=trailing").await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!((&rows[0]["order_id"], &rows[0]["type"]), (&json!(id), &json!("trailing")));
    assert_eq!(rows[0]["callback_rate"], "1");
    assert_eq!(market.get(&format!("order?symbol={SYMBOL}&order_id={id}")).await["state"], 2);
    // The order only follows the price from 60,500 on, so 59,000 does not trigger it. 1 % below 61,000 is 60,390.
    for price in [59_000, 60_500, 61_000, 60_391] {
        market.trade(price).await;
        assert_eq!(market.get("get-open-orders?type=trailing").await, rows, "{price}");
    }
    market.other_order(2, 60_300, 1).await;
    market.trade(60_390).await;
    let finished = market.finished(&id).await;
    let order = market.finished(finished["executive_order_id"].as_str().expect("text")).await;
    assert_eq!((&order["type"], &order["deal_size"]), (&json!("market"), &json!("1")));
}

#[tokio::test]
async fn invalid_trigger_orders_are_rejected() {
    let market = TestMarket::open().await;
    let rejected = async |more| market.code_of("submit-plan-order", plan(&more)).await;
    assert_eq!(rejected(json!({ "symbol": "NOPE" })).await, 40034);
    assert_eq!(rejected(json!({ "side": 5 })).await, 40041);
    assert_eq!(rejected(json!({ "type": "stop" })).await, 40042);
    assert_eq!(rejected(json!({ "type": "stop_loss" })).await, 40041);
    assert_eq!(rejected(json!({ "type": "stop_loss", "side": 3 })).await, 40021);
    assert_eq!(rejected(json!({ "executive_price": null })).await, 40007);
    assert_eq!(rejected(json!({ "trigger_price": "59000.1234" })).await, 40043);
    assert_eq!(rejected(json!({ "size": 0 })).await, 40044);
    assert_eq!(rejected(json!({ "leverage": "100000" })).await, 40029);
    assert_eq!(rejected(json!({ "open_type": "shared" })).await, 40045);
    assert_eq!(rejected(json!({ "price_way": 3 })).await, 40007);
    assert_eq!(rejected(json!({ "price_type": null })).await, 40007);
    assert_eq!(rejected(json!({ "side": 3, "preset_stop_loss_price": "1" })).await, 40041);
    let alone = tp_sl("take_profit", "61000");
    assert_eq!(market.code_of("submit-tp-sl-order", alone.clone()).await, 40021);
    market.trade(60_000).await;
    let with = |more: (&str, Value)| {
        let mut body = alone.clone();
        body[more.0] = more.1;
        body
    };
    let code = async |more| market.code_of("submit-tp-sl-order", with(more)).await;
    assert_eq!(code(("side", 1.into())).await, 40041);
    assert_eq!(code(("client_order_id", "a-b".into())).await, 40048);
    let mut large = with(("size", 2.into()));
    large["plan_category"] = 1.into();
    assert_eq!(market.code_of("submit-tp-sl-order", large).await, 40020);
    market.post("submit-tp-sl-order", alone.clone()).await;
    let id = alone["client_order_id"].clone();
    assert_eq!(market.code_of("submit-tp-sl-order", alone).await, 40050);
    let order = json!({
        "symbol": SYMBOL, "side": 1, "type": "limit", "price": "50000", "size": 1, "leverage": "10",
        "open_type": "cross", "client_order_id": id,
    });
    assert_eq!(market.code_of("submit-order", order).await, 40050, "the id of a waiting order");
    let trail = json!({
        "symbol": SYMBOL, "side": 3, "leverage": "10", "open_type": "cross", "size": 1,
        "activation_price": "60500", "callback_rate": "5.1", "activation_price_type": 1,
    });
    assert_eq!(market.code_of("submit-trail-order", trail).await, 40007);
}

#[tokio::test]
async fn a_spot_algo_order_triggers_and_is_in_the_history() {
    let market = TestMarket::open().await;
    let spot = Client::spot(&market.sandbox);
    let algo = |id: &str, more: Value| {
        let mut body = json!({
            "symbol": "BTC_USDT", "side": "buy", "type": "trigger", "trigger_type": "limit",
            "trigger_price": "59000", "price": "58000", "size": "0.01", "client_order_id": id,
        });
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        body
    };
    let path = "/spot/v4/algo/submit_order";
    let submit = async |id: &str, more| {
        let data = spot.post(path, algo(id, more)).await.data();
        data["order_id"].as_str().expect("text").to_owned()
    };
    let (id, other) = (submit("first", json!({})).await, submit("second", json!({})).await);
    submit("third", json!({ "type": "tp/sl", "side": "sell", "trigger_price": "70000" })).await;
    let code = async |id: &str, more| spot.post(path, algo(id, more)).await.code();
    assert_eq!(code("first", json!({})).await, 50042);
    assert_eq!(code("x", json!({ "type": "trailing" })).await, 52001);
    assert_eq!(code("x", json!({ "trigger_price": null })).await, 50028);
    assert_eq!(code("x", json!({ "price": null })).await, 50011);
    assert_eq!(code("x", json!({ "trigger_type": "ioc" })).await, 50021);

    let cancel = json!({ "symbol": "BTC_USDT", "order_id": other, "type": "trigger" });
    let canceled = async || spot.post("/spot/v4/algo/cancel_order", cancel.clone()).await.data();
    assert_eq!(canceled().await, json!({ "result": true }));
    assert_eq!(canceled().await, json!({ "result": false }));
    let list = async |path: &str, mode: Value| {
        let rows = spot.post(path, json!({ "orderMode": mode })).await.data();
        rows.as_array().expect("rows").clone()
    };
    let open = "/spot/v4/query/algo/open-orders";
    assert_eq!(list(open, Value::Null).await.len(), 2);
    assert_eq!(list(open, json!("tp/sl")).await[0]["clientOrderId"], "third");
    spot.post("/spot/v4/algo/cancel_all", json!({ "type": "tp/sl" })).await.data();

    let seller = Client { key: &market.other, ..Client::spot(&market.sandbox) };
    for side in ["buy", "sell"] {
        let order = json!({ "symbol": "BTC_USDT", "side": side, "type": "limit", "price": "59000", "size": "0.001" });
        seller.order(order).await;
    }
    assert_eq!(list(open, Value::Null).await, [] as [Value; 0]);
    let states: Vec<_> = list("/spot/v4/query/algo/history-orders", json!("trigger")).await;
    let states: Vec<_> =
        states.iter().map(|row| (row["state"].as_str(), &row["orderId"])).collect();
    let expected = [(Some("triggered"), &json!(id)), (Some("canceled"), &json!(other))];
    assert_eq!(states, expected);
    let by = json!({ "clientOrderId": "first" });
    let algo_row = spot.post("/spot/v4/query/algo/client-order", by.clone()).await.data();
    assert_eq!(
        (&algo_row["state"], &algo_row["trigger_type"]),
        (&json!("triggered"), &json!("limit"))
    );
    let order = spot.post("/spot/v4/query/client-order", by).await.data();
    assert_eq!((&order["state"], &order["price"]), (&json!("new"), &json!("58000.00")));
    let open_state = json!({ "orderId": id, "queryState": "open" });
    assert_eq!(spot.post("/spot/v4/query/algo/order", open_state).await.code(), 50005);
}
