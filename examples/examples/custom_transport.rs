//! A transport of your own under the REST client, here one that counts and times what passes
//! through it to another one. The client keeps its rate limits, deadlines and judgement of answers.
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

/// Passes requests on and counts them. Address and status are all it looks at: headers hold the
/// key and the signature, bodies hold the account.
struct Counting<T> {
    inner: T,
    requests: Arc<AtomicU64>,
}

impl<T: Transport> Transport for Counting<T> {
    /// Exactly one call of the inner one for each: an order that is sent twice is bought twice.
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let what = format!("{} {}", request.method(), request.uri().path());
        let start = Instant::now();
        Box::pin(async move {
            let answer = self.inner.send(request).await;
            let result = match &answer {
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.to_string(),
            };
            println!("#{number} {what}: {result} after {:?}", start.elapsed());
            answer
        })
    }

    /// Passed on as well, or the inner one's limit of connections would not hold requests back
    /// before they are signed.
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        self.inner.reserve(host)
    }
}

#[tokio::main]
async fn main() -> examples::Result {
    let venue = examples::venue().await?;
    let requests = Arc::new(AtomicU64::new(0));
    let inner = HyperTransport::builder().roots(venue.environment.roots.clone()).build()?;
    let client = rest::Client::builder()
        .environment(venue.environment.clone())
        .transport(Counting { inner, requests: requests.clone() })
        .build()?;

    println!("last price {:?}", client.spot().ticker("BTC_USDT").await?.last_price);
    client.spot().ticker("NO_SUCH").await.expect_err("there is no such pair");
    println!("{} requests passed through the transport", requests.load(Ordering::Relaxed));
    Ok(())
}
