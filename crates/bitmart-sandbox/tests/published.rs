//! Published and captured requests and responses against the sandbox: every published request is accepted as far as its
//! parameters are concerned, and rows have the members, types and nulls of captured ones.

mod common;
#[path = "published/details.rs"]
mod details;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use bitmart_sandbox::{Config, Sandbox};
use common::{ApiResponse, Client, start};
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

/// The type of a member. Some clients that captured responses wrote every number as text.
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
async fn populate(sandbox: &Sandbox) -> BTreeMap<&'static str, String> {
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
    let ids = populate(&sandbox).await;
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
