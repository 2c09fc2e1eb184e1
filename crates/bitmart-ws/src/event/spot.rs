//! Events of the spot channels.

use bitmart_types::{Decimal, Side, Symbol, Timestamp, wire};
use serde::{Deserialize, Serialize};

mod balance;
mod depth;
mod market;
mod order;

pub use balance::{BalanceAccount, BalanceReason, SpotBalance, SpotBalanceUpdate};
pub use depth::{SpotDepth, SpotDepthIncrease};
pub use market::{SpotBookTicker, SpotKline};
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

super::impl_event!(
    SpotTicker: symbol,
    SpotTrade: symbol,
    SpotKline: symbol,
    SpotOrderUpdate: symbol,
);
