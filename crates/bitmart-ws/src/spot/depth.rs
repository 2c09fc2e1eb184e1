//! Order books: complete at every push, or as a snapshot and increments.

mod fast_path;

use bitmart_types::{Symbol, Timestamp, codec};
use serde::{Deserialize, Serialize};

use self::fast_path::{FromParts, Parts};
use crate::event::{
    BookUpdate, DecodeError, DepthEvent, DepthKind, Event, Level, level_rows, required,
};

/// The best levels of the book, all of them at every push.
///
/// Documented as the [depth-all channel](https://developer-pro.bitmart.com/en/spot/#public-depth-all-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "spot/depth5")]
#[doc(alias = "spot/depth20")]
#[doc(alias = "spot/depth50")]
pub struct Depth {
    /// Pair.
    #[serde(deserialize_with = "required")]
    pub symbol: Symbol,
    /// Time of the book.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Asks, best first, sizes in base currency.
    #[serde(with = "level_rows")]
    pub asks: Vec<Level>,
    /// Bids, best first, sizes in base currency.
    #[serde(with = "level_rows")]
    pub bids: Vec<Level>,
}

/// A snapshot or an increment of the book.
///
/// Documented as the
/// [depth-increase channel](https://developer-pro.bitmart.com/en/spot/#public-depth-increase-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "spot/depth/increase100")]
pub struct DepthUpdate {
    /// Pair.
    #[serde(deserialize_with = "required")]
    pub symbol: Symbol,
    /// Snapshot or update.
    #[serde(rename = "type", deserialize_with = "required")]
    pub kind: DepthKind,
    /// Version of the book. A changed book has the next version; an update of an idle book repeats
    /// the last one.
    #[serde(with = "codec::number")]
    pub version: u64,
    /// Time of the snapshot or update.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Asks, sizes in base currency.
    #[serde(with = "level_rows")]
    pub asks: Vec<Level>,
    /// Bids, sizes in base currency.
    #[serde(with = "level_rows")]
    pub bids: Vec<Level>,
}

impl DepthEvent for DepthUpdate {
    fn update(&self) -> BookUpdate<'_> {
        BookUpdate {
            kind: &self.kind,
            version: self.version,
            timestamp: self.timestamp,
            asks: &self.asks,
            bids: &self.bids,
        }
    }
}

impl FromParts for Depth {
    fn from_parts(parts: Parts<'_>) -> Option<Self> {
        Some(Self {
            symbol: parts.symbol?.into(),
            timestamp: parts.timestamp,
            asks: parts.asks?,
            bids: parts.bids?,
        })
    }
}

impl FromParts for DepthUpdate {
    fn from_parts(parts: Parts<'_>) -> Option<Self> {
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

impl Event for Depth {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        fast_path::decode(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

impl Event for DepthUpdate {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        fast_path::decode(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}
