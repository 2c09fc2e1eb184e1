//! A typed client for the REST API of the BitMart exchange: spot, futures, margin, accounts, savings and
//! the affiliate program.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart_rest::auth::Credentials;
//! use bitmart_rest::types::{Environment, dec};
//! use bitmart_rest::{Client, spot};
//!
//! // Key, secret and memo from BITMART_API_KEY, BITMART_API_SECRET and BITMART_API_MEMO.
//! let client = Client::builder()
//!     .environment(Environment::live())
//!     .credentials(Credentials::from_env()?)
//!     .build()?;
//! let ticker = client.spot().ticker("BTC_USDT").await?;
//! println!("{}: {:?}", ticker.symbol, ticker.last_price);
//!
//! let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000)).post_only();
//! let placed = client.spot().submit_order(order).await?;
//! println!("placed as {}", placed.order_id);
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! Each layer can be used without the ones above it.
//!
//! 1. [`Client`], over hyper and rustls: [rate limits](limit::Limiter), [retries](RetryPolicy) of reads, a
//!    [corrected clock](SyncedClock), [reconciliation](mod@reconcile) of orders and complete
//!    [histories](history).
//! 2. [`Transport`](transport::Transport): any HTTP stack below the client.
//! 3. Requests and responses as plain data: an [`Endpoint`](endpoint::Endpoint) is encoded, signed and decoded
//!    without I/O. Without the feature `client` the crate contains only this layer.
//!
//! # Endpoints
//!
//! Each group of endpoints is a module with its requests and responses, and a method of the client:
//!
//! | Module | Method | Contents |
//! |---|---|---|
//! | [`spot`] | [`Client::spot`] | market data, orders, algo orders |
//! | [`futures`] | [`Client::futures`], [`Client::futures_sub_accounts`] | market data, orders, plan orders, positions |
//! | [`margin`] | [`Client::margin`] | orders and loans of isolated margin |
//! | [`account`] | [`Client::account`] | wallets, deposits, withdrawals, fees |
//! | [`sub_account`] | [`Client::sub_accounts`] | transfers and wallets of sub-accounts |
//! | [`earn`] | [`Client::earn`] | savings |
//! | [`affiliate`], [`broker`] | [`Client::affiliate`], [`Client::broker`] | customers and rebates |
//! | [`system`] | [`Client::system`] | the exchange's time and status |
//!
//! A request is a value: required parameters are arguments of `new`, optional ones have setters. It is
//! [validated](endpoint::Endpoint::validate) before it is sent. Most methods also take the required parameters
//! alone. A field of a response that is an `Option` is `None` if the exchange did not send it. Where BitMart does
//! not document a response, it is [`Unverified`]. [`catalog`] lists all endpoints as data.
//!
//! ```
//! use bitmart_rest::endpoint::Endpoint;
//! use bitmart_rest::spot;
//!
//! let error = spot::ListKlines::new("BTC_USDT").limit(1000).validate().unwrap_err();
//! assert_eq!(error.to_string(), "`limit` must be 1 to 200, not `1000`");
//! ```
//!
//! # Orders
//!
//! [`spot::NewOrder`] and [`futures::NewOrder`] have a constructor for each kind of order, and a client order id
//! from the start. [`spot::OrderRules`] and [`futures::OrderRules`] round prices and sizes to the steps of the
//! exchange and check an order before it is sent. A [`DeadManSwitch`](dead_man::DeadManSwitch) cancels the orders of
//! a program that hangs or ends.
//!
//! # Errors
//!
//! Every [`Error`] has an [`Outcome`]. After [`NotSent`](Outcome::NotSent) and [`Rejected`](Outcome::Rejected)
//! nothing happened. After [`Unknown`](Outcome::Unknown) the request may have taken effect: resolve it with
//! [`reconcile`](mod@reconcile) before you place the order again. The client never sends a request with an effect
//! twice.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::Error> {
//! use bitmart_rest::reconcile::Reconciled;
//! use bitmart_rest::types::dec;
//! use bitmart_rest::{Outcome, spot};
//!
//! let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000));
//! let id = order.client_order_id().clone();
//! match client.spot().submit_order(order).await {
//!     Err(error) if error.outcome() == Outcome::Unknown => {
//!         if let Reconciled::Placed(order) = client.spot().reconcile(&id).await? {
//!             println!("it was placed: {}", order.state);
//!         }
//!     }
//!     response => println!("placed as {}", response?.order_id),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Error::retry_class`] states whether and when the same request can be sent again. [`code`] lists every error code
//! that BitMart publishes. [`drift`] counts what the exchange sends and the models do not expect.
//!
//! # Features
//!
//! | Feature | Default | Contents |
//! |---|---|---|
//! | `client` | yes | the client on tokio, hyper and rustls |
//! | `http2` | no | HTTP/2, if the client enables it |
//! | `metrics` | no | metrics for the crate `metrics` |
//! | `recording` | no | [recordings](recording) of requests and frames, with redaction of account data |
//! | `system-roots` | no | the operating system's certificate authorities, if the client enables them |
//! | `testing` | no | scripted, recording and replaying [transports](testing) for your tests |
//! | `tower` | no | a [transport](transport::ServiceTransport) from any `tower::Service` |

#![cfg_attr(not(feature = "client"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
#[cfg(feature = "client")]
pub mod dead_man;
pub mod drift;
pub mod endpoint;
mod error;
pub mod history;
pub mod limit;
mod protocol;
#[cfg(feature = "client")]
pub mod reconcile;
#[cfg(feature = "recording")]
#[cfg_attr(docsrs, doc(cfg(feature = "recording")))]
pub mod recording;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

pub use api::{
    Empty, OrderRef, Unverified, account, affiliate, broker, catalog, code, earn, futures, margin,
    spot, sub_account, system,
};
pub use bitmart_auth as auth;
pub use bitmart_types as types;
pub use client::transport;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, ClockEstimate, Detailed, RetryPolicy, SyncedClock};
pub use error::{ApiError, DecodeError, Error, ErrorKind, Outcome, RetryClass, Unexpected};
pub use protocol::ValidationError;
/// The types in which a [`Transport`](transport::Transport) takes requests and gives responses.
pub use {bytes, http};

/// Compiles the code blocks of the README.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;
