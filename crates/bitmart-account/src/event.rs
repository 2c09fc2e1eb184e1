//! Events that the account tracker reports, and the health of each market's state.

use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, OrderId, Timestamp, TradeId};
use bitmart_ws::ReconnectReason;

use crate::{Balance, Fill, MalformedItem, Market, Order, Position, PositionKey};

/// How complete and current the state of a market is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Complete and current: all streams are up, and nothing is missing. The exceptions
    /// are instruments that were delisted (see
    /// [`unknown_instruments`](crate::AccountTracker::unknown_instruments)), and the [limits](crate#limits).
    Live,
    /// Complete, but a connection has had no traffic for 15 s by default, so the state may be out of
    /// date. Resolves within 5 s by default: traffic resumes, or the connection counts as lost.
    Stale,
    /// Something may be missing and is being fetched.
    CatchingUp {
        /// Every fill until this time of the REST client's clock is known.
        complete_until: Timestamp,
    },
    /// The last attempt to fetch or to subscribe failed and will be retried, or the tracker has ended
    /// with an error. The state may be incomplete.
    Failed,
}

impl Health {
    /// Compares the variants only: `complete_until` changes without an event.
    pub(crate) fn is_same_kind(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// An event of an account. Events are in the order in which they became known.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountEvent {
    /// An order is new, was modified, or its progress changed.
    Order(Order),
    /// A new fill. Each fill is reported once.
    Fill(Fill),
    /// A balance changed.
    Balance {
        /// The market that holds the balance.
        market: Market,
        /// The currency.
        currency: Currency,
        /// The current balance.
        balance: Balance,
    },
    /// A position changed. In one-way mode an open position replaces one on the opposite side in
    /// the state, without a separate event.
    Position {
        /// Which position.
        key: PositionKey,
        /// The current position; size 0 means closed.
        position: Position,
    },
    /// A query after a loss no longer lists this position: it was closed, and the message was lost. A
    /// closing that a stream reports is a [`Position`](Self::Position) of size 0.
    PositionClosed {
        /// Which position.
        key: PositionKey,
    },
    /// The exchange no longer returns this order: it does not know it, or says only that it is finished.
    /// Its final state was missed. It is removed from the open orders.
    OrderNotFound {
        /// The market.
        market: Market,
        /// The exchange's order id.
        order_id: OrderId,
    },
    /// The health of a market changed. Follows the event that caused the change.
    Health {
        /// The market.
        market: Market,
        /// The current health.
        health: Health,
    },
    /// A stream of this market lost its connection. Reported at most once until the market is live again.
    Reconnecting {
        /// The market.
        market: Market,
        /// Why the connection was lost.
        reason: ReconnectReason,
    },
    /// The queue of a stream overflowed because [`next`](crate::AccountTracker::next) was called too
    /// rarely. The streams are reopened, and what was lost is fetched before
    /// [`CaughtUp`](Self::CaughtUp).
    Overflowed {
        /// The market.
        market: Market,
    },
    /// A message or a row could not be decoded or is not listed, so the state lacks it. For a message of a
    /// stream, the state is fetched at once. A malformed row is reported with each attempt to fetch; a malformed
    /// order or fill keeps the market from becoming live.
    Malformed {
        /// The market.
        market: Market,
        /// The item and why it could not be decoded.
        item: MalformedItem,
    },
    /// The state of this market is complete. What had been missed was reported before, as separate
    /// events.
    CaughtUp(CatchUpReport),
    /// A fetch failed, or the streams could not be opened. The state may be incomplete. The attempt is
    /// repeated.
    CatchUpFailed {
        /// The market.
        market: Market,
        /// The error of the failed attempt.
        error: CatchUpError,
        /// Time until the next attempt.
        retry_in: Duration,
    },
    /// An audit found a difference between the known fills and those of the exchange: an
    /// [assumption](crate::Assumptions) does not hold, or this library has a bug. The missing fills follow
    /// as events, and the market is not live until everything since the start of the audited range has
    /// been fetched again. Fills that the exchange does not list are kept.
    AuditMismatch(AuditReport),
}

/// Why an attempt to catch up failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CatchUpError {
    /// A query failed.
    Rest(HistoryError),
    /// The streams were not acknowledged in time.
    Streams(bitmart_ws::Error),
    /// An order or a fill could not be decoded or is not listed, see [`AccountEvent::Malformed`].
    RowsMissing,
}

impl CatchUpError {
    /// The minimum time until a retry, as after a rate limit or during a ban.
    pub(crate) fn retry_after(&self) -> std::time::Duration {
        match self {
            Self::Rest(error) => error.retry_class().wait().unwrap_or_default(),
            Self::Streams(_) | Self::RowsMissing => std::time::Duration::ZERO,
        }
    }
}

impl std::fmt::Display for CatchUpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rest(error) => error.fmt(f),
            Self::Streams(error) => error.fmt(f),
            Self::RowsMissing => f.write_str(
                "an order or a fill of the history cannot be decoded or is not listed: see the event Malformed",
            ),
        }
    }
}

impl std::error::Error for CatchUpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rest(error) => error.source(),
            Self::Streams(error) => error.source(),
            Self::RowsMissing => None,
        }
    }
}

/// The result of catching up with a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatchUpReport {
    /// The market.
    pub market: Market,
    /// Start of the time range that was fetched, by the exchange's clock. `None` if only open orders
    /// were fetched: the first time, when nothing can have been missed.
    pub fetched_from: Option<Timestamp>,
    /// Number of orders that were new or had progressed.
    pub orders: usize,
    /// Number of fills that had not been known.
    pub fills: usize,
}

/// Differences found by an audit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditReport {
    /// The market.
    pub market: Market,
    /// Start of the audited time range, by the exchange's clock.
    pub from: Timestamp,
    /// End of the time range.
    pub until: Timestamp,
    /// Fills that the exchange lists and that were not known.
    pub not_received: Vec<Fill>,
    /// Known fills that the exchange does not list, by order and trade id.
    pub not_on_exchange: Vec<(OrderId, TradeId)>,
}

/// Totals of a market's audits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditStats {
    /// Audits whose query succeeded.
    pub completed: u64,
    /// Audits whose query failed.
    pub failed_queries: u64,
    /// Fills of the exchange that were compared.
    pub compared: u64,
    /// Fills of the exchange that had not been known.
    pub not_received: u64,
    /// Known fills that the exchange did not list.
    pub not_on_exchange: u64,
}
