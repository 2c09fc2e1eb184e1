//! WebSocket streams of the BitMart exchange: typed subscriptions that report every interruption, order books
//! that repair themselves, and a session without I/O for other runtimes.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart_ws::{Client, Update, topic};
//!
//! let client = Client::builder().build()?;
//! let mut trades = client.subscribe(topic::spot::trades("BTC_USDT")).await?;
//! while let Some(update) = trades.next().await {
//!     match update? {
//!         Update::Data(trade) => println!("{} {} at {}", trade.side, trade.size, trade.price),
//!         Update::Resynced => println!("connected again; trades may be missing"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Subscriptions
//!
//! A [`Client`] subscribes to a [`Topic`](topic::Topic); the functions of [`topic::spot`] and [`topic::futures`]
//! create them, and [`spot`] and [`futures`] contain the events. A [`Subscription`] is a stream of [`Update`]s: data,
//! and in the same order every change that affects how far the data can be trusted.
//!
//! - [`Client::fan_in`] delivers many topics in [one stream](FanIn).
//! - [`Client::order_book`] maintains an [`OrderBook`](book::OrderBook) from a snapshot and updates, and starts over
//!   after a gap. [`Client::watch_book`] shares the latest state of a book with readers that do not need every update.
//! - Private topics need [credentials](ClientBuilder::credentials).
//!
//! # Guarantees
//!
//! - Every queue is bounded. A slow reader of market data gets [`Update::Lagged`]; a private subscription ends with an
//!   error, so that no event is lost unnoticed.
//! - A lost connection is replaced with a growing [backoff](Backoff) and every topic is subscribed again. The gap is
//!   marked by [`Update::Reconnecting`] and [`Update::Resynced`].
//! - An idle connection is reported with [`Update::Stale`] before it counts as dead.
//! - Topics are spread over as many connections as they need, within all [`Limits`] that BitMart publishes. A
//!   [`ConnectionPolicy`] leaves capacity for other programs at the same address.
//!
//! # Layers
//!
//! - [`topic`], [`event`], [`book`], [`inflate`] and [`peek`] are pure: names, types and decoding. [`catalog`] lists
//!   all channels as data.
//! - [`session::Session`] is the life of one connection as a pure state machine, for both [`Market`]s. It takes frames
//!   and timestamps and returns actions, so it runs on any runtime.
//! - The feature `client` adds tokio and rustls: one task per connection owns the socket and never waits for a reader.
//!   A [`source`] supplies topics from elsewhere than the exchange.
//!
//! # Features
//!
//! | Feature | Default | Contents |
//! |---|---|---|
//! | `client` | yes | the client on tokio and rustls |
//! | `metrics` | no | metrics for the crate `metrics` |
//! | `system-roots` | no | trust in the certificate authorities of the operating system |
//! | `testing` | no | [`testing::ScriptedServer`], an exchange in memory for your tests |

#![cfg_attr(not(feature = "client"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod assignments;
mod backoff;
pub mod book;
pub mod catalog;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connect;
mod dialect;
#[cfg(feature = "client")]
mod driver;
#[cfg(feature = "client")]
mod error;
pub mod event;
#[cfg(feature = "client")]
mod fan_in;
#[cfg(feature = "client")]
mod frame;
pub mod futures;
mod generated;
pub mod inflate;
#[cfg(feature = "client")]
mod observe;
pub mod peek;
mod policy;
#[cfg(feature = "client")]
mod queue;
mod rate_limiter;
mod reason;
#[cfg(feature = "client")]
mod receive_time;
#[cfg(feature = "client")]
mod receive_tracker;
#[cfg(feature = "client")]
mod router;
pub mod session;
#[cfg(feature = "client")]
pub mod source;
pub mod spot;
#[cfg(feature = "client")]
mod subscription;
#[cfg(all(feature = "client", any(test, feature = "testing")))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod topic;
mod update;

pub use backoff::Backoff;
pub use bitmart_auth as auth;
pub use bitmart_types::{self as types, Market};
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, Connection, ConnectionProblem, ConnectionProblems};
pub use dialect::{Access, Limits, SecretText};
#[cfg(feature = "client")]
pub use error::{Error, ErrorKind};
#[cfg(feature = "client")]
pub use fan_in::{FanIn, FanInOptions, OverflowPolicy, TopicUpdate};
pub use policy::{ConnectionPolicy, LimitSource, PolicyError};
pub use reason::{ReconnectReason, Rejection};
#[cfg(feature = "client")]
pub use receive_time::ReceiveTime;
pub use session::status::{ConnectionState, ConnectionStatus};
#[cfg(feature = "client")]
pub use subscription::Subscription;
pub use update::Update;

/// Compiles the code blocks of the README.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;
