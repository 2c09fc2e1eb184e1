//! A guide to the SDK.
//!
//! - [Endpoints](endpoints): clients, requests, rate limits and histories.
//! - [Errors](errors): what may have happened after a failed call, and what to do.
//! - [Streams](streams): subscriptions, updates and order books.
//! - [Money](money): decimals, order sizes, fills and balances.
//! - [Coming from other SDKs](coming_from_other_sdks): the same calls in ten languages.
//!
//! # Which type is which
//!
//! Several crates have a type of the same name, each in the words of its source. They are told apart by module.
//!
//! | you have or want | type |
//! |---|---|
//! | send requests; why one failed | `rest::Client`; `rest::Error` |
//! | subscribe; why a subscription ended | `ws::Client`; `ws::Error` |
//! | an order to place | `rest::spot::NewOrder` (also for margin), `rest::futures::NewOrder` |
//! | an order that a query returned | `rest::spot::Order`, `rest::futures::Order` |
//! | an order that a stream reported | `ws::spot::OrderUpdate`, `ws::futures::OrderUpdate` |
//! | an order, fill, balance or position of a tracked account, alike for both markets | `account::Order`, `account::Fill`, `account::Balance`, `account::Position` |
//! | a fill that a query returned | `rest::spot::Fill`, `rest::futures::Fill` |
//! | an order or fill inside the sandbox, as its operator sees it | `sandbox::Order`, `sandbox::Fill` |
//!
//! This module contains only documentation.

#[doc = include_str!("../docs/guide/endpoints.md")]
pub mod endpoints {}

#[doc = include_str!("../docs/guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/guide/streams.md")]
pub mod streams {}

#[doc = include_str!("../docs/guide/money.md")]
pub mod money {}

#[doc = include_str!("../docs/guide/coming-from-other-sdks.md")]
pub mod coming_from_other_sdks {}
