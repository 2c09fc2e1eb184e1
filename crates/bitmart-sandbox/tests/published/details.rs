//! Details of single requests that captures and samples show.

use bitmart_sandbox::Permission;
use serde_json::json;

use super::{
    common::{Client, Socket},
    exchanges, is_futures, sandbox,
};

#[tokio::test]
async fn an_order_without_a_client_order_id_has_its_own_id_for_it_everywhere() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
    socket.log_in_spot(&sandbox).await;
    socket.subscribe_spot("spot/user/order:BTC_USDT").await;
    let limit = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "100", "size": "1" });
    let id = client.order(limit.clone()).await;
    let pushed = socket.text().await;
    assert_eq!(pushed["data"][0]["client_order_id"], id, "{pushed}");
    let by_client = json!({ "clientOrderId": id });
    for (path, body) in [
        ("/spot/v4/query/order", json!({ "orderId": id })),
        ("/spot/v4/query/client-order", by_client.clone()),
    ] {
        let row = client.post(path, body).await.data();
        assert_eq!((&row["orderId"], &row["clientOrderId"]), (&json!(id), &json!(id)), "{path}");
    }
    let open = client.post("/spot/v4/query/open-orders", json!({})).await.data();
    assert_eq!(open[0]["clientOrderId"], id);
    let cancel = json!({ "symbol": "BTC_USDT", "client_order_id": id });
    assert_eq!(client.post("/spot/v3/cancel_order", cancel).await.data()["result"], true);
    let history = client.post("/spot/v4/query/history-orders", json!({})).await.data();
    assert_eq!(history[0]["clientOrderId"], id);
    let market =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "100" });
    let id = client.order(market).await;
    let trades = client.post("/spot/v4/query/trades", json!({})).await.data();
    assert_eq!(trades[0]["clientOrderId"], id);
    // An order with an own client order id is not found by its order id.
    let mut named = limit.clone();
    named["client_order_id"] = json!("mine1");
    let id = client.order(named).await;
    let found = client.post("/spot/v4/query/client-order", json!({ "clientOrderId": id })).await;
    assert_eq!(found.code(), 50005, "{}", found.text);
    // A client order id comes first, even if it is the id of another order.
    let first = client.order(limit.clone()).await;
    let mut named = limit;
    named["client_order_id"] = json!(first);
    let second = client.order(named).await;
    let found = client.post("/spot/v4/query/client-order", json!({ "clientOrderId": first })).await;
    assert_eq!(found.data()["orderId"], second);
}

#[tokio::test]
async fn currencies_are_found_with_and_without_their_network() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    for (requested, rows) in [
        ("USDT", vec!["USDT-TRC20", "USDT-ERC20"]),
        ("USDT-TRC20", vec!["USDT-TRC20"]),
        ("USDT-ERC20,BTC", vec!["BTC", "USDT-ERC20"]),
        ("USDT-SOL", vec![]),
    ] {
        let path = format!("/account/v1/currencies?currencies={requested}");
        let data = client.get(&path).await.data();
        let names: Vec<_> = data["currencies"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| &row["currency"])
            .collect();
        assert_eq!(names, rows, "{requested}");
    }
    for (currency, amount) in [("USDT-TRC20", "1"), ("USDT", "2"), ("BTC", "3")] {
        sandbox.deposit(1, currency, amount.parse().expect("an amount")).expect("a deposit");
    }
    for (requested, count) in [("USDT", 2), ("USDT-TRC20", 1), ("BTC", 1), ("TRC20", 0)] {
        let path = format!(
            "/account/v2/deposit-withdraw/history?operation_type=deposit&N=9&currency={requested}"
        );
        let rows = client.get(&path).await.data()["records"].as_array().map(Vec::len);
        assert_eq!(rows, Some(count), "{requested}");
    }
}

#[tokio::test]
async fn a_deposit_address_has_the_form_of_its_chain_and_is_that_of_the_history() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    for (currency, chain, start) in
        [("USDT-TRC20", "TRON", "T"), ("USDT-ERC20", "Ethereum", "0x"), ("SOL", "Solana", "")]
    {
        let row =
            client.get(&format!("/account/v1/deposit/address?currency={currency}")).await.data();
        assert_eq!(row["chain"], chain);
        let address = row["address"].as_str().expect("text");
        assert!(address.starts_with(start), "{row}");
        sandbox.deposit(1, currency, "1".parse().expect("an amount")).expect("a deposit");
        let path = format!(
            "/account/v2/deposit-withdraw/history?operation_type=deposit&N=1&currency={currency}"
        );
        assert_eq!(client.get(&path).await.data()["records"][0]["address"], address);
    }
}

#[tokio::test]
async fn futures_balances_list_usdt_btc_and_eth_even_if_they_are_zero() {
    let sandbox = sandbox().await;
    let rows = Client::futures(&sandbox).get("/contract/private/assets-detail").await.data();
    let names: Vec<_> = rows.as_array().expect("rows").iter().map(|row| &row["currency"]).collect();
    assert_eq!(names, ["USDT", "BTC", "ETH"]);
    assert_eq!(rows[1]["equity"], "0");
    let empty = sandbox.create_account().expect("an account");
    let key = sandbox.create_key(empty, [Permission::ReadOnly]).expect("a key");
    let client = Client { key: &key, ..Client::futures(&sandbox) };
    let rows = client.get("/contract/private/assets-detail").await.data();
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn trailing_orders_of_a_contract_are_canceled_without_an_id() {
    let sandbox = sandbox().await;
    let client = Client::futures(&sandbox);
    let trailing = |symbol: &str| {
        json!({ "symbol": symbol, "side": 1, "leverage": "10", "open_type": "cross", "size": 1,
            "activation_price": "2000", "callback_rate": "1", "activation_price_type": 1 })
    };
    for symbol in ["BTCUSDT", "BTCUSDT", "ETHUSDT"] {
        client.post("/contract/private/submit-trail-order", trailing(symbol)).await.data();
    }
    let cancel = json!({ "symbol": "BTCUSDT" });
    client.post("/contract/private/cancel-trail-order", cancel).await.data();
    let open = client.get("/contract/private/get-open-orders?type=trailing").await.data();
    let symbols: Vec<_> = open.as_array().expect("rows").iter().map(|row| &row["symbol"]).collect();
    assert_eq!(symbols, ["ETHUSDT"]);
}

/// The other direction has a record as soon as the account has traded the contract in one-way mode.
#[tokio::test]
async fn a_stop_loss_without_its_position_is_rejected_as_such() {
    let sandbox = sandbox().await;
    let client = Client::futures(&sandbox);
    let stop = |side: u8| {
        json!({ "symbol": "BTCUSDT", "side": side, "type": "stop_loss", "trigger_price": "70000",
            "executive_price": "70000", "price_type": 1, "category": "market", "plan_category": 2 })
    };
    let order = |side: u8| json!({ "symbol": "BTCUSDT", "side": side, "type": "market", "size": 10, "leverage": "10", "open_type": "cross" });
    for mode in ["one_way_mode", "hedge_mode"] {
        let set = json!({ "position_mode": mode });
        client.post("/contract/private/set-position-mode", set).await.data();
        for (place, close) in [(1, 3), (4, 2)] {
            client.post("/contract/private/submit-order", order(place)).await.data();
            let other = if close == 3 { 2 } else { 3 };
            let response = client.post("/contract/private/submit-tp-sl-order", stop(other)).await;
            assert_eq!(response.code(), 40021, "{mode} {place}: {}", response.text);
            client.post("/contract/private/submit-order", order(close)).await.data();
            let response = client.post("/contract/private/submit-tp-sl-order", stop(close)).await;
            assert_eq!(response.code(), 40021, "{mode} {close}: {}", response.text);
        }
    }
}

#[tokio::test]
async fn a_key_that_is_read_only_changes_nothing() {
    let sandbox = sandbox().await;
    let account = sandbox.create_account().expect("an account");
    let reader = sandbox.create_key(account, [Permission::ReadOnly]).expect("a key");
    let trader = sandbox
        .create_key(account, [Permission::ReadOnly, Permission::SpotTrade, Permission::FutureTrade])
        .expect("a key");
    let mut count = 0;
    for one in exchanges().iter().filter(|one| one.method == "POST") {
        let is_query = one.path.contains("/query/");
        let host = if is_futures(&one.path) { sandbox.futures() } else { sandbox.spot() };
        let body = if one.body.is_null() { json!({}) } else { one.body.clone() };
        let as_reader = Client { host, key: &reader, now_ms: sandbox.now_ms() };
        let code = as_reader.post(&one.path, body).await.code();
        assert_eq!(code == 30012, !is_query, "{} {}: {code}", one.name, one.path);
        count += 1;
    }
    assert!(count > 60, "{count}");
    let trader = Client { host: sandbox.spot(), key: &trader, now_ms: sandbox.now_ms() };
    trader.post("/spot/v4/cancel_all", json!({})).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "1", "type": "spot_to_fund" });
    trader.post("/account/v1/transfer", transfer).await.data();
    let leverage = json!({ "symbol": "BTCUSDT", "leverage": "5", "open_type": "cross" });
    let trader = Client { host: sandbox.futures(), ..trader };
    trader.post("/contract/private/submit-leverage", leverage).await.data();
}

#[tokio::test]
async fn a_valuation_in_usd_is_requested_in_the_spelling_of_any_language() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    for (word, valued) in [
        ("true", true),
        ("True", true),
        ("TRUE", true),
        ("1", true),
        ("False", false),
        ("0", false),
    ] {
        let path = format!("/account/v1/wallet?currency=USDT&needUsdValuation={word}");
        let row = client.get(&path).await.data()["wallet"][0].clone();
        assert_eq!(row["available_usd_valuation"] != "", valued, "{word}");
    }
    let path = "/account/v1/wallet?needUsdValuation=maybe";
    assert_eq!(client.get(path).await.code(), 60000);
}

/// Explanations are for the developer: in the header, and never in the text that a client may compare.
#[tokio::test]
async fn error_texts_are_the_documented_ones_and_reasons_are_in_the_header() {
    let sandbox = sandbox().await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let order = |name: &str, value: &str| {
        let mut order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" });
        order[name] = json!(value);
        order
    };
    let submit = "/spot/v2/submit_order";
    for (response, code, text, reason) in [
        (
            spot.post(submit, order("price", "-1")).await,
            50021,
            "Invalid price",
            "price: must be above 0",
        ),
        (
            spot.post(submit, order("size", "1.0000001")).await,
            50021,
            "Invalid size",
            "size: at most",
        ),
        (
            spot.post(submit, order("Size", "1")).await,
            50029,
            "The parameters do not match",
            "did you mean \"size\"?",
        ),
        (spot.post(submit, json!({})).await, 50028, "Missing parameters", "symbol is required"),
        (
            spot.get("/account/v1/withdraw/charge").await,
            60000,
            "Invalid request (maybe the body is empty, or the int parameter passes string data)",
            "currency is required",
        ),
        (
            spot.get("/account/v2/deposit-withdraw/history?operation_type=gift&N=1").await,
            60000,
            "Parameter Error",
            "operation_type: must be deposit or withdraw",
        ),
        (
            futures.get("/contract/private/get-open-orders?limit=0").await,
            40007,
            "Parse parameter error",
            "limit: must be 1 to 100",
        ),
    ] {
        assert_eq!((response.code(), response.message().as_str()), (code, text));
        assert!(response.reason().contains(reason), "{}", response.reason());
    }
}
