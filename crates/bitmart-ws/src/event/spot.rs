//! Events of the spot channels.

use bitmart_types::{Decimal, Side, Symbol, Timestamp, wire};
use serde::{Deserialize, Serialize};

use super::told;

mod balance;
mod depth;
mod market;
mod order;

pub use balance::{BalanceAccount, BalanceReason, SpotBalance, SpotBalanceUpdate};
pub use depth::{SpotDepth, SpotDepthIncrease};
pub use market::{SpotBookTicker, SpotKline};
pub use order::{EntrustType, SpotOrderUpdate};

/// An entry of `spot/ticker`: the state of one pair. `None` is what the venue did not tell, or not in
/// a form that can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotTicker {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// Price of the last trade.
    #[serde(default, with = "wire::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Highest price of the last 24 hours.
    #[serde(default, with = "wire::decimal_opt")]
    pub high_24h: Option<Decimal>,
    /// Lowest price of the last 24 hours.
    #[serde(default, with = "wire::decimal_opt")]
    pub low_24h: Option<Decimal>,
    /// Price 24 hours ago.
    #[serde(default, with = "wire::decimal_opt")]
    pub open_24h: Option<Decimal>,
    /// Volume of the last 24 hours in base currency. Other clients have seen the quote volume here.
    #[serde(default, with = "wire::decimal_opt")]
    pub base_volume_24h: Option<Decimal>,
    /// Volume of the last 24 hours in quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub quote_volume_24h: Option<Decimal>,
    /// Change over the last 24 hours as a ratio: 0.01 is one per cent.
    #[serde(default, with = "wire::decimal_opt")]
    pub fluctuation: Option<Decimal>,
    /// Best bid.
    #[serde(rename = "bid_px", default, with = "wire::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size at the best bid, in base currency.
    #[serde(rename = "bid_sz", default, with = "wire::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "ask_px", default, with = "wire::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size at the best ask, in base currency.
    #[serde(rename = "ask_sz", default, with = "wire::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// The same in whole seconds. BitMart has announced that this field goes away.
    #[serde(rename = "s_t", default, with = "wire::seconds_opt")]
    pub timestamp_seconds: Option<Timestamp>,
}

/// An entry of `spot/trade`: one trade. Trades carry no id; within a frame they run from oldest to
/// newest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotTrade {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// Price.
    #[serde(with = "wire::decimal")]
    pub price: Decimal,
    /// Side of the taker.
    #[serde(deserialize_with = "told")]
    pub side: Side,
    /// Size in base currency.
    #[serde(with = "wire::decimal")]
    pub size: Decimal,
    /// When it happened.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// The same in whole seconds. BitMart has announced that this field goes away.
    #[serde(rename = "s_t", default, with = "wire::seconds_opt")]
    pub timestamp_seconds: Option<Timestamp>,
}

super::impl_event!(
    SpotTicker: symbol,
    SpotTrade: symbol,
    SpotKline: symbol,
    SpotOrderUpdate: symbol,
);
