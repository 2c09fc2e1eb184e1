//! Codes of withdrawals, transfers and margin.

use bitmart_sandbox::{Decimal, Sandbox};
use serde_json::{Value, json};

use super::{
    TriggeredCodes,
    common::{Client, start},
    limit_buy, stepped_config, with,
};

const SUB: &str = "account2@sandbox.test";

pub(super) async fn withdrawals(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let apply = "/account/v1/withdraw/apply";
    let good = json!({ "currency": "USDT-TRC20", "amount": "10", "address": "T1" });
    let order = |patch: Value| with(good.clone(), patch);
    let to =
        |receiver: &str| json!({ "currency": "USDT", "amount": "1", "type": 1, "value": receiver });
    let cases = vec![
        (60002, order(json!({ "currency": "NOPE" }))),
        (60005, order(json!({ "amount": "0.0001" }))),
        (60006, order(json!({ "amount": "1.123456789" }))),
        (60011, order(json!({ "address": null }))),
        (60008, order(json!({ "amount": "1000000" }))),
        (60053, to("99")),
        (60065, to("1")),
    ];
    triggered.post(&client, apply, cases).await;
    triggered.post(&sub, apply, vec![(60054, good.clone())]).await;
    triggered.get(&sub, &[(60026, "/account/v1/withdraw/charge?currency=USDT")]).await;
    let spot = bitmart_sandbox::WalletKind::Spot;
    sandbox.set_balance(1, spot, "BTC", Decimal::from(200)).expect("a balance");
    let quota = order(json!({ "currency": "BTC", "amount": "101" }));
    triggered.post(&client, apply, vec![(60064, quota)]).await;

    let list = "/account/v2/deposit-withdraw/history?operation_type=deposit&N=1";
    let cases = [
        (60010, "/account/v1/deposit-withdraw/detail?id=1"),
        (60067, &format!("{list}&startTime=1&endTime=7776000002")),
        (60067, &format!("{list}&startTime=2&endTime=1")),
        (60066, &format!("{list}&startTime=1")),
    ];
    triggered.get(&client, &cases).await;
}

pub(super) async fn transfers(triggered: &mut TriggeredCodes) {
    let sandbox: Sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let key = sandbox.sub_account_credentials().expect("a sub-account");
    let sub = Client { key: &key, ..Client::spot(&sandbox) };
    let own = |currency: &str, amount: &str, kind: &str| json!({ "currency": currency, "amount": amount, "type": kind });
    let cases = vec![
        (60002, own("NOPE", "1", "spot_to_fund")),
        (60008, own("USDT", "1000000", "spot_to_fund")),
    ];
    triggered.post(&client, "/account/v1/transfer", cases).await;
    let cases = vec![
        (40005, own("USDT", "1.123456789", "spot_to_contract")),
        (42000, own("USDT", "1000000", "spot_to_contract")),
    ];
    triggered.post(&Client::futures(&sandbox), "/account/v1/transfer-contract", cases).await;

    let good = json!({ "requestNo": "1", "amount": "1", "currency": "USDT", "subAccount": SUB });
    let between = |patch: Value| with(good.clone(), patch);
    let to_sub = "/account/sub-account/main/v1/main-to-sub";
    let cases = vec![
        (61000, between(json!({ "amount": "0" }))),
        (61001, between(json!({ "amount": "1000000" }))),
        (61003, between(json!({ "subAccount": "nobody" }))),
        (1000, good.clone()),
        (61004, good.clone()),
    ];
    triggered.post(&client, to_sub, cases).await;
    triggered.post(&sub, to_sub, vec![(60026, good)]).await;
    let other = json!({ "requestNo": "2", "amount": "1", "currency": "USDT", "fromAccount": SUB, "toAccount": "nobody" });
    triggered.post(&client, "/account/sub-account/main/v1/sub-to-sub", vec![(61002, other)]).await;
    let up = json!({ "requestNo": "3", "amount": "1", "currency": "USDT" });
    triggered.post(&client, "/account/sub-account/sub/v1/sub-to-main", vec![(60027, up)]).await;
}

pub(super) async fn margin(triggered: &mut TriggeredCodes) {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let sum = |amount: &str| json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": amount });
    let path = |call: &str| format!("/spot/v1/margin/isolated/{call}");
    triggered.post(&client, "/spot/v1/margin/submit_order", vec![(51001, limit_buy())]).await;
    let other = with(sum("100"), json!({ "currency": "ETH" }));
    triggered.post(&client, &path("borrow"), vec![(51000, other)]).await;
    let into = with(sum("1000"), json!({ "side": "in" }));
    triggered.post(&client, &path("transfer"), vec![(1000, into)]).await;
    let maker = |side: &str, price: &str| {
        with(limit_buy(), json!({ "type": "limit_maker", "side": side, "price": price }))
    };
    let cases = vec![(50034, maker("buy", "90000")), (50035, maker("sell", "30000"))];
    triggered.post(&client, "/spot/v1/margin/submit_order", cases).await;
    triggered.post(&client, &path("repay"), vec![(51024, sum("1"))]).await;
    let cases = vec![(51005, sum("9")), (51004, sum("4001")), (1000, sum("100"))];
    triggered.post(&client, &path("borrow"), cases).await;
    triggered.post(&client, &path("repay"), vec![(51006, sum("101"))]).await;
}
