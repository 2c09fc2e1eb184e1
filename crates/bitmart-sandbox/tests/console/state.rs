//! The pages about accounts, markets, saved states and scenarios: orders, balances, leverage brackets, comparisons, and
//! forms whose call was rejected.

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

/// An open order is the same on every page: in the sums of the overview, of the list of accounts and of markets.
#[tokio::test]
async fn all_pages_count_the_same_open_orders() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let algo = json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "trigger", "trigger_type": "limit",
        "trigger_price": "70000", "price": "70100", "size": "0.5",
    });
    let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    let spot = Client::spot(&sandbox);
    spot.post("/spot/v4/algo/submit_order", algo).await.data();
    spot.post(SUBMIT, resting).await.data();
    let overview = browser.get("/console").await.text;
    assert!(overview.contains("<span data-stat=\"orders\">2</span>"), "{overview}");
    let accounts = cells(&browser.get("/console/accounts").await.text, "accounts");
    let own = accounts.iter().find(|row| row[0] == "1").expect("a row");
    assert_eq!(own[own.len() - 2], "2", "{own:?}");
    let markets = cells(&browser.get("/console/markets").await.text, "markets");
    let own = markets.iter().find(|row| row[0] == "BTC_USDT").expect("a row");
    assert_eq!(own[own.len() - 2], "2", "{own:?}");
    let page = browser.get("/console/accounts/1").await.text;
    assert_eq!(cells(&page, "open").len(), 2);
}

/// Every change of a balance is a movement in the table, so that counting back leads to the first balance. Transfers to
/// margin are not kept: after one, the table has no balances of the spot wallet.
#[tokio::test]
async fn counted_back_over_all_movements_a_balance_is_that_of_the_beginning() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let sum = |wallets: &[&str], currency: &str| {
        let rows = sandbox.balances().into_iter();
        let own = rows.filter(|row| wallets.contains(&row.wallet) && row.currency == currency);
        own.filter(|row| row.account == 1).map(|row| row.available + row.frozen).sum::<Decimal>()
    };
    let cash = ["spot", "funding"];
    let begin_balances = [sum(&cash, "USDT"), sum(&cash, "BTC"), sum(&["futures"], "USDT")];
    let market =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500" });
    spot.post(SUBMIT, market).await.data();
    let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    spot.post(SUBMIT, resting).await.data();
    let open = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "isolated", "size": 7,
    });
    futures.post("/contract/private/submit-order", open).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "30", "type": "spot_to_contract" });
    spot.post("/account/v1/transfer-contract", transfer).await.data();
    let path = "/newearn/cloud/v1/saving/product?currentPage=1&sizePage=100&coinName=USDT";
    let product = spot.get(path).await.data()["list"][0]["productId"].clone();
    let mut body =
        json!({ "productId": product, "amount": "7", "requestNo": format!("{:020}", 1) });
    spot.post("/newearn/cloud/v1/saving/subscribe", body).await.data();
    let path = "/newearn/cloud/v1/saving/earn?coinName=USDT&currentPage=1&sizePage=10";
    let saving = spot.get(path).await.data()["list"][0]["earnId"].clone();
    body = json!({ "earnId": saving, "amount": "3", "requestNo": format!("{:020}", 2) });
    spot.post("/newearn/cloud/v1/saving/redeem", body).await.data();
    for (wallet, amount) in [("spot", "2345.5"), ("funding", "12.5"), ("futures", "3456.5")] {
        let body = format!("account=1&wallet={wallet}&currency=USDT&amount={amount}");
        browser.post("/console/call/set_balance", &body).await;
    }
    browser.post("/console/call/deposit", "account=1&currency=BTC&amount=2.5").await;
    browser.post("/console/call/advance_clock", "ms=600000").await;
    let page = browser.get("/console/accounts/1").await.text;
    let rows = cells(&page, "ledger");
    for what in ["buy BTC_USDT", "transfer", "savings", "redemption of savings", "deposit"] {
        assert!(rows.iter().any(|row| row[2] == what), "{what}: {rows:?}");
    }
    let number = |text: &str| text.parse::<Decimal>().expect("a number");
    // The margin of the position is a part of it.
    let positions = cells(&page, "positions");
    let margin = number(&positions[0][6]);
    let present_balances =
        [sum(&cash, "USDT"), sum(&cash, "BTC"), sum(&["futures"], "USDT") + margin];
    for (at, (is_futures, currency)) in
        [(false, "USDT"), (false, "BTC"), (true, "USDT")].into_iter().enumerate()
    {
        let own =
            rows.iter().filter(|row| (row[1] == "futures") == is_futures && row[3] == currency);
        let own: Vec<_> = own.collect();
        assert_eq!(number(&own[0][5]), present_balances[at], "{own:?}");
        for pair in own.windows(2) {
            assert_eq!(number(&pair[0][5]), number(&pair[1][5]) + number(&pair[0][4]), "{pair:?}");
        }
        let oldest = own.last().expect("a row");
        assert_eq!(number(&oldest[5]) - number(&oldest[4]), begin_balances[at], "{own:?}");
    }
    let margin = json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": "50", "side": "in" });
    Client::spot(&sandbox).post("/spot/v1/margin/isolated/transfer", margin).await.data();
    let rows = cells(&browser.get("/console/accounts/1").await.text, "ledger");
    for row in rows {
        let has_balance = row.len() == 6;
        assert_eq!(has_balance, row[1] == "futures", "{row:?}");
    }
}

/// After going back, ids are used again, and a row may be in the former state only.
#[tokio::test]
async fn a_comparison_shows_every_difference_in_both_directions() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let spot = Client::spot(&sandbox);
    let save = async |name: &str| {
        browser.post("/console/call/save_snapshot", &format!("name={name}")).await;
    };
    let buy = async |size: &str| {
        let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": size, "price": "70000" });
        spot.post(SUBMIT, order).await.data();
        let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": size, "price": "10000" });
        spot.post(SUBMIT, resting).await.data();
    };
    save("start").await;
    buy("0.01").await;
    save("first").await;
    browser.post("/console/call/go_back", "name=start").await;
    buy("0.02").await;
    save("second").await;
    let compare = async |from: &str, to: &str| {
        browser.get(&format!("/console/snapshots?from={from}&to={to}")).await.text
    };
    let page = compare("first", "second").await;
    for table in ["orders", "fills", "balances"] {
        assert!(page.contains(&format!("<table id=\"{table}\">")), "{table} differ: {page}");
    }
    assert!(cells(&page, "orders").iter().any(|row| row.contains(&"0.02".to_owned())), "{page}");
    let changes: Vec<_> = cells(&page, "fills").into_iter().map(|row| row[1].clone()).collect();
    for change in ["new", "gone"] {
        assert!(changes.iter().any(|found| found == change), "{changes:?}");
    }
    let page = compare("second", "start").await;
    let orders = cells(&page, "orders");
    assert!(orders.len() == 2 && orders.iter().all(|row| row[7] == "gone"), "{orders:?}");
    assert!(cells(&page, "fills").iter().all(|row| row[1] == "gone"));
    let page = compare("second", "").await;
    for table in ["orders", "fills", "balances"] {
        assert!(!page.contains(&format!("<table id=\"{table}\">")), "{table} are equal: {page}");
    }
}

#[tokio::test]
async fn any_name_of_a_saved_state_can_be_compared_and_an_unknown_one_is_reported() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    browser.post("/console/call/save_snapshot", "name=a++b").await;
    let page = browser.get("/console/snapshots?from=a++b").await.text;
    // A browser joins the spaces of a text.
    assert!(page.contains("<option value=\"a  b\" selected>"), "{page}");
    assert!(page.contains("<h3>Orders</h3>"), "{page}");
    let page = browser.get("/console/snapshots?from=nowhere").await.text;
    assert!(page.contains("no state &#34;nowhere&#34; is saved"), "{page}");
}

#[tokio::test]
async fn what_was_typed_stays_in_the_form_of_a_rejected_call() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let back = "back=/console/scenarios";
    let comment = "# a line of a scenario\n".repeat(2_000);
    assert!(comment.len() > 40 << 10 && comment.len() < 48 << 10);
    let text = format!("{comment}name = \"mine\"\n[[step]]\ncall = \"kill_sockets\"\nwait_ms = 1");
    let response = browser
        .post("/console/call/play_scenario", &format!("text={}&{back}", encode(&text)))
        .await;
    assert_eq!(response.status, 303, "its text is encoded: {}", response.text);
    let page = browser.get("/console/scenarios").await.text;
    assert!(
        page.contains("play scenario: number 1, name mine, steps 1, done "),
        "it is played: {page}"
    );
    let wrong = "name = \"mine\"\n[[step]]\ncall = \"rain\"";
    browser.post("/console/call/play_scenario", &format!("text={}&{back}", encode(wrong))).await;
    let page = browser.get("/console/scenarios").await.text;
    assert!(
        page.contains("\nname = &#34;mine&#34;\n[[step]]\ncall = &#34;rain&#34;</textarea>"),
        "{page}"
    );
    let page = browser.get("/console/scenarios").await.text;
    assert!(!page.contains("rain"), "only until the next page: {page}");
    let market = "/console/markets/BTCUSDT";
    let body = format!("symbol=BTCUSDT&brackets=20+10000&back={market}");
    browser.post("/console/call/set_brackets", &body).await;
    let page = browser.get(market).await.text;
    assert!(page.contains("\n20 10000</textarea>") && page.contains("<details open>"), "{page}");
    let body = "account=1&wallet=spot&currency=NONE&amount=77.5&back=/console/accounts/1";
    browser.post("/console/call/set_balance", body).await;
    let page = browser.get("/console/accounts/1").await.text;
    assert!(page.contains("value=\"77.5\"") && page.contains("value=\"NONE\""), "{page}");
}
