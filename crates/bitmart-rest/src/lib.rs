#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "client"),
    doc = "Typed BitMart REST API, without the client: requests, signing input and decoding."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod account;
pub mod affiliate;
pub mod broker;
pub mod catalog;
#[cfg(feature = "client")]
mod client;
pub mod code;
mod config;
#[cfg(feature = "client")]
pub mod dead_man;
pub mod drift;
pub mod earn;
mod endpoint;
mod error;
pub mod futures;
pub mod history;
#[cfg(feature = "client")]
mod limit;
pub mod margin;
mod model;
mod observe;
mod order_ref;
mod payload;
mod rate;
#[cfg(feature = "client")]
pub mod reconcile;
#[cfg(feature = "recording")]
#[cfg_attr(docsrs, doc(cfg(feature = "recording")))]
pub mod recording;
mod request;
mod response;
pub mod spot;
mod step;
pub mod sub_account;
pub mod system;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod transport;
mod unverified;
mod validate;

pub use bitmart_auth as auth;
pub use bitmart_types as types;
pub use bitmart_types::{Clock, RowFault, Rows, SystemClock};
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, ClockEstimate, Detailed, RetryPolicy, SyncedClock};
pub use code::{Category, ClockFault, TryAgain};
pub use config::ConfigError;
pub use endpoint::{
    Auth, Effect, Endpoint, Envelope, Host, LimitScope, Metadata, Method, RateLimit,
};
pub use error::{ApiError, DecodeError, Error, ErrorKind, Outcome, RetryClass, Unexpected};
#[cfg(feature = "client")]
pub use limit::{LimitPolicy, Limiter};
pub use model::Empty;
pub use order_ref::OrderRef;
pub use payload::{EncodeError, Payload};
pub use rate::{RateLimitState, ThrottleReason, Throttled};
pub use request::Encoder;
pub use response::decode;
pub use transport::{Transport, TransportError, TransportErrorKind};
pub use unverified::Unverified;
pub use validate::ValidationError;
/// The types in which a [`Transport`] takes requests and gives answers.
pub use {bytes, http};
