//! Published and captured requests and responses against the sandbox: every published request is accepted as far as its
//! parameters are concerned, and rows have the members, types and nulls of captured ones.

mod common;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use bitmart_sandbox::{Config, Permission, Sandbox};
use common::{ApiResponse, Client, Socket, start};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;

async fn sandbox() -> Sandbox {
    start(Config::new().stepped_clock(NOON_MS).rate_limits(false)).await
}

/// A published or captured request, and the response if one was published.
struct Exchange {
    name: String,
    method: String,
    path: String,
    query: Value,
    body: Value,
    response: Value,
}

/// The fixtures of the REST client, by file.
fn exchanges() -> Vec<Exchange> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bitmart-rest/fixtures");
    let mut all = Vec::new();
    for folder in fs::read_dir(root).expect("fixtures").map(|entry| entry.expect("readable").path())
    {
        for file in fs::read_dir(&folder).into_iter().flatten() {
            let file = file.expect("readable").path();
            if file.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("readable");
            let mut read: Value = serde_json::from_str(&text).expect("JSON");
            let text = |name: &str| read[name].as_str().map(str::to_owned);
            let (Some(method), Some(path)) = (text("method"), text("path")) else { continue };
            let short =
                |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
            all.push(Exchange {
                name: format!("{}/{}", short(&folder), short(&file)),
                method,
                path,
                query: read["query"].take(),
                body: read["body"].take(),
                response: read["response"].take(),
            });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn captured(name: &str) -> Exchange {
    let name = format!("captured/{name}");
    exchanges().into_iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn is_futures(path: &str) -> bool {
    path.starts_with("/contract")
        || path.starts_with("/account/contract")
        || path.contains("transfer-contract")
}

/// Sends a request as it was published, with other values for some of its parameters.
async fn send(sandbox: &Sandbox, one: &Exchange, changed: &[(&str, &str)]) -> ApiResponse {
    let client =
        if is_futures(&one.path) { Client::futures(sandbox) } else { Client::spot(sandbox) };
    let with = |values: &Value| {
        let mut values = values.clone();
        for (name, value) in changed {
            if values.get(*name).is_some() {
                values[*name] = json!(value);
            }
        }
        values
    };
    if one.method == "POST" {
        let body = with(&one.body);
        return client.post(&one.path, if body.is_null() { json!({}) } else { body }).await;
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let query = with(&one.query);
    let pairs: Vec<String> = query
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = text(value);
            format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
        })
        .collect();
    client.get(&format!("{}?{}", one.path, pairs.join("&"))).await
}

/// The codes with which the sandbox rejects a request because of the request alone.
const FORMAL: [u64; 24] = [
    30000, 30018, 30030, 30031, 40007, 40041, 40042, 40045, 40048, 40049, 50021, 50028, 50029,
    50033, 50037, 50038, 52000, 52001, 52002, 52003, 57001, 60000, 60030, 70001,
];

/// Published requests that are rejected, as `docs/contradictions.md` explains: the tables of the same source rule them
/// out, or the response to values that do not exist is not documented.
const REJECTED: [(&str, u64); 9] = [
    // Client order ids with an underscore.
    ("margin_submit_order/reference", 50038),
    ("spot_submit_order/reference", 50038),
    ("spot_submit_orders/reference", 50038),
    // Without the required N.
    ("sub_accounts_own_transfers/documentation", 60000),
    ("sub_accounts_transfers/documentation", 60000),
    // Savings and products that do not exist.
    ("earn_redeem_fixed/go_sdk_request", 50021),
    ("earn_redeem_flexible/go_sdk_request", 50021),
    ("earn_set_fixed_renewal/go_sdk_request", 50021),
    ("earn_subscribe_fixed/go_sdk_request", 50021),
];

#[tokio::test]
async fn every_published_request_is_accepted_as_far_as_its_parameters_are_concerned() {
    let sandbox = sandbox().await;
    let (mut refused, mut count) = (Vec::new(), 0);
    for one in exchanges() {
        count += 1;
        let response = send(&sandbox, &one, &[]).await;
        // Two lists have no envelope.
        let code = response.json()["code"].as_u64().unwrap_or(1000);
        if FORMAL.contains(&code) != REJECTED.contains(&(&one.name, code)) {
            refused.push(format!("{} {}: {code} {}", one.name, one.path, response.reason()));
        }
    }
    assert!(count > 250, "{count}");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Requests of captures, Postman and third-party types with parameters that no document has.
#[tokio::test]
async fn undocumented_parameters_that_clients_send_are_ignored() {
    let sandbox = sandbox().await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let history = "/account/v2/deposit-withdraw/history?operation_type=deposit&offset=1&N=50";
    assert!(spot.get(history).await.data()["records"].is_array());
    for account in ["SPOT", "FUND"] {
        let path = format!("/account/v1/wallet?sourceAccount={account}");
        assert!(spot.get(&path).await.data()["wallet"].is_array());
    }
    let home = json!({ "requestNo": "4e2adcff-2122-1ce7-2557-4f65d2ce1ca2", "amount": "1", "currency": "BTC",
        "subAccount": "subAccountName@xxx.com" });
    let plan = json!({ "symbol": "ETHUSDT", "client_order_id": "123456789", "order_id": "220906179559421",
        "trigger_price": "2000", "executive_price": "1450", "price_type": 1, "type": "limit" });
    // A main account is no sub-account, and the order is unknown.
    let response = spot.post("/account/sub-account/sub/v1/sub-to-main", home).await;
    assert_eq!(response.code(), 60027, "{}", response.text);
    let response = futures.post("/contract/private/modify-plan-order", plan).await;
    assert_eq!(response.code(), 40037, "{}", response.text);
}

/// What a member is. Some clients that captured responses wrote every number as text.
fn class(value: &Value, numbers_are_text: bool) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) if numbers_are_text => "text",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The differences of a value from a captured one: every captured member is there, with its type and null only where
/// that is null. Lists are compared by their first entry.
fn differences(path: &str, captured: &Value, ours: &Value, texts: bool, out: &mut Vec<String>) {
    let (wanted, found) = (class(captured, texts), class(ours, texts));
    if wanted != found {
        out.push(format!("{path}: {found} instead of {wanted}"));
        return;
    }
    match (captured, ours) {
        (Value::Object(captured), Value::Object(ours)) => {
            for (name, value) in captured {
                match ours.get(name) {
                    Some(other) => differences(&format!("{path}.{name}"), value, other, texts, out),
                    None => out.push(format!("{path}.{name}: missing")),
                }
            }
        }
        (Value::Array(captured), Value::Array(ours)) => {
            let is_row =
                captured.first().is_some_and(|first| !first.is_object() && !first.is_array());
            if is_row && captured.len() != ours.len() {
                out.push(format!("{path}: {} columns instead of {}", ours.len(), captured.len()));
            }
            if let Some(first) = captured.first() {
                differences(
                    &format!("{path}[]"),
                    first,
                    ours.first().unwrap_or(&Value::Null),
                    texts,
                    out,
                );
            }
        }
        _ => {}
    }
}

/// Orders, positions, loans and deposits of each kind that was captured. Returns the values of ids.
async fn fill(sandbox: &Sandbox) -> BTreeMap<&'static str, String> {
    let (spot, futures) = (Client::spot(sandbox), Client::futures(sandbox));
    let market = json!({ "symbol": "LTC_USDT", "side": "buy", "type": "market", "notional": "50" });
    let resting = json!({ "symbol": "LTC_USDT", "side": "buy", "type": "limit", "size": "0.1", "price": "50" });
    let mut ids = BTreeMap::new();
    ids.insert("market", spot.order(market).await);
    ids.insert("resting", spot.order(resting).await);
    let contract = json!({ "symbol": "LTCUSDT", "side": 1, "type": "market", "size": 77, "leverage": "5", "open_type": "cross" });
    let placed = futures.post("/contract/private/submit-order", contract).await.data();
    ids.insert("contract", placed["order_id"].to_string());
    let plan = json!({ "symbol": "LTCUSDT", "type": "limit", "size": 1, "trigger_price": "120", "executive_price": "55",
        "price_type": 1, "price_way": 1, "side": 1, "mode": 1, "plan_category": 1, "open_type": "cross", "leverage": "5" });
    futures.post("/contract/private/submit-plan-order", plan).await.data();
    sandbox.deposit(1, "USDT-TRC20", "69".parse().expect("an amount")).expect("a deposit");
    sandbox.advance(Duration::from_secs(60));
    ids
}

#[tokio::test]
async fn rows_have_the_members_types_and_nulls_of_captured_rows() {
    let sandbox = sandbox().await;
    let ids = fill(&sandbox).await;
    let mut wrong = Vec::new();
    let spot = Client::spot(&sandbox);
    // The margin account is captured without a loan, and the loan before its first interest.
    for (name, changed) in [
        ("spot-balance", vec![]),
        ("spot-create-order", vec![]),
        ("spot-cancel-order", vec![("order_id", ids["resting"].as_str())]),
        ("spot-my-trades", vec![]),
        ("spot-order-market-buy-partially_canceled", vec![("orderId", ids["market"].as_str())]),
        ("spot-ticker", vec![]),
        ("spot-trades", vec![]),
        ("spot-ohlcv", vec![]),
        ("symbols-details-30-decimals", vec![]),
        ("deposits", vec![]),
        ("deposit-address-erc20", vec![]),
        ("deposit-address-trc20", vec![]),
        ("withdraw-charge", vec![]),
        ("swap-balance", vec![]),
        ("swap-order", vec![("order_id", ids["contract"].as_str())]),
        ("positions", vec![]),
        ("current-plan-order", vec![]),
        ("ledger", vec![]),
        ("funding-rate-history", vec![]),
        ("margin-account-null-liquidate_price", vec![]),
        ("borrow-record", vec![]),
    ] {
        if name == "borrow-record" {
            let sum =
                json!({ "symbol": "ETH_USDT", "currency": "USDT", "amount": "50", "side": "in" });
            spot.post("/spot/v1/margin/isolated/transfer", sum).await.data();
            let sum = json!({ "symbol": "ETH_USDT", "currency": "USDT", "amount": "10.2" });
            spot.post("/spot/v1/margin/isolated/borrow", sum).await.data();
        }
        let one = captured(name);
        let response = send(&sandbox, &one, &changed).await;
        let texts = one.response["code"].is_string();
        let mut found = Vec::new();
        differences("data", &one.response["data"], &response.data(), texts, &mut found);
        wrong.extend(found.into_iter().map(|text| format!("{name}: {text}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

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
    let empty = sandbox.create_account();
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
    let account = sandbox.create_account();
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
