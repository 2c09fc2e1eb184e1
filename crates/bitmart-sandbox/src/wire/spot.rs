//! Spot: orders, market data and wallets.

pub(crate) mod algo;
pub(crate) mod history;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
pub(crate) mod market;
pub(crate) mod orders;
mod rows;
pub(crate) mod stream;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
pub(crate) mod wallet;
