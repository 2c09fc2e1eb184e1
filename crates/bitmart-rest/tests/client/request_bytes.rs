//! The exact bytes of requests.

use bitmart_auth::Credentials;
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::{Client, ErrorKind, Outcome};

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, ReadOrder, client};
use crate::mock::FixedClock;
use crate::server::{Server, ok};

const NOW: i64 = 1_692_245_338_123;

#[tokio::test]
async fn an_order_is_signed_over_the_bytes_sent() {
    let transport = ScriptedTransport::always(ScriptedResponse::raw(ORDER_RESPONSE));
    let client = client("https://spot.example:8443")
        .transport(transport.clone())
        .clock(FixedClock(NOW))
        .user_agent("me/1")
        .build()
        .unwrap();
    assert_eq!(client.send(PLACE_ORDER).await.unwrap().order_id, "7");

    let sent = transport.requests();
    let [request] = &sent[..] else { panic!("{} requests", sent.len()) };
    let body = r#"{"symbol":"BTC_USDT"}"#;
    assert_eq!(request.method, "POST");
    assert_eq!(request.uri, "https://spot.example:8443/place");
    assert_eq!(&request.body[..], body.as_bytes());
    let credentials = Credentials::new("key", "secret", "memo").unwrap();
    let signature = credentials.sign_request(NOW, body.as_bytes());
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("content-type", "application/json"),
            ("user-agent", "me/1"),
            ("x-bm-key", "key"),
            ("x-bm-sign", signature.as_str()),
            ("x-bm-timestamp", "1692245338123"),
        ]
    );
    for name in ["x-bm-key", "x-bm-sign"] {
        assert!(request.headers[name].is_sensitive(), "{name}");
    }
}

#[tokio::test]
async fn a_public_read_has_neither_key_nor_body() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let client = client(&server.address).user_agent("me/1").build().unwrap();
    client.send(ReadOrder).await.unwrap();
    let host = server.address.trim_start_matches("http://");
    assert_eq!(
        server.requests(),
        [format!(
            "GET /order?id=7 HTTP/1.1\r\nuser-agent: me/1\r\naccept-encoding: gzip\r\nhost: \
             {host}\r\n\r\n"
        )]
    );
}

#[tokio::test]
async fn a_signed_request_without_credentials_is_not_sent() {
    let transport = ScriptedTransport::always(ScriptedResponse::raw(ORDER_RESPONSE));
    let client = Client::builder().transport(transport.clone()).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::MissingCredentials);
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.advice().is_some());
    assert!(error.is_auth());
    assert_eq!(transport.count(), 0);
}

#[tokio::test]
async fn a_request_is_not_sent_before_the_first_poll() {
    let transport = ScriptedTransport::always(ScriptedResponse::raw(ORDER_RESPONSE));
    let client = client("https://spot").transport(transport.clone()).build().unwrap();
    drop(client.send(PLACE_ORDER));
    assert_eq!(transport.count(), 0);
}
