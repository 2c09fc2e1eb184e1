//! The state of an account, kept from private streams and REST together.
//!
//! A private stream tells what changes, but not what was before it, nor what happened while its
//! connection was down. REST tells what is, but not what comes. [`AccountTracker`] joins the two:
//! orders that only move forward, fills that count once however often they are told, balances,
//! positions, and in-band words about every gap. [`AccountState`] is the same without connections.
//!
//! # What the exchange calls things, and what they are called here
//!
//! A market buy that filled completely ends as `partially_canceled` on spot, because the remainder
//! of its quote amount is returned (observed); here it is [`Progress::Filled`]. A finished futures
//! order has one state, whether it filled or was cancelled (observed); here the sizes decide.

mod fetch;
mod holdings;
mod lane;
mod order;
mod state;
#[cfg(test)]
mod tests;
mod tracker;

pub use holdings::{Balance, Direction, Position, PositionKey};
pub use order::{Fill, Instrument, Market, Order, Progress};
pub use state::AccountState;
pub use tracker::{AccountEvent, AccountTracker, CatchUp};
