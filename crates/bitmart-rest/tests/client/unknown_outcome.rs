//! Failures that leave the outcome unknown, over a real connection.

use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{Error, ErrorKind, Outcome, Unexpected};
use tokio::net::TcpListener;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, client};
use crate::server::{Action, Server, ok};

/// The error of an order that the server handles with `action`.
async fn failure(action: Action) -> Error {
    let server = Server::start(move |_| action.clone()).await;
    let client = client(&server.address).max_body(64 * 1024).build().unwrap();
    let error = client.send(PLACE_ORDER).await.expect_err("must fail");
    assert_eq!(server.requests().len(), 1, "sent once");
    error
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https"] {
        let client = client(&format!("{scheme}://{address}")).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Connect));
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
}

#[tokio::test]
async fn a_dropped_connection_leaves_the_outcome_unknown() {
    let error = failure(Action::Close).await;
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Interrupted));
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_half_sent_response_leaves_the_outcome_unknown() {
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":1000",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cod\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "not HTTP at all\r\n\r\n",
    ] {
        let error = failure(Action::WriteAndClose(raw)).await;
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Interrupted), "{raw}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{raw}");
    }
}

#[tokio::test]
async fn a_proxys_page_leaves_the_outcome_unknown() {
    let page = "<html><body>502 Bad Gateway</body></html>";
    let error = failure(Action::Respond("502 Bad Gateway", page.into())).await;
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Html));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.body(), Some(page.as_bytes()));
}

#[tokio::test]
async fn truncated_json_leaves_the_outcome_unknown() {
    let error = failure(ok(&ORDER_RESPONSE[..ORDER_RESPONSE.len() - 4])).await;
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Truncated));
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error() {
    for action in [Action::Endless, ok(&" ".repeat(5_000_000))] {
        let error = failure(action).await;
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_closes_its_connection() {
    let server = Server::start(|_| Action::Endless).await;
    let client = client(&server.address).max_body(1000).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap_err();
    server.ended(1).await;
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let client = client(&server.address).max_body(ORDER_RESPONSE.len()).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
}
