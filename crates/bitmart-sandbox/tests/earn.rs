//! Savings over real sockets: products, holdings, interest and records.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Decimal, Sandbox};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);

async fn stepped_sandbox() -> Sandbox {
    let config = Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false);
    start(config.spot_balance("BTC", Decimal::from(5))).await
}

/// The product of a coin: flexible, or locked for `days` days.
async fn product(client: &Client<'_>, coin: &str, days: Option<u64>) -> Value {
    let kind = if days.is_some() { "fixed/" } else { "" };
    let path = format!(
        "/newearn/cloud/v1/saving/{kind}product?currentPage=1&sizePage=100&coinName={coin}"
    );
    let rows = client.get(&path).await.data();
    let mut list = rows["list"].as_array().expect("a list").iter();
    list.find(|row| row["lockDay"].as_u64() == days).expect("offered").clone()
}

async fn list(client: &Client<'_>, path: &str) -> Value {
    let glue = if path.contains('?') { '&' } else { '?' };
    let path = format!("/newearn/cloud/v1/saving/{path}{glue}currentPage=1&sizePage=10");
    client.get(&path).await.data()
}

fn usdt(sandbox: &Sandbox, wallet: &str) -> Decimal {
    let mut rows = sandbox.balances().into_iter();
    rows.find(|row| (row.account, row.wallet, &*row.currency) == (1, wallet, "USDT"))
        .map_or(Decimal::ZERO, |row| row.available)
}

/// A request number of 20 digits.
fn request_number(last: u32) -> String {
    format!("{last:020}")
}

#[tokio::test]
async fn flexible_savings_pay_interest_every_day_and_can_be_redeemed_in_part() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    let id = product(&client, "USDT", None).await["productId"].clone();
    let subscribe = "/newearn/cloud/v1/saving/subscribe";
    let body = json!({ "productId": id, "amount": "36500", "requestNo": request_number(1) });
    assert_eq!(client.post(subscribe, body.clone()).await.data(), true);
    // The request number makes the request idempotent.
    assert_eq!(client.post(subscribe, body).await.data(), true);
    assert_eq!((usdt(&sandbox, "spot"), usdt(&sandbox, "earn")), (63_500.into(), 36_500.into()));

    // 2 % a year on 36,500 are 2 a day.
    sandbox.advance(DAY * 3);
    assert_eq!(usdt(&sandbox, "spot"), Decimal::from(63_506));
    let client = Client::spot(&sandbox);
    let overview = client.get("/newearn/cloud/v1/earn").await.data();
    assert_eq!(
        overview,
        json!([{ "coinName": "USDT", "totalUserSum": "36500.00000000",
                 "totalProfit": "6.00000000", "previousProfit": "2.00000000" }])
    );
    let holdings = list(&client, "earn?coinName=USDT").await;
    assert_eq!(
        (&holdings["total"], &holdings["list"][0]["totalProfit"]),
        (&json!(1), &json!("6.00000000"))
    );
    let interest = list(&client, "record?type=interest").await;
    assert_eq!(interest["total"], 3);
    assert_eq!(interest["list"][0]["time"], NOON_MS + 3 * 86_400_000);

    let redeem = "/newearn/cloud/v1/saving/redeem";
    let body = |amount: &str, last| json!({ "earnId": holdings["list"][0]["earnId"], "amount": amount, "requestNo": request_number(last) });
    assert_eq!(client.post(redeem, body("40000", 2)).await.code(), 50020);
    assert_eq!(client.post(redeem, body("36500", 3)).await.data(), true);
    assert_eq!((usdt(&sandbox, "spot"), usdt(&sandbox, "earn")), (100_006.into(), 0.into()));
    assert_eq!(list(&client, "earn").await["total"], 0);
    assert_eq!(
        list(&client, "record?type=redeem").await["list"][0]["requestNo"],
        request_number(3)
    );
}

#[tokio::test]
async fn fixed_savings_pay_interest_at_the_end_and_are_renewed_as_configured() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    let id = product(&client, "USDT", Some(7)).await["productId"].clone();
    let subscribe = "/newearn/cloud/v1/saving/fixed/subscribe";
    let body = |last, renewal: &str| json!({ "productId": id, "amount": "3650", "requestNo": request_number(last), "autoSubscribe": renewal });
    for (last, renewal) in [(1, "OFF"), (2, "REINVEST_FIXED"), (3, "OFF"), (4, "OFF")] {
        client.post(subscribe, body(last, renewal)).await.data();
    }
    let holdings = list(&client, "fixed/earn").await;
    let ids: Vec<&Value> =
        holdings["list"].as_array().expect("a list").iter().map(|row| &row["earnId"]).collect();
    assert_eq!(holdings["list"][0]["expiredDate"], NOON_MS + 7 * 86_400_000);
    assert_eq!(holdings["list"][0]["estimatedInterest"], "2.80000000");
    let renew = json!({ "earnId": ids[2], "autoSubscribe": "REINVEST_FLEXIBLE" });
    client.post("/newearn/cloud/v1/saving/fixed/subscribe/operate", renew).await.data();
    let early = json!({ "earnId": ids[3], "requestNo": request_number(5) });
    client.post("/newearn/cloud/v1/saving/fixed/redeem", early).await.data();
    assert_eq!(usdt(&sandbox, "spot"), Decimal::from(100_000 - 3 * 3_650));

    sandbox.advance(DAY * 7);
    let client = Client::spot(&sandbox);
    // One was returned, and three paid 2.8 of interest; the one redeemed early paid none.
    assert_eq!(usdt(&sandbox, "spot"), Decimal::new(927_084, 1));
    assert_eq!(list(&client, "fixed/earn").await["total"], 1);
    assert_eq!(list(&client, "earn").await["list"][0]["amount"], "3650.00000000");
    assert_eq!(list(&client, "fixed/record?type=interest").await["total"], 3);
}

#[tokio::test]
async fn settings_are_stored_and_invalid_requests_are_rejected_with_the_cause() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    let id = product(&client, "BTC", None).await["productId"].clone();
    let batch = "/newearn/cloud/v1/saving/subscribe/batch";
    assert_eq!(client.get(batch).await.data()["batchSubscribeStatus"], "OFF");
    let on = json!({ "autoSubscribe": "open" });
    client.post(&format!("{batch}/operate"), on).await.data();
    assert_eq!(client.get(batch).await.data()["batchSubscribeStatus"], "ON");
    let on = json!({ "productId": id, "autoSubscribe": "open" });
    client.post("/newearn/cloud/v1/saving/subscribe/operate", on).await.data();
    let path = format!(
        "/newearn/cloud/v1/saving/subscribe/status?productId={}",
        id.as_str().expect("text")
    );
    assert_eq!(client.get(&path).await.data()["subscribeStatus"], "ON");

    let good = json!({ "productId": id, "amount": "0.5", "requestNo": request_number(1) });
    for (field, value, message, reason) in [
        ("requestNo", "1", "Invalid requestNo", "20 digits"),
        ("productId", "1", "Invalid productId", "no such product"),
        ("amount", "0.0001", "Invalid amount", "below or above"),
        ("amount", "0.123456789", "Invalid amount", "8 decimals"),
        ("amount", "6", "Balance not enough", "BTC"),
    ] {
        let mut body = good.clone();
        body[field] = json!(value);
        let rejected = client.post("/newearn/cloud/v1/saving/subscribe", body).await;
        assert_eq!(rejected.message(), message, "{field} {value}");
        assert!(rejected.reason().contains(reason), "{field} {value}: {}", rejected.reason());
    }
    let body = json!({ "earnId": "99", "amount": "1", "requestNo": request_number(2) });
    let rejected = client.post("/newearn/cloud/v1/saving/redeem", body).await;
    assert_eq!((rejected.code(), rejected.message().as_str()), (50021, "Invalid earnId"));
    assert_eq!(
        client.get("/newearn/cloud/v1/saving/earn?currentPage=0&sizePage=9").await.code(),
        50021
    );
}
