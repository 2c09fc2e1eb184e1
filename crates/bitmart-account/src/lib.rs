//! Tracking of a BitMart account from private streams and REST.
//!
//! A private stream sends changes, but neither the state before them nor what happened while it was
//! disconnected. REST returns the current state, but no changes. [`AccountTracker`] joins the two: it
//! maintains orders, fills, balances and positions, reports each fill once, and reports every loss
//! of messages. [`sync::AccountSync`] is the same logic without I/O, and [`AccountState`] what both maintain.
//!
//! ```no_run
//! use bitmart_account::{AccountEvent, AccountTracker, Market};
//!
//! # async fn run(
//! #     rest: bitmart_rest::Client,
//! #     ws: bitmart_ws::Client,
//! # ) -> Result<(), bitmart_account::Error> {
//! let mut account = AccountTracker::builder(rest, ws).spot().futures(["USDT"]).build();
//! while let Some(event) = account.next().await {
//!     if let AccountEvent::Fill(fill) = event? {
//!         println!("{} at {}", fill.size, fill.price);
//!     }
//!     println!("complete until {:?}", account.complete_until(Market::Spot));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Completeness
//!
//! For each market, [`AccountTracker::complete_until`] is a watermark: every fill between the first
//! subscription and that time is known, with the exceptions named under [limits](#limits), as long as three
//! [`Assumptions`] hold. A push comes at most [`max_push_delay`](Assumptions::max_push_delay) after its fill, REST
//! returns a change at most [`max_history_lag`](Assumptions::max_history_lag) after it, and the clocks differ by at
//! most [`max_clock_skew`](Assumptions::max_clock_skew). The exchange publishes none of the three.
//!
//! Two kinds of evidence advance the watermark: all streams have been processed until a time without a loss, or
//! a completed fetch reached back to the watermark. The time of a loss is recorded when the connection
//! detects it, so a loss that is read late is not a problem. A market is [`Live`](Health::Live) when all
//! streams are subscribed and a fetch that began late enough has advanced the watermark past the time since
//! when they are unbroken.
//!
//! Rows of a fetch count page by page as they arrive, but only a completed fetch advances the
//! watermark. After a loss one begins immediately and returns nearly everything. Because the history may lag, a
//! second fetch `max_history_lag` after the resubscription makes the market live. If the loss is read later
//! than that, one fetch is enough.
//!
//! An [audit](AccountTracker::request_audit) compares the known fills with the exchange's list and
//! detects when an assumption does not hold: the missing fills are then reported, and the market is not live until
//! everything since the start of the audited range has been fetched again.
//!
//! The tracker runs on a monotonic clock, so it does not matter when the clock of this machine is set
//! ahead or back.
//!
//! Balances and positions have no ids. They are fetched after every loss; in between, the last message
//! of a stream is current. A row of a fetch may be older than a message that was processed up to `max_history_lag`
//! before the fetch began. The message then stays current and the row is ignored, if the stream has lost nothing
//! since. The exchange does not list currencies without a balance and closed positions, so what a list lacks is 0
//! or closed. An open order that is in no list is queried by id, and removed if the exchange does not know it.
//!
//! # Limits
//!
//! - Nothing is stored on disk. Fills while no tracker runs are not reported: query the history.
//! - An open spot order that was placed more than a week before tracking began, and open futures orders
//!   beyond the limit of the exchange's list, are not found. The exchange returns them only by id. Their
//!   fills are known, except in the case of too many at one time (below).
//! - A futures order that is placed and canceled without a fill while a stream is down is never reported: the
//!   exchange lists finished orders per contract only.
//! - Trigger orders (plan and trailing orders, take profits and stop losses of futures, algo orders of spot) and
//!   balances of isolated margin are not tracked. The order that a trigger order becomes is.
//! - Audits compare fills only, not orders, balances or positions.
//! - An order or a fill that cannot be decoded, or an order in a state that this version does not know,
//!   keeps the market from becoming live while it is in the fetched time range.
//! - The exchange lists at most 200 fills of a time range, and the shortest range is about 3 ms on spot, and 2 to 3 s
//!   on futures. If an account has more fills in one while a stream is down, they are read order by order on spot,
//!   and contract by contract on futures, which takes some minutes. What these lists do not prove to be complete is
//!   reported as [`MalformedItem::UnlistedFills`], [`MalformedItem::UnlistedInstrument`] or
//!   [`MalformedItem::Truncated`], and the market stays [`Failed`](Health::Failed). Audits of such a time fail.
//!   One exception is not noticed: an order that was not found when tracking began (above) and that no list of the
//!   fetch contains. All of its fills at such a time may be missing while the market is live.
//! - An open order whose contract was delisted cannot be queried: it stays open, and the contract is one of
//!   [`AccountTracker::unknown_instruments`]. The exchange may list no fills of such a contract, so those that no
//!   stream delivered may be missing while the market is live.
//! - After the machine was suspended, [`complete_until`](AccountTracker::complete_until) and audits lag
//!   by the length of the suspension, and later fetches reach further back.
//!
//! # Order states
//!
//! - A completely filled spot market buy ends as `partially_canceled` on the exchange, because the
//!   unspent remainder of its quote amount is returned (observed at the exchange, not documented). Here it is
//!   [`OrderProgress::Filled`].
//! - Futures has one final state for filled and canceled orders (observed as well). Here the sizes decide. An order
//!   with fills whose size is 0 in the reports of its end is [`OrderProgress::Finished`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod assumptions;
mod builder;
mod convert;
mod event;
mod feed;
mod fetch;
mod holdings;
mod known_fills;
mod malformed;
mod observe;
mod order;
mod state;
mod stream;
pub mod sync;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod time_scale;
mod tracker;

pub use assumptions::{Assumptions, MAX_CLOCK_SKEW, MAX_HISTORY_LAG, MAX_PUSH_DELAY};
pub use bitmart_types::Market;
pub use bitmart_ws::Error;
pub use builder::AccountTrackerBuilder;
pub use event::{AccountEvent, AuditReport, AuditStats, CatchUpError, CatchUpReport, Health};
pub use holdings::{Balance, Position, PositionKey, PositionSide};
pub use malformed::MalformedItem;
pub use order::{Fill, Instrument, Order, OrderProgress};
pub use state::AccountState;
pub use tracker::AccountTracker;
