//! The pages about WebSockets: who closed one and why, every frame, and nothing secret.

use std::{net::Ipv4Addr, time::Duration};

use bitmart_sandbox::{ApiKey, Config, Fault, Sandbox, SpotPair};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    HOSTILE,
    browser::{Browser, sandbox},
    common::{DEADLINE, Received, Socket, start},
};

async fn sandbox_with(change: impl FnOnce(Config) -> Config) -> Sandbox {
    let pairs: Vec<_> = SpotPair::listed().into_iter().take(1).collect();
    let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false).pairs(pairs);
    start(change(config.admin((Ipv4Addr::LOCALHOST, 0).into()).console(true))).await
}

/// Reloads a page until it has a text, and returns it.
async fn page_with(browser: &Browser<'_>, path: &str, text: &str) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        let page = browser.get(path).await.text;
        if page.contains(text) {
            return page;
        }
        assert!(Instant::now() < end, "no {text:?}: {page}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Receives until the connection ends.
async fn drain(socket: &mut Socket) {
    let end =
        async { while !matches!(socket.receive().await, Received::Close(_) | Received::Gone) {} };
    timeout(DEADLINE, end).await.expect("the connection ends");
}

#[tokio::test]
async fn a_close_by_the_client_is_shown_as_such() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    for (number, how) in
        [(1, "with code 1001"), (2, "without a close frame: the client disconnected")]
    {
        let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
        socket.subscribe_spot("spot/ticker:BTC_USDT").await;
        if number == 1 {
            socket.close_frame(1001).await;
            drain(&mut socket).await;
        }
        drop(socket);
        let text = format!("closed by the client {how}");
        let page = page_with(&browser, &format!("/console/sockets/{number}"), &text).await;
        assert!(!page.contains("closed by the sandbox"), "{page}");
        page_with(&browser, "/console/traffic", &text).await;
    }
}

#[tokio::test]
async fn a_close_by_the_sandbox_has_its_reason() {
    let short = Duration::from_millis(50);
    let long = Duration::from_secs(600);
    let sandbox =
        sandbox_with(|config| config.socket_idle(short).socket_without_topic(long, long)).await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    drain(&mut socket).await;
    page_with(
        &browser,
        "/console/sockets/1",
        "closed by the sandbox with code 1001: no message for 0.05 s",
    )
    .await;

    let sandbox =
        sandbox_with(|config| config.socket_idle(long).socket_without_topic(short, long)).await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    drain(&mut socket).await;
    page_with(&browser, "/console/sockets/1", "code 1001: no login and no topic for 0.05 s").await;

    let sandbox = sandbox_with(|config| {
        config.rate_limits(true).socket_idle(long).socket_without_topic(long, long)
    })
    .await;
    let browser = Browser::open(&sandbox).await;
    for (number, message, times, reason) in [
        (1, "x".repeat(5_000), 1, "code 1009: a message over 4096 bytes"),
        (2, "ping".to_owned(), 101, "code 1008: over 100 messages within 10 seconds"),
        (3, json!({ "op": "login", "args": ["no", "1", "no"] }).to_string(), 1, "code 1000: "),
    ] {
        let url = if number == 3 { &sandbox.spot().ws_private } else { &sandbox.spot().ws_public };
        let mut socket = Socket::connect(url).await;
        for _ in 0..times {
            socket.send(&message).await;
        }
        drain(&mut socket).await;
        let path = format!("/console/sockets/{number}");
        let page = page_with(&browser, &path, "closed by the sandbox with ").await;
        assert!(page.contains(reason), "{reason}: {page}");
        let size = "<td class=\"n\">at least 5000</td>";
        let is_listed = page.contains("refused, and not kept") && page.contains(size);
        assert!(number != 1 || is_listed, "{page}");
    }
    let _socket = Socket::connect(&sandbox.spot().ws_public).await;
    page_with(&browser, "/console/sockets/4", "<h1>WebSocket").await;
    browser.post("/console/call/kill_sockets", "").await;
    page_with(&browser, "/console/sockets/4", "without a close frame: all WebSockets were cut")
        .await;
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_has_another_reason_than_a_cut() {
    let sandbox = sandbox_with(|config| config.socket_queue(1)).await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect_with_small_buffer(&sandbox.spot().ws_public).await;
    socket.subscribe_spot("spot/depth/increase100:BTC_USDT").await;
    let end = Instant::now() + DEADLINE;
    loop {
        sandbox.step_market(200);
        let page = browser.get("/console/sockets/1").await.text;
        if page.contains("without a close frame: the client reads too slowly") {
            break;
        }
        assert!(Instant::now() < end, "{page}");
    }
}

#[tokio::test]
async fn every_frame_is_recorded_and_has_a_page_with_all_that_is_kept() {
    let sandbox = sandbox_with(|config| config.spot_protocol_pings(false)).await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.ping_frame(b"one ping").await;
    socket.pong_frame(b"one pong").await;
    socket.subscribe_spot("spot/depth50:BTC_USDT").await;
    let pushed = socket.binary().await;
    let page = page_with(&browser, "/console/sockets/1", "one pong").await;
    assert!(page.contains("one ping") && page.contains("ignored: spot counts only"), "{page}");
    // A push is shown decompressed: in the list its start, and on its page the whole.
    let (_, rest) = page.split_once(">binary</td>").expect("a push");
    let shown = rest.split_once("<pre class=\"code\" tabindex=\"0\">\n").expect("text").1;
    let shown = shown.split_once("</pre>").expect("an end").0.replace("&#34;", "\"");
    assert!(shown.starts_with("{\"data\":[{\"asks\":[[\""), "{shown}");
    let frame = browser.get("/console/sockets/1/frames/5").await.text;
    // A newline of the text would be dropped after the start tag.
    let text = frame.split_once("<pre class=\"code\" tabindex=\"0\">\n").expect("text").1;
    let text = text.split_once("</pre>").expect("an end").0.replace("&#34;", "\"");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), pushed, "{text}");
    assert_eq!(browser.get("/console/sockets/1/frames/99").await.status, 404);

    let mut socket = Socket::connect(&sandbox.futures().ws_public).await;
    // The response repeats the topic three times, and ends with `"success":false`.
    socket.json(json!({ "action": "subscribe", "args": ["x".repeat(1_400)] })).await;
    assert_eq!(socket.text().await["success"], false);
    let list = page_with(&browser, "/console/sockets/2", "not exist").await;
    assert!(!list.contains("success") && list.contains('…'), "it is shortened: {list}");
    let found = browser.get("/console/sockets/2?q=SUCCESS").await.text;
    assert!(found.contains("not exist"), "the filter looks at the whole: {found}");
    assert!(browser.get("/console/sockets/2/frames/2").await.text.contains("success"));
}

#[tokio::test]
async fn a_binary_message_of_a_client_is_listed_as_such_with_its_size() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    // As text each of the last two bytes would be a replacement character of three bytes.
    socket.binary_frame(b"ping\xff\xfe").await;
    socket.binary_frame(b"ping").await;
    let page = page_with(&browser, "/console/sockets/1", "\nping</pre>").await;
    for size in [6, 4] {
        let cells = format!("<td>binary</td><td class=\"n\">{size}</td>");
        assert!(page.contains(&cells), "{size}: {page}");
    }
    assert_eq!(page.matches("<td>client</td>\n<td>text</td>").count(), 0, "{page}");
}

#[tokio::test]
async fn markup_of_a_websocket_client_stays_text_and_its_keys_are_hidden() {
    let key = ApiKey::new("<b>c0ffee5ec2e7", "secretsecret", "memo");
    let sandbox = sandbox_with(|config| config.api_key(key)).await;
    let browser = Browser::open(&sandbox).await;
    for (number, url) in [(1, &sandbox.spot().ws_private), (2, &sandbox.futures().ws_private)] {
        let mut socket = Socket::connect(url).await;
        socket.json(json!({ "op": "subscribe", "action": "subscribe", "args": [HOSTILE] })).await;
        drop(socket.receive().await);
        socket
            .json(json!({ "action": "auth", "op": "auth", "args": ["c0ffee5ec2e7", HOSTILE] }))
            .await;
        drop(socket.receive().await);
        socket.send("c0ffee5ec2e7").await;
        drop(socket.receive().await);
        socket.close_frame_with_reason(1000, HOSTILE).await;
        drain(&mut socket).await;
        let path = format!("/console/sockets/{number}");
        let list = page_with(&browser, &path, "closed by the client").await;
        assert!(list.contains("alert(1)"), "{list}");
        let mut pages = vec![list, browser.get("/console/traffic").await.text];
        for frame in 1..9 {
            pages.push(browser.get(&format!("{path}/frames/{frame}")).await.text);
        }
        for page in pages {
            for markup in ["<script>alert", "<img", "c0ffee5ec2e7"] {
                assert!(!page.contains(markup), "{markup}: {page}");
            }
        }
    }
    let page = browser.get("/console/accounts/1").await.text;
    assert!(page.contains("&#60;b&#62;c0f") && !page.contains("<b>"), "{page}");
}

/// A fault that silences a connection does not hide why it ended.
#[tokio::test]
async fn a_silent_websocket_has_an_end_but_no_close_frame() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    let topic = "spot/depth/increase100:BTC_USDT";
    socket.subscribe_spot(topic).await;
    drop(socket.binary().await);
    sandbox.inject(Fault::SilentSocket.on(topic));
    sandbox.step_market(1);
    socket.close_frame(1000).await;
    let page =
        page_with(&browser, "/console/sockets/1", "closed by the client with code 1000").await;
    let closes = page.split(">close</td>").count() - 1;
    assert_eq!(closes, 1, "only that of the client: {page}");
}
