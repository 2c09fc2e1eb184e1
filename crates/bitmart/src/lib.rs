#![doc = include_str!("../README.md")]
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
