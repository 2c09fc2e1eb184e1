//! Transports from `tower` services: what they promise, and what hyper-util's client does with it.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bitmart_rest::testing::transport_conformance;
use bitmart_rest::transport::{HyperTransport, Transport, from_service};
use bitmart_rest::{Outcome, TransportError, TransportErrorKind};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client as Legacy, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use crate::endpoint::{ORDER, PLACED, client};
use crate::server::{Reply, Server, ok};

fn legacy(retry: bool, idle: usize) -> Legacy<HttpConnector, Full<Bytes>> {
    Legacy::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .retry_canceled_requests(retry)
        .pool_max_idle_per_host(idle)
        .build_http()
}

#[tokio::test]
async fn our_own_transport_conforms() {
    let transport = HyperTransport::builder().build().unwrap();
    transport_conformance(&transport).await.assert_passed();
    let fresh = HyperTransport::builder().fresh_connection_for_writes(true).build().unwrap();
    transport_conformance(&fresh).await.assert_passed();
}

#[tokio::test]
async fn hyper_utils_client_conforms_when_it_uses_no_connection_twice() {
    for retry in [false, true] {
        transport_conformance(&from_service(legacy(retry, 0))).await.assert_passed();
    }
}

/// What the documentation of `from_service` says: `retry_canceled_requests` sends nothing twice
/// that has begun to be written, whether it is on or off. Whether its pool notices a surplus
/// response in time is a matter of luck, which is why that may fail here.
#[tokio::test]
async fn hyper_utils_pool_sends_no_request_twice_that_arrived() {
    for retry in [false, true] {
        let report = transport_conformance(&from_service(legacy(retry, 8))).await;
        let faults = report.faults();
        assert!(faults.is_empty() || faults == ["a response too many"], "{retry}: {report}");
    }
}

#[tokio::test]
async fn a_request_on_a_used_connection_that_is_closed_may_have_been_sent() {
    for retry in [false, true] {
        let server =
            Server::start(|number| if number == 2 { Reply::Close } else { ok(PLACED) }).await;
        let transport = from_service(legacy(retry, 8));
        let client = client(&server.address).transport(transport).build().unwrap();
        assert_eq!(client.send(ORDER).await.unwrap().order_id, "7");
        let error = client.send(ORDER).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{retry}");
        assert_eq!((server.requests().len(), server.accepts()), (2, 1), "{retry}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_while_it_arrives() {
    let server = Server::start(|_| Reply::Endless).await;
    let transport = from_service(legacy(false, 0));
    let client = client(&server.address).transport(transport).max_body(10_000).build().unwrap();
    let error = client.send(ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &bitmart_rest::ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
    assert_eq!(error.outcome(), Outcome::Unknown);
    // The rest is not read.
    server.ended(1).await;
}

#[tokio::test]
async fn a_failure_of_the_call_may_have_been_sent_unless_the_user_knows_better() {
    let server = Server::start(|_| Reply::Close).await;
    let address = server.address.clone();
    drop(server);
    let plain = from_service(legacy(false, 0));
    let classified = from_service(legacy(false, 0)).classify(|error| {
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
    // The server's task may take a moment to give up its port; then nobody listens.
    loop {
        let error = classified.send(ORDER).await.unwrap_err();
        if error.kind() == &bitmart_rest::ErrorKind::Transport(TransportErrorKind::Connect) {
            assert_eq!(error.outcome(), Outcome::NotSent);
            break;
        }
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
    assert_eq!(plain.send(ORDER).await.unwrap_err().outcome(), Outcome::Unknown);
}

/// Takes one request at a time: ready with a permit, which a clone does not have. Not `Sync`.
struct OneAtATime {
    room: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    waiting: Option<std::pin::Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    calls: Arc<AtomicUsize>,
    _not_sync: Cell<()>,
}

impl OneAtATime {
    fn new(calls: Arc<AtomicUsize>) -> Self {
        let room = Arc::new(Semaphore::new(1));
        Self { room, permit: None, waiting: None, calls, _not_sync: Cell::new(()) }
    }
}

impl Clone for OneAtATime {
    fn clone(&self) -> Self {
        Self { room: Arc::clone(&self.room), ..Self::new(Arc::clone(&self.calls)) }
    }
}

impl Service<http::Request<Full<Bytes>>> for OneAtATime {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.permit.is_none() {
            let room = Arc::clone(&self.room);
            let waiting = self
                .waiting
                .get_or_insert_with(|| Box::pin(async { room.acquire_owned().await.unwrap() }));
            let Poll::Ready(permit) = waiting.as_mut().poll(cx) else { return Poll::Pending };
            (self.permit, self.waiting) = (Some(permit), None);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
        let permit = self.permit.take().expect("a service that is called was ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            drop(permit);
            Ok(http::Response::new(Full::new(Bytes::from(PLACED))))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn back_pressure_is_waited_for_and_only_a_ready_service_is_called() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = Arc::new(from_service(OneAtATime::new(Arc::clone(&calls))));
    let client = client("https://spot").transport(transport).build().unwrap();
    let start = tokio::time::Instant::now();
    let (one, other, third) =
        tokio::join!(client.send(ORDER), client.send(ORDER), client.send(ORDER));
    assert!(one.is_ok() && other.is_ok() && third.is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert!(start.elapsed() >= std::time::Duration::from_secs(3), "one at a time");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_while_it_waits_takes_no_room() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = from_service(OneAtATime::new(Arc::clone(&calls)));
    let client = client("https://spot").transport(transport).build().unwrap();
    let second = std::time::Duration::from_secs(1);
    let (one, dropped) =
        tokio::join!(client.send(ORDER), tokio::time::timeout(second / 2, client.send(ORDER)));
    assert!(one.is_ok() && dropped.is_err());
    client.send(ORDER).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2, "the dropped one was never handed over");
}

/// Is never ready.
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
        ready(Err(std::io::Error::other("it was not ready")))
    }
}

#[tokio::test]
async fn what_a_service_that_is_not_ready_was_not_given_is_not_sent() {
    let transport = from_service(Broken);
    let error = transport.send(http::Request::new(Bytes::new())).await.unwrap_err();
    assert!(!error.may_have_been_sent());
}
