//! BitMart WebSocket streams: session, order books, typed subscriptions.
//!
//! A [`Client`] hands out [`Subscription`]s. Each is a stream of [`Update`]s: data, and in the same
//! order everything that a reader must know to judge it, such as a lost and repaired connection.
//!
//! ```no_run
//! use bitmart_auth::Credentials;
//! use bitmart_ws::{Client, Update, topic};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().credentials(Credentials::from_env()?).build()?;
//! let mut orders = client.subscribe(topic::spot::all_user_orders()).await?;
//! while let Some(update) = orders.next().await {
//!     match update? {
//!         Update::Data(order) => println!("{order:?}"),
//!         // Orders may have changed in between: query them over REST. Fills that came twice have
//!         // the same trade id.
//!         Update::Resynced => println!("connected again"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! - [`topic`], [`spot`], [`futures`], [`event`], [`book`], [`inflate`] and [`peek`] are pure: topics,
//!   events and decoding.
//! - [`Session`] is the life of one connection as a pure state machine, for both [`Dialect`]s.
//! - The `client` feature, on by default, adds tokio and rustls: one task per connection owns the
//!   socket and never waits for a reader.
//!
//! # What is promised
//!
//! - Every queue is bounded. Slow readers of market data see [`Update::Lagged`]; private
//!   subscriptions end with an error instead of losing an event in silence.
//! - A lost connection is replaced with growing pauses, every topic subscribed again, and the gap
//!   marked by [`Update::Reconnecting`] and [`Update::Resynced`].
//! - A connection that falls silent says so ([`Update::Stale`]) before it is given up.
//! - A refused login is an error that says what to check. It is never repeated on its own.
//! - Topics are spread over as many connections as they need, and every limit that BitMart publishes
//!   is kept: topics per connection, connections per address, attempts to connect, frames and bytes
//!   ([`Limits`]). Other programs at the same address count for BitMart as well; leave them their
//!   share with [`ConnectionPolicy::connections_per_side`].
//! - Each connection has a span of `tracing`; losses and refusals are noted in it (`info`; details at
//!   `debug`). Frames, keys and signatures are not. The feature `metrics` gives figures to the crate
//!   `metrics`. All names stand in `docs/observability.md`.
//!
//! # Testing
//!
//! With the feature `testing` the module `testing` has a scripted server: the exchange's end of every
//! connection, in memory and under a paused tokio clock. It accepts, refuses, acknowledges, pushes, closes,
//! falls silent and cuts as the test says.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart_ws::testing::ScriptedServer;
//! use bitmart_ws::{Update, topic};
//!
//! # tokio::time::pause();
//! let mut server = ScriptedServer::new();
//! let client = server.client_builder().build()?;
//! let (connection, trades) = tokio::join!(
//!     async {
//!         let mut connection = server.accept().await;
//!         connection.expect_subscribe(&["spot/trade:BTC_USDT"]).await;
//!         connection
//!     },
//!     client.subscribe(topic::spot::trades("BTC_USDT")),
//! );
//! let mut trades = trades?;
//! assert!(matches!(trades.next().await, Some(Ok(Update::Subscribed))));
//! connection.cut();
//! assert!(matches!(trades.next().await, Some(Ok(Update::Reconnecting(_)))));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
pub mod book;
mod budget;
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
#[cfg(feature = "client")]
mod heard;
pub mod inflate;
#[cfg(feature = "client")]
mod observe;
pub mod peek;
mod policy;
#[cfg(feature = "client")]
mod queue;
mod reason;
#[cfg(feature = "client")]
mod received;
#[cfg(feature = "client")]
mod roster;
#[cfg(feature = "client")]
mod router;
pub mod session;
pub mod spot;
#[cfg(feature = "client")]
mod subscription;
#[cfg(all(feature = "client", any(test, feature = "testing")))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod topic;
mod update;

pub use backoff::Backoff;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, Connection, Trouble, Troubles};
pub use dialect::{Access, Dialect, Limits, SecretText};
#[cfg(feature = "client")]
pub use error::{Error, ErrorKind};
#[cfg(feature = "client")]
pub use fan_in::{FanIn, FanInOptions, Received, SlowReader};
pub use policy::{ConnectionPolicy, LimitSource, PolicyError};
pub use reason::{ReconnectReason, Rejection};
#[cfg(feature = "client")]
pub use received::ReceivedAt;
pub use session::{Action, Condition, Notice, Pace, Session, Status};
#[cfg(feature = "client")]
pub use subscription::Subscription;
pub use topic::Topic;
pub use update::Update;
