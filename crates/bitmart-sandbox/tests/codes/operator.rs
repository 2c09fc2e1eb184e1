//! Codes of what the operator of the exchange has decided.

use bitmart_sandbox::{Sandbox, WithdrawAddress};
use serde_json::{Value, json};

use super::{
    FUTURES, SUBMIT, Seen,
    common::{Client, start},
    limit_buy, still,
};

const APPLY: &str = "/account/v1/withdraw/apply";
const ADDRESS: &str = "/account/v1/deposit/address?currency=";

fn withdrawal(currency: &str, address: &str) -> Value {
    json!({ "currency": currency, "amount": "10", "address": address })
}

pub(super) async fn frozen_accounts(seen: &mut Seen) {
    let sandbox = start(still()).await;
    let client = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let claim = "/contract/private/claim";
    for account in [1, 2] {
        sandbox.freeze_account(account, true).expect("an account");
    }
    seen.post(&client, SUBMIT, vec![(53000, limit_buy())]).await;
    seen.post(&client, APPLY, vec![(60063, withdrawal("USDT", "T1"))]).await;
    seen.post(&Client::futures(&sandbox), claim, vec![(60063, json!({}))]).await;
    let up = json!({ "requestNo": "1", "amount": "1", "currency": "USDT" });
    seen.post(&sub, "/account/sub-account/sub/v1/sub-to-main", vec![(60029, up)]).await;
    // Reading goes on.
    seen.get(&client, &[(1000, "/account/v1/wallet")]).await;
    sandbox.freeze_account(1, false).expect("an account");
    seen.post(&client, SUBMIT, vec![(1000, limit_buy())]).await;
    let list = client.get("/account/sub-account/main/v1/subaccount-list").await.data();
    assert_eq!(list["subAccountList"][0]["status"], 2);
    sandbox.freeze_account(9, true).expect_err("no such account");
}

pub(super) async fn delisted_contracts(seen: &mut Seen) {
    let sandbox = start(still()).await;
    let client = Client::futures(&sandbox);
    let order = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross",
        "price": "50000", "size": 1,
    });
    sandbox.delist("BTCUSDT", true).expect("a contract");
    // It is no longer the halt that matters.
    sandbox.halt("BTCUSDT", true).expect("a market");
    seen.post(&client, FUTURES, vec![(40014, order.clone())]).await;
    sandbox.delist("BTCUSDT", false).expect("a contract");
    seen.post(&client, FUTURES, vec![(40015, order)]).await;
}

pub(super) async fn closed_currencies(seen: &mut Seen) {
    let sandbox = start(still()).await;
    let client = Client::spot(&sandbox);
    sandbox.open_currency("USDT-ERC20", false, false).expect("a currency");
    sandbox.open_currency("BTC", false, false).expect("a currency");
    let address = |currency: &str| format!("{ADDRESS}{currency}");
    let cases = [
        (60003, &*address("BTC")),
        (60003, &address("USDT-ERC20")),
        (1000, &address("USDT-TRC20")),
    ];
    seen.get(&client, &cases).await;
    let cases = vec![
        (60004, withdrawal("BTC", "T1")),
        (60004, withdrawal("BTC-BTC", "T1")),
        (60056, withdrawal("USDT-ERC20", "T1")),
        (1000, withdrawal("USDT-TRC20", "T1")),
    ];
    seen.post(&client, APPLY, cases).await;
    assert_eq!(sandbox.deposit(1, "BTC", bitmart_sandbox::Decimal::ONE), None);
    sandbox.open_currency("BTC", true, true).expect("a currency");
    seen.get(&client, &[(1000, &*address("BTC"))]).await;
}

pub(super) async fn saved_addresses(seen: &mut Seen) {
    let sandbox: Sandbox = start(still()).await;
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
    seen.post(&client, APPLY, cases).await;
    // Another account of the exchange needs no address.
    let inside = json!({ "currency": "USDT", "amount": "1", "type": 1, "value": "2" });
    seen.post(&client, APPLY, vec![(1000, inside)]).await;
    for address in [WithdrawAddress::new(" "), WithdrawAddress::new("x".repeat(257))] {
        sandbox.save_address(1, address).expect_err("no address");
    }
}
