//! The books of one contract: one side or both at every push, or a snapshot and its changes.

use bitmart_types::{ContractSymbol, Timestamp, open_int_enum, wire};
use serde::{Deserialize, Serialize};

use crate::event::{DepthEvent, DepthKind, DepthUpdate, Level, depth, told};

/// An entry of a `futures/depth` channel: the best levels of one side of the book. The other side
/// comes in a frame of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesDepth {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Which side.
    #[serde(rename = "way", deserialize_with = "told")]
    pub side: DepthSide,
    /// Its levels, sizes in contracts.
    #[serde(rename = "depths", with = "depth::objects")]
    pub levels: Vec<Level>,
    /// When it was so. One published sample has no time.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// An entry of a `futures/depthAll` channel: the best levels of the book, all of them at every push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesDepthAll {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in contracts.
    #[serde(with = "depth::objects")]
    pub asks: Vec<Level>,
    /// Buys, sizes in contracts.
    #[serde(with = "depth::objects")]
    pub bids: Vec<Level>,
}

/// An entry of `futures/depthIncrease`: a snapshot of the book or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesDepthIncrease {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Snapshot or update.
    #[serde(rename = "type", deserialize_with = "told")]
    pub kind: DepthKind,
    /// Version of the book. Every update has the next number, also an empty one (observed).
    #[serde(with = "wire::number")]
    pub version: u64,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in contracts.
    #[serde(with = "depth::objects")]
    pub asks: Vec<Level>,
    /// Buys, sizes in contracts.
    #[serde(with = "depth::objects")]
    pub bids: Vec<Level>,
}

impl DepthEvent for FuturesDepthIncrease {
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

open_int_enum! {
    /// Which side of the book a futures depth event holds.
    pub enum DepthSide {
        /// Buys.
        Bids = 1,
        /// Sells.
        Asks = 2,
    }
}
