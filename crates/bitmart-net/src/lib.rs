#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base64;
mod connect;
mod connector;
mod direct;
mod error;
mod proxy;
mod records;
mod resolve;
mod stream;
mod target;
#[cfg(any(test, feature = "testing"))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod tls;

#[doc(hidden)]
pub use base64::encode as base64_encode;
pub use connect::{Connect, ConnectFuture, from_fn};
pub use connector::{Connector, ConnectorBuilder, ConnectorError, ConnectorErrorKind, ProxyInUse};
#[doc(hidden)]
pub use error::error_chain;
pub use error::{ConnectError, ConnectErrorKind, Hop};
pub use resolve::{Resolve, ResolveFuture};
pub use stream::{Io, Stream};
pub use target::Target;
pub use tls::{TlsError, TlsErrorKind, TlsOptions};
