//! Order books: one side or both at every push, or as a snapshot and increments.

use bitmart_types::{ContractSymbol, Timestamp, codec, open_int_enum};
use serde::{Deserialize, Serialize};

use crate::event::{BookUpdate, DepthEvent, DepthKind, Level, impl_event, level_objects, required};

/// The best levels of one side of the book. The other side arrives in its own frame.
///
/// Documented as the
/// [depth channel](https://developer-pro.bitmart.com/en/futuresv2/#public-depth-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/depth5")]
#[doc(alias = "futures/depth20")]
#[doc(alias = "futures/depth50")]
pub struct SideDepth {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Side of the book.
    #[serde(rename = "way", deserialize_with = "required")]
    pub side: DepthSide,
    /// Levels, best first, sizes in contracts.
    #[serde(rename = "depths", with = "level_objects")]
    pub levels: Vec<Level>,
    /// Time of the book. One published sample has none.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// The best levels of both sides of the book, all of them at every push.
///
/// Documented as the
/// [depth-all channel](https://developer-pro.bitmart.com/en/futuresv2/#public-depth-all-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/depthAll5")]
#[doc(alias = "futures/depthAll20")]
#[doc(alias = "futures/depthAll50")]
pub struct Depth {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Time of the book.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Asks, sizes in contracts.
    #[serde(with = "level_objects")]
    pub asks: Vec<Level>,
    /// Bids, sizes in contracts.
    #[serde(with = "level_objects")]
    pub bids: Vec<Level>,
}

/// A snapshot or an increment of the book.
///
/// Documented as the
/// [depth-increase channel](https://developer-pro.bitmart.com/en/futuresv2/#public-depth-increase-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/depthIncrease5")]
#[doc(alias = "futures/depthIncrease20")]
#[doc(alias = "futures/depthIncrease50")]
pub struct DepthUpdate {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Snapshot or update.
    #[serde(rename = "type", deserialize_with = "required")]
    pub kind: DepthKind,
    /// Version of the book. Every update has the next version, also an empty one (observed).
    #[serde(with = "codec::number")]
    pub version: u64,
    /// Time of the book.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Asks, sizes in contracts.
    #[serde(with = "level_objects")]
    pub asks: Vec<Level>,
    /// Bids, sizes in contracts.
    #[serde(with = "level_objects")]
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

impl_event!(SideDepth: symbol, Depth: symbol, DepthUpdate: symbol);

open_int_enum! {
    /// Side of the book that a [`SideDepth`] contains.
    pub enum DepthSide {
        /// Bids.
        Bids = 1,
        /// Asks.
        Asks = 2,
    }
}
