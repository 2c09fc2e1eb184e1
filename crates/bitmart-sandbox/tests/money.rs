//! Transfers, sub-accounts, deposits, withdrawals and loans over real sockets.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Decimal, Sandbox};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const SUB: &str = "account2@sandbox.test";

fn stepped_config() -> Config {
    let config = Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false);
    config.spot_balance("BTC", Decimal::from(5))
}

/// The available balance of a wallet.
fn available(sandbox: &Sandbox, account: u32, wallet: &str, currency: &str) -> Decimal {
    let mut rows = sandbox.balances().into_iter();
    rows.find(|row| (row.account, row.wallet, &*row.currency) == (account, wallet, currency))
        .map_or(Decimal::ZERO, |row| row.available)
}

fn transfer(amount: &str, kind: &str) -> Value {
    json!({ "currency": "USDT", "amount": amount, "type": kind })
}

#[tokio::test]
async fn transfers_between_spot_and_futures_change_balances_and_are_listed() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let path = "/account/v1/transfer-contract";
    let data = client.post(path, transfer("10", "spot_to_contract")).await.data();
    assert_eq!(data, json!({ "currency": "USDT", "amount": "10" }));
    client.post(path, transfer("2.5", "contract_to_spot")).await.data();
    let usdt = |wallet| available(&sandbox, 1, wallet, "USDT");
    // 100,000 - 10 + 2.5 on spot, and the reverse on futures.
    assert_eq!(usdt("spot"), Decimal::new(999_925, 1));
    assert_eq!(usdt("futures"), Decimal::new(1_000_075, 1));

    let list = |page: u32| json!({ "page": page, "limit": 10 });
    let path_list = "/account/v1/transfer-contract-list";
    let rows = client.post(path_list, list(1)).await.data();
    let row = &rows["records"][0];
    assert_eq!((&row["type"], &row["amount"]), (&json!("contract_to_spot"), &json!("2.5")));
    assert_eq!((&row["state"], &row["timestamp"]), (&json!("FINISHED"), &json!(NOON_MS)));
    assert_eq!(client.post(path_list, list(2)).await.data()["records"], json!([]));
    let short = json!({ "page": 1, "limit": 9 });
    assert_eq!(client.post(path_list, short).await.code(), 60000);

    let code = async |body| client.post(path, body).await.code();
    assert_eq!(code(transfer("1000000", "spot_to_contract")).await, 42000);
    assert_eq!(code(transfer("0.001", "spot_to_contract")).await, 60000);
    assert_eq!(code(transfer("1.000000001", "spot_to_contract")).await, 40005);
    assert_eq!(code(transfer("1", "spot_to_fund")).await, 60000);
    let coin = json!({ "currency": "BTC", "amount": "1", "type": "spot_to_contract" });
    assert_eq!(code(coin).await, 60002);
}

#[tokio::test]
async fn the_funding_wallet_receives_from_spot_and_sends_to_futures() {
    let sandbox = start(stepped_config()).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    spot.post("/account/v1/transfer", transfer("30", "spot_to_fund")).await.data();
    let path = "/contract/private/account/v1/transfer";
    futures.post(path, transfer("20", "fund_to_contract")).await.data();
    assert_eq!(available(&sandbox, 1, "funding", "USDT"), Decimal::TEN);
    assert_eq!(available(&sandbox, 1, "futures", "USDT"), Decimal::from(100_020));
    let short = spot.post("/account/v1/transfer", transfer("11", "fund_to_spot")).await;
    assert_eq!(short.code(), 60008);
    let wallet = spot.get("/account/v1/wallet?currency=USDT").await.data();
    assert_eq!(wallet["wallet"][0]["fundAvailable"], "10.00000000");
}

#[tokio::test]
async fn transfers_between_a_main_account_and_its_sub_account_are_listed() {
    let sandbox = start(stepped_config()).await;
    let main = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let list = main.get("/account/sub-account/main/v1/subaccount-list").await.data();
    assert_eq!(list["subAccountList"], json!([{ "accountName": SUB, "status": 1 }]));

    let body = |number: &str, amount: &str| json!({ "requestNo": number, "amount": amount, "currency": "BTC", "subAccount": SUB });
    let to_sub = "/account/sub-account/main/v1/main-to-sub";
    main.post(to_sub, body("a", "2")).await.data();
    let own = |number: &str| json!({ "requestNo": number, "amount": "0.5", "currency": "BTC" });
    sub.post("/account/sub-account/sub/v1/sub-to-main", own("a")).await.data();
    main.post("/account/sub-account/main/v1/sub-to-main", body("b", "0.5")).await.data();
    assert_eq!(available(&sandbox, 1, "spot", "BTC"), Decimal::from(4));
    let path = format!("/account/sub-account/main/v1/wallet?subAccount={SUB}");
    let wallet = main.get(&path).await.data();
    assert_eq!(wallet["wallet"][0]["available"], "1.00000000");

    let path = "/account/sub-account/main/v1/transfer-list?moveType=spot%20to%20spot&N=2";
    let rows = main.get(path).await.data();
    assert_eq!(
        (&rows["total"], rows["historyList"].as_array().map(Vec::len)),
        (&json!(3), Some(2))
    );
    let path = "/account/sub-account/v1/transfer-history?moveType=spot%20to%20spot&N=10";
    let rows = sub.get(path).await.data();
    assert_eq!(rows["historyList"][2]["toAccount"], SUB);
    assert_eq!(rows["historyList"][2]["submissionTime"], NOON_MS / 1_000);

    let code = async |body| main.post(to_sub, body).await.code();
    assert_eq!(code(body("a", "1")).await, 61004);
    assert_eq!(code(body("c", "100")).await, 61001);
    assert_eq!(code(body("d", "0")).await, 61000);
    let unknown = |field: &str, value: &str| {
        let mut body = body("e", "1");
        body[field] = json!(value);
        body
    };
    assert_eq!(code(unknown("subAccount", "nobody@sandbox.test")).await, 61003);
    assert_eq!(code(unknown("currency", "NOPE")).await, 60002);
    assert_eq!(sub.post(to_sub, body("f", "1")).await.code(), 60026);
    let as_main = main.post("/account/sub-account/sub/v1/sub-to-main", own("g")).await;
    assert_eq!(as_main.code(), 60027);
}

#[tokio::test]
async fn futures_balances_are_transferred_between_accounts() {
    let sandbox = start(stepped_config()).await;
    let main = Client::futures(&sandbox);
    let body = json!({ "requestNo": "1", "amount": "7", "currency": "USDT", "subAccount": SUB });
    main.post("/account/contract/sub-account/main/v1/main-to-sub", body).await.data();
    assert_eq!(available(&sandbox, 2, "futures", "USDT"), Decimal::from(7));
    let path = "/account/contract/sub-account/v1/transfer-history?limit=1";
    let rows = main.get(path).await.data();
    assert_eq!((&rows[0]["toAccount"], &rows[0]["toWalletType"]), (&json!(SUB), &json!("future")));
    let path = format!("/account/contract/sub-account/main/v1/wallet?subAccount={SUB}");
    assert_eq!(main.get(&path).await.data()["wallet"][0]["available"], "7.00000000");
}

#[tokio::test]
async fn a_deposit_passes_through_its_states_by_the_clock() {
    let sandbox = start(stepped_config()).await;
    let mut client = Client::spot(&sandbox);
    let id = sandbox.deposit(1, "USDT-TRC20", Decimal::TEN).expect("an id");
    let path = format!("/account/v1/deposit-withdraw/detail?id={id}");
    let mut seen = Vec::new();
    for wait in [0, 1, 28, 1] {
        sandbox.advance(Duration::from_secs(wait));
        client.now_ms = sandbox.now_ms();
        let record = client.get(&path).await.data()["record"].clone();
        assert_eq!((&record["deposit_id"], &record["withdraw_id"]), (&json!(id), &json!("")));
        seen.push((record["status"].as_u64(), available(&sandbox, 1, "spot", "USDT")));
    }
    let before = Decimal::from(100_000);
    let states = [0, 2, 2, 3].map(Some);
    assert_eq!(seen.iter().map(|row| row.0).collect::<Vec<_>>(), states);
    assert!(seen[..3].iter().all(|row| row.1 == before));
    assert_eq!(seen[3].1, before + Decimal::TEN);
    let path = "/account/v2/deposit-withdraw/history?operation_type=deposit&N=1";
    assert_eq!(client.get(path).await.data()["records"][0]["arrival_amount"], "10");
    assert_eq!(sandbox.deposit(1, "NOPE", Decimal::TEN), None);
    assert_eq!(sandbox.deposit(9, "USDT", Decimal::TEN), None);
}

#[tokio::test]
async fn the_amount_of_a_withdrawal_is_frozen_until_it_finishes_or_fails() {
    let sandbox = start(stepped_config()).await;
    let mut client = Client::spot(&sandbox);
    client.post("/account/v1/transfer", transfer("99990", "spot_to_fund")).await.data();
    let apply =
        |address: &str| json!({ "currency": "USDT-TRC20", "amount": "15", "address": address });
    let path = "/account/v1/withdraw/apply";
    // The first withdrawal takes the spot balance and the rest from funding.
    client.post(path, apply("T1")).await.data();
    client.post(path, apply("fail-please")).await.data();
    let usdt = |wallet: &str| available(&sandbox, 1, wallet, "USDT");
    // Both take 30: the 10 on spot, and 20 of the 99,990 in funding.
    assert_eq!((usdt("spot"), usdt("funding")), (Decimal::ZERO, Decimal::from(99_970)));
    let path = "/account/v2/deposit-withdraw/history?operation_type=withdraw&N=2";
    let mut seen = Vec::new();
    for wait in [0, 1, 9, 50] {
        sandbox.advance(Duration::from_secs(wait));
        client.now_ms = sandbox.now_ms();
        let rows = client.get(path).await.data()["records"].clone();
        seen.push((rows[1]["status"].clone(), rows[0]["status"].clone()));
        assert_eq!(rows[1]["tx_id"] == "", wait < 9, "empty until on chain");
    }
    let states =
        [(0, 0), (1, 1), (2, 2), (3, 5)].map(|(sent, failed)| (json!(sent), json!(failed)));
    assert_eq!(seen, states);
    // The failed one returns its 15.
    assert_eq!((usdt("spot"), usdt("funding")), (Decimal::ZERO, Decimal::from(99_985)));
    let frozen: Decimal = sandbox.balances().iter().map(|row| row.frozen).sum();
    assert_eq!(frozen, Decimal::ZERO);
}

#[tokio::test]
async fn a_withdrawal_to_another_account_is_credited_there() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let apply = |to: &str| json!({ "currency": "BTC", "amount": "1", "type": 1, "value": to });
    let path = "/account/v1/withdraw/apply";
    client.post(path, apply("2")).await.data();
    assert_eq!(client.post(path, apply("1")).await.code(), 60065);
    assert_eq!(client.post(path, apply("nobody")).await.code(), 60053);
    sandbox.advance(Duration::from_secs(60));
    // 1 without the fee of 0.0001.
    assert_eq!(available(&sandbox, 2, "spot", "BTC"), Decimal::new(9_999, 4));
    assert_eq!(available(&sandbox, 1, "spot", "BTC"), Decimal::from(4));
}

#[tokio::test]
async fn the_withdrawal_quota_shrinks_and_recovers_after_a_day() {
    let sandbox = start(stepped_config().spot_balance("BTC", Decimal::from(200))).await;
    let mut client = Client::spot(&sandbox);
    let apply = |amount: &str| json!({ "currency": "BTC", "amount": amount, "address": "b1" });
    let path = "/account/v1/withdraw/apply";
    client.post(path, apply("99")).await.data();
    let charge = client.get("/account/v1/withdraw/charge?currency=BTC").await.data();
    assert_eq!(charge["today_available_withdraw_BTC"], "1.0000");
    assert_eq!(client.post(path, apply("2")).await.code(), 60064);
    sandbox.advance(Duration::from_secs(86_400));
    client.now_ms = sandbox.now_ms();
    client.post(path, apply("2")).await.data();

    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    assert_eq!(sub.post(path, apply("1")).await.code(), 60054);
    assert_eq!(sub.get("/account/v1/withdraw/charge?currency=BTC").await.code(), 60026);
    assert_eq!(client.get("/account/v1/deposit-withdraw/detail?id=1").await.code(), 60010);
}

#[tokio::test]
async fn a_loan_bears_hourly_interest_and_is_repaid() {
    let sandbox = start(stepped_config()).await;
    let mut client = Client::spot(&sandbox);
    let sum = |amount: &str| json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": amount });
    let with_side = |amount: &str, side: &str| {
        let mut body = sum(amount);
        body["side"] = json!(side);
        body
    };
    let transfer = "/spot/v1/margin/isolated/transfer";
    let (borrow, repay) = ("/spot/v1/margin/isolated/borrow", "/spot/v1/margin/isolated/repay");
    assert_eq!(client.post(repay, sum("1")).await.code(), 51024);
    assert_eq!(client.post(borrow, sum("10")).await.code(), 51004);
    client.post(transfer, with_side("1000", "in")).await.data();
    assert_eq!(client.post(borrow, sum("9")).await.code(), 51005);
    assert_eq!(client.post(borrow, sum("4000.1")).await.code(), 51004);
    let loan = client.post(borrow, sum("3000")).await.data();
    assert_eq!(client.post(transfer, with_side("500", "out")).await.code(), 50020);

    sandbox.advance(Duration::from_secs(9000));
    client.now_ms = sandbox.now_ms();
    let path = "/spot/v1/margin/isolated/account?symbol=BTC_USDT";
    let quote = client.get(path).await.data()["symbols"][0]["quote"].clone();
    assert_eq!(quote["borrow_unpaid"], "3000.00000000");
    // 3,000 * 0.00002778 for each of three begun hours.
    assert_eq!(quote["interest_unpaid"], "0.25002000");
    assert_eq!(quote["net_asset"], "999.74998000");
    assert_eq!(client.post(repay, sum("3001")).await.code(), 51006);
    client.post(repay, sum("3000.25002")).await.data();
    let path = "/spot/v1/margin/isolated/repay_record?symbol=BTC_USDT";
    let row = client.get(path).await.data()["records"][0].clone();
    assert_eq!(
        (&row["repaid_principal"], &row["repaid_interest"]),
        (&json!("3000.00000000"), &json!("0.25002000"))
    );
    let path = format!(
        "/spot/v1/margin/isolated/borrow_record?symbol=BTC_USDT&borrow_id={}",
        loan["borrow_id"].as_str().expect("an id")
    );
    let row = client.get(&path).await.data()["records"][0].clone();
    assert_eq!(
        (&row["interest_amount"], &row["create_time"]),
        (&json!("0.25002000"), &json!(NOON_MS))
    );
    client.post(transfer, with_side("999.74998", "out")).await.data();
    assert_eq!(available(&sandbox, 1, "spot", "USDT"), Decimal::new(9_999_974_998, 5));
    assert_eq!(client.post(transfer, with_side("0.00001", "out")).await.code(), 50020);
    let wrong = json!({ "symbol": "BTC_USDT", "currency": "ETH", "amount": "1" });
    assert_eq!(client.post(borrow, wrong).await.code(), 51000);
}

#[tokio::test]
async fn a_margin_order_is_paid_from_the_margin_account() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500" });
    let path = "/spot/v1/margin/submit_order";
    assert_eq!(client.post(path, order.clone()).await.code(), 51001);
    let body = json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": "1000", "side": "in" });
    client.post("/spot/v1/margin/isolated/transfer", body).await.data();
    let id = client.post(path, order).await.data()["order_id"].as_u64().expect("a number");
    let row =
        client.post("/spot/v4/query/order", json!({ "orderId": id.to_string() })).await.data();
    assert_eq!(
        (&row["orderMode"], &row["state"]),
        (&json!("iso_margin"), &json!("partially_canceled"))
    );
    let trades = |mode: &str| json!({ "orderMode": mode });
    let path = "/spot/v4/query/trades";
    assert_eq!(client.post(path, trades("spot")).await.data(), json!([]));
    assert_ne!(client.post(path, trades("iso_margin")).await.data(), json!([]));
    assert_eq!(available(&sandbox, 1, "spot", "USDT"), Decimal::from(99_000));
    assert_eq!(available(&sandbox, 1, "spot", "BTC"), Decimal::from(5));
    let path = "/spot/v1/margin/isolated/account?symbol=BTC_USDT";
    let row = client.get(path).await.data()["symbols"][0].clone();
    assert_ne!(row["base"]["available"], "0.00000000");
}
