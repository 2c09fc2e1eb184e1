//! Spot topics.

use bitmart_types::Symbol;

use super::{EVERY_PAIR, Topic};
use crate::{
    dialect::Dialect,
    event::{SpotDepthIncrease, SpotOrderUpdate, SpotTicker, SpotTrade},
};

/// Last price, best bid and ask and the figures of the last 24 hours of one pair. The current value
/// comes first, then each change, every 500 ms at most.
pub fn ticker(symbol: impl Into<Symbol>) -> Topic<SpotTicker> {
    public("spot/ticker", symbol)
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

fn public<T>(channel: &str, symbol: impl Into<Symbol>) -> Topic<T> {
    Topic::public(Dialect::Spot, format!("{channel}:{}", symbol.into()))
}
