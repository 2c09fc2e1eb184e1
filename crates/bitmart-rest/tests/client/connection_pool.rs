//! Connections are reused, and no request is sent twice.

use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{ErrorKind, Outcome};

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, client};
use crate::extra_responses::Numbered;
use crate::server::{Action, Server, eventually, ok};

#[tokio::test]
async fn a_connection_is_reused() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let client = client(&server.address).build().unwrap();
    for _ in 0..5 {
        assert_eq!(client.send(PLACE_ORDER).await.unwrap().order_id, "7");
    }
    assert_eq!(server.accepts(), 1);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_connection_is_reused_after_an_error_response() {
    let rejection = r#"{"code":50020,"message":"Balance not enough"}"#;
    let server = Server::start(move |_| Action::Respond("400 Bad Request", rejection.into())).await;
    let client = client(&server.address).build().unwrap();
    for _ in 0..3 {
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Rejected);
    }
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_replaced() {
    let server = Server::start(|_| Action::RespondAndClose("200 OK", ORDER_RESPONSE.into())).await;
    let client = client(&server.address).build().unwrap();
    for number in 1..=3 {
        client.send(PLACE_ORDER).await.unwrap();
        server.ended(number).await;
    }
    assert_eq!(server.accepts(), 3);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_request_on_a_reused_connection_that_breaks_is_not_sent_again() {
    let server =
        Server::start(|number| if number == 2 { Action::Close } else { ok(ORDER_RESPONSE) }).await;
    let client = client(&server.address).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();

    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Interrupted));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(server.accepts(), 1);

    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.accepts(), 2);
}

#[tokio::test]
async fn a_connection_with_an_abandoned_response_is_not_reused() {
    let server =
        Server::start(|number| if number == 1 { Action::Stall } else { ok(ORDER_RESPONSE) }).await;
    let client = client(&server.address).build().unwrap();
    let abandoned = tokio::spawn({
        let client = client.clone();
        async move { client.send(PLACE_ORDER).await }
    });
    eventually(|| server.requests().len() == 1).await;
    abandoned.abort();
    // The abandoned connection is closed rather than returned to the pool.
    server.ended(1).await;

    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(server.accepts(), 2);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_is_not_reused_after_the_idle_timeout() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let transport = bitmart_rest::transport::HyperTransport::builder()
        .idle_timeout(std::time::Duration::ZERO)
        .build()
        .unwrap();
    let client = client(&server.address).transport(transport).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(server.accepts(), 2);
}

#[tokio::test]
async fn the_client_builder_sets_the_idle_timeout() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let builder = client(&server.address).idle_timeout(std::time::Duration::ZERO);
    let client = builder.build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(server.accepts(), 2);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let location = format!("HTTP/1.1 307 x\r\nLocation: {}/place\r\n", target.address);
    let raw: &'static str = format!("{location}Content-Length: 0\r\n\r\n").leak();
    let server = Server::start(move |_| Action::WriteAndClose(raw)).await;
    let client = client(&server.address).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(307));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(target.requests().len(), 0);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_connection_limit_is_kept_and_waits_count_toward_the_timeout() {
    let server = Server::start(|_| Action::Stall).await;
    let client = client(&server.address)
        .limiter(Limiter::new(LimitPolicy::Off))
        .max_connections_per_host(3)
        // All calls begin within a tenth of it.
        .timeout(std::time::Duration::from_secs(3))
        .build()
        .unwrap();
    let calls = (0..200).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { client.send(Numbered { number }).await.unwrap_err() })
    });
    let mut outcomes = [0, 0];
    for call in calls.collect::<Vec<_>>() {
        let error = call.await.unwrap();
        assert!(error.is_timeout(), "{error}");
        let is_sent = error.outcome() == Outcome::Unknown;
        outcomes[usize::from(is_sent)] += 1;
        if !is_sent {
            assert_eq!(error.outcome(), Outcome::NotSent);
            let kind = ErrorKind::Transport(TransportErrorKind::Timeout);
            assert_eq!(error.kind(), &kind);
        }
    }
    assert!(outcomes[1] <= 3 && server.requests().len() <= 3, "{outcomes:?}");
    assert!(server.accepts() <= 3, "{} connections", server.accepts());
}
