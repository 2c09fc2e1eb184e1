//! The console over real sockets: access, redaction, calls and updates. `cargo xtask test console` uses it in a
//! browser.
#![cfg(feature = "console")]

#[path = "console/browser.rs"]
mod browser;
mod common;
#[path = "console/live.rs"]
mod live;
#[path = "console/sockets.rs"]
mod sockets;
#[path = "console/state.rs"]
mod state;

use std::net::{Ipv4Addr, SocketAddr};

use bitmart_sandbox::Config;
use browser::{Browser, location, sandbox};
use common::{Client, start};
use serde_json::json;

const SUBMIT: &str = "/spot/v2/submit_order";
const HOSTILE: &str = "</td><script>alert(1)</script><img src=x onerror=alert(2)>";

#[tokio::test]
async fn the_console_is_off_unless_it_is_configured() {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sandbox = start(Config::new().admin(free)).await;
    assert_eq!((sandbox.console_address(), sandbox.console_login_url()), (None, None));
    let browser = Browser { sandbox: &sandbox, cookie: String::new() };
    assert_eq!(browser.get("/console").await.status, 401);
}

#[tokio::test]
async fn a_code_opens_the_console_once_and_every_page_needs_a_session() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let pages = [
        "/console",
        "/console/",
        "/console/traffic",
        "/console/faults",
        "/console/scenarios",
        "/console/accounts",
        "/console/accounts/1",
        "/console/markets",
        "/console/markets/BTC_USDT",
        "/console/snapshots",
        "/console/snapshots/download",
    ];
    let stranger = Browser { sandbox: &sandbox, cookie: "bitmart_console=1".to_owned() };
    for page in pages {
        assert_eq!(browser.get(page).await.status, 200, "{page}");
        assert_eq!(location(&stranger.get(page).await), "/console/login", "{page}");
    }
    assert_eq!(stranger.get("/console/updates").await.status, 401);
    assert_eq!(stranger.post("/console/call/kill_sockets", "").await.status, 401);
    let url = sandbox.console_login_url().expect("a console");
    let token = sandbox.admin_token().expect("a token");
    assert!(!url.contains(token), "addresses are kept in histories and process lists");
    let path = url.strip_prefix(sandbox.admin().expect("an address")).expect("below it");
    assert_eq!(stranger.get(path).await.status, 303);
    assert_eq!(stranger.get(path).await.status, 401, "the second time");
    for page in
        ["/console/accounts/77", "/console/markets/NO_SUCH", "/console/traffic/1", "/console/no"]
    {
        assert_eq!(browser.get(page).await.status, 404, "{page}");
    }
    browser.post("/console/logout", "").await;
    assert_eq!(location(&browser.get("/console").await), "/console/login");
}

#[tokio::test]
async fn requests_of_other_pages_and_names_are_rejected() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let own = format!("http://{}", browser.host());
    for headers in [
        &[][..],
        &[("origin", "http://127.0.0.1:1")],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", &own), ("sec-fetch-site", "same-site")],
        &[("origin", &own), ("origin", &own)],
        &[("host", "evil.example"), ("origin", "http://evil.example")],
    ] {
        let response =
            browser.send("POST", "/console/call/pause_market_makers", "paused=true", headers).await;
        assert_eq!(response.status, 403, "{headers:?}");
    }
    assert_eq!(browser.send("GET", "/console", "", &[("host", "evil.example")]).await.status, 403);
    let embedded = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    assert_eq!(browser.send("GET", "/console", "", &embedded).await.status, 403);
    assert_eq!(browser.post("/console/call/pause_market_makers", "paused=true").await.status, 303);
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_have_a_strict_policy() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let mut bytes = 0;
    for page in [
        "/console/login",
        "/console",
        "/console/style.css",
        "/console/console.js",
        "/console/icon.svg",
    ] {
        let response = browser.get(page).await;
        let policy = response.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for inline in ["<style", " style=\"", " onclick", "<script>", "//cdn"] {
            assert!(!response.text.contains(inline), "{page}: {inline}");
        }
        bytes += response.text.len();
    }
    assert!(bytes < 60 << 10, "{bytes}");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/console");
    let files = std::fs::read_dir(folder).expect("a folder");
    let embedded: u64 =
        files.map(|file| file.expect("a file").metadata().expect("its size").len()).sum();
    assert!(embedded < 200 << 10, "{embedded} bytes are embedded");
}

#[tokio::test]
async fn traffic_shows_the_reason_of_a_refusal_and_no_secret() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let client = Client::spot(&sandbox);
    let body = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "99999" });
    let refused = client.post(SUBMIT, body).await;
    let reason = refused.headers["x-sandbox-reason"].to_str().expect("text");
    let list = browser.get("/console/traffic").await.text;
    assert!(list.contains(reason) && list.contains("50020"), "{list}");
    let page = browser.get("/console/traffic/1").await.text;
    assert!(page.contains(reason) && page.contains("99999"), "{page}");
    let key = sandbox.credentials();
    for secret in [&key.key, &key.secret] {
        assert!(!page.contains(secret.as_str()) && !list.contains(secret.as_str()));
    }
    assert!(page.contains("x-bm-key: [hidden]") && page.contains("x-bm-sign: [hidden]"), "{page}");
    assert!(
        page.contains("bitmart --env sandbox sign POST &#39;/spot/v2/submit_order&#39;"),
        "{page}"
    );
    assert!(browser.get("/console").await.text.contains("50020"), "refusals by code");
    browser.post("/console/traffic/clear", "").await;
    assert_eq!(browser.get("/console/traffic/1").await.status, 404);
}

/// What is copied sends the request again as it was, refused or not, or it is not offered.
#[tokio::test]
async fn a_request_is_copied_only_as_it_was() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let client = Client::spot(&sandbox);
    let long = format!("/spot/quotation/v3/ticker?symbol={}END", "x".repeat(3_000));
    let raw = async |path: &str, body: &'static str| {
        let request = hyper::Request::post(path).header("host", "sandbox");
        let request = request.header("content-type", "application/json");
        common::send(sandbox.spot(), request.body(body.into()).expect("a request")).await;
    };
    client.get("/spot/{a,b}/../[1-2]?symbol={BTC,ETH}").await;
    client.get(&long).await;
    client.get("/spot/v1/x?apiKey=5ec2e7").await;
    client.get("/account/v1/wallet?a+b&c").await;
    raw(SUBMIT, "{\"symbol\":").await;
    raw(SUBMIT, "").await;
    raw(SUBMIT, "{\"memo\":\"5ec2e7\"}").await;
    let page = async |number: u32| browser.get(&format!("/console/traffic/{number}")).await.text;
    let ids = ["as-curl", "as-rust", "as-python"];
    for (number, offered, why) in [
        (1, &ids[..], ""),
        (2, &[], "it is too long to be recorded completely"),
        (3, &[], "it had a secret, which is not recorded"),
        (4, &["as-python"], "would encode its query in another way"),
        (5, &ids, ""),
        (6, &["as-python"], "send {} in place of an empty body"),
        (7, &[], "it had a secret, which is not recorded"),
    ] {
        let page = page(number).await;
        let found: Vec<_> =
            ids.into_iter().filter(|id| page.contains(&format!("id=\"{id}\""))).collect();
        assert_eq!(found, offered, "{number}: {page}");
        assert!(page.contains(why) && !page.contains("5ec2e7"), "{number}: {page}");
    }
    let broken = page(5).await;
    assert!(broken.contains(" --raw | curl --config -"), "{broken}");
    let ticker = "/spot/quotation/v3/ticker?symbol={BTC,ETH}";
    client.get(ticker).await;
    let copied = page(8).await;
    let address = format!("{}{ticker}", sandbox.spot().rest);
    assert!(copied.contains(&format!("curl -gsS --path-as-is &#39;{address}&#39;")), "{copied}");
    // No address comes from the environment, which may name the exchange.
    assert!(
        !copied.contains("_URL") && copied.contains(&format!("url = &#34;{address}")),
        "{copied}"
    );
    let list = browser.get("/console/traffic?q=xxxEN").await.text;
    assert!(!list.contains("/console/traffic/2\""), "its end is not recorded");
    let middle = format!("/spot/quotation/v3/ticker?symbol={}MIDDLE&a=b", "y".repeat(300));
    client.get(&middle).await;
    let list = browser.get("/console/traffic?q=middle").await.text;
    assert!(list.contains("/console/traffic/9\">/spot") && list.contains("yyy…</a>"), "{list}");
}

/// The copied code signs again, so that the response to a refused signature differs.
#[tokio::test]
async fn copied_code_keeps_the_content_type_and_says_when_the_response_will_differ() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let body = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "10" });
    let mut forged = Client::spot(&sandbox).signed(SUBMIT, &body);
    forged.headers_mut().insert("x-bm-sign", "00".parse().expect("a value"));
    common::send(sandbox.spot(), forged).await.expect("a response");
    let page = browser.get("/console/traffic/1").await.text;
    assert!(page.contains("30005") && page.contains("an order may be placed"), "{page}");
    let mut form = Client::spot(&sandbox).signed(SUBMIT, &body);
    form.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
    common::send(sandbox.spot(), form).await.expect("a response");
    let page = browser.get("/console/traffic/2").await.text;
    assert!(page.contains("send application/json only"), "{page}");
    assert!(page.contains("{&#34;Content-Type&#34;: &#34;text/plain&#34;}"), "{page}");
    assert!(!page.contains("id=\"as-curl\"") && !page.contains("an order may be"), "{page}");
}

#[tokio::test]
async fn a_body_that_is_not_shown_as_it_was_sent_says_so_and_is_copied_as_it_was() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    for body in ["{\"a\":1}", "a\0b"] {
        let request = hyper::Request::post(SUBMIT).header("host", "sandbox");
        let request = request.header("content-type", "application/json");
        common::send(sandbox.spot(), request.body(body.into()).expect("a request")).await;
    }
    let indented = browser.get("/console/traffic/1").await.text;
    assert!(indented.contains("7 bytes; shown indented"), "{indented}");
    assert!(indented.contains("body = &#34;{\\&#34;a\\&#34;:1}&#34;.encode()"), "{indented}");
    let nul = browser.get("/console/traffic/2").await.text;
    assert!(nul.contains("a␀b</pre>") && nul.contains("symbols for control characters"), "{nul}");
    assert!(nul.contains("body = &#34;a\\u0000b&#34;.encode()"), "{nul}");
    assert!(nul.contains("control characters, which a terminal takes as keys"), "{nul}");
}

#[tokio::test]
async fn markup_of_clients_stays_text() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let encoded: Vec<String> = HOSTILE.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let encoded = encoded.concat();
    let body = json!({ "symbol": HOSTILE, "client_order_id": HOSTILE, HOSTILE: HOSTILE });
    let mut request = Client::spot(&sandbox).signed(SUBMIT, &body);
    request.headers_mut().insert("user-agent", HOSTILE.parse().expect("a value"));
    common::send(sandbox.spot(), request).await.expect("a response");
    browser
        .post(
            "/console/call/save_snapshot",
            &format!("name=a<b>&back=/console/snapshots?from={encoded}"),
        )
        .await;
    browser.post(&format!("/console/call/{encoded}"), "").await;
    for page in [
        "/console".to_owned(),
        "/console/traffic".to_owned(),
        "/console/traffic/1".to_owned(),
        format!("/console/traffic?q={encoded}"),
        format!("/console/snapshots?from=a%3Cb%3E&to={encoded}"),
        format!("/console/markets/{encoded}"),
    ] {
        let text = browser.get(&page).await.text;
        for markup in ["<script>alert", "<img", "<b>"] {
            assert!(!text.contains(markup), "{page}: {text}");
        }
    }
}

#[tokio::test]
async fn forms_make_calls_and_return_only_to_the_console() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let body = "account=1&wallet=funding&currency=USDT&amount=12.5&back=/console/accounts/1";
    let response = browser.post("/console/call/set_balance", body).await;
    assert_eq!(location(&response), "/console/accounts/1");
    let page = browser.get("/console/accounts/1").await.text;
    let message = "set balance: account 1, wallet funding, currency USDT, available 12.5, frozen 0";
    assert!(page.contains(message), "{page}");
    let row = sandbox.balances().into_iter().find(|row| row.wallet == "funding").expect("a row");
    assert_eq!(row.available.to_string(), "12.5");
    for back in
        ["https://evil.example", "//evil.example", "/console/../help", "/consolex", "/console\\x"]
    {
        let response = browser.post("/console/call/kill_sockets", &format!("back={back}")).await;
        let to = location(&response).to_owned();
        assert!(to == "/console" || to.starts_with("/console/"), "{back}: {to}");
    }
    browser.post("/console/call/create_key", "account=1").await;
    let page = browser.get("/console").await.text;
    assert!(page.contains("the console has no such call"), "a key has a secret: {page}");
    browser.post("/console/call/step_market", "steps=many").await;
    assert!(browser.get("/console").await.text.contains("steps is a whole number"));
    browser.post("/console/call/step_market", "steps=10").await;
    let page = browser.get("/console").await.text;
    assert!(page.contains("step market: now 2023-11-14 22:13:21 UTC"), "{page}");
    browser.post("/console/call/move_price", "symbol=BTC_USDT&price=abc").await;
    let page = browser.get("/console").await.text;
    assert!(
        page.contains("price is a decimal such as 54000, not &#34;abc&#34;"),
        "the field is named: {page}"
    );
}

/// The form is not read, and the page is known from the header `Referer` only.
#[tokio::test]
async fn a_form_that_is_too_large_leads_back_with_a_message() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    let origin = format!("http://{}", browser.host());
    let text = format!("text={}", "x".repeat(300 << 10));
    for (referer, page) in [
        (format!("{origin}/console/scenarios"), "/console/scenarios"),
        ("https://evil.example/".to_owned(), "/console"),
        (format!("{origin}//evil.example"), "/console"),
    ] {
        let headers = [("origin", origin.as_str()), ("referer", &referer)];
        let response = browser.send("POST", "/console/call/play_scenario", &text, &headers).await;
        assert_eq!((response.status, location(&response)), (303, page), "{}", response.text);
        let text = browser.get(page).await.text;
        assert!(text.contains("nothing was done: the body is over 160 KiB"), "{text}");
    }
}

#[tokio::test]
async fn a_login_that_is_not_read_says_why() {
    let sandbox = sandbox().await;
    let stranger = Browser { sandbox: &sandbox, cookie: String::new() };
    let response = stranger.post("/console/login", &"x".repeat(161 << 10)).await;
    assert_eq!(response.status, 401);
    assert!(response.text.contains("the body is over 160 KiB"), "{}", response.text);
    assert!(!response.text.contains("not the admin token"), "{}", response.text);
}

#[tokio::test]
async fn a_download_leaves_the_message_of_a_form_to_the_next_page() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    browser.post("/console/call/no_such_call", "").await;
    assert_eq!(browser.get("/console/snapshots/download").await.status, 200);
    let page = browser.get("/console").await.text;
    assert!(page.contains("the console has no such call"), "{page}");
}

#[tokio::test]
async fn going_back_undoes_orders_money_and_prices() {
    let sandbox = sandbox().await;
    let browser = Browser::open(&sandbox).await;
    browser.post("/console/call/save_snapshot", "name=before").await;
    let (balances, now_ms) = (sandbox.balances(), sandbox.now_ms());
    let client = Client::spot(&sandbox);
    let body = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500" });
    client.post(SUBMIT, body.clone()).await.data();
    sandbox.step_market(20);
    let compared = browser.get("/console/snapshots?from=before").await.text;
    assert!(compared.contains("<h3>Fills</h3>") && compared.contains("new order"), "{compared}");
    assert_ne!(sandbox.balances(), balances);
    browser.post("/console/call/go_back", "name=before").await;
    assert_eq!((sandbox.balances(), sandbox.now_ms()), (balances, now_ms));
    assert!(sandbox.orders().is_empty() && sandbox.fills().is_empty());
    client.post(SUBMIT, body).await.data();
    assert_eq!(sandbox.orders().len(), 1, "it goes on from there");
}
