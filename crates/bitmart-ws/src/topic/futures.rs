//! Futures topics.

use bitmart_types::ContractSymbol;

use super::Topic;
use crate::{
    dialect::Dialect,
    event::{FuturesDepthIncrease, FuturesOrderUpdate, FuturesTicker},
};

/// Last, mark and index price, best bid and ask and the volume of 24 hours of one contract, once a
/// second at most.
pub fn ticker(symbol: impl Into<ContractSymbol>) -> Topic<FuturesTicker> {
    Topic::public(Dialect::Futures, format!("futures/ticker:{}", symbol.into()))
}

/// The tickers of all contracts in turn, about 100 frames a second (observed).
pub fn all_tickers() -> Topic<FuturesTicker> {
    Topic::public(Dialect::Futures, "futures/ticker")
}

/// The book of one contract: a snapshot first, then changes.
pub fn depth_increase(
    symbol: impl Into<ContractSymbol>,
    levels: DepthLevels,
    speed: DepthSpeed,
) -> Topic<FuturesDepthIncrease> {
    let (levels, symbol, speed) = (levels.count(), symbol.into(), speed.suffix());
    Topic::public(Dialect::Futures, format!("futures/depthIncrease{levels}:{symbol}{speed}"))
}

/// Every change of the account's own orders on all contracts, fills included. Private.
pub fn user_orders() -> Topic<FuturesOrderUpdate> {
    Topic::private(Dialect::Futures, "futures/order")
}

/// How many levels a side a futures depth topic covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DepthLevels {
    /// 5 levels.
    Five,
    /// 20 levels.
    Twenty,
    /// 50 levels.
    Fifty,
}

impl DepthLevels {
    /// The number of levels a side.
    pub const fn count(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Twenty => 20,
            Self::Fifty => 50,
        }
    }
}

/// How often a futures depth topic is asked to push. Observed in September 2026: about once a
/// second whatever is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DepthSpeed {
    /// The venue's own pace: no suffix in the topic.
    #[default]
    Standard,
    /// Every 100 ms.
    Ms100,
    /// Every 200 ms.
    Ms200,
}

impl DepthSpeed {
    /// The end of the topic: empty, `@100ms` or `@200ms`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Standard => "",
            Self::Ms100 => "@100ms",
            Self::Ms200 => "@200ms",
        }
    }
}
