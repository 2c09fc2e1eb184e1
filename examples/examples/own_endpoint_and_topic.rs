//! A custom endpoint and a custom topic, here the ticker with a few fields. The library still does signing,
//! rate limits, errors, logins, reconnects and the dispatch of events.
//!
//! ```sh
//! cargo run --example own_endpoint_and_topic
//! ```

use bitmart::rest::endpoint::{EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload};
use bitmart::types::codec;
use bitmart::ws::event::{DecodeError, Event, decode_entries};
use bitmart::ws::topic::Topic;
use bitmart::ws::{Market, Update};
use bitmart::{Decimal, Symbol, Timestamp, rest, ws};
use serde::Deserialize;

/// `GET /spot/quotation/v3/ticker`. For an endpoint that requires a key or has an effect, set
/// [`Metadata::auth`] and [`Metadata::effect`].
struct QueryLastPrice {
    symbol: Symbol,
}

#[derive(Debug, Deserialize)]
struct LastPrice {
    #[serde(with = "codec::decimal")]
    last: Decimal,
    #[serde(rename = "ts", with = "codec::millis_text")]
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

/// An entry of the channel `spot/ticker`.
#[derive(Clone, Debug, Deserialize)]
struct LastTrade {
    symbol: Symbol,
    #[serde(with = "codec::decimal")]
    last_price: Decimal,
}

impl Event for LastTrade {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }
    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let client = rest::Client::builder().environment(exchange.environment.clone()).build()?;
    let own = client.send(QueryLastPrice { symbol: "ETH_USDT".into() }).await?;
    println!("REST: {} at {}", own.last, own.time);

    let streams = ws::Client::builder().environment(exchange.environment.clone()).build()?;
    let topic: Topic<LastTrade> = Topic::public(Market::Spot, "spot/ticker:ETH_USDT");
    let mut trades = streams.subscribe(topic).await?;
    while let Some(update) = trades.next().await {
        if let Update::Data(trade) = update? {
            println!("WebSocket: {} at {}", trade.symbol, trade.last_price);
            break;
        }
    }
    streams.shutdown().await;
    Ok(())
}
