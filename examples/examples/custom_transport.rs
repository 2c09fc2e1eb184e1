//! A custom transport for the REST client: this one wraps another and counts and times requests. The client
//! still does rate limits, timeouts and the evaluation of responses.
//!
//! ```sh
//! cargo run --example custom_transport
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bitmart::rest;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::http;
use bitmart::rest::transport::{HyperTransport, ReservationFuture, Transport, TransportFuture};

/// Forwards and counts requests. It logs path and status only: headers contain the key and the signature,
/// bodies contain account data.
struct CountingTransport<T> {
    inner: T,
    requests: Arc<AtomicU64>,
}

impl<T: Transport> Transport for CountingTransport<T> {
    /// Calls the inner transport exactly once: a repeated request could place an order twice.
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let request_line = format!("{} {}", request.method(), request.uri().path());
        let start = Instant::now();
        Box::pin(async move {
            let response = self.inner.send(request).await;
            let status = match &response {
                Ok(response) => response.status().to_string(),
                Err(error) => error.to_string(),
            };
            println!("#{number} {request_line}: {status} after {:?}", start.elapsed());
            response
        })
    }

    /// Forwarded as well, so that requests wait for a connection before they are signed.
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        self.inner.reserve(host)
    }
}

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let requests = Arc::new(AtomicU64::new(0));
    let inner = HyperTransport::builder().roots(exchange.environment.roots.clone()).build()?;
    let client = rest::Client::builder()
        .environment(exchange.environment.clone())
        .transport(CountingTransport { inner, requests: requests.clone() })
        .build()?;

    println!("last price {:?}", client.spot().ticker("BTC_USDT").await?.last_price);
    client.spot().ticker("NO_SUCH").await.expect_err("an unknown pair");
    println!("{} requests passed through the transport", requests.load(Ordering::Relaxed));
    Ok(())
}
