//! Spot topics.

use bitmart_types::Symbol;

use super::{DepthLevels, EVERY_BALANCE, EVERY_PAIR, SpotInterval, Topic};
use crate::{
    dialect::Dialect,
    event::{
        SpotBalanceUpdate, SpotBookTicker, SpotDepth, SpotDepthIncrease, SpotKline,
        SpotOrderUpdate, SpotTicker, SpotTrade,
    },
};

/// Last price, best bid and ask and the figures of the last 24 hours of one pair. The current value
/// comes first, then each change, every 500 ms at most.
pub fn ticker(symbol: impl Into<Symbol>) -> Topic<SpotTicker> {
    public("spot/ticker", symbol)
}

/// The running candle of one pair. The current one comes first, then each change, every 500 ms at
/// most.
pub fn klines(symbol: impl Into<Symbol>, interval: SpotInterval) -> Topic<SpotKline> {
    public(&format!("spot/kline{}", interval.as_str()), symbol)
}

/// The best levels of the book of one pair, all of them at each push, every 500 ms at most.
pub fn depth(symbol: impl Into<Symbol>, levels: DepthLevels) -> Topic<SpotDepth> {
    public(&format!("spot/depth{}", levels.count()), symbol)
}

/// Best bid and ask of one pair. BitMart does not document this channel; a third party's types
/// describe its events.
pub fn book_ticker(symbol: impl Into<Symbol>) -> Topic<SpotBookTicker> {
    public("spot/bookTicker", symbol)
}

/// Every trade of one pair.
pub fn trades(symbol: impl Into<Symbol>) -> Topic<SpotTrade> {
    public("spot/trade", symbol)
}

/// The book of one pair, 100 levels a side: a snapshot first, then changes every 100 ms at most.
pub fn depth_increase(symbol: impl Into<Symbol>) -> Topic<SpotDepthIncrease> {
    public("spot/depth/increase100", symbol)
}

/// Every change of the account's own orders on one pair, fills included. Private.
pub fn user_orders(symbol: impl Into<Symbol>) -> Topic<SpotOrderUpdate> {
    Topic::private(Dialect::Spot, format!("spot/user/order:{}", symbol.into()))
}

/// Every change of the account's own orders on all pairs, fills included. Private.
///
/// While [`user_orders`] of one pair is subscribed as well, the orders of that pair may come there
/// alone: BitMart does not say how its frames tell the two topics apart.
pub fn all_user_orders() -> Topic<SpotOrderUpdate> {
    Topic::private(Dialect::Spot, format!("spot/user/orders:{EVERY_PAIR}"))
}

/// The account's own balances after each change: trades, deposits, withdrawals, transfers and fees
/// paid in BMX. Covers every currency. Private.
pub fn user_balances() -> Topic<SpotBalanceUpdate> {
    Topic::private(Dialect::Spot, format!("spot/user/balance:{EVERY_BALANCE}"))
}

fn public<T>(channel: &str, symbol: impl Into<Symbol>) -> Topic<T> {
    Topic::public(Dialect::Spot, format!("{channel}:{}", symbol.into()))
}
