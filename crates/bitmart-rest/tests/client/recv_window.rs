//! `recvWindow` for a whole client.

use std::time::Duration;

use bitmart_rest::endpoint::Endpoint;
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::types::dec;
use bitmart_rest::{Client, account, spot};

use crate::endpoints::client;

/// The `recvWindow`, in milliseconds, that a client with a setting of 1,500 ms sends.
async fn sent_recv_window(request: impl Endpoint) -> Option<u64> {
    let recorder = ScriptedTransport::always(ScriptedResponse::data("{}"));
    let builder = client("https://spot").transport(recorder.clone());
    let client = builder.recv_window(Duration::from_millis(1500)).build().unwrap();
    // The response does not decode; only the request matters.
    let _ = client.send(request).await;
    let sent = recorder.requests();
    let body = &sent[0].body;
    let body: serde_json::Value = if body.is_empty() {
        serde_json::Value::Null
    } else {
        serde_json::from_slice(body).unwrap()
    };
    body.get("recvWindow").map(|millis| millis.as_u64().unwrap())
}

#[tokio::test]
async fn a_request_without_a_recv_window_gets_that_of_the_client() {
    let order = spot::NewOrder::market_buy("BTC_USDT", dec!(25));
    let millis = Duration::from_millis(1);
    assert_eq!(sent_recv_window(spot::QueryOrder::new("1")).await, Some(1500));
    assert_eq!(
        sent_recv_window(spot::QueryOrder::new("1").recv_window(Duration::from_secs(9))).await,
        Some(9000)
    );
    assert_eq!(sent_recv_window(spot::SubmitOrders::new("BTC_USDT").push(order)).await, Some(1500));
    assert_eq!(sent_recv_window(spot::CancelOrders::by_ids("BTC_USDT", ["1"])).await, Some(1500));
    assert_eq!(
        sent_recv_window(spot::CancelOrders::by_ids("BTC_USDT", ["1"]).recv_window(millis)).await,
        Some(1)
    );
    assert_eq!(sent_recv_window(account::QuerySpotWallet::new()).await, None);
}

#[tokio::test]
async fn a_client_with_an_invalid_recv_window_does_not_build() {
    let build = |window| Client::builder().recv_window(window).build();
    for invalid in [
        Duration::ZERO,
        Duration::from_micros(900),
        Duration::from_micros(1500),
        Duration::from_millis(60_001),
    ] {
        assert_eq!(build(invalid).unwrap_err().setting(), "recv_window");
    }
    assert!(build(Duration::from_secs(60)).is_ok());
}
