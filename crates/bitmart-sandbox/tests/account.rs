//! Account endpoints: key info, deposit account, saved addresses, play money, and closing all positions.

mod common;

use std::time::Duration;

use bitmart_sandbox::{
    ApiKey, Config, Decimal, OpenPayments, Permission, Sandbox, Snapshot, WithdrawAddress,
};
use common::{Client, start};
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const INFO: &str = "/uapi-key/v1/account/info";
const FUTURES: &str = "/contract/private/submit-order";
const CLOSE: &str = "/contract/private/close-all-position";

fn stepped_config() -> Config {
    Config::new().seed(7).stepped_clock(NOON_MS).rate_limits(false)
}

fn available(sandbox: &Sandbox, wallet: &str, currency: &str) -> Decimal {
    let rows = sandbox.balances().into_iter();
    let mut rows = rows.filter(|row| row.account == 1 && row.wallet == wallet);
    rows.find(|row| row.currency == currency).map_or(Decimal::ZERO, |row| row.available)
}

#[tokio::test]
async fn the_key_info_has_permissions_and_addresses_of_the_calling_key() {
    let here = "127.0.0.1".parse::<std::net::IpAddr>().expect("an address");
    let bound = ApiKey::new("boundkey", "secret", "memo").only_from([here]);
    let config = stepped_config()
        .api_key(bound.permissions([Permission::ReadOnly, Permission::SpotTrade]))
        .api_key(ApiKey::new("otherkey", "secret", "memo").frozen())
        .api_key(ApiKey::new("underkey", "secret", "memo").sub_account(2, 1).expires(NOON_MS + 5));
    let sandbox = start(config).await;
    let response = Client::spot(&sandbox).get(INFO).await;
    assert!(
        !response.text.contains("secret") && !response.text.contains("memo"),
        "{}",
        response.text
    );
    assert!(!response.text.contains("otherkey"), "only masked: {}", response.text);
    let info = response.json();
    assert_eq!(info["success"], true);
    let data = &info["data"];
    assert_eq!((&data["cid"], &data["account_type"]), (&json!("1"), &json!("main")));
    assert_eq!(data["parent_cid"], Value::Null);
    let keys = data["api_keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 2, "only keys of the account: {data}");
    let own = keys.iter().find(|row| row["is_current"] == true).expect("the calling key");
    assert_eq!(own["access_key_masked"], "bo****ey");
    assert_eq!(own["permissions"], json!(["Read-only", "Spot-Trade"]));
    assert_eq!(own["ip_whitelist"], json!(["127.0.0.1"]));
    let other = keys.iter().find(|row| row["is_current"] == false).expect("the other key");
    assert_eq!(other["api_key_status"], "frozen");

    let key = ApiKey::new("underkey", "secret", "memo");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    sandbox.freeze_account(2, true).expect("an account");
    let data = sub.get(INFO).await.json()["data"].take();
    assert_eq!((&data["account_type"], &data["parent_cid"]), (&json!("sub"), &json!("1")));
    assert_eq!(data["account_status"], "frozen");
    assert_eq!(data["api_keys"][0]["api_key_expire_time"], NOON_MS + 5);
}

#[tokio::test]
async fn deposits_go_to_the_chosen_account() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let (read, set) = ("/account/v1/get-deposit-account", "/account/v1/set-deposit-account");
    let response = client.get(read).await;
    assert_eq!(response.headers["x-sandbox-response"], "invented");
    assert_eq!(response.data()["account_type"], "SPOT");
    for (word, wallet, currency) in [
        ("FUND", "funding", "USDT"),
        ("CONTRACT", "futures", "USDT"),
        // No contract has BTC as margin.
        ("CONTRACT", "spot", "BTC"),
        ("SPOT", "spot", "USDT"),
    ] {
        let client = Client::spot(&sandbox);
        client.post(set, json!({ "account_type": word })).await.data();
        assert_eq!(client.get(read).await.data()["account_type"], word);
        let before = available(&sandbox, wallet, currency);
        sandbox.deposit(1, currency, Decimal::TEN).expect("a deposit");
        sandbox.advance(Duration::from_secs(31));
        assert_eq!(available(&sandbox, wallet, currency) - before, Decimal::TEN, "{word}");
    }
    let client = Client::spot(&sandbox);
    assert_eq!(client.post(set, json!({ "account_type": "spot" })).await.code(), 60000);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    assert_eq!(sub.post(set, json!({ "account_type": "FUND" })).await.code(), 60026);
}

#[tokio::test]
async fn saved_addresses_are_listed_with_their_kind_and_survive_a_snapshot() {
    let sandbox = start(stepped_config()).await;
    let list = "/account/v1/withdraw/address/list";
    assert_eq!(Client::spot(&sandbox).get(list).await.data(), json!({ "list": [] }));
    let standard = WithdrawAddress::new("T1").currency("USDT").network("TRC20").memo("7");
    for address in [
        standard.remark("cold"),
        WithdrawAddress::new("T2").network("TRC20").unverified(),
        WithdrawAddress::new("0x3"),
    ] {
        sandbox.save_address(1, address).expect("saved");
    }
    let expected = json!({ "list": [
        { "currency": "USDT", "network": "TRC20", "address": "T1", "memo": "7", "remark": "cold",
          "addressType": 0, "verifyStatus": 1 },
        { "network": "TRC20", "address": "T2", "memo": "", "remark": "", "addressType": 1,
          "verifyStatus": 0 },
        { "address": "0x3", "memo": "", "remark": "", "addressType": 2, "verifyStatus": 1 },
    ] });
    assert_eq!(Client::spot(&sandbox).get(list).await.data(), expected);
    let saved = sandbox.snapshot().to_json().expect("a snapshot");
    let saved = Snapshot::from_json(&saved).expect("a snapshot");
    let later = start(Config::new().rate_limits(false).restore(saved)).await;
    assert_eq!(Client::spot(&later).get(list).await.data(), expected);
}

#[tokio::test]
async fn claimed_play_money_is_in_the_futures_wallet_and_its_history() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let before = available(&sandbox, "futures", "USDT");
    let claimed = client.post("/contract/private/claim", json!({})).await.data();
    assert_eq!(claimed, json!({ "currency": "USDT", "amount": "10" }));
    assert_eq!(available(&sandbox, "futures", "USDT") - before, Decimal::TEN);
    let flows = client.get("/contract/private/transaction-history?flow_type=1").await.data();
    assert_eq!(flows[0]["amount"], "10");
}

async fn positions(client: &Client<'_>) -> Vec<(String, String)> {
    let rows = client.get("/contract/private/position-v2").await.data();
    let word = |row: &Value, field: &str| row[field].as_str().expect("text").to_owned();
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| (word(row, "symbol"), word(row, "position_side"))).collect()
}

#[tokio::test]
async fn close_all_closes_the_requested_positions_and_cancels_their_closing_orders() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let order = |symbol: &str, side: u8| {
        json!({
            "symbol": symbol, "side": side, "type": "market", "leverage": "10",
            "open_type": "cross", "size": 2,
        })
    };
    for (symbol, side) in [("BTCUSDT", 1), ("BTCUSDT", 4), ("ETHUSDT", 1)] {
        client.post(FUTURES, order(symbol, side)).await.data();
    }
    let waiting = json!({
        "symbol": "BTCUSDT", "side": 3, "type": "limit", "price": "90000", "size": 2,
    });
    client.post(FUTURES, waiting).await.data();
    let btc = |side: &str| ("BTCUSDT".to_owned(), side.to_owned());
    let eth = ("ETHUSDT".to_owned(), "long".to_owned());
    assert_eq!(positions(&client).await, [btc("long"), btc("short"), eth.clone()]);

    client.post(CLOSE, json!({ "contractType": 2 })).await.data();
    assert_eq!(positions(&client).await.len(), 3, "no contract has a coin as margin");
    let one = json!({ "contractType": 1, "symbol": "BTCUSDT", "position_side": "long" });
    let response = client.post(CLOSE, one).await;
    assert_eq!(response.headers["x-sandbox-response"], "invented");
    response.data();
    assert_eq!(positions(&client).await, [btc("short"), eth]);
    let open = client.get("/contract/private/get-open-orders?symbol=BTCUSDT").await.data();
    assert_eq!(open, json!([]), "the closing order is canceled");
    client.post(CLOSE, json!({ "contractType": 1 })).await.data();
    assert_eq!(positions(&client).await, []);

    let cases = [
        (40034, json!({ "contractType": 1, "symbol": "NOPEUSDT" })),
        (40007, json!({ "contractType": 3 })),
        (40007, json!({ "contractType": 1, "position_side": "both" })),
    ];
    for (code, body) in cases {
        assert_eq!(client.post(CLOSE, body).await.code(), code);
    }
}

#[tokio::test]
async fn repayments_and_interest_are_empty_without_other_collateral() {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let path = "/contract/private/auto_repayment?page=1&size=20&type=AUTO_REPAY";
    let response = client.get(path).await.json();
    assert_eq!((&response["errno"], &response["success"]), (&json!("OK"), &json!(true)));
    assert_eq!(response["data"], json!({ "list": [], "total": 0 }));
    let path = "/contract/private/cross_collateral/interest_log";
    let response = client.get(path).await.json();
    assert_eq!(response["data"], json!({ "items": [], "total": 0 }));
    assert_eq!(client.get(&format!("{path}?page=0")).await.code(), 40007);
}

#[tokio::test]
async fn market_and_currency_details_show_halts_and_closed_currencies() {
    let sandbox = start(stepped_config()).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let contract = || async {
        let data = futures.get("/contract/public/details?symbol=BTCUSDT").await.data();
        (data["symbols"][0]["status"].clone(), data["symbols"][0]["delist_time"].clone())
    };
    assert_eq!(contract().await, (json!("Trading"), json!(0)));
    sandbox.halt("BTCUSDT", true).expect("a market");
    assert_eq!(contract().await, (json!("Paused"), json!(0)));
    sandbox.delist("BTCUSDT", true).expect("a contract");
    assert_eq!(contract().await, (json!("Delisted"), json!(NOON_MS / 1_000)));
    sandbox.delist("BTCUSDT", false).expect("a contract");
    sandbox.halt("BTCUSDT", false).expect("a market");
    assert_eq!(contract().await, (json!("Trading"), json!(0)));
    sandbox.delist("BTC_USDT", true).expect_err("no contract");

    sandbox.halt("BTC_USDT", true).expect("a market");
    let pairs = spot.get("/spot/v1/symbols/details").await.data();
    let pair = |name: &str| {
        let rows = pairs["symbols"].as_array().expect("a list").iter();
        rows.clone().find(|row| row["symbol"] == name).expect("a pair")["trade_status"].clone()
    };
    assert_eq!((pair("BTC_USDT"), pair("ETH_USDT")), (json!("pre-trade"), json!("trading")));

    sandbox
        .set_currency_open("USDT-ERC20", OpenPayments { deposits: true, withdrawals: false })
        .expect("a currency");
    sandbox
        .set_currency_open("BTC", OpenPayments { deposits: false, withdrawals: true })
        .expect("a currency");
    let rows = spot.get("/account/v1/currencies?currencies=USDT,BTC").await.data();
    let rows = rows["currencies"].as_array().expect("a list").iter();
    let open = |row: &Value| {
        let flag = |name: &str| row[name].as_bool().expect("a flag");
        let code = row["currency"].as_str().expect("text").to_owned();
        (code, flag("deposit_enabled"), flag("withdraw_enabled"))
    };
    let expected = [("BTC", false, true), ("USDT-TRC20", true, true), ("USDT-ERC20", true, false)];
    let expected = expected.map(|row| (row.0.to_owned(), row.1, row.2));
    assert_eq!(rows.map(open).collect::<Vec<_>>(), expected);
    sandbox
        .set_currency_open("NOPE", OpenPayments { deposits: true, withdrawals: true })
        .expect_err("no currency");
}
