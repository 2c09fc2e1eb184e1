//! The client enforces timeout and size limit with any transport.

use std::task::Poll;
use std::time::Duration;

use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::{TransportError, TransportErrorKind};
use bitmart_rest::{ErrorKind, Outcome};
use tokio::time::Instant;

use crate::endpoints::{PLACE_ORDER, client};
use crate::mock::pieces;
use crate::server::{self, Server};

const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_transport_that_does_not_respond_times_out() {
    let client = client("https://spot")
        .transport(ScriptedTransport::always(ScriptedResponse::never()))
        .timeout(LIMIT)
        .build()
        .unwrap();
    let start = Instant::now();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
    let passed = start.elapsed();
    assert!((LIMIT..LIMIT + Duration::from_millis(10)).contains(&passed), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_times_out() {
    let transport = ScriptedTransport::always(ScriptedResponse::raw(r#"{"code""#).then_stall());
    let client = client("https://spot").transport(transport).timeout(LIMIT).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn an_endless_body_of_empty_chunks_times_out() {
    // The chunks are empty, so the size limit does not apply.
    let transport = pieces(b"", usize::MAX, || Poll::Ready(None));
    let limit = Duration::from_millis(50);
    let client = client("https://spot").transport(transport).timeout(limit).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

/// A request is signed before its connection is opened, and the exchange's default `recvWindow` is five
/// seconds.
#[tokio::test(start_paused = true)]
async fn connecting_times_out_well_within_the_default_recv_window() {
    // Accepts connections and does not perform a TLS handshake.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let own = bitmart_rest::transport::HyperTransport::builder().build().unwrap();
    let sooner = client(&address).connect_timeout(Duration::from_millis(700));
    for (builder, limit) in
        [(client(&address), 3_000), (client(&address).transport(own), 3_000), (sooner, 700)]
    {
        let client = builder.timeout(Duration::from_secs(60)).build().unwrap();
        let start = Instant::now();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(start.elapsed() <= Duration::from_millis(limit + 10), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn the_connect_timeout_must_be_shorter_than_the_timeout() {
    let build = |limit| {
        let client = client("https://spot").timeout(Duration::from_secs(1));
        client.connect_timeout(limit).build()
    };
    for invalid in [Duration::ZERO, Duration::from_secs(1), Duration::MAX] {
        assert_eq!(build(invalid).unwrap_err().setting(), "connect_timeout");
    }
    assert!(build(Duration::from_millis(999)).is_ok());
}

#[tokio::test]
async fn a_stalled_server_times_out() {
    let server = Server::start(|_| server::Action::Stall).await;
    // The connect timeout is long, so that only the client's timeout can elapse.
    let transport = bitmart_rest::transport::HyperTransport::builder()
        .connect_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let client = client(&server.address)
        .transport(transport)
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_custom_transports_body_is_an_error_at_the_limit() {
    // 10 GB, which must not be collected before the limit is checked.
    let transport = pieces(&[b' '; 1000], 10_000_000, || Poll::Ready(None));
    let client = client("https://spot").transport(transport).max_body(10_000).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn an_error_of_the_body_always_means_that_the_request_may_have_been_sent() {
    let transport = pieces(b"{", 1, || {
        let error = TransportError::not_sent(TransportErrorKind::Interrupted);
        Poll::Ready(Some(Err(error)))
    });
    let client = client("https://spot").transport(transport).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
}
