//! The state of an account, kept from private streams and REST together.
//!
//! A private stream tells what changes, but not what was before it, nor what happened while its
//! connection was down. REST tells what is, but not what comes. [`AccountTracker`] joins the two:
//! orders that only move forward, fills that count once however often they are told, balances,
//! positions, and in-band words about every gap. [`AccountState`] is the same without connections.
//!
//! # What is proven
//!
//! [`AccountSync`] is the pure machine behind the tracker. For each market it keeps a *whole-until
//! mark* ([`AccountTracker::whole_until`]): every fill since the market was followed and before that
//! moment of this machine's clock has been counted. Only proof moves it: what every stream was seen
//! to have told without a loss, or a fetch that reached back to the mark and came back whole. A loss
//! is stamped by the driver of its connection, so it does not matter when it is read. A market is
//! [`Live`](Health::Live) when all streams are up and a fetch that began late enough has brought the
//! mark past the moment from which they lost nothing.
//!
//! What a fetch finds counts as it comes, page by page; only a whole one proves anything. After a loss
//! one begins at once and brings nearly everything. It cannot make the market live, because the
//! history may be behind by H: that takes a second one, H after the streams were up again. For a
//! consumer who reads of the loss later than that, the first one is enough.
//!
//! The proof takes three things for granted, see [`Assumptions`]: a push comes at most P late, the
//! history is at most H behind, and the clocks differ by at most C. None of them is published by the
//! exchange. An [audit](AccountTracker::audit) compares what was counted with what the exchange
//! lists, and raises an alarm when one of them does not hold.
//!
//! Balances and positions have no ids. They are asked for after every loss; in between the last
//! word of a stream stands.
//!
//! Not proven: an open spot order that was placed more than a week before the market was followed, or
//! a futures order beyond as many as one list of open ones holds. The exchange lists neither unless
//! asked about it by its id; their fills count all the same.
//!
//! # What the exchange calls things, and what they are called here
//!
//! A market buy that filled completely ends as `partially_canceled` on spot, because the remainder
//! of its quote amount is returned (observed); here it is [`Progress::Filled`]. A finished futures
//! order has one state, whether it filled or was cancelled (observed); here the sizes decide.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod assumptions;
mod clock;
mod convert;
mod counted;
mod event;
mod feed;
mod fetch;
mod holdings;
mod observe;
mod order;
mod state;
mod stream;
pub mod sync;
#[cfg(test)]
mod tests;
mod tracker;
mod unread;

pub use assumptions::{
    Assumptions, CLOCKS_DIFFER_AT_MOST, HISTORY_BEHIND_AT_MOST, PUSH_LATE_AT_MOST,
};
pub use event::{AccountEvent, AuditReport, Audits, CatchUp, CatchUpError, Health};
pub use holdings::{Balance, Direction, Position, PositionKey};
pub use order::{Fill, Instrument, Market, Order, Progress};
pub use state::AccountState;
pub use sync::AccountSync;
pub use tracker::AccountTracker;
pub use unread::Unread;
