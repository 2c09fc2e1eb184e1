//! Headers, paths, methods, bodies and connections.

use bitmart_sandbox::Config;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    NOON_MS,
    common::{ApiResponse, Client, DEADLINE, authority, send, sign, start},
    stepped_config,
};

#[tokio::test]
async fn rate_limit_headers_count_calls_and_excess_calls_get_429() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let client = Client::spot(&sandbox);
    let header = |response: &ApiResponse, name: &str| {
        response.headers.get(name).expect("a limit header").to_str().expect("text").to_owned()
    };
    for used in 1..=10 {
        let response = client.get("/system/time").await;
        assert_eq!(header(&response, "X-BM-RateLimit-Remaining"), used.to_string());
        assert_eq!(header(&response, "X-BM-RateLimit-Limit"), "10");
        assert_eq!(header(&response, "X-BM-RateLimit-Reset"), "1");
        assert_eq!(response.status, 200);
    }
    let rejected = client.get("/system/time").await;
    assert_eq!((rejected.status, rejected.code()), (429, 30013));
    sandbox.advance(std::time::Duration::from_secs(1));
    assert_eq!(client.get("/system/time").await.status, 200);
}

#[tokio::test]
async fn undocumented_responses_are_marked() {
    let sandbox = start(stepped_config()).await;
    let origin = |response: &ApiResponse| {
        let header = response.headers.get("x-sandbox-response")?;
        Some(header.to_str().expect("text").to_owned())
    };
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let computed = spot.get("/spot/v1/wallet").await;
    assert_eq!((computed.code(), origin(&computed)), (1000, None));
    let sample = futures.get("/contract/private/affiliate/invite-check?cid=1").await;
    assert_eq!((sample.code(), origin(&sample)), (1000, None));
    assert!(sample.data()["isInviteUser"].is_boolean(), "{}", sample.text);
    let rejected = futures.get("/contract/private/affiliate/invite-check").await;
    assert_eq!((rejected.code(), origin(&rejected)), (40007, None));
    let keys = spot.get("/uapi-key/v1/account/info").await;
    // The envelope of this endpoint has a flag.
    assert_eq!((keys.status, &keys.json()["success"]), (200, &json!(true)));
    let close = json!({ "symbol": "BTCUSDT", "contractType": 1 });
    let invented = futures.post("/contract/private/close-all-position", close).await;
    assert_eq!((invented.code(), origin(&invented).as_deref()), (1000, Some("invented")));
}

#[tokio::test]
async fn wrong_paths_methods_and_bodies_get_their_codes() {
    let sandbox = start(stepped_config()).await;
    let client = Client::spot(&sandbox);
    let nowhere = client.get("/spot/v9/nope").await;
    assert_eq!((nowhere.status, nowhere.code()), (404, 30000));
    let old_host = client.get("/contract/public/details").await;
    assert_eq!((old_host.status, old_host.code()), (200, 30030));
    let other_host = Client::futures(&sandbox).get("/spot/v1/currencies").await;
    assert_eq!((other_host.status, other_host.code()), (404, 30000));
    let method = client.post("/system/time", json!({})).await;
    assert_eq!((method.status, method.code()), (405, 57001));
    let raw = |content_type: &str, body: Vec<u8>| {
        let mut request = client.signed("/spot/v2/submit_order", &json!({}));
        request.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        let text = String::from_utf8(body).expect("text");
        let sign = sign(client.key, &client.now_ms.to_string(), &text);
        request.headers_mut().insert("x-bm-sign", sign.parse().expect("a value"));
        *request.body_mut() = Full::new(Bytes::from(text));
        request
    };
    let no_json = send(client.host, raw("application/json; charset=UTF-8", b"{".to_vec()))
        .await
        .expect("a response");
    assert_eq!((no_json.status, no_json.code()), (503, 30018));
    let form = send(client.host, raw("text/plain", b"{}".to_vec())).await.expect("a response");
    assert_eq!((form.status, form.code()), (415, 58001));
    let huge = send(client.host, raw("application/json", vec![b' '; 5 << 20])).await;
    assert!(huge.is_none_or(|response| response.status == 413));
    assert_eq!(client.get("/system/time").await.status, 200, "still there");
}

#[tokio::test]
async fn one_connection_serves_pipelined_requests_in_order() {
    let sandbox = start(stepped_config()).await;
    let mut stream = TcpStream::connect(authority(&sandbox.spot().rest)).await.expect("connects");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let requests = [get("/system/time"), get("/nope"), get("/system/service")].concat();
    stream.write_all(requests.as_bytes()).await.expect("writes");
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !text.contains("Contract API Stop") {
        let read =
            timeout(DEADLINE, stream.read(&mut buffer)).await.expect("in time").expect("reads");
        assert_ne!(read, 0, "closed early: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
    }
    let places = ["server_time", "Not found", "Contract API Stop"]
        .map(|part| text.find(part).expect("all three"));
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn a_large_response_is_compressed_if_the_client_accepts_it() {
    use std::io::Read as _;

    let sandbox = start(stepped_config()).await;
    let get = async |path: &str, more: &str| {
        let host = authority(&sandbox.spot().rest);
        let mut stream = TcpStream::connect(host).await.expect("connects");
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(head.as_bytes()).await.expect("writes");
        let mut response = Vec::new();
        timeout(DEADLINE, stream.read_to_end(&mut response))
            .await
            .expect("in time")
            .expect("reads");
        let end = response.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let body = response.split_off(end + 4);
        (String::from_utf8(response).expect("text").to_ascii_lowercase(), body)
    };
    let (tickers, gzip) = ("/spot/quotation/v3/tickers", "content-encoding: gzip");
    let (head, plain) = get(tickers, "").await;
    assert!(!head.contains(gzip));
    for more in
        ["accept-encoding: gzip\r\n", "Accept-Encoding: br\r\nAccept-Encoding: deflate, GZIP\r\n"]
    {
        let (head, packed) = get(tickers, more).await;
        assert!(head.contains(gzip), "{head}");
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut body).expect("gzip");
        assert_eq!(body.len(), plain.len());
        assert!(packed.len() < plain.len(), "{} of {}", packed.len(), plain.len());
    }
    let (head, _) = get("/system/time", "accept-encoding: gzip\r\n").await;
    assert!(!head.contains(gzip), "a small response is not compressed");
}

/// A client that writes first and reads then must get the response, and no reset.
#[tokio::test]
async fn a_body_of_any_size_over_the_limit_gets_a_response_and_no_reset() {
    let sandbox = start(stepped_config()).await;
    let key = &sandbox.credentials().key;
    for size in [(1 << 20) + 1, 4_000_000, 16_000_000] {
        let mut stream =
            TcpStream::connect(authority(&sandbox.spot().rest)).await.expect("connects");
        let head = format!(
            "POST /spot/v2/submit_order HTTP/1.1\r\nhost: sandbox\r\ncontent-type: application/json\r\n\
             x-bm-key: {key}\r\ncontent-length: {size}\r\n\r\n"
        );
        let write = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&vec![b' '; size]).await?;
            let mut response = vec![0; 12];
            stream.read_exact(&mut response).await?;
            std::io::Result::Ok(response)
        };
        let response = timeout(DEADLINE, write).await.expect("in time").expect("no reset");
        assert_eq!(response, b"HTTP/1.1 413", "{size}");
    }
}

#[tokio::test]
async fn head_has_the_head_of_get_and_no_body() {
    let sandbox = start(stepped_config()).await;
    let request = |method: &str, path: &str| {
        let request = hyper::Request::builder().method(method).uri(path).header("host", "sandbox");
        request.body(Full::<Bytes>::default()).expect("a request")
    };
    let path = "/spot/quotation/v3/ticker?symbol=BTC_USDT";
    let response = send(sandbox.spot(), request("HEAD", path)).await.expect("a response");
    assert_eq!((response.status, response.text.as_str()), (200, ""));
    let response = send(sandbox.spot(), request("HEAD", "/spot/v2/submit_order")).await;
    assert_eq!(response.expect("a response").status, 405);
}
