//! Tickers, trades, candles, and the best bid and offer.

use bitmart_types::{Decimal, Side, Symbol, Timestamp, codec, positional};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::event::{DecodeError, Event, decode_entries, impl_event, required};

/// A ticker: prices and volumes of one pair. A field is `None` if the exchange does not send it or
/// sends an unreadable value.
///
/// Documented as the [ticker channel](https://developer-pro.bitmart.com/en/spot/#public-ticker-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "spot/ticker")]
pub struct Ticker {
    /// Pair.
    #[serde(deserialize_with = "required")]
    pub symbol: Symbol,
    /// Price of the last trade.
    #[serde(default, with = "codec::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Highest price of the last 24 hours.
    #[serde(rename = "high_24h", default, with = "codec::decimal_opt")]
    pub high: Option<Decimal>,
    /// Lowest price of the last 24 hours.
    #[serde(rename = "low_24h", default, with = "codec::decimal_opt")]
    pub low: Option<Decimal>,
    /// Price 24 hours ago.
    #[serde(rename = "open_24h", default, with = "codec::decimal_opt")]
    pub open: Option<Decimal>,
    /// Volume of the last 24 hours in base currency. Other clients have seen the quote volume here.
    #[serde(rename = "base_volume_24h", default, with = "codec::decimal_opt")]
    pub base_volume: Option<Decimal>,
    /// Volume of the last 24 hours in quote currency.
    #[serde(rename = "quote_volume_24h", default, with = "codec::decimal_opt")]
    pub quote_volume: Option<Decimal>,
    /// Change of the price over 24 hours as a ratio: 0.01 is one percent.
    #[serde(rename = "fluctuation", default, with = "codec::decimal_opt")]
    pub change: Option<Decimal>,
    /// Best bid.
    #[serde(rename = "bid_px", default, with = "codec::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid, in base currency.
    #[serde(rename = "bid_sz", default, with = "codec::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "ask_px", default, with = "codec::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask, in base currency.
    #[serde(rename = "ask_sz", default, with = "codec::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// Time of the ticker.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// The same time in whole seconds. BitMart has announced the removal of this field.
    #[serde(rename = "s_t", default, with = "codec::seconds_opt")]
    pub timestamp_seconds: Option<Timestamp>,
}

/// A public trade. It has no id. Within a frame, trades run from oldest to newest.
///
/// Documented as the [trade channel](https://developer-pro.bitmart.com/en/spot/#public-trade-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "spot/trade")]
pub struct Trade {
    /// Pair.
    #[serde(deserialize_with = "required")]
    pub symbol: Symbol,
    /// Price.
    #[serde(with = "codec::decimal")]
    pub price: Decimal,
    /// Side of the taker.
    #[serde(deserialize_with = "required")]
    pub side: Side,
    /// Size in base currency.
    #[serde(with = "codec::decimal")]
    pub size: Decimal,
    /// Time of the trade.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// The same time in whole seconds. BitMart has announced the removal of this field.
    #[serde(rename = "s_t", default, with = "codec::seconds_opt")]
    pub timestamp_seconds: Option<Timestamp>,
}

/// The candle of the current interval, sent after each change. Prices are in quote currency.
///
/// Documented as the [kline channel](https://developer-pro.bitmart.com/en/spot/#public-kline-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "WireKline", into = "WireKline")]
#[non_exhaustive]
#[doc(alias = "spot/kline")]
pub struct Kline {
    /// Pair.
    pub symbol: Symbol,
    /// Start of the interval, in whole seconds on the wire. It need not be a multiple of the
    /// interval (observed).
    pub timestamp: Timestamp,
    /// First price.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price so far.
    pub close: Decimal,
    /// Volume so far, in base currency.
    pub base_volume: Option<Decimal>,
}

/// A [`Kline`] in its wire form.
#[derive(Serialize, Deserialize)]
struct WireKline {
    #[serde(deserialize_with = "required")]
    symbol: Symbol,
    candle: CandleRow,
}

positional! {
    /// A candle in its wire form: `[time,"open","high","low","close","volume"]`.
    struct CandleRow {
        timestamp: Timestamp as codec::seconds,
        open: Decimal as codec::decimal,
        high: Decimal as codec::decimal,
        low: Decimal as codec::decimal,
        close: Decimal as codec::decimal,
        base_volume: Option<Decimal> as codec::decimal_opt,
    }
}

impl From<WireKline> for Kline {
    fn from(WireKline { symbol, candle }: WireKline) -> Self {
        let CandleRow { timestamp, open, high, low, close, base_volume } = candle;
        Self { symbol, timestamp, open, high, low, close, base_volume }
    }
}

impl From<Kline> for WireKline {
    fn from(kline: Kline) -> Self {
        let Kline { symbol, timestamp, open, high, low, close, base_volume } = kline;
        Self { symbol, candle: CandleRow { timestamp, open, high, low, close, base_volume } }
    }
}

/// The best bid and offer of one pair.
///
/// BitMart does not document this channel. The fields are taken from a third party's types and
/// unconfirmed, so each may be absent. [`RawEvent`](crate::event::RawEvent) gives the entry as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[doc(alias = "spot/bookTicker")]
pub struct BookTicker {
    /// Pair.
    #[serde(with = "codec::text_opt")]
    pub symbol: Option<Symbol>,
    /// Best bid.
    #[serde(rename = "bid_px", with = "codec::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid in base currency, as in the ticker; unit inferred from the field name.
    #[serde(rename = "bid_sz", with = "codec::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "ask_px", with = "codec::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask in base currency, as in the ticker; unit inferred from the field name.
    #[serde(rename = "ask_sz", with = "codec::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// A time as text; no source states its format.
    #[serde(rename = "ts", with = "codec::text_opt")]
    pub timestamp: Option<SmolStr>,
}

impl_event!(Ticker: symbol, Trade: symbol, Kline: symbol);

impl Event for BookTicker {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_ref().map(Symbol::as_str)
    }
}
