//! What goes into the machine and what comes out.

use std::collections::BTreeMap;

use bitmart_types::{Currency, OrderId, Timestamp};
use bitmart_ws::ReconnectReason;

use crate::{Balance, Fill, Instrument, Market, Order, Position, PositionKey, Unread};

/// One piece of news from a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// An order.
    Order(Order),
    /// A fill.
    Fill(Fill),
    /// A balance of the market that the stream belongs to.
    Balance(Currency, Balance),
    /// A position; closed when its size is 0.
    Position(PositionKey, Position),
}

/// How a stream lost news.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The connection is gone; the stream says when it is up again.
    Reconnecting(ReconnectReason),
    /// Something that it told could not be read; the stream goes on.
    Unreadable {
        /// Not before it came.
        before: Timestamp,
    },
    /// The queue ran full, and the stream has ended. All streams of the market have to be opened
    /// anew.
    Overflowed,
    /// The stream has ended. All streams of the market have to be opened anew.
    Ended,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Drop the streams of this market and subscribe to all of them; then say
    /// [`opened`](crate::AccountSync::opened) or [`open_failed`](crate::AccountSync::open_failed).
    Open {
        /// The market.
        market: Market,
    },
    /// Ask REST for the open orders, balances and positions. Say each [`page`](crate::AccountSync::page) as
    /// it comes, and in the end [`fetched`](crate::AccountSync::fetched) or
    /// [`fetch_failed`](crate::AccountSync::fetch_failed). At most two are on their way for a market: one
    /// that comes back whole makes those with a smaller id void.
    Fetch {
        /// To be given back.
        id: u64,
        /// The market.
        market: Market,
        /// Also ask for all orders and fills since then, by the exchange's clock.
        from: Option<Timestamp>,
        /// Also ask for those of these orders that no list names.
        open: BTreeMap<OrderId, Instrument>,
    },
    /// Ask REST for the fills of this span, by the exchange's clock; then say
    /// [`audited`](crate::AccountSync::audited) or [`audit_failed`](crate::AccountSync::audit_failed).
    Audit {
        /// To be given back.
        id: u64,
        /// The market.
        market: Market,
        /// The begin.
        from: Timestamp,
        /// The end.
        until: Timestamp,
    },
}

/// Rows of a fetch.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "made by whoever carries out a fetch")]
pub struct Page {
    /// Orders that are open, and those that were ordered since.
    pub orders: Vec<Order>,
    /// Fills since.
    pub fills: Vec<Fill>,
    /// Rows that could not be read: the fetch proves nothing.
    pub unreadable: Vec<Unread>,
}

/// What a fetch tells of the account at one moment.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "made by whoever carries out a fetch")]
pub struct Snapshot {
    /// Every balance.
    pub balances: Vec<(Currency, Balance)>,
    /// Every open position; `None` where there are no positions.
    pub positions: Option<Vec<(PositionKey, Position)>>,
    /// Rows of either that could not be read.
    pub unreadable: Vec<Unread>,
    /// A position could not be read: one that is not listed may be open all the same.
    pub lacks_positions: bool,
    /// Orders that were asked for and that the exchange does not know.
    pub unknown: Vec<OrderId>,
}
