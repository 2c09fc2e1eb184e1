//! A guide to the SDK, without code of its own.

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
