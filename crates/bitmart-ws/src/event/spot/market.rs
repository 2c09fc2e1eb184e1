//! Candles, and the best bid and ask.

use bitmart_types::{Decimal, Symbol, wire};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::event::{Candle, DecodeError, Event, candle, decode_entries, told};

/// An entry of a `spot/kline` channel: the candle of the running interval, after each change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotKline {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// Its candle, volume in base currency.
    #[serde(with = "candle::row")]
    pub candle: Candle,
}

/// An entry of `spot/bookTicker`: best bid and ask of one pair.
///
/// BitMart does not document this channel. The fields are those of a third party's types and
/// unconfirmed, so every one may be absent. [`RawEvent`](crate::event::RawEvent) shows an entry as
/// it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SpotBookTicker {
    /// The pair.
    #[serde(with = "wire::text_opt")]
    pub symbol: Option<Symbol>,
    /// Best bid.
    #[serde(rename = "bid_px", with = "wire::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size at the best bid; by its name in base currency, as in the ticker.
    #[serde(rename = "bid_sz", with = "wire::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "ask_px", with = "wire::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size at the best ask; by its name in base currency, as in the ticker.
    #[serde(rename = "ask_sz", with = "wire::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// A time as text; no source states its format.
    #[serde(rename = "ts", with = "wire::text_opt")]
    pub time: Option<SmolStr>,
}

impl Event for SpotBookTicker {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_ref().map(Symbol::as_str)
    }
}
