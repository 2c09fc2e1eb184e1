//! The BitMart SDK: typed REST and WebSocket clients, an account tracker, and a local exchange for tests and
//! experiments. This crate is the facade. It re-exports the crates below it and adds what needs several of them.
//!
//! ```no_run
//! # #[cfg(all(feature = "rest", feature = "ws"))]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart::ws::{Update, topic};
//! use bitmart::{Credentials, Environment, rest, ws};
//!
//! let rest = rest::Client::builder()
//!     .environment(Environment::live())
//!     .credentials(Credentials::from_env()?)
//!     .build()?;
//! println!("{:?}", rest.spot().ticker("BTC_USDT").await?.last_price);
//!
//! let ws = ws::Client::builder().environment(Environment::live()).build()?;
//! let mut trades = ws.subscribe(topic::spot::trades("BTC_USDT")).await?;
//! while let Some(update) = trades.next().await {
//!     if let Update::Data(trade) = update? {
//!         println!("{} {} at {}", trade.side, trade.size, trade.price);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! | Module | Feature | Contents |
//! |---|---|---|
//! | [`rest`] | `rest` (default) | endpoints, orders, models, errors and a client: [`rest::Client`] |
//! | [`ws`] | `ws` (default) | typed topics, subscriptions that report reconnects, order books: [`ws::Client`] |
//! | [`account`] | `account` (default) | orders, fills, balances and positions from streams and REST together: [`account::AccountTracker`] |
//! | [`sandbox`] | `sandbox` | a local exchange that implements the same protocol: [`sandbox::Sandbox`] |
//! | [`simulation`] | `simulation` | unchanged clients on a sandbox in the same process, without sockets, under a simulated clock |
//! | [`net`] | with `rest` or `ws` | connectors, proxies and TLS settings of both clients: [`net::Connector`] |
//! | [`auth`] | always | credentials and signatures: [`Credentials`] |
//! | [`types`] | always | symbols, ids, decimals, timestamps, enums, environments: [`Environment`] |
//!
//! The [guide](https://docs.rs/bitmart/latest/bitmart/guide/) explains endpoints, errors, streams and money.
//!
//! # Where to connect
//!
//! Both clients take an [`Environment`] and, for private calls, [`Credentials`]:
//!
//! - [`Environment::live`]: the exchange. Trading there ended on 2026-08-26; balances, history and withdrawals are
//!   announced to work until 2027-01-31.
//! - [`Environment::futures_demo`]: BitMart's own futures simulation.
//! - [`sandbox::environment`]: a sandbox in this process, or [`Environment::custom`] with the addresses of one that
//!   runs as a program.
//!
//! # When a call fails
//!
//! [`rest::Error::outcome`] tells whether the request may have taken effect: after
//! [`NotSent`](rest::Outcome::NotSent) and [`Rejected`](rest::Outcome::Rejected) nothing has happened; after
//! [`Unknown`](rest::Outcome::Unknown) the exchange may have acted. The library never repeats a request with an effect.
//! Query an order by its client order id, or look a withdrawal up in its history, before you decide.
//!
//! # When a stream is interrupted
//!
//! A [`ws::Subscription`] yields [`ws::Update`]s: the data and, at their position between the data, the interruptions.
//! Market data that is read too slowly is dropped and counted. A private stream never drops events: it ends with an
//! error instead. After a gap, an account has to be compared with REST; [`account::AccountTracker`] does this.
//!
//! # Further features
//!
//! | Feature | Contents |
//! |---|---|
//! | `http2` | HTTP/2 for the REST client |
//! | `metrics` | metrics through the crate `metrics` |
//! | `profile` | credentials from `~/.bitmart/config.toml` |
//! | `recording` | files of recorded traffic: `rest::recording` |
//! | `serde` | Serde of the account's orders, fills, balances and positions |
//! | `system-roots` | the certificate authorities of the operating system |
//! | `testing` | scripted exchanges, recorders and checks for your tests: `rest::testing`, `ws::testing` |
//! | `tower` | any `tower::Service` as a REST transport |

#![cfg_attr(
    not(all(feature = "account", feature = "simulation")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "account")]
#[cfg_attr(docsrs, doc(cfg(feature = "account")))]
#[doc(inline)]
pub use bitmart_account as account;
#[doc(inline)]
pub use bitmart_auth as auth;
#[cfg(any(feature = "rest", feature = "ws"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "rest", feature = "ws"))))]
#[doc(inline)]
pub use bitmart_net as net;
#[cfg(feature = "rest")]
#[cfg_attr(docsrs, doc(cfg(feature = "rest")))]
#[doc(inline)]
pub use bitmart_rest as rest;
#[doc(inline)]
pub use bitmart_types as types;
#[cfg(feature = "ws")]
#[cfg_attr(docsrs, doc(cfg(feature = "ws")))]
#[doc(inline)]
pub use bitmart_ws as ws;

#[cfg(all(any(doc, doctest), feature = "account", feature = "sandbox"))]
pub mod guide;
#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
pub mod sandbox;

#[cfg(feature = "simulation")]
#[cfg_attr(docsrs, doc(cfg(feature = "simulation")))]
pub mod simulation;

pub use bitmart_auth::Credentials;
pub use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, Decimal, DepositId, Environment, OrderId, Symbol,
    Timestamp, TradeId, WithdrawalId, dec,
};

/// Compiles and runs the code blocks of the repository's README.
#[cfg(all(doctest, feature = "rest", feature = "ws", feature = "sandbox"))]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;

/// Compiles the code blocks of the repository's page about streams.
#[cfg(all(doctest, feature = "rest", feature = "ws"))]
#[doc = include_str!("../docs/streams.md")]
struct StreamsPage;

/// Compiles the code blocks of the README of this crate.
#[cfg(all(doctest, feature = "rest"))]
#[doc = include_str!("../README.md")]
struct Readme;
