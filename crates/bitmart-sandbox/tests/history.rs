//! Lists of orders and trades: windows, limits and order, as used by a paging client.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Decimal, Sandbox, SpotPair, WalletKind};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

fn ids(rows: &Value, field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().expect("a string id").to_owned();
    rows.as_array().expect("rows").iter().map(text).collect()
}

/// Places a spot order per second and returns the ids, oldest first. IOC orders finish at once, limit orders rest.
async fn spot_orders(sandbox: &Sandbox, kind: &str, side: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let price = if side == "buy" { "50000" } else { "70000" };
        let body = json!({ "symbol": "BTC_USDT", "side": side, "type": kind, "price": price, "size": "0.001" });
        ids.push(Client::spot(sandbox).order(body).await);
        sandbox.advance(Duration::from_secs(1));
    }
    ids
}

#[tokio::test]
async fn finished_spot_orders_are_listed_newest_first_within_window_and_limit() {
    let sandbox = start(stepped_config()).await;
    let mut placed = spot_orders(&sandbox, "ioc", "buy", 5).await;
    spot_orders(&sandbox, "limit", "buy", 1).await;
    placed.reverse();
    let client = Client::spot(&sandbox);
    let list = async |body: Value| {
        ids(&client.post("/spot/v4/query/history-orders", body).await.data(), "orderId")
    };
    assert_eq!(list(json!({})).await, placed);
    assert_eq!(list(json!({ "symbol": "BTC_USDT", "limit": 2 })).await, placed[..2]);
    assert!(list(json!({ "symbol": "ETH_USDT" })).await.is_empty());
    // Both ends of the window are inclusive.
    let at = |second: u64| NOON_MS + second * 1_000;
    let window = json!({ "startTime": at(1), "endTime": at(3) });
    assert_eq!(list(window).await, placed[1..4]);
    assert_eq!(list(json!({ "endTime": at(3) - 1 })).await, placed[2..]);
    for (body, code) in [
        (json!({ "startTime": at(2), "endTime": at(1) }), 52004),
        (json!({ "limit": 0 }), 50015),
        (json!({ "limit": 201 }), 50016),
        (json!({ "orderMode": "margin" }), 52000),
        (json!({ "symbol": "NOPE_USDT" }), 50001),
    ] {
        let response = client.post("/spot/v4/query/history-orders", body.clone()).await;
        assert_eq!((response.status, response.code()), (400, code), "{body}");
    }
}

#[tokio::test]
async fn without_times_the_last_seven_days_are_listed() {
    let sandbox = start(stepped_config()).await;
    spot_orders(&sandbox, "ioc", "buy", 1).await;
    sandbox.advance(DAY * 7);
    let late = spot_orders(&sandbox, "ioc", "buy", 1).await;
    let client = Client::spot(&sandbox);
    let path = "/spot/v4/query/history-orders";
    assert_eq!(ids(&client.post(path, json!({})).await.data(), "orderId"), late);
    let all = client.post(path, json!({ "startTime": NOON_MS })).await.data();
    assert_eq!(ids(&all, "orderId").len(), 2);
}

#[tokio::test]
async fn open_spot_orders_are_listed_until_they_are_canceled() {
    let sandbox = start(stepped_config()).await;
    let buys = spot_orders(&sandbox, "limit", "buy", 2).await;
    let sells = spot_orders(&sandbox, "limit", "sell", 2).await;
    let client = Client::spot(&sandbox);
    let open = async || {
        let mut open =
            ids(&client.post("/spot/v4/query/open-orders", json!({})).await.data(), "orderId");
        open.reverse();
        open
    };
    assert_eq!(open().await, [buys.clone(), sells.clone()].concat());
    let cancel = async |body: Value| client.post("/spot/v4/cancel_all", body).await;
    assert_eq!(cancel(json!({ "symbol": "ETH_USDT" })).await.data(), json!({}));
    cancel(json!({ "symbol": "BTC_USDT", "side": "sell" })).await.data();
    assert_eq!(open().await, buys);
    assert_eq!(cancel(json!({ "side": "both" })).await.code(), 52002);
    cancel(json!({})).await.data();
    assert!(open().await.is_empty());
    let frozen: Decimal = sandbox.balances().iter().map(|row| row.frozen).sum();
    assert_eq!(frozen, Decimal::ZERO);
}

#[tokio::test]
async fn paging_backwards_through_spot_trades_has_no_gap_and_no_duplicate() {
    let sandbox = start(stepped_config()).await;
    for size in ["2", "0.5", "1.5"] {
        let body = json!({ "symbol": "BTC_USDT", "side": "sell", "type": "market", "size": size });
        Client::spot(&sandbox).order(body).await;
        sandbox.advance(Duration::from_secs(1));
    }
    let client = Client::spot(&sandbox);
    let mut expected: Vec<String> = sandbox.fills().into_iter().map(|fill| fill.trade_id).collect();
    expected.reverse();
    assert!(expected.len() > 3, "each order trades with several others");
    let (mut seen, mut end) = (Vec::new(), client.now_ms);
    loop {
        let page = client.post("/spot/v4/query/trades", json!({ "endTime": end })).await.data();
        let Some(last) = page.as_array().expect("rows").last() else { break };
        seen.extend(ids(&page, "tradeId"));
        end = last["createTime"].as_u64().expect("ms") - 1;
    }
    assert_eq!(seen, expected);
    let few = client.post("/spot/v4/query/trades", json!({ "limit": 2 })).await.data();
    assert_eq!(ids(&few, "tradeId"), expected[..2]);
}

#[tokio::test]
async fn futures_lists_and_balances_reflect_the_orders() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let order = |kind: &str, side: u8, price: &str, id: &str| {
        json!({
            "symbol": "BTCUSDT", "side": side, "type": kind, "leverage": "10", "open_type": "cross",
            "price": price, "size": 4, "client_order_id": id,
        })
    };
    let submit = "/contract/private/submit-order";
    let resting = client.post(submit, order("limit", 1, "50000", "rest")).await.data();
    let opened = client.post(submit, order("market", 1, "", "open")).await.data();
    let list = async |path: &str| client.get(path).await.data();
    let open = list("/contract/private/get-open-orders?symbol=BTCUSDT").await;
    assert_eq!(ids(&open, "order_id"), [resting["order_id"].to_string()]);
    assert_eq!((&open[0]["state"], &open[0]["preset_stop_loss_price"]), (&json!(2), &json!("")));
    assert_eq!(
        list("/contract/private/get-open-orders?order_state=partially_filled").await,
        json!([])
    );
    let history = list("/contract/private/order-history?symbol=BTCUSDT").await;
    assert_eq!(ids(&history, "order_id"), [opened["order_id"].to_string()]);
    assert_eq!((&history[0]["state"], &history[0]["deal_size"]), (&json!(4), &json!("4")));
    let trades = list("/contract/private/trades?symbol=BTCUSDT&client_order_id=open").await;
    assert_eq!(ids(&trades, "trade_id").len(), sandbox.fills().len());
    assert_eq!((&trades[0]["side"], &trades[0]["exec_type"]), (&json!(1), &json!("Taker")));
    let seconds = NOON_MS / 1_000;
    let window =
        |from: u64, to: u64| format!("/contract/private/trades?start_time={from}&end_time={to}");
    assert_eq!(list(&window(seconds, seconds)).await, trades);
    assert_eq!(list(&window(seconds - 9, seconds - 1)).await, json!([]));
    for (from, to) in [(seconds, seconds - 1), (seconds - 91 * 86_400, seconds)] {
        assert_eq!(client.get(&window(from, to)).await.code(), 40007);
    }

    let positions = list("/contract/private/position-v2").await;
    assert_eq!(positions.as_array().expect("rows").len(), 1);
    assert_eq!(
        (&positions[0]["position_side"], &positions[0]["position_amount"]),
        (&json!("long"), &json!("4"))
    );
    let both = list("/contract/private/position-v2?symbol=ETHUSDT").await;
    let sides: Vec<_> =
        both.as_array().expect("rows").iter().map(|row| &row["position_side"]).collect();
    assert_eq!(
        sides,
        [&json!("long"), &json!("short")],
        "directions without a position are listed with a symbol"
    );
    let old = list("/contract/private/position").await;
    assert_eq!((&old[0]["position_type"], &old[0]["margin_type"]), (&json!(1), &json!("Cross")));

    let assets = list("/contract/private/assets-detail").await;
    let money = |field: &str| -> Decimal {
        assets[0][field].as_str().expect("text").parse().expect("a number")
    };
    // The available balance includes profit and loss of the cross position.
    let parts = ["available_balance", "frozen_balance", "position_deposit"];
    assert_eq!(money("equity"), parts.into_iter().map(money).sum::<Decimal>());
    let fee: Decimal = sandbox.fills().iter().map(|fill| fill.fee).sum();
    assert_eq!(money("equity") - money("unrealized"), Decimal::from(100_000) - fee);

    let cancel = json!({ "symbol": "BTCUSDT" });
    client.post("/contract/private/cancel-orders", cancel).await.data();
    assert_eq!(list("/contract/private/get-open-orders").await, json!([]));
}

#[tokio::test]
async fn rules_and_balances_match_the_configuration() {
    let listed = |pair: &SpotPair| ["BTC", "XRP"].contains(&pair.base.as_str());
    let pairs: Vec<_> = SpotPair::listed().into_iter().filter(listed).collect();
    let sandbox = start(stepped_config().pairs(pairs)).await;
    let client = Client::spot(&sandbox);
    let symbols = client.get("/spot/v1/symbols").await.data();
    let details = client.get("/spot/v1/symbols/details").await.data();
    let rows = details["symbols"].as_array().expect("rows");
    assert_eq!(symbols["symbols"].as_array().expect("names").len(), rows.len());
    let btc = rows.iter().find(|row| row["symbol"] == "BTC_USDT").expect("a pair");
    assert_eq!(
        (&btc["base_min_size"], &btc["price_max_precision"]),
        (&json!("0.00001"), &json!(2))
    );
    let currencies = client.get("/spot/v1/currencies").await.data();
    let names = ids(&currencies["currencies"], "id");
    assert_eq!(names, ["BTC", "USDT", "XRP"]);
    let wallet = client.get("/account/v1/wallet?currency=BTC&needUsdValuation=true").await.data();
    assert_eq!(ids(&wallet["wallet"], "currency"), ["BTC"]);
    let usd: Decimal = wallet["wallet"][0]["available_usd_valuation"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a number");
    assert!(usd > Decimal::from(250_000), "{usd}");
}

#[tokio::test]
async fn a_balance_set_by_the_operator_is_in_the_history_of_the_account() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let set = |wallet, currency: &str, amount: i64| {
        sandbox.set_balance(1, wallet, currency, Decimal::from(amount)).expect("a balance");
    };
    let quota = "/account/v1/withdraw/charge?currency=BTC";
    let before = client.get(quota).await.data();
    set(WalletKind::Spot, "USDT", 100_250);
    set(WalletKind::Spot, "USDT", 100_250);
    set(WalletKind::Funding, "ETH", 3);
    set(WalletKind::Spot, "BTC", 40_000);
    set(WalletKind::Futures, "USDT", 99_993);
    let rows = async |kind: &str| {
        let path = format!("/account/v2/deposit-withdraw/history?operation_type={kind}&N=9");
        let rows = client.get(&path).await.data()["records"].clone();
        let row = |row: &Value| {
            let part = |name: &str| row[name].as_str().expect("text").to_owned();
            assert_eq!((&row["status"], &row["fee"]), (&json!(3), &json!("0")), "{row}");
            assert_eq!(row["apply_time"], NOON_MS);
            (part("currency"), part("arrival_amount"))
        };
        rows.as_array().expect("rows").iter().map(row).collect::<Vec<_>>()
    };
    let row = |currency: &str, amount: &str| (currency.to_owned(), amount.to_owned());
    assert_eq!(rows("deposit").await, [row("ETH", "3"), row("USDT", "250")]);
    assert_eq!(rows("withdraw").await, [row("BTC", "60000")]);
    assert_eq!(
        client.get(quota).await.data(),
        before,
        "the quota only counts withdrawals by the account"
    );

    let flows = Client::futures(&sandbox).get("/contract/private/transaction-history").await.data();
    assert_eq!(flows.as_array().map(Vec::len), Some(1), "{flows}");
    assert_eq!((&flows[0]["flow_type"], &flows[0]["amount"]), (&json!(1), &json!("-7")), "{flows}");
}

/// A sub-account cannot list deposits and withdrawals (60026), so that its main account lists them.
#[tokio::test]
async fn a_balance_of_a_sub_account_that_the_operator_sets_is_in_the_histories_of_main_and_sub_account()
 {
    let sandbox = start(stepped_config()).await;
    let main = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let id = key.account;
    let set = |wallet, amount: i64| {
        sandbox.set_balance(id, wallet, "USDT", Decimal::from(amount)).expect("a balance");
    };
    set(WalletKind::Spot, 250);
    set(WalletKind::Funding, 40);
    set(WalletKind::Spot, 150);
    set(WalletKind::Funding, 15);
    let amounts = |rows: &Value, name: &str| -> Vec<String> {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row[name].as_str().expect("text").to_owned()).collect()
    };
    for (kind, expected) in [("deposit", ["40", "250"]), ("withdraw", ["25", "100"])] {
        let path = format!("/account/v2/deposit-withdraw/history?operation_type={kind}&N=9");
        assert_eq!(sub.get(&path).await.code(), 60026);
        let rows = main.get(&path).await.data()["records"].clone();
        assert_eq!(amounts(&rows, "arrival_amount"), expected, "{kind}");
    }
    let path = "/account/sub-account/main/v1/transfer-list?moveType=spot%20to%20spot&N=9";
    let by_main = main.get(path).await.data()["historyList"].clone();
    let path = "/account/sub-account/v1/transfer-history?moveType=spot%20to%20spot&N=9";
    let by_sub = sub.get(path).await.data()["historyList"].clone();
    assert_eq!(by_main, by_sub);
    assert_eq!(amounts(&by_sub, "amount"), ["25", "100", "40", "250"]);
    let name = format!("account{id}@sandbox.test");
    assert_eq!(amounts(&by_sub, "toAccount")[2..], [name.clone(), name.clone()]);
    assert_eq!(amounts(&by_sub, "fromAccount")[..2], [name.clone(), name]);
}
