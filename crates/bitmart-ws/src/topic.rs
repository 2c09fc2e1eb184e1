//! Topics: what a connection can subscribe to, tied to the type of their events.
//!
//! ```
//! use bitmart_ws::topic::{self, DepthLevels, DepthSpeed};
//!
//! let ticker = topic::spot::ticker("BTC_USDT");
//! assert_eq!(ticker.name(), "spot/ticker:BTC_USDT");
//!
//! let book = topic::futures::depth_increase("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200);
//! assert_eq!(book.name(), "futures/depthIncrease20:BTCUSDT@200ms");
//! ```
//!
//! # Channels
//!
//! | Channel | Made by | Events |
//! |---|---|---|
//! | `spot/ticker` | [`spot::ticker`] | [`SpotTicker`](crate::event::SpotTicker) |
//! | `spot/kline…` | [`spot::klines`] | [`SpotKline`](crate::event::SpotKline) |
//! | `spot/depth5`, `20`, `50` | [`spot::depth`] | [`SpotDepth`](crate::event::SpotDepth) |
//! | `spot/depth/increase100` | [`spot::depth_increase`] | [`SpotDepthIncrease`](crate::event::SpotDepthIncrease) |
//! | `spot/trade` | [`spot::trades`] | [`SpotTrade`](crate::event::SpotTrade) |
//! | `spot/bookTicker` | [`spot::book_ticker`] | [`SpotBookTicker`](crate::event::SpotBookTicker) |
//! | `spot/user/order` | [`spot::user_orders`] | [`SpotOrderUpdate`](crate::event::SpotOrderUpdate) |
//! | `spot/user/orders:ALL_SYMBOLS` | [`spot::all_user_orders`] | [`SpotOrderUpdate`](crate::event::SpotOrderUpdate) |
//! | `spot/user/balance:BALANCE_UPDATE` | [`spot::user_balances`] | [`SpotBalanceUpdate`](crate::event::SpotBalanceUpdate) |
//! | `futures/ticker`, one contract | [`futures::ticker`] | [`FuturesTicker`](crate::event::FuturesTicker) |
//! | `futures/ticker`, all contracts | [`futures::all_tickers`] | [`FuturesTicker`](crate::event::FuturesTicker) |
//! | `futures/fundingRate` | [`futures::funding_rate`] | [`FuturesFundingRate`](crate::event::FuturesFundingRate) |
//! | `futures/depth5`, `20`, `50` | [`futures::depth`] | [`FuturesDepth`](crate::event::FuturesDepth) |
//! | `futures/depthAll5`, `20`, `50` | [`futures::depth_all`] | [`FuturesDepthAll`](crate::event::FuturesDepthAll) |
//! | `futures/depthIncrease5`, `20`, `50` | [`futures::depth_increase`] | [`FuturesDepthIncrease`](crate::event::FuturesDepthIncrease) |
//! | `futures/bookticker` | [`futures::book_ticker`] | [`FuturesBookTicker`](crate::event::FuturesBookTicker) |
//! | `futures/trade` | [`futures::trades`] | [`FuturesTrade`](crate::event::FuturesTrade) |
//! | `futures/klineBin…` | [`futures::klines`] | [`FuturesKline`](crate::event::FuturesKline) |
//! | `futures/markPriceKlineBin…` | [`futures::mark_price_klines`] | [`FuturesKline`](crate::event::FuturesKline) |
//! | `futures/asset` | [`futures::user_assets`] | [`FuturesAsset`](crate::event::FuturesAsset) |
//! | `futures/position` | [`futures::user_positions`] | [`FuturesPosition`](crate::event::FuturesPosition) |
//! | `futures/order` | [`futures::user_orders`] | [`FuturesOrderUpdate`](crate::event::FuturesOrderUpdate) |
//!
//! Some channels have a name and nothing else: `futures/unicast` stands in constants of the
//! exchange's libraries without a description, and `v2/depthAll` and `v2/depthIncrease` were seen to
//! deliver nothing. They have no type here; a raw topic reads them, should they ever speak:
//!
//! ```
//! use bitmart_ws::{Dialect, Topic, event::RawEvent};
//!
//! let topic: Topic<RawEvent> = Topic::private(Dialect::Futures, "futures/unicast");
//! assert!(topic.is_private());
//! ```

use std::{fmt, marker::PhantomData};

use smol_str::SmolStr;

use crate::dialect::Dialect;

pub mod futures;
mod options;
pub mod spot;

pub use options::{DepthLevels, DepthSpeed, FuturesInterval, SpotInterval};

/// The symbol part of the topic that covers every spot pair.
const EVERY_PAIR: &str = "ALL_SYMBOLS";
/// The symbol part of the topic of spot balances, which covers every currency.
const EVERY_BALANCE: &str = "BALANCE_UPDATE";

/// A topic whose events have the type `T`. Cheap to clone.
///
/// [`spot`] and [`futures`] make the known ones. [`Topic::public`] and [`Topic::private`] make any
/// other, with your own [`Event`](crate::event::Event) or with
/// [`RawEvent`](crate::event::RawEvent).
pub struct Topic<T> {
    name: SmolStr,
    dialect: Dialect,
    private: bool,
    event: PhantomData<fn() -> T>,
}

impl<T> Topic<T> {
    /// A topic of the public connection, by its name on the wire such as `spot/ticker:BTC_USDT`.
    pub fn public(dialect: Dialect, name: impl Into<SmolStr>) -> Self {
        Self { name: name.into(), dialect, private: false, event: PhantomData }
    }

    /// A topic of the private connection, by its name on the wire such as `futures/order`.
    pub fn private(dialect: Dialect, name: impl Into<SmolStr>) -> Self {
        Self { name: name.into(), dialect, private: true, event: PhantomData }
    }

    /// The same topic with events of another type, so that one stream can hold topics of several
    /// kinds: those of [`RawEvent`](crate::event::RawEvent), or an enum of your own.
    ///
    /// ```
    /// use bitmart_ws::event::{DecodeError, Event, SpotTicker, SpotTrade};
    /// use bitmart_ws::{Topic, peek, topic};
    ///
    /// #[derive(Clone)]
    /// enum Market {
    ///     Ticker(SpotTicker),
    ///     Trade(SpotTrade),
    /// }
    ///
    /// impl Event for Market {
    ///     fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
    ///         if peek::channel(text) == Some("spot/trade") {
    ///             let mut trades = Vec::new();
    ///             let result = SpotTrade::decode(text, &mut trades);
    ///             out.extend(trades.into_iter().map(Self::Trade));
    ///             result
    ///         } else {
    ///             let mut tickers = Vec::new();
    ///             let result = SpotTicker::decode(text, &mut tickers);
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
        let Self { name, dialect, private, .. } = self;
        Topic { name, dialect, private, event: PhantomData }
    }

    /// The name on the wire, as it goes into `args`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The WebSocket it lives on.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it needs a login.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether the venue answers a `request` for it with one frame. It refuses others.
    ///
    /// BitMart documents `spot/depth/increase100`, `futures/depthIncrease` and
    /// `futures/fundingRate`.
    pub fn supports_request(&self) -> bool {
        crate::catalog::channel(self.dialect, self.channel()).is_some_and(|channel| channel.request)
    }

    /// The name without its argument: `spot/ticker` of `spot/ticker:BTC_USDT`.
    pub fn channel(&self) -> &str {
        split(&self.name).0
    }

    /// The symbol that every event of this topic carries, or `None` when the topic covers several.
    /// Of `futures/asset` it is the currency.
    pub fn symbol(&self) -> Option<&str> {
        split(&self.name).1.filter(|symbol| ![EVERY_PAIR, EVERY_BALANCE].contains(symbol))
    }

    /// Whether a frame that says `channel` in its `"table"` or `"group"` may carry events of this
    /// topic.
    ///
    /// A spot table comes without the symbol (the documents also show it with one), so the events'
    /// own symbol decides in the end. A futures group may come back with an `@…` suffix
    /// that was not subscribed (observed). Orders of all pairs may come as `spot/user/orders` or as
    /// `spot/user/order`; those of a pair that is subscribed by itself go there alone.
    pub fn delivers(&self, channel: &str) -> bool {
        delivers(&self.name, channel)
    }
}

/// See [`Topic::delivers`].
pub(crate) fn delivers(topic: &str, channel: &str) -> bool {
    let (wanted, wanted_symbol) = split(topic);
    let (got, got_symbol) = split(channel);
    let same_channel = wanted == got || covering(got) == Some(wanted);
    same_channel
        && match (wanted_symbol, got_symbol) {
            (Some(wanted), Some(got)) => same(wanted, got) || wanted == EVERY_PAIR,
            // `futures/ticker` is a topic of its own: its group has no symbol, and the reverse.
            (Some(_), None) => topic.starts_with("spot/"),
            (None, Some(_)) => false,
            (None, None) => true,
        }
}

/// The channel whose topic covers every pair and may get its events in frames of `channel`. No
/// source says whether the orders of all pairs come as `spot/user/order` or as `spot/user/orders`.
pub(crate) fn covering(channel: &str) -> Option<&'static str> {
    (channel == "spot/user/order").then_some("spot/user/orders")
}

/// Whether the subscribers of `topic` get an event about `symbol` that came in a frame of `channel`.
/// `subscribed` says which topics the connection carries.
///
/// The topic of a pair gets the frames of its channel. The topic of every pair gets those of its own
/// channel, and those of the pairs' channel only about pairs that have no topic of their own:
/// otherwise one event would count twice. An event about no symbol concerns the whole channel.
pub(crate) fn receives(
    topic: &str,
    channel: &str,
    symbol: Option<&str>,
    subscribed: impl Fn(&str) -> bool,
) -> bool {
    if !delivers(topic, channel) {
        return false;
    }
    let (wanted, wanted_symbol) = split(topic);
    let (got, got_symbol) = split(channel);
    let Some(symbol) = symbol.or(got_symbol) else {
        return true;
    };
    if wanted == got {
        wanted_symbol.is_none_or(|wanted| same(wanted, symbol) || wanted == EVERY_PAIR)
    } else {
        let capitals = symbol.to_ascii_uppercase();
        !subscribed(&format!("{got}:{symbol}")) && !subscribed(&format!("{got}:{capitals}"))
    }
}

/// Whether two symbols are one. Pushes are matched without regard to case.
fn same(wanted: &str, got: &str) -> bool {
    wanted.eq_ignore_ascii_case(got)
}

/// Channel and symbol of a name, its `@…` suffix dropped.
pub(crate) fn split(name: &str) -> (&str, Option<&str>) {
    let name = base(name);
    match name.split_once(':') {
        Some((channel, symbol)) => (channel, Some(symbol)),
        None => (name, None),
    }
}

/// A name without its `@…` suffix.
pub(crate) fn base(name: &str) -> &str {
    name.split_once('@').map_or(name, |(front, _)| front)
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
            .field("dialect", &self.dialect)
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
