//! CORS: web pages can call both hosts but not the admin API.

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use bitmart_sandbox::{Config, Fault, Sandbox};
use bytes::Bytes;
use common::{ApiResponse, Client, admin_call, send, send_to, start};
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

/// Checks that a page can read the response and its headers.
fn assert_readable(response: &ApiResponse) {
    let headers = &response.headers;
    assert_eq!(names(headers, "access-control-allow-origin"), ["*"], "{response:?}");
    let exposed = names(headers, "access-control-expose-headers");
    for name in
        headers.keys().map(hyper::header::HeaderName::as_str).filter(|name| name.starts_with("x-"))
    {
        assert!(exposed.contains(&name), "{name} is not exposed");
    }
    assert!(exposed.contains(&"x-sandbox-reason"));
}

#[tokio::test]
async fn preflights_of_every_path_get_204_and_are_not_counted() {
    let sandbox = sandbox().await;
    for host in [sandbox.spot(), sandbox.futures()] {
        for path in [SUBMIT, "/contract/private/submit-order", "/nowhere", "/api"] {
            let response = send(host, preflight(path)).await.expect("a response");
            assert_eq!((response.status, response.text.as_str()), (204, ""), "{path}");
            assert_readable(&response);
            assert!(names(&response.headers, "access-control-allow-methods").contains(&"POST"));
            let allowed = names(&response.headers, "access-control-allow-headers");
            for name in ["content-type", "x-bm-key", "x-bm-sign", "x-bm-timestamp"] {
                assert!(allowed.contains(&name), "{name}");
            }
            assert!(response.headers.contains_key("access-control-max-age"));
        }
    }
    // The limit is 10 per second and address, and the clock is stopped.
    sandbox.inject(Fault::Html(502).on("/system/time"));
    for _ in 0..30 {
        send(sandbox.spot(), preflight("/system/time")).await.expect("a response");
    }
    let client = Client::spot(&sandbox);
    assert_eq!(
        client.get("/system/time").await.status,
        502,
        "a preflight must not use up the fault"
    );
    let response = client.get("/system/time").await;
    assert_eq!(response.headers["x-bm-ratelimit-remaining"], "1");
    assert_readable(&response);
}

#[tokio::test]
async fn every_response_is_readable_including_errors() {
    let sandbox = sandbox().await;
    let client = Client::spot(&sandbox);
    let order =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "1", "size": "9" });
    let mut seen = Vec::new();
    let mut check = |response: ApiResponse| {
        assert_readable(&response);
        seen.push(response.status);
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
    check(send(sandbox.spot(), huge.expect("a request")).await.expect("a response"));
    let plain = Request::options(SUBMIT).header("host", "sandbox").body(Full::default());
    check(send(sandbox.spot(), plain.expect("a request")).await.expect("a response"));
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
async fn the_admin_api_rejects_web_pages() {
    let sandbox = sandbox().await;
    let url = sandbox.admin().expect("an admin API");
    let ready = serde_json::from_str(&sandbox.ready_line()).expect("JSON");
    let plain = admin_call(&ready, "GET", "/ledger", "");
    let mut requested = plain.clone();
    requested.headers_mut().insert("origin", ORIGIN.parse().expect("a value"));
    for request in [preflight("/accounts"), requested, plain] {
        let response = send_to(url, request).await.expect("a response");
        let cors = response.headers.keys().find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{response:?}");
    }
}
