//! The books of one pair: whole at every push, or a snapshot and its changes.

use bitmart_types::{Symbol, Timestamp, wire};
use serde::{Deserialize, Serialize};

use crate::event::{
    DecodeError, DepthEvent, DepthKind, DepthUpdate, Event, Level,
    depth::{self, SpotBook, SpotParts},
    told,
};

/// An entry of `spot/depth5`, `spot/depth20` and `spot/depth50`: the best levels of the book, all of
/// them at every push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotDepth {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in base currency.
    #[serde(with = "depth::rows")]
    pub asks: Vec<Level>,
    /// Buys, sizes in base currency.
    #[serde(with = "depth::rows")]
    pub bids: Vec<Level>,
}

/// An entry of `spot/depth/increase100`: a snapshot of the book or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotDepthIncrease {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// Snapshot or update.
    #[serde(rename = "type", deserialize_with = "told")]
    pub kind: DepthKind,
    /// Version of the book. A changed book has the next number; an update of an idle book repeats
    /// the number.
    #[serde(with = "wire::number")]
    pub version: u64,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in base currency.
    #[serde(with = "depth::rows")]
    pub asks: Vec<Level>,
    /// Buys, sizes in base currency.
    #[serde(with = "depth::rows")]
    pub bids: Vec<Level>,
}

impl DepthEvent for SpotDepthIncrease {
    fn update(&self) -> DepthUpdate<'_> {
        DepthUpdate {
            kind: &self.kind,
            version: self.version,
            timestamp: self.timestamp,
            asks: &self.asks,
            bids: &self.bids,
        }
    }
}

impl SpotBook for SpotDepth {
    fn from_parts(parts: SpotParts<'_>) -> Option<Self> {
        Some(Self {
            symbol: parts.symbol?.into(),
            timestamp: parts.timestamp,
            asks: parts.asks?,
            bids: parts.bids?,
        })
    }
}

impl SpotBook for SpotDepthIncrease {
    fn from_parts(parts: SpotParts<'_>) -> Option<Self> {
        Some(Self {
            symbol: parts.symbol?.into(),
            kind: parts.kind?,
            version: parts.version?,
            timestamp: parts.timestamp,
            asks: parts.asks?,
            bids: parts.bids?,
        })
    }
}

impl Event for SpotDepth {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        depth::decode_spot(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

impl Event for SpotDepthIncrease {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        depth::decode_spot(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}
