//! Live updates: what they contain, filtered and counted, and where they go on.

use bitmart_sandbox::Fault;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    SUBMIT,
    browser::{Browser, sandbox},
    common::{Client, DEADLINE, Socket},
};

/// A stream of updates.
struct Updates {
    stream: TcpStream,
    text: String,
}

impl Updates {
    async fn open(browser: &Browser<'_>, query: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(browser.host()).await.expect("connects");
        let head = format!(
            "GET /console/events?{query} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n{headers}\r\n",
            browser.host(),
            browser.cookie
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        Self { stream, text: String::new() }
    }

    /// The id and the data of the next event.
    async fn next(&mut self) -> (String, Value) {
        timeout(DEADLINE, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("}\n\n") {
                let (head, data) = event.split_once("event: rows\ndata: ").expect("rows");
                let id = head.split_once("id: ").map_or("", |(_, id)| id.trim()).to_owned();
                let data = serde_json::from_str(&format!("{data}}}")).expect("JSON");
                let read = self.text.len() - rest.len();
                self.text.drain(..read);
                return (id, data);
            }
            let mut part = vec![0; 64 << 10];
            let count = self.stream.read(&mut part).await.expect("read");
            assert!(count > 0, "{}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&part[..count]));
        }
    }
}

fn numbers(batch: &Value) -> Vec<u64> {
    let rows = batch["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

/// 1 accepted request, a refused one, and 120 accepted ones.
async fn load(client: &Client<'_>) {
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
    load(&Client::spot(&sandbox)).await;
    for filter in ["refused=1", "q=NO/such", "q=30014+&refused=1", "q=404"] {
        let mut updates = Updates::open(&browser, &format!("after=1&{filter}"), "").await;
        let (_, batch) = updates.next().await;
        if filter.contains("30014") {
            assert!(numbers(&batch).is_empty(), "{filter}: {batch}");
        } else {
            assert_eq!(numbers(&batch), [2], "{filter}: {batch}");
        }
        assert_eq!(batch["stats"]["skipped"], "", "nothing that fits was left out");
    }
    let mut all = Updates::open(&browser, "after=1", "").await;
    let (_, batch) = all.next().await;
    assert_eq!(numbers(&batch).len(), 50);
    let skipped = batch["stats"]["skipped"].as_str().expect("text");
    assert!(skipped.starts_with("71 were too fast"), "{skipped}");
}

/// Another filter begins another list, which may be empty.
#[tokio::test]
async fn a_new_list_is_sent_at_once_with_what_is_kept() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let (_, batch) = Updates::open(&browser, "after=0&q=nowhere", "").await.next().await;
    assert!(numbers(&batch).is_empty(), "{batch}");
    load(&Client::spot(&sandbox)).await;
    let (_, batch) = Updates::open(&browser, "after=0&q=system", "").await.next().await;
    assert_eq!((numbers(&batch).len(), &batch["stats"]["skipped"]), (121, &json!("")));
}

#[tokio::test]
async fn a_browser_that_connects_again_gets_each_row_once() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let client = Client::spot(&sandbox);
    for _ in 0..3 {
        client.get("/system/time").await;
    }
    let (last, batch) = Updates::open(&browser, "after=1", "").await.next().await;
    assert_eq!((last.as_str(), numbers(&batch)), ("3", vec![3, 2]));
    client.get("/system/time").await;
    // A browser repeats the address, and adds the id of the last event.
    let again = format!("last-event-id: {last}\r\n");
    let (_, batch) = Updates::open(&browser, "after=1", &again).await.next().await;
    assert_eq!(numbers(&batch), [4]);
}

#[tokio::test]
async fn frames_that_were_too_fast_are_counted() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    for _ in 0..40 {
        socket.send("ping").await;
        socket.text().await;
    }
    let mut updates = Updates::open(&browser, "socket=1&after=1", "").await;
    let (_, batch) = updates.next().await;
    assert_eq!(numbers(&batch).len(), 50);
    let skipped = batch["stats"]["skipped"].as_str().expect("text");
    assert!(skipped.starts_with("29 were too fast"), "{skipped}");
    let (_, batch) = Updates::open(&browser, "socket=1&after=1&q=client", "").await.next().await;
    assert_eq!(numbers(&batch).len(), 39, "{batch}");
}

#[tokio::test]
async fn the_figures_of_the_overview_are_live() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut updates = Updates::open(&browser, "overview=1", "").await;
    let page = browser.get("/console").await.text;
    let (_, before) = updates.next().await;
    let figures = before["stats"].as_object().expect("figures");
    for name in figures.keys() {
        assert!(page.contains(&format!("data-stat=\"{name}\"")), "{name}: {page}");
    }
    let value = |batch: &Value, name: &str| batch["stats"][name].as_str().expect(name).to_owned();
    assert_eq!((before["refusals"].clone(), value(&before, "orders")), (json!([]), "0".to_owned()));
    let accounts = value(&before, "accounts").parse::<u32>().expect("a number") + 1;
    let accounts = accounts.to_string();
    let client = Client::spot(&sandbox);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "1", "price": "100" });
    client.post(SUBMIT, order).await.data();
    client.get("/spot/no/such/path").await;
    sandbox.inject(Fault::DropAfter.on("/system/time").times(2));
    browser.post("/console/call/hold_market", "held=true").await;
    browser.post("/console/call/create_account", "").await;
    let _socket = Socket::connect(&sandbox.spot().ws_public).await;
    loop {
        let (_, batch) = updates.next().await;
        if value(&batch, "sockets") == "0" {
            continue;
        }
        assert_eq!(batch["refusals"], json!([[30000, 1]]), "{batch}");
        for (name, expected) in [
            ("orders", "1"),
            ("faults", "1"),
            ("makers", "paused"),
            ("total", "3"),
            ("accounts", &accounts),
        ] {
            assert_eq!(value(&batch, name), expected, "{name}: {batch}");
        }
        break;
    }
}

#[tokio::test]
async fn an_accepted_request_whose_response_was_lost_is_no_refusal() {
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
    assert_eq!(list.matches("struck").count(), 2, "{list}");
}

#[tokio::test]
async fn counters_web_sockets_and_scenarios_are_live() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut updates = Updates::open(&browser, "after=1", "").await;
    let client = Client::spot(&sandbox);
    client.get("/system/time").await;
    client.get("/system/time").await;
    loop {
        let (_, batch) = updates.next().await;
        if batch["stats"]["total"] == "2" {
            assert_eq!(
                (&batch["stats"]["kept"], &batch["stats"]["dropped"]),
                (&json!("2"), &json!("0"))
            );
            break;
        }
    }
    let _socket = Socket::connect(&sandbox.spot().ws_public).await;
    loop {
        let (_, batch) = updates.next().await;
        if batch["sockets"].as_array().is_some_and(|rows| rows.len() == 1) {
            assert_eq!(batch["sockets"][0]["state"], "open");
            break;
        }
    }
    let mut progress = Updates::open(&browser, "scenario=1", "").await;
    let text = "name=%22a%22%0a[[step]]%0acall=%22kill_sockets%22";
    browser
        .post(
            "/console/call/play_scenario",
            &format!("back=/console/scenarios&text={}", text.replace('=', "%3d")),
        )
        .await;
    loop {
        let (_, batch) = progress.next().await;
        if batch["stats"]["scenario"] == "a: 1 of 1 steps done, ended." {
            break;
        }
    }
    let page = browser.get("/console/scenarios").await.text;
    assert!(page.contains("name=&#34;a&#34;\n[[step]]"), "what was typed stays: {page}");
}
