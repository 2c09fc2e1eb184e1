//! A guide to the SDK.
//!
//! - [Endpoints](endpoints): clients, requests, rate limits and histories.
//! - [Errors](errors): what may have happened after a failed call, and what to do.
//! - [Streams](streams): subscriptions, updates and order books.
//! - [Money](money): decimals, order sizes, fills and balances.
//! - [Coming from other SDKs](coming_from_other_sdks): the same calls in ten languages.
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
