//! Market data over NATS: the readers' side, and what readers and collectors agree on.
//!
//! [`connect`] returns a [`bitmart_ws::Client`] whose topics come from the [collectors](crate::collector) of a
//! fleet instead of the exchange. Everything else about it is the same: subscriptions, order books, lifecycle.
//!
//! ```no_run
//! use bitmart_fleet::nats::{self, Options};
//! use bitmart_ws::topic;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // Instead of `Client::builder().build()?`:
//! let client = nats::connect(Options::new("nats://127.0.0.1:4222")).await?;
//! let mut trades = client.subscribe(topic::spot::trades("BTC_USDT")).await?;
//! while let Some(update) = trades.next().await {
//!     println!("{:?}", update?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Messages
//!
//! | What | Subject |
//! |---|---|
//! | A topic | `bitmart.spot.trade.BTC_USDT`, and `bitmart-r1.spot.…` of the second replica |
//! | Requests for a snapshot | `bitmart-request.spot.depth.increase100.BTC_USDT` |
//! | Heartbeats of collectors | `bitmart-member` |
//!
//! A `JetStream` stream keeps the messages of topics for some time. The payload of a frame is its text as the
//! exchange sent it, inflated; [headers](HEADERS) tell the rest. Stream and
//! bucket are both named `BITMART`, the prefix in upper case; the entry `table` of the key-value bucket says who
//! collects what.

mod connection;
mod direct_get;
mod error;
pub mod history;
pub(crate) mod message;
mod options;
pub(crate) mod queue;
pub(crate) mod reader;
mod replay;
mod store;
pub(crate) mod subject;
pub(crate) mod table;
pub(crate) mod view;

pub use error::{Error, ErrorKind};
pub use history::History;
pub use message::HEADERS;
pub use options::Options;
pub use reader::{Source, connect};
pub use replay::Replay;

pub(crate) use connection::Connection;
use store::Store;
