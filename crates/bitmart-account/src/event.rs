//! What a user is told.

use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, OrderId, Timestamp, TradeId};
use bitmart_ws::ReconnectReason;

use crate::{Balance, Fill, Market, Order, Position, PositionKey, Unread};

/// How far the state of a market can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Whole: every stream is up and nothing that was read so far has been missed.
    Live,
    /// Whole as far as anybody can tell, but nothing has been heard from the exchange for 15 s:
    /// what you hold may be old. Ends within 5 s, one way or the other.
    Stale,
    /// Something may be missing; it is being fetched.
    CatchingUp {
        /// Whatever happened before this moment of this machine's clock is known.
        since: Timestamp,
    },
    /// The last attempt to fetch or to subscribe failed and is repeated, or the account has ended
    /// with an error. What is known may have gaps.
    Failed,
}

impl Health {
    /// Whether both are of one kind: the begin of a gap that is being filled moves without an event.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// What happened to an account, in the order in which it became known.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountEvent {
    /// An order is new or got further.
    Order(Order),
    /// A fill that was not counted before.
    Fill(Fill),
    /// A balance changed.
    Balance {
        /// The market that it is held on.
        market: Market,
        /// The currency.
        currency: Currency,
        /// The balance now.
        balance: Balance,
    },
    /// A position changed. In one-way mode it takes the place of one in the other direction.
    Position {
        /// Which position.
        key: PositionKey,
        /// The position now; closed when its size is 0.
        position: Position,
    },
    /// A position was closed while nobody listened.
    PositionClosed {
        /// Which position.
        key: PositionKey,
    },
    /// The exchange does not know this order any more, and how it ended was not seen. It is no longer
    /// among the open ones.
    OrderForgotten {
        /// The market.
        market: Market,
        /// The exchange's id.
        order_id: OrderId,
    },
    /// The health of a market is another. Comes once per change, after the event that tells why.
    Health {
        /// The market.
        market: Market,
        /// How it is now.
        health: Health,
    },
    /// A stream of this market lost its connection. Comes once until the market is live again.
    Reconnecting {
        /// The market.
        market: Market,
        /// What ended the connection.
        reason: ReconnectReason,
    },
    /// News came faster than it was read and some is missing; it is fetched before
    /// [`CaughtUp`](Self::CaughtUp).
    Overflowed {
        /// The market.
        market: Market,
    },
    /// Something that a stream or a query told cannot be read, and the state lacks it. What a stream
    /// told is asked for at once. A row of a query comes again with each attempt; while it is an order
    /// or a fill the market is not live.
    Unreadable {
        /// The market.
        market: Market,
        /// What it is, and why.
        what: Unread,
    },
    /// The state of this market is whole. What had been missed was given before, as events of its
    /// own.
    CaughtUp(CatchUp),
    /// REST did not tell what was missed, or the streams could not be opened. The state may have
    /// gaps; it is tried again.
    CatchUpFailed {
        /// The market.
        market: Market,
        /// What went wrong.
        error: CatchUpError,
        /// The pause before the next attempt.
        retry_in: Duration,
    },
    /// An audit found the counted fills and those of the exchange to differ: the exchange did not
    /// keep to an [assumption](crate::Assumptions), or there is a fault in this library. Nothing was
    /// corrected.
    AuditFailed(AuditReport),
}

/// Why an attempt to catch up failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CatchUpError {
    /// A query failed.
    Rest(HistoryError),
    /// The streams were not acknowledged in time.
    Streams(bitmart_ws::Error),
    /// An order or a fill could not be read, see [`AccountEvent::Unreadable`].
    Unreadable,
}

impl CatchUpError {
    /// How long the exchange asks to wait, as after a rate limit or while a ban lasts.
    pub(crate) fn wait(&self) -> std::time::Duration {
        match self {
            Self::Rest(error) => error.retry_class().wait().unwrap_or_default(),
            Self::Streams(_) | Self::Unreadable => std::time::Duration::ZERO,
        }
    }
}

impl std::fmt::Display for CatchUpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rest(error) => error.fmt(f),
            Self::Streams(error) => error.fmt(f),
            Self::Unreadable => f.write_str("an order or a fill of the history cannot be read"),
        }
    }
}

impl std::error::Error for CatchUpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rest(error) => error.source(),
            Self::Streams(error) => error.source(),
            Self::Unreadable => None,
        }
    }
}

/// What catching up with a market brought to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatchUp {
    /// The market.
    pub market: Market,
    /// The begin of the span that was looked through, by the exchange's clock. `None` when only what
    /// is open was asked for: the first time, where nothing can have been missed.
    pub since: Option<Timestamp>,
    /// Orders that were new or had got further.
    pub orders: usize,
    /// Fills that had not been counted.
    pub fills: usize,
}

/// What an audit compared.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditReport {
    /// The market.
    pub market: Market,
    /// The begin of the span, by the exchange's clock.
    pub from: Timestamp,
    /// The end of the span.
    pub until: Timestamp,
    /// Trades of the exchange that should have been counted and were not.
    pub missing: Vec<Fill>,
    /// Fills that were counted and that the exchange does not list, by order and trade.
    pub surplus: Vec<(OrderId, TradeId)>,
}

/// What the audits of a market came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audits {
    /// Audits whose query succeeded.
    pub done: u64,
    /// Audits whose query failed; they say nothing.
    pub unanswered: u64,
    /// Trades that were compared.
    pub compared: u64,
    /// Trades that had not been counted.
    pub missing: u64,
    /// Fills that the exchange did not list.
    pub surplus: u64,
}
