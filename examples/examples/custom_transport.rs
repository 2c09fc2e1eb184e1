//! Two ways to extend the REST client: a transport of your own, here one that counts and times what
//! passes through it, and an endpoint that this library does not have.
//!
//! ```sh
//! cargo run --example custom_transport
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::http;
use bitmart::rest::transport::{HyperTransport, Transport, TransportFuture};
use bitmart::rest::{self, EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::wire;
use bitmart::{Decimal, Symbol, Timestamp};
use serde::Deserialize;

/// Passes requests on and counts them. Address and status are all it looks at: headers hold the
/// key and the signature, bodies hold the account.
struct Counting<T> {
    inner: T,
    requests: Arc<AtomicU64>,
}

impl<T: Transport> Transport for Counting<T> {
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
}

/// `GET /spot/quotation/v3/ticker`, written by hand with only the two fields that are wanted.
struct QueryLastPrice {
    symbol: Symbol,
}

#[derive(Debug, Deserialize)]
struct LastPrice {
    #[serde(with = "wire::decimal")]
    last: Decimal,
    #[serde(rename = "ts", with = "wire::millis_text")]
    time: Timestamp,
}

impl Endpoint for QueryLastPrice {
    type Response = LastPrice;
    const METADATA: Metadata =
        Metadata::new("last_price", Method::Get, Host::Spot, "/spot/quotation/v3/ticker").limit(
            15,
            2,
            LimitScope::Ip,
        );

    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        payload.query("symbol", &self.symbol);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = Sandbox::start(Config::new()).await?;
    let environment = sandbox::environment(&exchange)?;
    let requests = Arc::new(AtomicU64::new(0));
    let inner = HyperTransport::builder().roots(environment.roots.clone()).build()?;
    let client = rest::Client::builder()
        .environment(environment)
        .transport(Counting { inner, requests: requests.clone() })
        .build()?;

    println!("last price {:?}", client.spot().ticker("BTC_USDT").await?.last);
    let own = client.send(QueryLastPrice { symbol: "ETH_USDT".into() }).await?;
    println!("last price {} at {}", own.last, own.time);
    println!("{} requests passed through the transport", requests.load(Ordering::Relaxed));
    Ok(())
}
