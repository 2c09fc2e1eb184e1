//! Events of the futures channels. Sizes are whole contracts.

use bitmart_types::{ContractSymbol, Decimal, wire};
use serde::{Deserialize, Serialize};

mod account;
mod depth;
mod kline;
mod market;
mod order;

pub use account::{FuturesAsset, FuturesPosition};
pub use depth::{DepthSide, FuturesDepth, FuturesDepthAll, FuturesDepthIncrease};
pub use kline::FuturesKline;
pub(crate) use kline::KlineEntry;
pub use market::{FuturesBookTicker, FuturesFundingRate, FuturesTrade, FuturesTradeWay};
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

super::impl_event!(
    FuturesTicker: symbol,
    FuturesFundingRate: symbol,
    FuturesDepth: symbol,
    FuturesDepthAll: symbol,
    FuturesDepthIncrease: symbol,
    FuturesBookTicker: symbol,
    FuturesTrade: symbol,
    FuturesPosition: symbol,
    FuturesOrderUpdate: order.symbol,
);
