//! The core of `bitmart-rest` with another HTTP stack, here ureq: it encodes and signs typed requests, and
//! decodes responses. No tokio, no hyper.
//!
//! ```toml
//! [dependencies]
//! bitmart-rest = { version = "0.1", default-features = false }
//! ureq = { version = "3", default-features = false, features = ["rustls"] }
//! ```
//!
//! ```sh
//! cargo run --example own_http_stack
//! ```

use bitmart_rest::auth::Credentials;
use bitmart_rest::endpoint::{Encoder, Endpoint, decode};
use bitmart_rest::http::Request;
use bitmart_rest::spot;
use bitmart_rest::types::Environment;
use bitmart_rest::types::{Clock, ConfigError, SystemClock};

struct Exchange {
    encoder: Encoder,
    agent: ureq::Agent,
}

impl Exchange {
    fn new(environment: &Environment, credentials: Credentials) -> Result<Self, ConfigError> {
        let encoder = Encoder::new(environment)?.with_credentials(credentials)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false) // `decode` handles error responses.
            .max_redirects(0) // Do not send a signed request to another host.
            .max_redirects_will_error(false);
        Ok(Self { encoder, agent: config.build().new_agent() })
    }

    /// If `run` or reading the body fails, a request with an effect may have taken effect: query the exchange
    /// before you send it again.
    fn send<E: Endpoint>(&self, request: &E) -> examples::Result<E::Response> {
        let (head, body) = self.encoder.encode(request, SystemClock.now())?.into_parts();
        let response = if body.is_empty() {
            self.agent.run(Request::from_parts(head, ()))?
        } else {
            self.agent.run(Request::from_parts(head, &body[..]))?
        };
        let (head, body) = response.into_parts();
        let body = body.into_with_config().limit(16 << 20).read_to_vec()?;
        Ok(decode::<E>(head.status, &head.headers, &body.into())?)
    }
}

fn run(environment: &Environment, credentials: Credentials) -> examples::Result {
    let exchange = Exchange::new(environment, credentials)?;
    for candle in exchange.send(&spot::ListKlines::new("BTC_USDT").limit(3))? {
        println!("{} close {}", candle.timestamp, candle.close);
    }
    println!("{} open orders", exchange.send(&spot::ListOpenOrders::new())?.len());
    let error = exchange.send(&spot::ListKlines::new("NO_SUCH")).expect_err("an unknown pair");
    println!("rejected: {error}");
    Ok(())
}

#[tokio::main] // For the embedded sandbox only.
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let (environment, credentials) = (exchange.environment.clone(), exchange.credentials.clone());
    let call = move || run(&environment, credentials).map_err(|error| error.to_string());
    Ok(tokio::task::spawn_blocking(call).await??)
}
