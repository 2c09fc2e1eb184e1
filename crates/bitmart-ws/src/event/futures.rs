//! Events of the futures channels. Sizes are whole contracts.

use bitmart_types::{ContractSymbol, Decimal, Timestamp, wire};
use serde::{Deserialize, Serialize};

use super::{DepthEvent, DepthKind, DepthUpdate, Level};

mod order;

pub use order::{FuturesOrder, FuturesOrderAction, FuturesOrderUpdate, LastTrade};

/// An entry of `futures/ticker`: the state of one contract. It carries no time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTicker {
    /// The contract.
    pub symbol: ContractSymbol,
    /// Price of the last trade.
    #[serde(with = "wire::decimal")]
    pub last_price: Decimal,
    /// Volume of the last 24 hours in contracts.
    #[serde(rename = "volume_24", with = "wire::decimal")]
    pub volume_24h: Decimal,
    /// Change over the last 24 hours as a ratio: 0.01 is one per cent.
    #[serde(with = "wire::decimal")]
    pub range: Decimal,
    /// Mark price.
    #[serde(with = "wire::decimal")]
    pub mark_price: Decimal,
    /// Index price.
    #[serde(with = "wire::decimal")]
    pub index_price: Decimal,
    /// Best ask.
    #[serde(with = "wire::decimal")]
    pub ask_price: Decimal,
    /// Size at the best ask, in contracts.
    #[serde(rename = "ask_vol", with = "wire::decimal")]
    pub ask_size: Decimal,
    /// Best bid.
    #[serde(with = "wire::decimal")]
    pub bid_price: Decimal,
    /// Size at the best bid, in contracts.
    #[serde(rename = "bid_vol", with = "wire::decimal")]
    pub bid_size: Decimal,
}

/// An entry of `futures/depthIncrease`: a snapshot of the book or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesDepthIncrease {
    /// The contract.
    pub symbol: ContractSymbol,
    /// Snapshot or update.
    #[serde(rename = "type")]
    pub kind: DepthKind,
    /// Version of the book. Every update has the next number, also an empty one (observed).
    #[serde(with = "wire::number")]
    pub version: u64,
    /// When it was so.
    #[serde(
        rename = "ms_t",
        default,
        with = "wire::millis_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in contracts.
    #[serde(with = "super::depth::objects")]
    pub asks: Vec<Level>,
    /// Buys, sizes in contracts.
    #[serde(with = "super::depth::objects")]
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

super::impl_event!(
    FuturesTicker: symbol,
    FuturesDepthIncrease: symbol,
    FuturesOrderUpdate: order.symbol,
);
