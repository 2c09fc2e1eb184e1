#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "client"),
    doc = "Typed BitMart REST API, without the client: requests, signing input and decoding."
)]
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
#[cfg(feature = "client")]
pub mod reconcile;
#[cfg(feature = "recording")]
#[cfg_attr(docsrs, doc(cfg(feature = "recording")))]
pub mod recording;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod wire;

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
pub use wire::ValidationError;
/// The types in which a [`Transport`](transport::Transport) takes requests and gives responses.
pub use {bytes, http};
