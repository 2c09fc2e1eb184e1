//! The messages of a publisher to its readers, as JSON. Decimals are text. Names on the wire stay those of earlier
//! versions, which may run in the same fleet.

use bitmart_account::{Balance, Fill, Market, Order, Position, PositionKey};
use bitmart_types::{Currency, OrderId, Timestamp};
use serde::{Deserialize, Serialize};

/// A change of the account, in the order in which the publisher's tracker reported them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Update {
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
    /// A position changed; size 0 means closed.
    Position {
        /// Which position.
        key: PositionKey,
        /// The current position.
        position: Position,
    },
    /// The exchange no longer returns this order, or its final state was missed. It is removed from the open orders.
    OrderNotFound {
        /// The market.
        market: Market,
        /// The exchange's order id.
        order_id: OrderId,
    },
    /// Whether the state of this market is complete and current. Follows the update that caused the change.
    Live {
        /// The market.
        market: Market,
        /// Whether it is.
        live: bool,
    },
    /// Fills of this time may be missing, because no publisher tracked the account all the time.
    Missed {
        /// The market.
        market: Market,
        /// All fills before this time are known.
        from: Timestamp,
        /// All fills after this time are known again.
        until: Timestamp,
    },
}

/// How complete a market is, according to the publisher's tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Completeness {
    pub(super) live: bool,
    /// Every fill until this time is known; `None` before the first subscription.
    pub(super) complete_until: Option<Timestamp>,
    /// The publisher has every fill since this time; `None` before the first subscription.
    pub(super) since: Option<Timestamp>,
}

/// How complete each followed market is.
pub(super) type Markets = Vec<(Market, Completeness)>;

/// A message of the publisher. The messages of a term have consecutive numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    /// The term of the publisher's lease, higher than that of every publisher before.
    pub(super) term: u64,
    pub(super) number: u64,
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Body {
    Update(Box<Update>),
    /// Sent after each change, and at regular intervals: a reader that receives none for a while knows that
    /// the publisher is gone.
    #[serde(rename = "Truth")]
    Completeness(Markets),
}

/// The state as of a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) term: u64,
    /// The number of the next message.
    pub(super) next: u64,
    pub(super) open: Vec<Order>,
    /// Recent orders and fills, oldest first, and the fills of open orders.
    pub(super) recent: Vec<Update>,
    pub(super) balances: Vec<(Market, Currency, Balance)>,
    pub(super) positions: Vec<(PositionKey, Position)>,
    /// `recent` has every fill since their [`since`](Completeness::since).
    #[serde(rename = "truths")]
    pub(super) markets: Markets,
}

pub(super) fn json(value: &impl Serialize) -> bytes::Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}
