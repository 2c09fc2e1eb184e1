//! Live updates of the console's pages: which rows and figures they contain, that no row is sent twice, and that the
//! rows that no update contained are counted.

use std::time::Duration;

use bitmart_sandbox::Fault;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    SUBMIT,
    browser::{Browser, sandbox},
    common::{Client, DEADLINE, Socket},
};

/// An open page. As the script of the console does, it sends the position of its latest update with each request, so
/// that the next update continues there.
struct Page<'a> {
    browser: &'a Browser<'a>,
    /// What the page shows: a filter, a WebSocket, the overview or a scenario.
    query: String,
    /// Fields of the query that say how far the page is.
    position: String,
}

impl<'a> Page<'a> {
    fn open(browser: &'a Browser<'a>, query: &str, position: &str) -> Self {
        Self { browser, query: query.to_owned(), position: position.to_owned() }
    }

    /// Requests an update; `None` if nothing is new.
    async fn poll(&mut self) -> Option<Value> {
        let path = format!("/console/updates?{}&{}", self.query, self.position);
        let response = timeout(DEADLINE, self.browser.get(&path)).await.expect("in time");
        if response.status == 204 {
            return None;
        }
        assert_eq!(response.status, 200, "{path}: {}", response.text);
        let update = response.json();
        let text = |name: &str| update[name].as_str().unwrap_or_default();
        let number = |name: &str| update[name].as_u64().unwrap_or_default();
        self.position = format!(
            "after={}&skipped={}&version={}",
            number("last"),
            number("skipped"),
            text("version")
        );
        Some(update)
    }

    /// Waits for the next update.
    async fn next(&mut self) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(update) = self.poll().await {
                return update;
            }
            assert!(Instant::now() < end, "no update in time");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for an update that fulfils the condition.
    async fn next_where(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let update = self.next().await;
            if condition(&update) {
                return update;
            }
            assert!(Instant::now() < end, "not in time: {update}");
        }
    }
}

fn row_numbers(update: &Value) -> Vec<u64> {
    let rows = update["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

/// Sends an accepted request, one that is refused because its path is unknown, and 120 accepted ones.
async fn send_122_requests(client: &Client<'_>) {
    client.get("/system/time").await;
    client.get("/spot/no/such/path").await;
    for _ in 0..120 {
        client.get("/system/time").await;
    }
}

#[tokio::test]
async fn a_filter_decides_before_rows_are_too_many() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    send_122_requests(&Client::spot(&sandbox)).await;
    // Request 2 is the only refused one, and the only one with this path and status. Its code is not 30014; the space
    // (`+`) at the end of that filter is ignored.
    for (filter, numbers) in
        [("refused=1", &[2][..]), ("q=NO/such", &[2]), ("q=404", &[2]), ("q=30014+&refused=1", &[])]
    {
        let update = Page::open(&browser, filter, "after=1").next().await;
        assert_eq!(row_numbers(&update), numbers, "{filter}: {update}");
        assert_eq!(update["stats"]["skipped"], "", "nothing that fits was left out");
    }
    let mut unfiltered = Page::open(&browser, "", "after=1");
    let update = unfiltered.next().await;
    // 121 requests are newer than the first; an update has at most 50 of them.
    assert_eq!(row_numbers(&update).len(), 50);
    let skipped = update["stats"]["skipped"].as_str().expect("text");
    assert!(skipped.starts_with("71 were too fast"), "{skipped}");
    send_122_requests(&Client::spot(&sandbox)).await;
    let update = unfiltered.next().await;
    // 122 more, of which 72 do not fit: with the 71 before, 143.
    let skipped = update["stats"]["skipped"].as_str().expect("text");
    assert!(skipped.starts_with("143 were too fast"), "they are summed: {skipped}");
}

#[tokio::test]
async fn a_count_of_skipped_records_that_is_at_its_maximum_stays_there() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    send_122_requests(&Client::spot(&sandbox)).await;
    for filter in ["", "q=system"] {
        let position = format!("after=1&skipped={}", u64::MAX);
        let update = Page::open(&browser, filter, &position).next().await;
        assert_eq!(update["skipped"], u64::MAX, "{filter}");
    }
}

/// A page whose filter was just changed has `begin=1`: it needs an update at once, even an empty one, to replace its
/// rows.
#[tokio::test]
async fn a_new_list_is_sent_at_once_with_what_is_kept() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let new_list = "after=0&begin=1";
    let update = Page::open(&browser, "q=nowhere", new_list).next().await;
    assert!(row_numbers(&update).is_empty(), "{update}");
    send_122_requests(&Client::spot(&sandbox)).await;
    let update = Page::open(&browser, "q=system", new_list).next().await;
    assert_eq!((row_numbers(&update).len(), &update["stats"]["skipped"]), (121, &json!("")));
}

#[tokio::test]
async fn a_page_gets_each_row_once_and_nothing_if_nothing_is_new() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let client = Client::spot(&sandbox);
    for _ in 0..3 {
        client.get("/system/time").await;
    }
    let mut page = Page::open(&browser, "", "after=1");
    let update = page.next().await;
    assert_eq!((&update["last"], row_numbers(&update)), (&json!(3), vec![3, 2]));
    assert_eq!(page.poll().await, None);
    client.get("/system/time").await;
    assert_eq!(row_numbers(&page.next().await), [4]);
}

#[tokio::test]
async fn frames_that_no_update_contained_are_counted() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    for _ in 0..40 {
        socket.send("ping").await;
        socket.text().await;
    }
    let update = Page::open(&browser, "socket=1", "after=1").next().await;
    assert_eq!(row_numbers(&update).len(), 50);
    let skipped = update["stats"]["skipped"].as_str().expect("text");
    assert!(skipped.starts_with("29 were too fast"), "{skipped}");
    let update = Page::open(&browser, "socket=1&q=client", "after=1").next().await;
    assert_eq!(row_numbers(&update).len(), 39, "{update}");
}

#[tokio::test]
async fn the_figures_of_the_overview_are_live() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut updates = Page::open(&browser, "overview=1", "");
    let page = browser.get("/console").await.text;
    let before = updates.next().await;
    let figures = before["stats"].as_object().expect("figures");
    for name in figures.keys() {
        assert!(page.contains(&format!("data-stat=\"{name}\"")), "{name}: {page}");
    }
    let value = |update: &Value, name: &str| update["stats"][name].as_str().expect(name).to_owned();
    assert_eq!((before["refusals"].clone(), value(&before, "orders")), (json!([]), "0".to_owned()));
    let accounts = value(&before, "accounts").parse::<u32>().expect("a number") + 1;
    let accounts = accounts.to_string();
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    client.post(SUBMIT, order).await.data();
    client.get("/spot/no/such/path").await;
    sandbox.inject(Fault::DropAfter.on("/system/time").times(2));
    browser.post("/console/call/pause_market_makers", "paused=true").await;
    browser.post("/console/call/create_account", "").await;
    let _socket = Socket::connect(&sandbox.spot().ws_public).await;
    let update = updates.next_where(|update| value(update, "sockets") != "0").await;
    assert_eq!(update["refusals"], json!([[30000, 1]]), "{update}");
    for (name, expected) in [
        ("orders", "1"),
        ("faults", "1"),
        ("makers", "paused"),
        // Three requests are recorded: the order, the unknown path and the handshake of the WebSocket. Requests to the
        // console itself are not.
        ("total", "3"),
        ("accounts", &accounts),
    ] {
        assert_eq!(value(&update, name), expected, "{name}: {update}");
    }
}

#[tokio::test]
async fn a_lost_response_of_an_accepted_request_is_marked_and_not_counted_among_the_codes_of_refusals()
 {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    for fault in [Fault::DropAfter, Fault::HtmlAfter(502)] {
        sandbox.inject(fault.on(SUBMIT));
        crate::common::send(client.host, client.signed(SUBMIT, &order)).await;
    }
    let page = browser.get("/console").await.text;
    assert!(page.contains("<p id=\"no-refusals\">"), "{page}");
    let list = browser.get("/console/traffic?refused=1").await.text;
    // Every row of the list says which fault has struck the request.
    assert_eq!(list.matches("struck").count(), 2, "{list}");
}

#[tokio::test]
async fn counters_web_sockets_and_scenarios_are_live() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut updates = Page::open(&browser, "", "after=1");
    let client = Client::spot(&sandbox);
    client.get("/system/time").await;
    client.get("/system/time").await;
    let update = updates.next_where(|update| update["stats"]["total"] == "2").await;
    let counters = (&update["stats"]["kept"], &update["stats"]["dropped"]);
    assert_eq!(counters, (&json!("2"), &json!("0")));
    let _socket = Socket::connect(&sandbox.spot().ws_public).await;
    let has_socket =
        |update: &Value| update["sockets"].as_array().is_some_and(|rows| rows.len() == 1);
    let update = updates.next_where(has_socket).await;
    assert_eq!(update["sockets"][0]["state"], "open");
    let mut progress = Page::open(&browser, "scenario=1", "");
    let text = "name=%22a%22%0a[[step]]%0acall=%22kill_sockets%22";
    browser
        .post(
            "/console/call/play_scenario",
            &format!("back=/console/scenarios&text={}", text.replace('=', "%3d")),
        )
        .await;
    let ended = "a: 1 of 1 steps done, ended.";
    progress.next_where(|update| update["stats"]["scenario"] == ended).await;
    let page = browser.get("/console/scenarios").await.text;
    assert!(page.contains("name=&#34;a&#34;\n[[step]]"), "what was typed stays: {page}");
}
