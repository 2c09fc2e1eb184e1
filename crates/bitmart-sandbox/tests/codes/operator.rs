//! Codes that the operator of the exchange causes: frozen accounts, delisted contracts, closed currencies, addresses.

use bitmart_sandbox::{Decimal, NetworkTerms, OpenPayments, Sandbox, WithdrawAddress};
use serde_json::{Value, json};

use super::{
    FUTURES, SUBMIT, TriggeredCodes,
    common::{Client, start},
    limit_buy, stepped_config,
};

const APPLY: &str = "/account/v1/withdraw/apply";
const ADDRESS: &str = "/account/v1/deposit/address?currency=";

fn withdrawal(currency: &str, address: &str) -> Value {
    json!({ "currency": currency, "amount": "10", "address": address })
}

pub(super) async fn frozen_accounts(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let claim = "/contract/private/claim";
    for account in [1, 2] {
        sandbox.freeze_account(account, true).expect("an account");
    }
    triggered.post(&client, SUBMIT, vec![(53000, limit_buy())]).await;
    triggered.post(&client, APPLY, vec![(60063, withdrawal("USDT", "T1"))]).await;
    triggered.post(&Client::futures(&sandbox), claim, vec![(60063, json!({}))]).await;
    let up = json!({ "requestNo": "1", "amount": "1", "currency": "USDT" });
    triggered.post(&sub, "/account/sub-account/sub/v1/sub-to-main", vec![(60029, up)]).await;
    // Reads are still accepted.
    triggered.get(&client, &[(1000, "/account/v1/wallet")]).await;
    sandbox.freeze_account(1, false).expect("an account");
    triggered.post(&client, SUBMIT, vec![(1000, limit_buy())]).await;
    let list = client.get("/account/sub-account/main/v1/subaccount-list").await.data();
    assert_eq!(list["subAccountList"][0]["status"], 2);
    sandbox.freeze_account(9, true).expect_err("no such account");
}

pub(super) async fn delisted_contracts(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::futures(&sandbox);
    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "price": "50000", "size": 1,
    });
    sandbox.delist("BTCUSDT", true).expect("a contract");
    // The delisting takes precedence over the halt.
    sandbox.halt("BTCUSDT", true).expect("a market");
    triggered.post(&client, FUTURES, vec![(40014, order.clone())]).await;
    sandbox.delist("BTCUSDT", false).expect("a contract");
    triggered.post(&client, FUTURES, vec![(40015, order)]).await;
}

pub(super) async fn closed_currencies(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    sandbox
        .set_currency_open("USDT-ERC20", OpenPayments { deposits: false, withdrawals: false })
        .expect("a currency");
    sandbox
        .set_currency_open("BTC", OpenPayments { deposits: false, withdrawals: false })
        .expect("a currency");
    let address = |currency: &str| format!("{ADDRESS}{currency}");
    let cases = [
        (60003, &*address("BTC")),
        (60003, &address("USDT-ERC20")),
        (1000, &address("USDT-TRC20")),
    ];
    triggered.get(&client, &cases).await;
    let cases = vec![
        (60004, withdrawal("BTC", "T1")),
        (60004, withdrawal("BTC-BTC", "T1")),
        (60056, withdrawal("USDT-ERC20", "T1")),
        (1000, withdrawal("USDT-TRC20", "T1")),
    ];
    triggered.post(&client, APPLY, cases).await;
    assert_eq!(sandbox.deposit(1, "BTC", Decimal::ONE), None);
    sandbox
        .set_currency_open("BTC", OpenPayments { deposits: true, withdrawals: true })
        .expect("a currency");
    triggered.get(&client, &[(1000, &*address("BTC"))]).await;
}

pub(super) async fn saved_addresses(triggered: &mut TriggeredCodes) {
    let sandbox: Sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let save = |address| sandbox.save_address(1, address).expect("saved");
    save(WithdrawAddress::new("T1").currency("USDT").network("TRC20"));
    save(WithdrawAddress::new("T2").network("TRC20").unverified());
    let cases = vec![
        (1000, withdrawal("USDT-TRC20", "T1")),
        (1000, withdrawal("USDT", "T1")),
        (60007, withdrawal("USDT-ERC20", "T1")),
        (60007, withdrawal("BTC", "T1")),
        (60007, withdrawal("USDT-TRC20", "T3")),
        (60015, withdrawal("USDT-TRC20", "T2")),
    ];
    triggered.post(&client, APPLY, cases).await;
    // A withdrawal to another account of the exchange needs no saved address.
    let inside = json!({ "currency": "USDT", "amount": "1", "type": 1, "value": "2" });
    triggered.post(&client, APPLY, vec![(1000, inside)]).await;
    for address in [WithdrawAddress::new(" "), WithdrawAddress::new("x".repeat(257))] {
        sandbox.save_address(1, address).expect_err("no address");
    }
}

pub(super) async fn network_terms(triggered: &mut TriggeredCodes) {
    let sandbox: Sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let terms = NetworkTerms::new().fee(Decimal::ONE).minimum(Decimal::TEN).decimals(1);
    sandbox.set_network("XRP", terms.multiple_of(5).needs_memo()).expect("a currency");
    let apply = |amount: &str, memo: &str| json!({ "currency": "XRP", "amount": amount, "address": "r1", "address_memo": memo });
    let cases = vec![
        (60006, apply("10.05", "7")),
        (60013, apply("12", "7")),
        (60005, apply("5", "7")),
        (60014, apply("10", "")),
        (1000, apply("10", "7")),
    ];
    triggered.post(&client, APPLY, cases).await;
    let quota = client.get("/account/v1/withdraw/charge?currency=XRP").await.data();
    assert_eq!(quota["withdraw_precision"], 1, "{quota}");
    assert_eq!(quota["withdraw_Precision_GeTen"], 5, "{quota}");
    let own = client.get(&format!("{ADDRESS}XRP")).await.data();
    assert_eq!(own["address_memo"], "1", "an account is known by its memo: {own}");
    let rows = client.get("/account/v2/deposit-withdraw/history?operation_type=withdraw&N=1");
    let row = rows.await.data()["records"][0].clone();
    assert_eq!((&row["fee"], &row["arrival_amount"]), (&json!("1"), &json!("9")), "{row}");
    let other = client.get(&format!("{ADDRESS}BTC")).await.data();
    assert_eq!(other["address_memo"], "");
    sandbox.set_network("NOPE", NetworkTerms::new()).expect_err("no such currency");
    sandbox.set_network("XRP", NetworkTerms::new().decimals(9)).expect_err("too many decimals");
}
