//! Futures market data comes from the order book in which orders are matched.

mod common;

use bitmart_sandbox::{Config, Decimal, Sandbox};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;

async fn stepped_sandbox() -> Sandbox {
    start(Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)).await
}

fn number(value: &Value) -> Decimal {
    value.as_str().expect("a number as string").parse().expect("a number")
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("rows")
}

#[tokio::test]
async fn an_order_at_the_best_ask_fills_and_is_in_the_public_trades() {
    let sandbox = stepped_sandbox().await;
    let client = Client::futures(&sandbox);
    let response = client.get("/contract/public/depth?symbol=BTCUSDT").await;
    assert!(response.headers.get("x-sandbox-response").is_none());
    let book = response.data();
    assert_eq!((&book["symbol"], &book["timestamp"]), (&json!("BTCUSDT"), &json!(NOON_MS)));
    for side in ["asks", "bids"] {
        let levels = rows(&book[side]);
        assert_eq!(levels.len(), 50);
        let sizes: Decimal = levels.iter().map(|level| number(&level[1])).sum();
        assert_eq!(number(&levels[0][1]), number(&levels[0][2]));
        assert_eq!(number(&levels[49][2]), sizes, "the third column is cumulative");
    }
    assert!(number(&book["bids"][0][0]) < number(&book["asks"][0][0]));
    let order = client
        .post(
            "/contract/private/submit-order",
            json!({
                "symbol": "BTCUSDT", "side": 1, "type": "limit", "mode": 2, "price": book["asks"][0][0],
                "size": 1, "leverage": "5", "open_type": "cross",
            }),
        )
        .await
        .data();
    let path = format!("/contract/private/order?symbol=BTCUSDT&order_id={}", order["order_id"]);
    let order = client.get(&path).await.data();
    assert_eq!((&order["state"], &order["deal_size"]), (&json!(4), &json!("1")));
    let trades = client.get("/contract/public/market-trade?symbol=BTCUSDT&limit=1").await.data();
    let details = client.get("/contract/public/details?symbol=BTCUSDT").await.data();
    let coins = number(&details["symbols"][0]["contract_size"]);
    assert_eq!(rows(&trades).len(), 1);
    assert_eq!(number(&trades[0]["price"]), number(&book["asks"][0][0]));
    assert_eq!(number(&trades[0]["qty"]), coins, "one contract, counted in coins");
    assert_eq!(number(&trades[0]["quote_qty"]), coins * number(&trades[0]["price"]));
    assert_eq!(
        (&trades[0]["time"], &trades[0]["is_buyer_maker"]),
        (&json!(NOON_MS / 1_000), &json!(false))
    );
    let rejected = client.get("/contract/public/market-trade?symbol=BTCUSDT&limit=101").await;
    assert_eq!((rejected.status, rejected.code()), (400, 40007));
    let unknown = client.get("/contract/public/depth?symbol=NOPE").await;
    assert_eq!((unknown.status, unknown.code()), (400, 40034));
}

#[tokio::test]
async fn candles_of_the_window_are_listed_oldest_first() {
    let sandbox = stepped_sandbox().await;
    let client = Client::futures(&sandbox);
    let (from, to) = (NOON_MS / 1_000 - 3_600, NOON_MS / 1_000);
    let window = format!("symbol=BTCUSDT&start_time={from}&end_time={to}");
    let data = client.get(&format!("/contract/public/kline?{window}&step=5")).await.data();
    let times: Vec<u64> =
        rows(&data).iter().map(|row| row["timestamp"].as_u64().expect("seconds")).collect();
    assert!((12..=13).contains(&times.len()), "{times:?}");
    assert!(times.iter().all(|time| (from..=to).contains(time) && time % 300 == 0), "{times:?}");
    assert!(times.is_sorted(), "{times:?}");
    let first = &data[0];
    assert!(number(&first["low_price"]) <= number(&first["open_price"]));
    assert!(number(&first["open_price"]) <= number(&first["high_price"]));
    assert!(number(&first["volume"]) > Decimal::ZERO);
    let marks =
        client.get(&format!("/contract/public/markprice-kline?{window}&step=5")).await.data();
    assert_eq!(marks[0]["close_price"], first["close_price"]);
    assert_eq!(marks[0]["volume"], "0");
    let all = client
        .get("/contract/public/kline?symbol=BTCUSDT&start_time=1699900000&end_time=1700000000");
    assert_eq!(rows(&all.await.data()).len(), 500, "the maximum per response");
    let backward = format!("symbol=BTCUSDT&start_time={to}&end_time={from}");
    let no_step = format!("{window}&step=2");
    for (wrong, code) in [(no_step, 40038), ("symbol=BTCUSDT".to_owned(), 40007), (backward, 40007)]
    {
        let rejected = client.get(&format!("/contract/public/kline?{wrong}")).await;
        assert_eq!((rejected.status, rejected.code()), (400, code), "{}", rejected.text);
    }
}

#[tokio::test]
async fn open_interest_is_the_sum_of_the_positions_of_accounts() {
    let sandbox = stepped_sandbox().await;
    let client = Client::futures(&sandbox);
    let interest = || async {
        let data = client.get("/contract/public/open-interest?symbol=BTCUSDT").await.data();
        let details = client.get("/contract/public/details?symbol=BTCUSDT").await.data();
        for field in ["open_interest", "open_interest_value"] {
            assert_eq!(data[field], details["symbols"][0][field], "{field}");
        }
        (number(&data["open_interest"]), number(&data["open_interest_value"]))
    };
    assert_eq!(interest().await, (Decimal::ZERO, Decimal::ZERO));
    for (side, size, held) in [(1, 7, 7), (4, 3, 7), (3, 5, 3)] {
        let body = json!({
            "symbol": "BTCUSDT", "side": side, "type": "market", "size": size, "leverage": "5",
            "open_type": "cross",
        });
        client.post("/contract/private/submit-order", body).await.data();
        let (contracts, value) = interest().await;
        assert_eq!(contracts, Decimal::from(held), "after side {side}");
        assert!(value > Decimal::ZERO);
    }
}

#[tokio::test]
async fn fee_rates_funding_rates_and_modes_match_the_engine() {
    let sandbox = stepped_sandbox().await;
    let client = Client::futures(&sandbox);
    let rate = client.get("/contract/public/funding-rate?symbol=ETHUSDT").await.data();
    assert_eq!((&rate["symbol"], &rate["rate_value"]), (&json!("ETHUSDT"), &json!("0.0001")));
    let details = client.get("/contract/public/details?symbol=ETHUSDT").await.data();
    assert_eq!(rate["funding_time"], details["symbols"][0]["funding_time"]);
    let all = client.get("/contract/public/funding-rate-v2").await.data();
    assert_eq!(rows(&all["list"]).len(), 10);
    let one = client.get("/contract/public/funding-rate-v2?symbol=ETHUSDT").await.data();
    assert_eq!(one["list"], json!([rate]));
    let past =
        client.get("/contract/public/funding-rate-history?symbol=ETHUSDT&limit=2").await.data();
    let (last, step) = (NOON_MS / 28_800_000 * 28_800_000, 28_800_000);
    let row = |time: u64| json!({ "symbol": "ETHUSDT", "funding_rate": "0.0001", "funding_time": time.to_string() });
    assert_eq!(past["list"], json!([row(last), row(last - step)]));
    let fee = client.get("/contract/private/trade-fee-rate?symbol=ETHUSDT").await.data();
    assert_eq!(
        fee,
        json!({ "symbol": "ETHUSDT", "taker_fee_rate": "0.0006", "maker_fee_rate": "0.0002" })
    );
    let mode = client.get("/contract/private/get-position-mode").await.data();
    assert_eq!(mode, json!({ "position_mode": "hedge_mode" }));
    let set =
        |mode| client.post("/contract/private/set-position-mode", json!({ "position_mode": mode }));
    assert_eq!(set("hedge_mode").await.data(), mode);
    let rejected = set("both_ways").await;
    assert_eq!((rejected.status, rejected.code()), (400, 40007), "{}", rejected.text);
    assert_eq!(set("one_way_mode").await.data(), json!({ "position_mode": "one_way_mode" }));
    let mode = client.get("/contract/private/get-position-mode").await.data();
    assert_eq!(mode, json!({ "position_mode": "one_way_mode" }));
}

#[tokio::test]
async fn the_latest_candles_belong_to_the_requested_pair() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    let query = "symbol=ETH_USDT&step=15&limit=5";
    let latest = client.get(&format!("/spot/quotation/v3/lite-klines?{query}")).await;
    assert!(latest.headers.get("x-sandbox-response").is_none());
    let history = client.get(&format!("/spot/quotation/v3/klines?{query}")).await;
    assert_eq!(rows(&latest.data()).len(), 5);
    assert_eq!(latest.data(), history.data());
}
