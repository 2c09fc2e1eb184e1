//! Items that could not be decoded.

use std::convert::Infallible;
use std::fmt;

use bitmart_types::{OrderId, RowFault, Timestamp};
use bitmart_ws::event::DecodeError;

use crate::Instrument;

/// An item of the exchange that could not be decoded, in whole or in part, or that is not all there is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MalformedItem {
    /// A row of a REST response.
    Row(RowFault),
    /// A frame of a stream, or one entry of it.
    Frame(DecodeError),
    /// A required field of an event or a row is missing, or has a value that this version does not
    /// know.
    MissingField {
        /// The event or row: `order 1234`, `position of BTCUSDT`. It contains the id of an order.
        item: String,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A list has the most rows that the exchange returns: there may be more, which are not known.
    Truncated {
        /// The list: `open futures orders`.
        list: &'static str,
        /// Its number of rows.
        rows: usize,
    },
    /// Two reports of the same fill contradict each other. The first one counts.
    Contradiction {
        /// The fill: `fill 9 of order 1234`.
        item: String,
        /// The member of [`Fill`](crate::Fill) in which they differ.
        field: &'static str,
    },
    /// The exchange knows no such pair or contract, as after a delisting, so the state of this open order is not
    /// known. It stays among the open orders, and is queried again with each fetch.
    UnknownInstrument {
        /// The exchange's order id.
        order_id: OrderId,
        /// The pair or contract.
        instrument: Instrument,
    },
    /// The exchange may list fewer fills of an order than it has: it lists too many at one time, or does not know the
    /// order.
    UnlistedFills {
        /// The exchange's order id.
        order_id: OrderId,
        /// The pair or contract.
        instrument: Instrument,
        /// Begin of the time, by the exchange's clock.
        from: Timestamp,
        /// End of the time.
        until: Timestamp,
    },
    /// The exchange knows no such contract, as after a delisting, and there are more fills at one time than it lists
    /// for all contracts together. Any of this contract at this time are not known.
    UnlistedInstrument {
        /// The contract.
        instrument: Instrument,
        /// Begin of the time, by the exchange's clock.
        from: Timestamp,
        /// End of the time.
        until: Timestamp,
    },
}

impl MalformedItem {
    pub(crate) fn missing_field(item: impl fmt::Display, field: &'static str) -> Self {
        Self::MissingField { item: item.to_string(), field }
    }
}

/// A conversion that cannot fail.
impl From<Infallible> for MalformedItem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl std::error::Error for MalformedItem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Frame(error) => Some(error),
            Self::Row(_)
            | Self::MissingField { .. }
            | Self::Truncated { .. }
            | Self::Contradiction { .. }
            | Self::UnknownInstrument { .. }
            | Self::UnlistedFills { .. }
            | Self::UnlistedInstrument { .. } => None,
        }
    }
}

impl fmt::Display for MalformedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(fault) => {
                write!(f, "row {} at {:?}: {}", fault.index, fault.path, fault.reason)
            }
            Self::Frame(error) => error.fmt(f),
            Self::MissingField { item, field } => {
                write!(f, "{item}: {field} is missing or not known")
            }
            Self::Truncated { list, rows } => {
                write!(f, "{list}: the exchange returns no more than {rows}; there may be more")
            }
            Self::Contradiction { item, field } => {
                write!(f, "{item}: its {field} contradicts an earlier report")
            }
            Self::UnknownInstrument { order_id, instrument } => write!(
                f,
                "order {order_id}: the exchange does not know {}, so the state of the order and further fills are \
                 unknown; look them up on its website",
                instrument.name()
            ),
            Self::UnlistedFills { order_id, instrument, from, until } => write!(
                f,
                "order {order_id} of {}: the exchange may not list all of its fills from {from} to {until}; if this \
                 persists, export them on its website and start a new tracker, which begins after them",
                instrument.name()
            ),
            Self::UnlistedInstrument { instrument, from, until } => write!(
                f,
                "{}: the exchange does not know it, and does not list all fills from {from} to {until}; if this \
                 persists, export them on its website and start a new tracker, which begins after them",
                instrument.name()
            ),
        }
    }
}
