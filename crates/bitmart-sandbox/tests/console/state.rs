//! The pages about accounts and markets: orders, balances, leverage brackets.

use bitmart_sandbox::Decimal;
use serde_json::json;

use crate::{
    SUBMIT,
    browser::{Browser, sandbox},
    common::Client,
};

/// The text of the cells of a table, without markup.
fn cells(page: &str, table: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.split_once(&format!("<table id=\"{table}\">")).expect("a table");
    let body =
        rest.split_once("<tbody>").expect("rows").1.split_once("</tbody>").expect("an end").0;
    let text = |cell: &str| {
        let parts = cell.split('<').filter_map(|part| part.split_once('>'));
        parts.map(|part| part.1.trim()).collect::<String>()
    };
    let cells =
        |row: &str| row.split("</t").map(text).filter(|text| !text.is_empty()).collect::<Vec<_>>();
    body.split("</tr>").map(cells).filter(|row| !row.is_empty()).collect()
}

fn encode(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    bytes.concat()
}

#[tokio::test]
async fn a_form_sets_the_leverage_brackets_of_a_contract() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let page = browser.get("/console/markets/BTCUSDT").await.text;
    assert!(
        page.contains("{&#34;leverage&#34;:100,&#34;cap&#34;:&#34;"),
        "it is filled in: {page}"
    );
    assert!(!browser.get("/console/markets/BTC_USDT").await.text.contains("set_brackets"));
    let send = |brackets: &str| {
        let body =
            format!("symbol=BTCUSDT&brackets={}&back=/console/markets/BTCUSDT", encode(brackets));
        let browser = &browser;
        async move {
            browser.post("/console/call/set_brackets", &body).await;
            browser.get("/console/markets/BTCUSDT").await.text
        }
    };
    let rows = "[{\"leverage\":20,\"cap\":\"10000\",\"ratio\":\"0.01\"},\n {\"leverage\":5,\"cap\":60000,\"ratio\":0.1}]";
    let page = send(rows).await;
    let table = cells(&page, "brackets");
    assert_eq!(table, [["20", "0", "10000", "0.01"], ["5", "10000", "60000", "0.1"]], "{page}");
    let page = send("[{\"leverage\":20,\"cap\":\"10000\",\"ratio\":\"0.05\"}]").await;
    assert!(page.contains("below 1 / leverage"), "{page}");
    assert!(send("20 10000").await.contains("brackets is a list in JSON"));
    assert_eq!(cells(&send("").await, "brackets").len(), 2, "nothing was changed");
}

#[tokio::test]
async fn waiting_trigger_orders_have_their_condition_price_and_size() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let plan = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross", "size": 2,
        "trigger_price": "55000", "executive_price": "54000", "price_way": 2, "price_type": 2,
    });
    Client::futures(&sandbox).post("/contract/private/submit-plan-order", plan).await.data();
    let trail = json!({
        "symbol": "BTCUSDT", "side": 1, "leverage": "10", "open_type": "cross", "size": 3,
        "activation_price": "40000", "callback_rate": "1", "activation_price_type": 1,
    });
    Client::futures(&sandbox).post("/contract/private/submit-trail-order", trail).await.data();
    let algo = json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "trigger", "trigger_type": "limit",
        "trigger_price": "70000", "price": "70100", "size": "0.5",
    });
    Client::spot(&sandbox).post("/spot/v4/algo/submit_order", algo).await.data();
    let page = browser.get("/console/accounts/1").await.text;
    let rows: Vec<Vec<String>> =
        cells(&page, "open").into_iter().map(|row| row[4..].to_vec()).collect();
    let rows: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    for row in [
        ["open long", "mark price ≤ 55000", "54000", "2", "0", "waiting"],
        ["open long", "last price turns by 1 % after 40000", "market", "3", "0", "waiting"],
        ["buy", "last price ≥ 70000", "70100", "0.5", "0", "waiting"],
    ] {
        assert!(rows.iter().any(|found| found[..] == row[..]), "{row:?}: {rows:?}");
    }
    let list = cells(&browser.get("/console/markets").await.text, "markets");
    let open = |symbol: &str| {
        let row = list.iter().find(|row| row[0] == symbol).expect("a row");
        row[row.len() - 2].clone()
    };
    assert_eq!((open("BTCUSDT").as_str(), open("BTC_USDT").as_str()), ("2", "1"));
}

#[tokio::test]
async fn the_balance_after_the_latest_movement_is_that_of_the_wallet() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let spot = Client::spot(&sandbox);
    let market =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500" });
    spot.post(SUBMIT, market).await.data();
    let open = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "isolated", "size": 7,
    });
    Client::futures(&sandbox).post("/contract/private/submit-order", open).await.data();
    let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    spot.post(SUBMIT, resting).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "30", "type": "spot_to_contract" });
    spot.post("/account/v1/transfer-contract", transfer).await.data();
    browser
        .post("/console/call/set_balance", "account=1&wallet=funding&currency=USDT&amount=12.5")
        .await;
    let page = browser.get("/console/accounts/1").await.text;
    let rows = cells(&page, "ledger");
    let number = |text: &str| text.parse::<Decimal>().expect("a number");
    let wallets = sandbox.balances();
    let sum = |names: &[&str], currency: &str| {
        let own =
            wallets.iter().filter(|row| names.contains(&row.wallet) && row.currency == currency);
        own.map(|row| row.available + row.frozen).sum::<Decimal>()
    };
    let cash = rows.iter().find(|row| row[1] != "futures" && row[3] == "USDT").expect("a row");
    assert_eq!(number(&cash[5]), sum(&["spot", "funding"], "USDT"), "{rows:?}");
    let bought = rows.iter().find(|row| row[3] == "BTC").expect("a row");
    assert_eq!(number(&bought[5]), sum(&["spot", "funding"], "BTC"), "{rows:?}");
    // The margin of the position is a part of it.
    let futures = rows.iter().find(|row| row[1] == "futures").expect("a row");
    let positions = cells(&page, "positions");
    assert_eq!(
        number(&futures[5]),
        sum(&["futures"], "USDT") + number(&positions[0][6]),
        "{rows:?}"
    );
    // Each balance is that of the row below it plus its amount.
    for wallet in [&["futures"][..], &["spot", "funding", "spot or funding"]] {
        let own: Vec<_> = rows
            .iter()
            .filter(|row| wallet.contains(&row[1].as_str()) && row[3] == "USDT")
            .collect();
        assert!(own.len() > 1, "{rows:?}");
        for pair in own.windows(2) {
            assert_eq!(number(&pair[0][5]), number(&pair[1][5]) + number(&pair[0][4]), "{pair:?}");
        }
    }
}
