//! HTTP/2.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitmart_rest::Outcome;
use bitmart_rest::transport::HyperTransport;
use bitmart_types::{Environment, Roots, Service};
use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, client};
use crate::in_memory::in_memory_connector;
use crate::server::{Server, eventually, ok};
use crate::tls::certificate;

#[tokio::test]
async fn concurrent_requests_share_a_connection() {
    let (tls, root) = certificate(&[b"h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let accepts = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn({
        let accepts = Arc::clone(&accepts);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepts.fetch_add(1, Ordering::SeqCst);
                let stream = TokioIo::new(tls.accept(stream).await.unwrap());
                let response = service_fn(async |request: http::Request<_>| {
                    let _: hyper::body::Incoming = request.into_body();
                    Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(ORDER_RESPONSE))))
                });
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(builder.serve_connection(stream, response));
            }
        }
    });
    let roots = Roots::none().with_der(root);
    let transport = HyperTransport::builder().roots(roots).http2(true).build().unwrap();
    let environment = Environment::custom("test").with(Service::SpotRest, &address);
    let client = client("").environment(environment).transport(transport).build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(PLACE_ORDER).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().order_id, "7");
    }
    assert_eq!(accepts.load(Ordering::SeqCst), 1);
    server.abort();
}

/// A host that accepts connections and never responds; returns its address and the count.
async fn unresponsive_host() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let accepts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepts);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, accepts)
}

#[tokio::test]
async fn an_unresponsive_host_does_not_delay_other_hosts() {
    let (tls, root) = certificate(&[b"http/1.1"]);
    let alive = Server::listen(Some(tls), |_| ok(ORDER_RESPONSE)).await;
    let (dead, accepts) = unresponsive_host().await;
    let transport = HyperTransport::builder()
        .roots(Roots::none().with_der(root))
        .http2(true)
        .connect_timeout(Duration::from_secs(3600))
        .build()
        .unwrap();
    let to = |address: &str| client(address).transport(transport.clone()).build().unwrap();
    let stuck = tokio::spawn({
        let client = to(&dead);
        async move { client.send(PLACE_ORDER).await }
    });
    eventually(|| accepts.load(Ordering::SeqCst) == 1).await;
    to(&alive.address).send(PLACE_ORDER).await.unwrap();
    assert!(!stuck.is_finished());
    stuck.abort();
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_a_failed_connection_attempt() {
    let (dead, accepts) = unresponsive_host().await;
    let transport = HyperTransport::builder().http2(true).build().unwrap();
    let client = client(&dead).transport(transport).build().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(PLACE_ORDER).await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    assert!(accepts.load(Ordering::SeqCst) <= 1);
    // A later request makes another attempt.
    assert_eq!(client.send(PLACE_ORDER).await.unwrap_err().outcome(), Outcome::NotSent);
    eventually(|| accepts.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn falls_back_to_http1() {
    let (tls, root) = certificate(&[b"http/1.1"]);
    let server = Server::listen(Some(tls), |_| ok(ORDER_RESPONSE)).await;
    let roots = Roots::none().with_der(root);
    let transport = HyperTransport::builder().roots(roots).http2(true).build().unwrap();
    let environment = Environment::custom("test").with(Service::SpotRest, &server.address);
    let client = client("").environment(environment).transport(transport).build().unwrap();
    for _ in 0..3 {
        client.send(PLACE_ORDER).await.unwrap();
    }
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn connections_to_a_server_of_http1_are_opened_side_by_side() {
    let (tls, root) = certificate(&[b"http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let serve = |stream| {
            let tls = tls.clone();
            tokio::spawn(async move {
                let stream = TokioIo::new(tls.accept(stream).await.unwrap());
                let respond = service_fn(async |_: http::Request<hyper::body::Incoming>| {
                    Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(ORDER_RESPONSE))))
                });
                hyper::server::conn::http1::Builder::new().serve_connection(stream, respond).await
            });
        };
        serve(listener.accept().await.unwrap().0);
        // No handshake before all have come.
        let mut waiting = Vec::new();
        while waiting.len() < 3 {
            waiting.push(listener.accept().await.unwrap().0);
        }
        waiting.into_iter().for_each(serve);
    });
    let roots = Roots::none().with_der(root);
    let transport = HyperTransport::builder().roots(roots).http2(true).build().unwrap();
    let environment = Environment::custom("test").with(Service::SpotRest, &address);
    let client = client("").environment(environment).transport(transport).build().unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    // One connection is idle, and three are missing.
    let order = || client.send(PLACE_ORDER);
    let results = tokio::join!(order(), order(), order(), order());
    let (one, two, three, four) = results;
    for result in [one, two, three, four] {
        result.unwrap();
    }
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_falls_silent_is_noticed_while_a_request_waits() {
    let (connector, mut dialled) = in_memory_connector();
    let transport = HyperTransport::builder().connector(connector).http2(true).build().unwrap();
    let timeout = Duration::from_secs(600);
    let client = client("http://localhost").transport(transport).timeout(timeout).build().unwrap();
    let (silence, mut silenced) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let stream = TokioIo::new(dialled.recv().await.unwrap());
        let respond = service_fn(async |_: http::Request<hyper::body::Incoming>| {
            Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(ORDER_RESPONSE))))
        });
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let mut connection = pin!(builder.serve_connection(stream, respond));
        tokio::select! {
            ended = &mut connection => panic!("{ended:?}"),
            _ = &mut silenced => {}
        }
        // The connection stays open, but nothing is read or written any more. The next one is accepted.
        dialled.recv().await.unwrap();
    });
    client.send(PLACE_ORDER).await.unwrap();
    silence.send(()).unwrap();

    let begin = Instant::now();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());

    // A later request opens a connection.
    let later = tokio::spawn(async move { client.send(PLACE_ORDER).await });
    server.await.unwrap();
    later.abort();
}
