//! Web pages may call both hosts, and never the admin API.

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use bitmart_sandbox::{Config, Fault, Sandbox};
use bytes::Bytes;
use common::{Answer, Client, admin_call, send, send_to, start};
use http_body_util::Full;
use hyper::{HeaderMap, Request};
use serde_json::json;

const ORIGIN: &str = "https://page.test";
const SUBMIT: &str = "/spot/v2/submit_order";

async fn sandbox() -> Sandbox {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start(Config::new().stepped_clock(1_700_000_000_000).admin(free)).await
}

fn preflight(path: &str) -> Request<Full<Bytes>> {
    Request::options(path)
        .header("host", "sandbox")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-bm-key,x-bm-sign,x-bm-timestamp")
        .body(Full::default())
        .expect("a request")
}

fn names<'a>(headers: &'a HeaderMap, header: &str) -> Vec<&'a str> {
    let list = headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    list.split(", ").collect()
}

/// Fails unless a page may read the answer, and the headers that it is about.
fn assert_readable(answer: &Answer) {
    let headers = &answer.headers;
    assert_eq!(names(headers, "access-control-allow-origin"), ["*"], "{answer:?}");
    let exposed = names(headers, "access-control-expose-headers");
    for name in
        headers.keys().map(hyper::header::HeaderName::as_str).filter(|name| name.starts_with("x-"))
    {
        assert!(exposed.contains(&name), "{name} is not exposed");
    }
    assert!(exposed.contains(&"x-sandbox-reason"));
}

#[tokio::test]
async fn preflights_of_every_path_are_answered_and_not_counted() {
    let sandbox = sandbox().await;
    for host in [sandbox.spot(), sandbox.futures()] {
        for path in [SUBMIT, "/contract/private/submit-order", "/nowhere", "/api"] {
            let answer = send(host, preflight(path)).await.expect("an answer");
            assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
            assert_readable(&answer);
            assert!(names(&answer.headers, "access-control-allow-methods").contains(&"POST"));
            let allowed = names(&answer.headers, "access-control-allow-headers");
            for name in ["content-type", "x-bm-key", "x-bm-sign", "x-bm-timestamp"] {
                assert!(allowed.contains(&name), "{name}");
            }
            assert!(answer.headers.contains_key("access-control-max-age"));
        }
    }
    // Its limit is 10 a second and address; the clock stands.
    sandbox.inject(Fault::Html(502).on("/system/time"));
    for _ in 0..30 {
        send(sandbox.spot(), preflight("/system/time")).await.expect("an answer");
    }
    let client = Client::spot(&sandbox);
    assert_eq!(client.get("/system/time").await.status, 502, "no preflight used the fault up");
    let answer = client.get("/system/time").await;
    assert_eq!(answer.headers["x-bm-ratelimit-remaining"], "1");
    assert_readable(&answer);
}

#[tokio::test]
async fn every_answer_is_readable_errors_too() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    let order =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "1", "size": "9" });
    let mut seen = Vec::new();
    let mut check = |answer: Answer| {
        assert_readable(&answer);
        seen.push(answer.status);
    };
    check(client.post(SUBMIT, order.clone()).await);
    check(client.post(SUBMIT, json!({ "symbol": "NOPE_USDT" })).await);
    check(client.get("/nowhere").await);
    check(client.get(SUBMIT).await);
    check(client.get("/api").await);
    check(
        Client { key: &bitmart_sandbox::ApiKey::new("x", "y", "z"), ..Client::spot(&sandbox) }
            .post(SUBMIT, order.clone())
            .await,
    );
    let huge =
        Request::post(SUBMIT).header("host", "sandbox").body(vec![b' '; (1 << 20) + 1].into());
    check(send(sandbox.spot(), huge.expect("a request")).await.expect("an answer"));
    let plain = Request::options(SUBMIT).header("host", "sandbox").body(Full::default());
    check(send(sandbox.spot(), plain.expect("a request")).await.expect("an answer"));
    for fault in [
        Fault::Html(502),
        Fault::HtmlAfter(502),
        Fault::RateLimited,
        Fault::Banned,
        Fault::Unavailable,
        Fault::Maintenance,
        Fault::TruncatedJson,
        Fault::NullRows,
    ] {
        sandbox.inject(fault.on(SUBMIT));
        check(client.post(SUBMIT, order.clone()).await);
    }
    for _ in 0..21 {
        check(client.get("/system/time").await);
    }
    check(Client::futures(&sandbox).get("/nowhere").await);
    for status in [200, 400, 401, 404, 405, 413, 418, 429, 502, 503] {
        assert!(seen.contains(&status), "{status} is not among {seen:?}");
    }
}

#[tokio::test]
async fn the_admin_api_answers_no_page() {
    let sandbox = sandbox().await;
    let url = sandbox.admin().expect("an admin API");
    let ready = serde_json::from_str(&sandbox.ready_line()).expect("JSON");
    let plain = admin_call(&ready, "GET", "/ledger", "");
    let mut asked = plain.clone();
    asked.headers_mut().insert("origin", ORIGIN.parse().expect("a value"));
    for request in [preflight("/accounts"), asked, plain] {
        let answer = send_to(url, request).await.expect("an answer");
        let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{answer:?}");
    }
}
