#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "client"),
    doc = "Topics, events, decoding and the session of BitMart's WebSocket API, without a client."
)]
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
pub use bitmart_types as types;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, Connection, ConnectionProblem, ConnectionProblems};
pub use dialect::{Access, Dialect, Limits, SecretText};
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
