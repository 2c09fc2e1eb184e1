//! The driver and the client with a scripted server, in memory and in virtual time.

mod faults;
mod frames;
mod lifecycle;
mod login;
mod policy;
mod pool;
mod shutdown;

use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_testkit::deflate;
use tokio::runtime::Handle;

use crate::Subscription;
use crate::client::ClientBuilder;
use crate::dialect::{Access, Market};
use crate::error::Error;
use crate::event::RawEvent;
use crate::testing::test_support::with_timeout;
use crate::testing::{ScriptedServer, ServerConnection};
use crate::topic::Topic;
use crate::update::Update;

fn spot(name: &str) -> Topic<RawEvent> {
    Topic::public(Market::Spot, name)
}

fn ticker() -> Topic<RawEvent> {
    spot("spot/ticker:BTC_USDT")
}

fn trade() -> Topic<RawEvent> {
    spot("spot/trade:BTC_USDT")
}

fn orders() -> Topic<RawEvent> {
    Topic::private(Market::Spot, "spot/user/orders:ALL_SYMBOLS")
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

/// Returns the next update, which must not be an error.
async fn next(subscription: &mut Subscription<RawEvent>) -> Update<RawEvent> {
    with_timeout(subscription.next()).await.expect("an update").expect("no error")
}

/// Returns the value of the next update, which must be data.
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

/// Skips the remaining updates and returns the error that ends the subscription.
async fn last_error(subscription: &mut Subscription<RawEvent>) -> Error {
    loop {
        if let Err(error) =
            with_timeout(subscription.next()).await.expect("an error before the end")
        {
            assert!(
                with_timeout(subscription.next()).await.is_none(),
                "the error is the last item"
            );
            return error;
        }
    }
}

fn with_account(builder: ClientBuilder) -> ClientBuilder {
    builder.credentials(
        Credentials::new("canary-key", "canary-secret", "canary-memo").expect("credentials"),
    )
}

/// Accepts the next connection and acknowledges its first command.
async fn serve(server: &mut ScriptedServer) -> ServerConnection {
    let mut peer = server.accept().await;
    peer.accept_command().await;
    peer
}

/// Waits until no more tasks than `before` are alive.
async fn tasks_end(before: usize) {
    with_timeout(async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
