//! Events of the futures channels. Sizes are whole contracts.

use bitmart_types::{ContractSymbol, Decimal, wire};
use serde::{Deserialize, Serialize};

use super::told;

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

/// An entry of `futures/ticker`: the state of one contract. It carries no time. `None` is
/// what the venue did not tell, or not in a form that can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTicker {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Price of the last trade.
    #[serde(default, with = "wire::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Volume of the last 24 hours in contracts.
    #[serde(rename = "volume_24", default, with = "wire::decimal_opt")]
    pub volume_24h: Option<Decimal>,
    /// Change over the last 24 hours as a ratio: 0.01 is one per cent.
    #[serde(default, with = "wire::decimal_opt")]
    pub range: Option<Decimal>,
    /// Mark price. `fair_price` until 2025-02-11.
    #[serde(alias = "fair_price", default, with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Index price.
    #[serde(default, with = "wire::decimal_opt")]
    pub index_price: Option<Decimal>,
    /// Best ask.
    #[serde(default, with = "wire::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size at the best ask, in contracts.
    #[serde(rename = "ask_vol", default, with = "wire::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// Best bid.
    #[serde(default, with = "wire::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size at the best bid, in contracts.
    #[serde(rename = "bid_vol", default, with = "wire::decimal_opt")]
    pub bid_size: Option<Decimal>,
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
