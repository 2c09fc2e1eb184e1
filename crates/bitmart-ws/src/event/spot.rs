//! Events of the spot channels.

use bitmart_types::{Decimal, Side, Symbol, Timestamp, wire};
use serde::{Deserialize, Serialize};

use super::{DecodeError, DepthEvent, DepthKind, DepthUpdate, Event, Level};

mod order;

pub use order::{EntrustType, SpotOrderUpdate};

/// An entry of `spot/ticker`: the state of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotTicker {
    /// The pair.
    pub symbol: Symbol,
    /// Price of the last trade.
    #[serde(with = "wire::decimal")]
    pub last_price: Decimal,
    /// Highest price of the last 24 hours.
    #[serde(with = "wire::decimal")]
    pub high_24h: Decimal,
    /// Lowest price of the last 24 hours.
    #[serde(with = "wire::decimal")]
    pub low_24h: Decimal,
    /// Price 24 hours ago.
    #[serde(with = "wire::decimal")]
    pub open_24h: Decimal,
    /// Volume of the last 24 hours in base currency. Other clients have seen the quote volume here.
    #[serde(with = "wire::decimal")]
    pub base_volume_24h: Decimal,
    /// Volume of the last 24 hours in quote currency.
    #[serde(with = "wire::decimal")]
    pub quote_volume_24h: Decimal,
    /// Change over the last 24 hours as a ratio: 0.01 is one per cent.
    #[serde(with = "wire::decimal")]
    pub fluctuation: Decimal,
    /// Best bid.
    #[serde(rename = "bid_px", with = "wire::decimal")]
    pub bid_price: Decimal,
    /// Size at the best bid, in base currency.
    #[serde(rename = "bid_sz", with = "wire::decimal")]
    pub bid_size: Decimal,
    /// Best ask.
    #[serde(rename = "ask_px", with = "wire::decimal")]
    pub ask_price: Decimal,
    /// Size at the best ask, in base currency.
    #[serde(rename = "ask_sz", with = "wire::decimal")]
    pub ask_size: Decimal,
    /// When it was so.
    #[serde(rename = "ms_t", with = "wire::millis")]
    pub timestamp: Timestamp,
    /// The same in whole seconds. BitMart has announced that this field goes away.
    #[serde(
        rename = "s_t",
        default,
        with = "wire::seconds_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp_seconds: Option<Timestamp>,
}

/// An entry of `spot/trade`: one trade. Trades carry no id; within a frame they run from oldest to
/// newest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotTrade {
    /// The pair.
    pub symbol: Symbol,
    /// Price.
    #[serde(with = "wire::decimal")]
    pub price: Decimal,
    /// Side of the taker.
    pub side: Side,
    /// Size in base currency.
    #[serde(with = "wire::decimal")]
    pub size: Decimal,
    /// When it happened.
    #[serde(rename = "ms_t", with = "wire::millis")]
    pub timestamp: Timestamp,
    /// The same in whole seconds. BitMart has announced that this field goes away.
    #[serde(
        rename = "s_t",
        default,
        with = "wire::seconds_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp_seconds: Option<Timestamp>,
}

/// An entry of `spot/depth/increase100`: a snapshot of the book or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotDepthIncrease {
    /// The pair.
    pub symbol: Symbol,
    /// Snapshot or update.
    #[serde(rename = "type")]
    pub kind: DepthKind,
    /// Version of the book. A changed book has the next number; an update of an idle book repeats
    /// the number.
    #[serde(with = "wire::number")]
    pub version: u64,
    /// When it was so.
    #[serde(
        rename = "ms_t",
        default,
        with = "wire::millis_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<Timestamp>,
    /// Sells, sizes in base currency.
    #[serde(with = "super::depth::rows")]
    pub asks: Vec<Level>,
    /// Buys, sizes in base currency.
    #[serde(with = "super::depth::rows")]
    pub bids: Vec<Level>,
}

impl DepthEvent for SpotDepthIncrease {
    fn update(&self) -> DepthUpdate<'_> {
        DepthUpdate {
            kind: &self.kind,
            version: self.version,
            timestamp: self.timestamp,
            asks: &self.asks,
            bids: &self.bids,
        }
    }
}

impl Event for SpotDepthIncrease {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        super::depth::decode_spot(text, out)
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

super::impl_event!(
    SpotTicker: symbol,
    SpotTrade: symbol,
    SpotOrderUpdate: symbol,
);
