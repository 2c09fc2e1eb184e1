//! Snapshot and restore: a restored exchange continues like the original.

mod common;

use std::time::Duration;

use bitmart_sandbox::{
    ApiKey, Balance, Book, Config, Contract, Decimal, Fill, Order, Permission, Sandbox, Snapshot,
    SpotPair, WalletKind,
};
use common::{Client, Socket, start};
use serde_json::json;

/// A few markets, so that a snapshot is small.
fn few_markets() -> Config {
    let pairs = SpotPair::listed().into_iter().take(5).collect::<Vec<_>>();
    Config::new().pairs(pairs).contracts(Contract::listed().into_iter().take(3).collect::<Vec<_>>())
}

fn stepped_config() -> Config {
    few_markets().seed(9).stepped_clock(1_700_000_000_000).rate_limits(false)
}

/// Orders of all kinds on both hosts, some of which rest, with the market moving in between.
async fn trade(sandbox: &Sandbox, name: &str) {
    for round in 0..8 {
        let (spot, futures) = (Client::spot(sandbox), Client::futures(sandbox));
        let client_order_id = |what: &str| format!("{name}{what}{round}");
        spot.order(json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "137.5", "client_order_id": client_order_id("m") })).await;
        let resting = json!({ "symbol": "ETH_USDT", "side": "sell", "type": "limit", "price": "3100", "size": "0.1", "client_order_id": client_order_id("l") });
        let id = spot.order(resting).await;
        if round % 2 == 0 {
            let cancel = json!({ "symbol": "ETH_USDT", "order_id": id });
            spot.post("/spot/v3/cancel_order", cancel).await.data();
        }
        for (side, kind) in [(1, "limit"), (3, "market")] {
            let order = json!({ "symbol": "BTCUSDT", "side": side, "type": kind, "leverage": "10", "open_type": "cross", "price": "70000", "size": 3 - side / 2 });
            futures.post("/contract/private/submit-order", order).await.data();
        }
        sandbox.step_market(25);
    }
}

type Ledger = (u64, Vec<Fill>, Vec<Order>, Vec<Balance>, Vec<Option<Book>>);

fn ledger(sandbox: &Sandbox) -> Ledger {
    let books = ["BTC_USDT", "ETH_USDT", "BMX_USDT", "BTCUSDT", "SOLUSDT"];
    let books = books.iter().map(|symbol| sandbox.book(symbol)).collect();
    (sandbox.now_ms(), sandbox.fills(), sandbox.orders(), sandbox.balances(), books)
}

fn json_of(sandbox: &Sandbox) -> Vec<u8> {
    sandbox.snapshot().to_json().expect("JSON")
}

async fn restore(snapshot: &[u8]) -> Sandbox {
    let snapshot = Snapshot::from_json(snapshot).expect("a snapshot");
    start(Config::new().rate_limits(false).restore(snapshot)).await
}

#[tokio::test]
async fn the_same_inputs_after_a_restore_give_the_same_ledger() {
    let first = start(stepped_config()).await;
    trade(&first, "a").await;
    // Pending when the snapshot is taken, so it is credited in both runs.
    first.deposit(1, "BTC", Decimal::ONE).expect("an id");
    // A margin account with a loan, on which interest falls due.
    let spot = Client::spot(&first);
    let amount = json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": "500", "side": "in" });
    spot.post("/spot/v1/margin/isolated/transfer", amount).await.data();
    let amount = json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": "50" });
    spot.post("/spot/v1/margin/isolated/borrow", amount).await.data();
    let snapshot = json_of(&first);
    let second = restore(&snapshot).await;
    assert!(json_of(&second) == snapshot, "the restored state differs");
    assert_eq!(second.credentials(), first.credentials());
    for sandbox in [&first, &second] {
        sandbox.advance(Duration::from_secs(7200));
        trade(sandbox, "b").await;
    }
    let (one, other) = (ledger(&first), ledger(&second));
    assert!(one.1.len() > 40 && one.2.len() == 64, "{} and {}", one.1.len(), one.2.len());
    assert_eq!(one, other);
    assert_eq!(json_of(&first), json_of(&second));
}

#[tokio::test]
async fn client_order_ids_and_open_orders_are_restored() {
    let first = start(stepped_config()).await;
    trade(&first, "a").await;
    let second = restore(&json_of(&first)).await;
    let spot = Client::spot(&second);
    let duplicate = json!({ "symbol": "ETH_USDT", "side": "sell", "type": "limit", "price": "3100", "size": "0.1", "client_order_id": "al1" });
    assert_eq!(spot.post("/spot/v2/submit_order", duplicate).await.code(), 50042);
    let canceled = spot.post("/spot/v4/cancel_all", json!({})).await;
    assert_eq!(canceled.code(), 1000, "{}", canceled.text);
    let frozen = second.balances().into_iter().filter(|row| row.wallet == "spot");
    assert!(frozen.map(|row| row.frozen).all(|amount| amount.is_zero()));
}

#[tokio::test]
async fn trigger_orders_are_restored() {
    let first = start(stepped_config()).await;
    let near = first.book("BTCUSDT").expect("a book").asks[10].0;
    let plan = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "cross", "size": 1,
        "trigger_price": near.to_string(), "price_way": 1, "price_type": 1,
    });
    let path = "/contract/private/submit-plan-order";
    let id = Client::futures(&first).post(path, plan).await.data()["order_id"].to_string();
    let trail = json!({
        "symbol": "BTCUSDT", "side": 1, "leverage": "10", "open_type": "cross", "size": 1,
        "activation_price": near.to_string(), "activation_price_type": 1, "callback_rate": "0.1",
    });
    Client::futures(&first).post("/contract/private/submit-trail-order", trail).await.data();
    let second = restore(&json_of(&first)).await;
    for sandbox in [&first, &second] {
        sandbox.step_market(1_000);
    }
    assert_eq!(json_of(&first), json_of(&second));
    let placed = |order: &&Order| order.client_order_id == format!("PLAN_{id}");
    assert_eq!(second.orders().iter().filter(placed).count(), 1, "the plan order has not fired");
}

#[tokio::test]
async fn book_versions_are_restored() {
    let first = start(stepped_config()).await;
    first.step_market(10);
    let topic = "spot/depth/increase100:BTC_USDT";
    let version = async |sandbox: &Sandbox| {
        let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
        socket.subscribe_spot(topic).await;
        socket.binary().await["data"][0]["version"].clone()
    };
    let second = restore(&json_of(&first)).await;
    assert_eq!(version(&second).await, version(&first).await);
}

#[tokio::test]
async fn keys_created_at_run_time_are_restored_without_stored_secrets() {
    let first = start(stepped_config()).await;
    let account = first.create_account().expect("stored");
    let key = first.create_key(account, [Permission::ReadOnly]).expect("a key");
    first.set_balance(account, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    let bytes = json_of(&first);
    let text = String::from_utf8(bytes.clone()).expect("text");
    assert!(!text.contains(&key.secret) && !text.contains(&first.credentials().secret));
    let second = restore(&bytes).await;
    let client = Client { key: &key, ..Client::spot(&second) };
    let wallet = client.get("/spot/v1/wallet").await.data();
    let btc = wallet["wallet"].as_array().expect("rows").iter().find(|row| row["id"] == "BTC");
    assert_eq!(btc.expect("a row")["available"], "2.00000000");
    let next = |sandbox: &Sandbox| sandbox.create_key(1, []).expect("a key");
    assert_eq!(next(&first), next(&second));
}

#[tokio::test]
async fn time_does_not_go_back_and_configured_keys_have_their_accounts() {
    let first = start(few_markets()).await;
    let (snapshot_ms, snapshot) = (first.now_ms(), first.snapshot());
    let real = start(Config::new().restore(snapshot.clone())).await;
    real.advance(Duration::from_secs(3600));
    assert!((snapshot_ms..snapshot_ms + 3_600_000).contains(&real.now_ms()));
    let key = ApiKey::new("other", "secret", "memo").account(9);
    let config = Config::new().api_key(key).stepped_clock(5).restore(snapshot);
    let stepped = start(config).await;
    assert!(stepped.now_ms() >= snapshot_ms);
    let client = Client::spot(&stepped);
    let wallet = client.get("/spot/v1/wallet").await.data();
    assert_eq!(wallet["wallet"].as_array().map(Vec::len), Some(21));
    assert!(stepped.balances().iter().any(|row| row.account == 9));
}

#[test]
fn invalid_snapshots_are_rejected() {
    for (text, message) in [
        ("", "not a snapshot"),
        ("{}", "missing field `format`"),
        (r#"{"format":99}"#, "format 99"),
        (r#"{"format":3}"#, "missing field"),
        (r#"{"format":4,"tide":0}"#, "unknown field `tide`"),
        (r#"{"format":2}"#, "format 2 of another version; this version reads 3 to 5"),
    ] {
        let error = Snapshot::from_json(text.as_bytes()).expect_err("no snapshot").to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

/// It would end the exchange with the first posting between two currencies.
#[tokio::test]
async fn a_snapshot_in_which_a_wallet_has_money_of_another_currency_is_refused() {
    let sandbox = start(stepped_config()).await;
    let mut snapshot: serde_json::Value = serde_json::from_slice(&json_of(&sandbox)).expect("JSON");
    let wallets = &mut snapshot["exchange"]["accounts"]["1"]["spot"];
    wallets["USDT"] = wallets["BTC"].clone();
    let refused = Snapshot::from_json(snapshot.to_string().as_bytes()).expect_err("refused");
    assert!(refused.to_string().contains("an account lacks a wallet"), "{refused}");
}
