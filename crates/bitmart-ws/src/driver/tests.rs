//! The driver, the client and a scripted server, in memory and in virtual time.

mod adversity;
mod ending;
mod lifecycle;
mod login;
mod policy;
mod pool;
mod wire;

use std::io::Write as _;
use std::time::Duration;

use bitmart_auth::Credentials;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use tokio::runtime::Handle;

use crate::Subscription;
use crate::client::ClientBuilder;
use crate::dialect::{Access, Dialect};
use crate::error::Error;
use crate::event::RawEvent;
use crate::testing::own::patient;
use crate::testing::{ScriptedServer, ServerConnection};
use crate::topic::Topic;
use crate::update::Update;

fn spot(name: &str) -> Topic<RawEvent> {
    Topic::public(Dialect::Spot, name)
}

fn ticker() -> Topic<RawEvent> {
    spot("spot/ticker:BTC_USDT")
}

fn trade() -> Topic<RawEvent> {
    spot("spot/trade:BTC_USDT")
}

fn orders() -> Topic<RawEvent> {
    Topic::private(Dialect::Spot, "spot/user/orders:ALL_SYMBOLS")
}

/// A data frame with one entry per value.
fn data(table: &str, symbol: &str, values: &[u32]) -> String {
    let entries: Vec<_> =
        values.iter().map(|value| format!(r#"{{"symbol":"{symbol}","v":{value}}}"#)).collect();
    format!(r#"{{"data":[{}],"table":"{table}"}}"#, entries.join(","))
}

fn tick(value: u32) -> String {
    data("spot/ticker", "BTC_USDT", &[value])
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// The next update, which must be no error.
async fn next(subscription: &mut Subscription<RawEvent>) -> Update<RawEvent> {
    patient(subscription.next()).await.expect("an update").expect("no error")
}

/// The value of the next update, which must be data.
async fn value(subscription: &mut Subscription<RawEvent>) -> u32 {
    match next(subscription).await {
        Update::Data(event) => value_of(&event),
        other => panic!("{other:?} instead of data"),
    }
}

fn value_of(event: &RawEvent) -> u32 {
    let entry: serde_json::Value = serde_json::from_str(event.json.get()).expect("JSON");
    entry["v"].as_u64().and_then(|value| value.try_into().ok()).expect("a value")
}

/// The error that ends the subscription, with whatever comes before it.
async fn last_error(subscription: &mut Subscription<RawEvent>) -> Error {
    loop {
        if let Err(error) = patient(subscription.next()).await.expect("an error before the end") {
            assert!(patient(subscription.next()).await.is_none(), "the error is the last item");
            return error;
        }
    }
}

fn with_account(builder: ClientBuilder) -> ClientBuilder {
    builder.credentials(
        Credentials::new("canary-key", "canary-secret", "canary-memo").expect("credentials"),
    )
}

/// The next connection, its first command acknowledged.
async fn serve(venue: &mut ScriptedServer) -> ServerConnection {
    let mut peer = venue.accept().await;
    peer.accept_command().await;
    peer
}

/// Waits until the tasks that were started since are gone.
async fn tasks_end(before: usize) {
    patient(async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
