//! Topics: names to subscribe to, with the type of their events.
//!
//! ```
//! use bitmart_ws::topic::{self, DepthLevels, DepthSpeed};
//!
//! let ticker = topic::spot::ticker("BTC_USDT");
//! assert_eq!(ticker.name(), "spot/ticker:BTC_USDT");
//!
//! let book = topic::futures::depth_updates("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200);
//! assert_eq!(book.name(), "futures/depthIncrease20:BTCUSDT@200ms");
//! ```
//!
//! [`spot`] and [`futures`] list all channels.
//!
//! Of some channels only the name is known: `futures/unicast` occurs in constants of the exchange's
//! libraries without a description, and `v2/depthAll` and `v2/depthIncrease` were observed to deliver
//! nothing. They have no type here; use a raw topic:
//!
//! ```
//! use bitmart_ws::Market;
//! use bitmart_ws::topic::Topic;
//! use bitmart_ws::event::RawEvent;
//!
//! let topic: Topic<RawEvent> = Topic::private(Market::Futures, "futures/unicast");
//! assert!(topic.is_private());
//! ```

use std::{fmt, marker::PhantomData};

use smol_str::SmolStr;

use crate::dialect::Market;

pub mod futures;
mod options;
pub mod spot;

pub use options::{DepthLevels, DepthSpeed, FuturesInterval, SpotInterval};

/// The symbol part of the topic that covers all spot pairs.
const ALL_PAIRS: &str = "ALL_SYMBOLS";
/// The symbol part of the topic of spot balances, which covers all currencies.
const ALL_BALANCES: &str = "BALANCE_UPDATE";

/// A topic whose events have the type `T`. Cheap to clone.
///
/// The functions of [`spot`] and [`futures`] return the known topics. [`Topic::public`] and
/// [`Topic::private`] create any other, with your own [`Event`](crate::event::Event) or with
/// [`RawEvent`](crate::event::RawEvent).
pub struct Topic<T> {
    name: SmolStr,
    market: Market,
    private: bool,
    event: PhantomData<fn() -> T>,
}

impl<T> Topic<T> {
    /// Creates a topic of the public connection from its wire name, such as `spot/ticker:BTC_USDT`.
    pub fn public(market: Market, name: impl Into<SmolStr>) -> Self {
        Self { name: name.into(), market, private: false, event: PhantomData }
    }

    /// Creates a topic of the private connection from its wire name, such as `futures/order`.
    pub fn private(market: Market, name: impl Into<SmolStr>) -> Self {
        Self { name: name.into(), market, private: true, event: PhantomData }
    }

    /// Returns the same topic with another type of events, so that one stream can contain topics of
    /// several channels: with [`RawEvent`](crate::event::RawEvent), or an enum of your own.
    ///
    /// ```
    /// use bitmart_ws::event::{DecodeError, Event};
    /// use bitmart_ws::topic::Topic;
    /// use bitmart_ws::{peek, spot, topic};
    ///
    /// #[derive(Clone)]
    /// enum Market {
    ///     Ticker(spot::Ticker),
    ///     Trade(spot::Trade),
    /// }
    ///
    /// impl Event for Market {
    ///     fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
    ///         if peek::frame_name(text) == Some("spot/trade") {
    ///             let mut trades = Vec::new();
    ///             let result = spot::Trade::decode(text, &mut trades);
    ///             out.extend(trades.into_iter().map(Self::Trade));
    ///             result
    ///         } else {
    ///             let mut tickers = Vec::new();
    ///             let result = spot::Ticker::decode(text, &mut tickers);
    ///             out.extend(tickers.into_iter().map(Self::Ticker));
    ///             result
    ///         }
    ///     }
    ///
    ///     fn symbol(&self) -> Option<&str> {
    ///         match self {
    ///             Self::Ticker(ticker) => ticker.symbol(),
    ///             Self::Trade(trade) => trade.symbol(),
    ///         }
    ///     }
    /// }
    ///
    /// let topics: [Topic<Market>; 2] = [
    ///     topic::spot::ticker("BTC_USDT").read_as(),
    ///     topic::spot::trades("BTC_USDT").read_as(),
    /// ];
    /// # let _ = topics;
    /// ```
    pub fn read_as<U>(self) -> Topic<U> {
        let Self { name, market, private, .. } = self;
        Topic { name, market, private, event: PhantomData }
    }

    /// Returns the wire name, as sent in `args`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name, without a copy if it is long.
    #[cfg(feature = "client")]
    pub(crate) fn shared_name(&self) -> std::sync::Arc<str> {
        self.name.clone().into()
    }

    /// Returns the market, and with it the server.
    pub fn market(&self) -> Market {
        self.market
    }

    /// Returns whether it requires a login.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Returns whether a snapshot of it can be requested, as
    /// [`Subscription::request_snapshot`](crate::Subscription::request_snapshot) does. The exchange rejects requests
    /// for other topics.
    ///
    /// Documented for `spot/depth/increase100`, `futures/depthIncrease` and `futures/fundingRate`.
    pub fn supports_request(&self) -> bool {
        crate::catalog::channel(self.market, self.channel())
            .is_some_and(|channel| channel.supports_request)
    }

    /// Returns the name without its argument: `spot/ticker` of `spot/ticker:BTC_USDT`.
    pub fn channel(&self) -> &str {
        split(&self.name).0
    }

    /// Returns the pair or contract of all events of this topic, or `None` if it covers several. For
    /// `futures/asset` it is the currency.
    pub fn symbol(&self) -> Option<&str> {
        symbol(&self.name)
    }

    /// Returns whether a frame with this name, the value of its `"table"` or `"group"`, may contain events of this
    /// topic.
    ///
    /// A spot table has no symbol (the documentation also shows it with one), so the symbols of the
    /// events decide. A futures group may have an `@…` suffix that was not subscribed (observed).
    /// Orders of all pairs may arrive as `spot/user/orders` or as `spot/user/order`; those of a pair
    /// with its own subscription are delivered to that one only.
    pub fn delivers(&self, frame_name: &str) -> bool {
        may_arrive_in(&self.name, frame_name)
    }
}

/// See [`Topic::symbol`].
pub(crate) fn symbol(name: &str) -> Option<&str> {
    split(name).1.filter(|symbol| ![ALL_PAIRS, ALL_BALANCES].contains(symbol))
}

/// Whether events of `topic` may arrive in a frame with this `"table"` or `"group"`: see
/// [`Topic::delivers`].
pub(crate) fn may_arrive_in(topic: &str, frame_name: &str) -> bool {
    let (topic_channel, topic_symbol) = split(topic);
    let (frame_channel, frame_symbol) = split(frame_name);
    // The case of a futures group varies, and no two of them differ in case alone. On spot, a candle of a
    // minute and of a month do.
    let is_futures = topic.starts_with("futures/");
    let same_channel = topic_channel == frame_channel
        || all_pairs_channel(frame_channel) == Some(topic_channel)
        || (is_futures && topic_channel.eq_ignore_ascii_case(frame_channel));
    same_channel
        && match (topic_symbol, frame_symbol) {
            (Some(symbol), Some(other)) => is_same_symbol(symbol, other) || symbol == ALL_PAIRS,
            // The groups of the topic `futures/ticker` have no symbol, those of all other topics do.
            (Some(_), None) => topic.starts_with("spot/"),
            (None, Some(_)) => false,
            (None, None) => true,
        }
}

/// Returns the channel of all pairs whose events may arrive in frames of `channel`. No source states
/// whether the orders of all pairs arrive as `spot/user/order` or as `spot/user/orders`.
pub(crate) fn all_pairs_channel(channel: &str) -> Option<&'static str> {
    (channel == "spot/user/order").then_some("spot/user/orders")
}

/// Returns whether the subscribers of `topic` receive an event about `symbol` in a frame with
/// `frame_name` as its `"table"` or `"group"`. `subscribed` tells whether the connection has a topic of this name.
///
/// The topic of a pair receives the events of its channel. The topic of all pairs receives those of
/// its own channel, and from the channel of single pairs only events of pairs without a topic of their
/// own: otherwise an event would be delivered twice. An event without a symbol concerns all topics of
/// the channel.
pub(crate) fn takes_event(
    topic: &str,
    frame_name: &str,
    symbol: Option<&str>,
    subscribed: impl Fn(&str) -> bool,
) -> bool {
    if !may_arrive_in(topic, frame_name) {
        return false;
    }
    let (topic_channel, topic_symbol) = split(topic);
    let (frame_channel, frame_symbol) = split(frame_name);
    let Some(symbol) = symbol.or(frame_symbol) else {
        return true;
    };
    let is_own_channel =
        topic_channel == frame_channel || all_pairs_channel(frame_channel) != Some(topic_channel);
    if is_own_channel {
        topic_symbol.is_none_or(|own| is_same_symbol(own, symbol) || own == ALL_PAIRS)
    } else {
        let uppercase = symbol.to_ascii_uppercase();
        !subscribed(&format!("{frame_channel}:{symbol}"))
            && !subscribed(&format!("{frame_channel}:{uppercase}"))
    }
}

/// Compares symbols, ignoring case.
fn is_same_symbol(symbol: &str, other: &str) -> bool {
    symbol.eq_ignore_ascii_case(other)
}

/// Splits a name into channel and symbol, without its `@…` suffix.
pub(crate) fn split(name: &str) -> (&str, Option<&str>) {
    let name = without_suffix(name);
    match name.split_once(':') {
        Some((channel, symbol)) => (channel, Some(symbol)),
        None => (name, None),
    }
}

/// Removes the `@…` suffix of a name.
pub(crate) fn without_suffix(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

impl<T> Clone for Topic<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), ..*self }
    }
}

impl<T> fmt::Debug for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("name", &self.name)
            .field("market", &self.market)
            .field("private", &self.private)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
