//! Transports from `tower` services, among them hyper-util's client.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bitmart_rest::Outcome;
use bitmart_rest::testing::transport_conformance;
use bitmart_rest::transport::{HyperTransport, Transport, from_service};
use bitmart_rest::transport::{TransportError, TransportErrorKind};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client as Legacy, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, client};
use crate::server::{Action, Server, ok};

/// hyper-util's client, which may repeat canceled requests and keeps so many idle connections.
fn hyper_util_client(retry: bool, max_idle: usize) -> Legacy<HttpConnector, Full<Bytes>> {
    Legacy::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .retry_canceled_requests(retry)
        .pool_max_idle_per_host(max_idle)
        .build_http()
}

#[tokio::test]
async fn the_default_transport_conforms() {
    let transport = HyperTransport::builder().build().unwrap();
    transport_conformance(&transport).await.assert_passed();
    let fresh = HyperTransport::builder().fresh_connection_for_writes(true).build().unwrap();
    transport_conformance(&fresh).await.assert_passed();
}

#[tokio::test]
async fn hyper_utils_client_conforms_without_reusing_connections() {
    for retry in [false, true] {
        transport_conformance(&from_service(hyper_util_client(retry, 0))).await.assert_passed();
    }
}

/// As documented at `from_service`: `retry_canceled_requests` does not repeat a request that has begun to be
/// written. Whether the pool detects an extra response depends on timing, so that check may fail.
#[tokio::test]
async fn hyper_utils_pool_does_not_repeat_a_request_that_has_arrived() {
    for retry in [false, true] {
        let report = transport_conformance(&from_service(hyper_util_client(retry, 8))).await;
        let faults = report.faults();
        assert!(
            faults.is_empty() || faults == ["an extra response is not taken for the next one"],
            "{retry}: {report}"
        );
    }
}

#[tokio::test]
async fn a_request_on_a_reused_connection_that_is_closed_may_have_been_sent() {
    for retry in [false, true] {
        let server =
            Server::start(|number| if number == 2 { Action::Close } else { ok(ORDER_RESPONSE) })
                .await;
        let transport = from_service(hyper_util_client(retry, 8));
        let client = client(&server.address).transport(transport).build().unwrap();
        assert_eq!(client.send(PLACE_ORDER).await.unwrap().order_id, "7");
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{retry}");
        assert_eq!((server.requests().len(), server.accepts()), (2, 1), "{retry}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_before_it_is_complete() {
    let server = Server::start(|_| Action::Endless).await;
    let transport = from_service(hyper_util_client(false, 0));
    let client = client(&server.address).transport(transport).max_body(10_000).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &bitmart_rest::ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
    assert_eq!(error.outcome(), Outcome::Unknown);
    // The rest is not read.
    server.ended(1).await;
}

#[tokio::test]
async fn an_error_of_the_service_may_have_been_sent_unless_it_is_classified() {
    let server = Server::start(|_| Action::Close).await;
    let address = server.address.clone();
    drop(server);
    let plain = from_service(hyper_util_client(false, 0));
    let classified = from_service(hyper_util_client(false, 0)).classify(|error| {
        let error = if error.is_connect() {
            TransportError::not_sent(TransportErrorKind::Connect).with_source(error)
        } else {
            TransportError::maybe_sent(TransportErrorKind::Interrupted).with_source(error)
        };
        assert!(std::error::Error::source(&error).is_some());
        error
    });
    let plain = client(&address).transport(plain).build().unwrap();
    let classified = client(&address).transport(classified).build().unwrap();
    // The server's task may take a moment to close its port.
    loop {
        let error = classified.send(PLACE_ORDER).await.unwrap_err();
        if error.kind() == &bitmart_rest::ErrorKind::Transport(TransportErrorKind::Connect) {
            assert_eq!(error.outcome(), Outcome::NotSent);
            break;
        }
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
    assert_eq!(plain.send(PLACE_ORDER).await.unwrap_err().outcome(), Outcome::Unknown);
}

/// Accepts one request at a time: it is ready with a permit, which its clones do not have. Not `Sync`.
struct OneAtATime {
    capacity: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    waiting: Option<std::pin::Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    calls: Arc<AtomicUsize>,
    _not_sync: Cell<()>,
}

impl OneAtATime {
    fn new(calls: Arc<AtomicUsize>) -> Self {
        let capacity = Arc::new(Semaphore::new(1));
        Self { capacity, permit: None, waiting: None, calls, _not_sync: Cell::new(()) }
    }
}

impl Clone for OneAtATime {
    fn clone(&self) -> Self {
        Self { capacity: Arc::clone(&self.capacity), ..Self::new(Arc::clone(&self.calls)) }
    }
}

impl Service<http::Request<Full<Bytes>>> for OneAtATime {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.permit.is_none() {
            let capacity = Arc::clone(&self.capacity);
            let waiting = self
                .waiting
                .get_or_insert_with(|| Box::pin(async { capacity.acquire_owned().await.unwrap() }));
            let Poll::Ready(permit) = waiting.as_mut().poll(cx) else { return Poll::Pending };
            (self.permit, self.waiting) = (Some(permit), None);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
        let permit = self.permit.take().expect("the service must be ready before it is called");
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            drop(permit);
            Ok(http::Response::new(Full::new(Bytes::from(ORDER_RESPONSE))))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn waits_for_back_pressure_and_calls_only_a_ready_service() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = Arc::new(from_service(OneAtATime::new(Arc::clone(&calls))));
    let client = client("https://spot").transport(transport).build().unwrap();
    let start = tokio::time::Instant::now();
    let (one, other, third) =
        tokio::join!(client.send(PLACE_ORDER), client.send(PLACE_ORDER), client.send(PLACE_ORDER));
    assert!(one.is_ok() && other.is_ok() && third.is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert!(start.elapsed() >= std::time::Duration::from_secs(3), "one at a time");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_while_waiting_uses_no_capacity() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = from_service(OneAtATime::new(Arc::clone(&calls)));
    let client = client("https://spot").transport(transport).build().unwrap();
    let second = std::time::Duration::from_secs(1);
    let (one, dropped) = tokio::join!(
        client.send(PLACE_ORDER),
        tokio::time::timeout(second / 2, client.send(PLACE_ORDER))
    );
    assert!(one.is_ok() && dropped.is_err());
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2, "the dropped request is not passed to the service");
}

/// A service that is never ready.
#[derive(Clone)]
struct Broken;

impl Service<http::Request<Full<Bytes>>> for Broken {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Err(std::io::Error::other("closed")))
    }
    fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
        ready(Err(std::io::Error::other("the service was not ready")))
    }
}

#[tokio::test]
async fn an_error_of_poll_ready_means_not_sent() {
    let transport = from_service(Broken);
    let error = transport.send(http::Request::new(Bytes::new())).await.unwrap_err();
    assert!(!error.may_have_been_sent());
}

/// A service that never becomes ready.
#[derive(Clone)]
struct NeverReady;

impl Service<http::Request<Full<Bytes>>> for NeverReady {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Pending
    }
    fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
        ready(Err(std::io::Error::other("the service was not ready")))
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_service_is_not_ready_in_time_was_not_sent() {
    let client = client("https://spot").transport(from_service(NeverReady)).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reservation_that_is_not_used_returns_its_capacity() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = from_service(OneAtATime::new(Arc::clone(&calls)));
    let host = "spot".parse().unwrap();
    drop(transport.reserve(&host).await);
    let reserved = transport.reserve(&host);
    let second = std::time::Duration::from_secs(1);
    drop(tokio::time::timeout(second, reserved).await.expect("the capacity is free again"));
}
