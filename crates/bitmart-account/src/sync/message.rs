//! Inputs and outputs of [`AccountSync`](crate::sync::AccountSync).

use std::collections::{BTreeMap, BTreeSet};

use bitmart_types::{Currency, OrderId, Timestamp};
use bitmart_ws::ReconnectReason;

use crate::{Balance, Fill, Instrument, MalformedItem, Market, Order, Position, PositionKey};

/// A change reported by a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The state of an order.
    Order(Order),
    /// A fill.
    Fill(Fill),
    /// A balance on the market of the stream.
    Balance(Currency, Balance),
    /// A position; size 0 means closed.
    Position(PositionKey, Position),
}

/// Why messages of a stream were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossCause {
    /// The connection was lost. The stream reports when it is subscribed again.
    Reconnecting(ReconnectReason),
    /// A message could not be decoded. The stream continues.
    Malformed {
        /// A time at or after the message was received.
        received_by: Timestamp,
    },
    /// The queue overflowed and the stream ended. All streams of the market must be reopened.
    Overflowed,
    /// The stream ended. All streams of the market must be reopened.
    Ended,
}

/// A request that the caller of [`AccountSync::poll_request`](crate::sync::AccountSync::poll_request) must
/// carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Close the streams of this market and subscribe to all of them again. Then call
    /// [`streams_opened`](crate::sync::AccountSync::streams_opened) or
    /// [`streams_failed`](crate::sync::AccountSync::streams_failed).
    Open {
        /// The market.
        market: Market,
    },
    /// Query open orders, balances and positions over REST. Pass each page to
    /// [`fetch_page`](crate::sync::AccountSync::fetch_page) as it arrives, then call
    /// [`fetch_completed`](crate::sync::AccountSync::fetch_completed) or
    /// [`fetch_failed`](crate::sync::AccountSync::fetch_failed). At most two fetches of a market run at a
    /// time. When one completes, those with a smaller id are obsolete.
    Fetch {
        /// Identifies the fetch in those calls.
        id: u64,
        /// The market.
        market: Market,
        /// If set, also query all orders and fills since this time of the exchange's clock.
        from: Option<Timestamp>,
        /// Orders that are open in the tracked state. Query each by id if the lists do not contain it.
        open_orders: BTreeMap<OrderId, Instrument>,
    },
    /// Query the fills of this time range of the exchange's clock. Then call
    /// [`audit_completed`](crate::sync::AccountSync::audit_completed) or
    /// [`audit_failed`](crate::sync::AccountSync::audit_failed).
    Audit {
        /// Identifies the audit in those calls.
        id: u64,
        /// The market.
        market: Market,
        /// Start of the time range.
        from: Timestamp,
        /// End of the time range.
        until: Timestamp,
    },
}

/// A page of rows from a fetch.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "constructed by callers")]
pub struct Page {
    /// Open orders, and orders placed since [`from`](Request::Fetch::from).
    pub orders: Vec<Order>,
    /// Fills since [`from`](Request::Fetch::from).
    pub fills: Vec<Fill>,
    /// Rows that could not be decoded, or are not listed. With any of them, the fetch counts as failed.
    pub malformed: Vec<MalformedItem>,
}

/// The current state of the account from a fetch.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "constructed by callers")]
pub struct Snapshot {
    /// All balances. The exchange leaves out currencies without a balance.
    pub balances: Vec<(Currency, Balance)>,
    /// All open positions; `None` for spot, which has no positions.
    pub positions: Option<Vec<(PositionKey, Position)>>,
    /// Balances and positions that could not be decoded.
    pub malformed: Vec<MalformedItem>,
    /// Whether `positions` may lack one that could not be decoded. Positions that it does not contain
    /// are then not removed.
    pub positions_incomplete: bool,
    /// Whether `balances` may lack one that could not be decoded. Balances that it does not contain are
    /// then kept.
    pub balances_incomplete: bool,
    /// Orders that were queried and that the exchange does not know. A recent one may be missing only
    /// because queries lag behind.
    pub orders_not_found: Vec<OrderId>,
    /// Orders that were queried and of which the exchange says only that they are finished.
    pub finished_orders: Vec<OrderId>,
    /// Pairs and contracts that were queried and that the exchange does not know, as after a delisting. Their open
    /// orders stay open.
    pub unknown_instruments: BTreeSet<Instrument>,
}
