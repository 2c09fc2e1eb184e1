//! Affiliate and broker endpoints, whose data is computed from the trades of customers.

mod common;

use std::time::Duration;

use bitmart_sandbox::{ApiKey, Config, Decimal, Permission, Sandbox, WalletKind};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;

/// A sandbox whose account 3 is a customer of account 1, and the customer's key.
async fn with_customer() -> (Sandbox, ApiKey) {
    let config = Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false);
    let sandbox = start(config).await;
    assert_eq!(sandbox.create_account().expect("stored"), 3);
    let key = sandbox.create_key(3, Permission::ALL).expect("a key");
    (sandbox, key)
}

fn decimal(value: &Value) -> Decimal {
    let text = value.as_str().map_or(value.to_string(), str::to_owned);
    text.parse().expect("a decimal")
}

fn path(call: &str, fields: &str) -> String {
    format!("/contract/private/affiliate/{call}?{fields}")
}

/// A window of the last 30 days, up to a moment from now.
fn window() -> String {
    let now = NOON_MS / 1_000;
    format!("start_time={}&end_time={}", now - 30 * 86_400, now + 60)
}

#[tokio::test]
async fn rebates_are_a_share_of_the_fees_of_customers() {
    let (sandbox, key) = with_customer().await;
    let affiliate = Client::futures(&sandbox);
    let customer = Client { key: &key, ..Client::futures(&sandbox) };
    let rebates = path("rebate-list", "page=1&size=10&currency=USDT");
    assert_eq!(affiliate.get(&rebates).await.json()["total"], 0, "there are no trades yet");

    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "isolated",
        "size": 20,
    });
    customer.post("/contract/private/submit-order", order.clone()).await.data();
    affiliate.post("/contract/private/submit-order", order).await.data();
    let fees = |account: u32| -> Decimal {
        let fills = sandbox.fills().into_iter().filter(|fill| fill.account == account);
        fills.map(|fill| fill.fee).sum()
    };
    let fee = fees(3);
    let rebate = fee * Decimal::new(3, 1);
    assert!(!fee.is_zero());
    let about_equal = |value: &Value, sum: Decimal| {
        assert!((decimal(value) - sum).abs() < Decimal::new(1, 7), "{value} is not {sum}");
    };

    // No envelope, as documented; the trades of the affiliate itself do not count.
    let listed = affiliate.get(&rebates).await.json();
    about_equal(&listed["usdt_rebate_sum"], rebate);
    assert_eq!((&listed["total"], &listed["btc_rebate_sum"]), (&json!(1), &json!(0)));
    let row = &listed["rebate_detail_page_data"][0];
    assert_eq!((&row["trade_user_id"], &row["user_type"]), (&json!(3), &json!(1)));
    let of = |user: u32| format!("{rebates}&user_id={user}");
    assert_eq!(affiliate.get(&of(3)).await.json()["total"], 1);
    assert_eq!(affiliate.get(&of(9)).await.json()["total"], 0);

    let fields = format!("cid=3&{}", window());
    let data = affiliate.get(&path("rebate-user", &fields)).await.data();
    about_equal(&data["trading_fee"], fee);
    about_equal(&data["rebate_total"], rebate);
    assert_eq!((&data["back_rate"], &data["cid"]), (&json!("0.3"), &json!(3)));
    let data = affiliate.get(&path("rebate-api", &fields)).await.data();
    about_equal(&data["api_rebate_total"], rebate);
    let early = "cid=3&start_time=1&end_time=2";
    let data = affiliate.get(&path("rebate-user", early)).await.data();
    assert_eq!((&data["rebate"], &data["trading_vol"]), (&json!("0"), &json!("0")));
    about_equal(&data["rebate_total"], rebate);

    let trades = path("trade-list", "user_id=3&type=1&page=1&size=10");
    let trades = affiliate.get(&trades).await.json();
    assert_eq!(trades["total"], trades["list"].as_array().expect("a list").len());
    let row = &trades["list"][0];
    assert_eq!((&row["leverage"], &row["open_type"]), (&json!(10), &json!(1)));
    assert_eq!((&row["way"], &row["category"]), (&json!(1), &json!(2)));
    assert!(row["fee"].is_number() && row["deal_price"].is_number());
    let coins = path("trade-list", "user_id=3&type=2&page=1&size=10");
    assert_eq!(affiliate.get(&coins).await.json()["total"], 0);

    let customers = path("rebate-inviteUser", &format!("page=1&size=10&{}", window()));
    let data = affiliate.get(&customers).await.data();
    assert_eq!((&data["total"], &data["list"][0]["cid"]), (&json!(1), &json!(3)));
    about_equal(&data["list"][0]["rebateTotal"], rebate);
    let data = affiliate.get(&path("aff-customer-info", "userId=3")).await.data();
    assert!(decimal(&data["futuresAccountRightUsdt"]) < Decimal::from(100_000));

    // The customer has no customers itself.
    assert_eq!(customer.get(&rebates).await.json()["total"], 0);
    assert_eq!(customer.get(&path("invite-check", "cid=1")).await.data()["isInviteUser"], false);
    assert_eq!(affiliate.get(&path("invite-check", "cid=3")).await.data()["isInviteUser"], true);
    assert_eq!(affiliate.get(&path("invite-check", "cid=2")).await.data()["isInviteUser"], false);
}

#[tokio::test]
async fn finished_deposits_and_withdrawals_of_customers_are_listed() {
    let (sandbox, key) = with_customer().await;
    sandbox.deposit(3, "USDT", Decimal::ONE_HUNDRED).expect("a deposit");
    let listed = |kind: &str| {
        let fields = format!("cid=3&page=1&size=50&{}{kind}", window());
        let path = path("deposit-withdrawal-list", &fields);
        let sandbox = &sandbox;
        async move { Client::futures(sandbox).get(&path).await.json() }
    };
    assert_eq!(listed("").await["total"], 0, "it is not finished yet");
    let customer = Client { key: &key, ..Client::spot(&sandbox) };
    let apply = json!({ "currency": "USDT", "amount": "40", "address": "T1" });
    customer.post("/account/v1/withdraw/apply", apply).await.data();
    sandbox.advance(Duration::from_secs(61));
    let both = listed("").await;
    assert_eq!(both["total"], 2);
    let row = &listed("&type=1").await["list"][0];
    assert_eq!((&row["amount"], &row["type"]), (&json!("100"), &json!(1)));
    assert_eq!((&row["cid"], &row["parentCid"]), (&json!(3), &json!(1)));
    assert_eq!(listed("&type=2").await["list"][0]["coin"], "USDT");
}

#[tokio::test]
async fn broker_rebates_are_a_share_of_spot_fees_by_day() {
    let (sandbox, key) = with_customer().await;
    sandbox.set_balance(3, WalletKind::Spot, "USDT", Decimal::ONE_THOUSAND).expect("a balance");
    let customer = Client { key: &key, ..Client::spot(&sandbox) };
    let broker = Client::spot(&sandbox);
    let path = "/spot/v1/broker/rebate";
    assert_eq!(broker.get(path).await.data(), json!({ "rebates": {} }));
    let buy = |notional: &str| json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": notional });
    customer.order(buy("500")).await;
    let fee: Decimal = sandbox.fills().iter().map(|fill| fill.fee).sum();
    let data = broker.get(path).await.data();
    let day = &data["rebates"]["2023-11-14"][0];
    assert_eq!(day["currency"], "USDT");
    let rebate = fee * Decimal::new(3, 1);
    assert!((decimal(&day["rebate_amount"]) - rebate).abs() < Decimal::new(1, 6), "{data}");
    let later = format!("{path}?start_time={}", NOON_MS / 1_000 + 1);
    assert_eq!(broker.get(&later).await.data(), json!({ "rebates": {} }));
}

#[tokio::test]
async fn pages_and_windows_out_of_range_are_rejected() {
    let (sandbox, _) = with_customer().await;
    let client = Client::futures(&sandbox);
    let long = format!("cid=3&start_time=0&end_time={}", 61 * 86_400);
    for (call, fields) in [
        ("rebate-user", &*long),
        ("rebate-user", "cid=3&start_time=2&end_time=1"),
        ("rebate-user", "cid=three&start_time=1&end_time=2"),
        ("rebate-inviteUser", "page=1&size=51&start_time=1&end_time=2"),
        ("rebate-list", "page=0&size=10&currency=USDT"),
        ("trade-list", "user_id=3&type=3&page=1&size=10"),
    ] {
        assert_eq!(client.get(&path(call, fields)).await.code(), 40007, "{call} {fields}");
    }
}
