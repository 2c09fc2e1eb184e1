//! Futures topics.

use bitmart_types::{ContractSymbol, Currency};

use super::{DepthLevels, DepthSpeed, FuturesInterval, Topic};
use crate::{
    dialect::Dialect,
    event::{
        FuturesAsset, FuturesBookTicker, FuturesDepth, FuturesDepthAll, FuturesDepthIncrease,
        FuturesFundingRate, FuturesKline, FuturesOrderUpdate, FuturesPosition, FuturesTicker,
        FuturesTrade,
    },
};

/// Last, mark and index price, best bid and ask and the volume of 24 hours of one contract, once a
/// second at most.
pub fn ticker(symbol: impl Into<ContractSymbol>) -> Topic<FuturesTicker> {
    public("futures/ticker", symbol)
}

/// The tickers of all contracts in turn, about 100 frames a second (observed).
pub fn all_tickers() -> Topic<FuturesTicker> {
    Topic::public(Dialect::Futures, "futures/ticker")
}

/// Present and expected funding rate of one contract: the current value first, then every minute.
pub fn funding_rate(symbol: impl Into<ContractSymbol>) -> Topic<FuturesFundingRate> {
    public("futures/fundingRate", symbol)
}

/// The best levels of the book of one contract, all of them at each change. Each frame holds one
/// side; see [`depth_all`] for both at once.
pub fn depth(
    symbol: impl Into<ContractSymbol>,
    levels: DepthLevels,
    speed: DepthSpeed,
) -> Topic<FuturesDepth> {
    book("futures/depth", symbol, levels, speed)
}

/// The best levels of both sides of the book of one contract, all of them at each change.
pub fn depth_all(
    symbol: impl Into<ContractSymbol>,
    levels: DepthLevels,
    speed: DepthSpeed,
) -> Topic<FuturesDepthAll> {
    book("futures/depthAll", symbol, levels, speed)
}

/// The book of one contract: a snapshot first, then changes.
pub fn depth_increase(
    symbol: impl Into<ContractSymbol>,
    levels: DepthLevels,
    speed: DepthSpeed,
) -> Topic<FuturesDepthIncrease> {
    book("futures/depthIncrease", symbol, levels, speed)
}

/// Best bid and ask of one contract, at each change.
pub fn book_ticker(symbol: impl Into<ContractSymbol>) -> Topic<FuturesBookTicker> {
    public("futures/bookticker", symbol)
}

/// Every trade of one contract. Within a frame trades run from newest to oldest (seen by other
/// clients); events keep that order.
pub fn trades(symbol: impl Into<ContractSymbol>) -> Topic<FuturesTrade> {
    public("futures/trade", symbol)
}

/// The running candle of one contract, at each change.
pub fn klines(symbol: impl Into<ContractSymbol>, interval: FuturesInterval) -> Topic<FuturesKline> {
    public(&format!("futures/klineBin{}", interval.as_str()), symbol)
}

/// The running candle of the mark price of one contract, at each change.
pub fn mark_price_klines(
    symbol: impl Into<ContractSymbol>,
    interval: FuturesInterval,
) -> Topic<FuturesKline> {
    public(&format!("futures/markPriceKlineBin{}", interval.as_str()), symbol)
}

/// The account's own balance in one currency, at each change. Private. The documents name USDT, BTC
/// and ETH.
pub fn user_assets(currency: impl Into<Currency>) -> Topic<FuturesAsset> {
    Topic::private(Dialect::Futures, format!("futures/asset:{}", currency.into()))
}

/// The account's own positions in all contracts: at each change, and every 10 s. Private.
pub fn user_positions() -> Topic<FuturesPosition> {
    Topic::private(Dialect::Futures, "futures/position")
}

/// Every change of the account's own orders on all contracts, fills included. Private.
pub fn user_orders() -> Topic<FuturesOrderUpdate> {
    Topic::private(Dialect::Futures, "futures/order")
}

fn public<T>(channel: &str, symbol: impl Into<ContractSymbol>) -> Topic<T> {
    Topic::public(Dialect::Futures, format!("{channel}:{}", symbol.into()))
}

fn book<T>(
    channel: &str,
    symbol: impl Into<ContractSymbol>,
    levels: DepthLevels,
    speed: DepthSpeed,
) -> Topic<T> {
    let (levels, symbol, speed) = (levels.count(), symbol.into(), speed.suffix());
    Topic::public(Dialect::Futures, format!("{channel}{levels}:{symbol}{speed}"))
}
