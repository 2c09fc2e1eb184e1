//! The client keeps time and size limits whatever the transport does.

use std::task::Poll;
use std::time::Duration;

use bitmart_rest::testing::{Reply, ScriptedTransport};
use bitmart_rest::{ErrorKind, Outcome, TransportError, TransportErrorKind};
use tokio::time::Instant;

use crate::endpoint::{ORDER, client};
use crate::mock::pieces;
use crate::server::{self, Server};

const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_silent_transport_meets_the_deadline() {
    let client = client("https://spot")
        .transport(ScriptedTransport::always(Reply::never()))
        .timeout(LIMIT)
        .build()
        .unwrap();
    let start = Instant::now();
    let error = client.send(ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
    let passed = start.elapsed();
    assert!((LIMIT..LIMIT + Duration::from_millis(10)).contains(&passed), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_arriving_meets_the_deadline() {
    let transport = ScriptedTransport::always(Reply::raw(r#"{"code""#).then_silence());
    let client = client("https://spot").transport(transport).timeout(LIMIT).build().unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn an_endless_body_that_is_always_ready_meets_the_deadline() {
    // No size limit ends it: its pieces are empty.
    let transport = pieces(b"", usize::MAX, || Poll::Ready(None));
    let limit = Duration::from_millis(50);
    let client = client("https://spot").transport(transport).timeout(limit).build().unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

/// A signature names the time before the connection is opened, and the exchange's default window
/// for it is five seconds.
#[tokio::test(start_paused = true)]
async fn connecting_gives_up_well_within_the_default_window_of_a_signature() {
    // Takes connections and never shakes hands.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let own = bitmart_rest::transport::HyperTransport::builder().build().unwrap();
    let sooner = client(&address).connect_timeout(Duration::from_millis(700));
    for (builder, limit) in
        [(client(&address), 3_000), (client(&address).transport(own), 3_000), (sooner, 700)]
    {
        let client = builder.timeout(Duration::from_secs(60)).build().unwrap();
        let start = Instant::now();
        let error = client.send(ORDER).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(start.elapsed() <= Duration::from_millis(limit + 10), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_limit_for_connecting_is_shorter_than_the_whole() {
    let build = |limit| {
        let client = client("https://spot").timeout(Duration::from_secs(1));
        client.connect_timeout(limit).build()
    };
    for unfit in [Duration::ZERO, Duration::from_secs(1), Duration::MAX] {
        assert_eq!(build(unfit).unwrap_err().setting(), "connect_timeout");
    }
    assert!(build(Duration::from_millis(999)).is_ok());
}

#[tokio::test]
async fn a_stalled_server_meets_the_deadline() {
    let server = Server::start(|_| server::Reply::Stall).await;
    // The limit for connecting is generous, so that only the deadline can pass.
    let transport = bitmart_rest::transport::HyperTransport::builder()
        .connect_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let client = client(&server.address)
        .transport(transport)
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_foreign_transports_body_is_refused_at_the_limit() {
    // Would go on for 10 GB if it were collected before it is measured.
    let transport = pieces(&[b' '; 1000], 10_000_000, || Poll::Ready(None));
    let client = client("https://spot").transport(transport).max_body(10_000).build().unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_body_that_fails_was_sent_whatever_the_transport_says() {
    let transport = pieces(b"{", 1, || {
        let error = TransportError::not_sent(TransportErrorKind::Interrupted);
        Poll::Ready(Some(Err(error)))
    });
    let client = client("https://spot").transport(transport).build().unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
}
