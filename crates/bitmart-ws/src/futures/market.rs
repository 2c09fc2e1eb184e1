//! Tickers, trades, the best bid and offer, and the funding rate.

use bitmart_types::{ContractSymbol, Decimal, Side, Timestamp, TradeId, codec, open_int_enum};
use serde::{Deserialize, Serialize};

use crate::event::{impl_event, required};

/// A ticker: prices and volume of one contract. It has no time. A field is `None` if the exchange
/// does not send it or sends an unreadable value.
///
/// Documented as the
/// [ticker channel](https://developer-pro.bitmart.com/en/futuresv2/#public-ticker-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/ticker")]
pub struct Ticker {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Price of the last trade.
    #[serde(default, with = "codec::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Volume of the last 24 hours in contracts.
    #[serde(rename = "volume_24", default, with = "codec::decimal_opt")]
    pub volume: Option<Decimal>,
    /// Change of the price over 24 hours as a ratio: 0.01 is one percent.
    #[serde(rename = "range", default, with = "codec::decimal_opt")]
    pub change: Option<Decimal>,
    /// Mark price. Named `fair_price` on the wire until 2025-02-11.
    #[serde(alias = "fair_price", default, with = "codec::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Index price.
    #[serde(default, with = "codec::decimal_opt")]
    pub index_price: Option<Decimal>,
    /// Best ask.
    #[serde(default, with = "codec::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask, in contracts.
    #[serde(rename = "ask_vol", default, with = "codec::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// Best bid.
    #[serde(default, with = "codec::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid, in contracts.
    #[serde(rename = "bid_vol", default, with = "codec::decimal_opt")]
    pub bid_size: Option<Decimal>,
}

/// A public trade.
///
/// Within a frame, trades run from newest to oldest (seen by other clients), unlike spot. Events keep
/// the order of the frame.
///
/// Documented as the
/// [trade channel](https://developer-pro.bitmart.com/en/futuresv2/#public-trade-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/trade")]
pub struct Trade {
    /// Id of the trade. A number on the wire.
    #[serde(default, with = "trade_number")]
    pub trade_id: Option<TradeId>,
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Price.
    #[serde(rename = "deal_price", with = "codec::decimal")]
    pub price: Decimal,
    /// Size in contracts.
    #[serde(rename = "deal_vol", with = "codec::decimal")]
    pub size: Decimal,
    /// Whether the buyer was the maker; see [`taker_side`](Self::taker_side).
    #[serde(rename = "m", default, with = "codec::boolean_opt")]
    pub is_buyer_maker: Option<bool>,
    /// Time of the trade. The wire has nanoseconds; digits beyond the millisecond are dropped.
    #[serde(rename = "created_at", default, with = "codec::rfc3339_opt")]
    pub timestamp: Option<Timestamp>,
    /// Which party opened and which closed a position. Documented, but absent from the published
    /// sample.
    #[serde(default, with = "codec::opt")]
    pub way: Option<TradeWay>,
}

impl Trade {
    /// Returns the side of the taker. `None` if the exchange does not send who was the maker.
    pub fn taker_side(&self) -> Option<Side> {
        self.is_buyer_maker.map(|buyer_made| if buyer_made { Side::Sell } else { Side::Buy })
    }
}

open_int_enum! {
    /// Effect of a trade on the positions of its two parties. The documentation lists the parties in
    /// pairs; the first one is presumably the taker.
    pub enum TradeWay {
        /// The buyer opened a long, the seller opened a short.
        BuyOpenSellOpen = 1,
        /// The buyer opened a long, the seller closed a long.
        BuyOpenSellClose = 2,
        /// The buyer closed a short, the seller opened a short.
        BuyCloseSellOpen = 3,
        /// The buyer closed a short, the seller closed a long.
        BuyCloseSellClose = 4,
        /// The seller opened a short, the buyer opened a long.
        SellOpenBuyOpen = 5,
        /// The seller opened a short, the buyer closed a short.
        SellOpenBuyClose = 6,
        /// The seller closed a long, the buyer opened a long.
        SellCloseBuyOpen = 7,
        /// The seller closed a long, the buyer closed a short.
        SellCloseBuyClose = 8,
    }
}

/// The best bid and offer of one contract.
///
/// Documented in the [futures documentation](https://developer-pro.bitmart.com/en/futuresv2/).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/bookticker")]
pub struct BookTicker {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Best bid.
    #[serde(rename = "best_bid_price", default, with = "codec::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid, in contracts.
    #[serde(rename = "best_bid_vol", default, with = "codec::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "best_ask_price", default, with = "codec::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask, in contracts.
    #[serde(rename = "best_ask_vol", default, with = "codec::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// Time of the prices.
    #[serde(rename = "ms_t", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// The current and the expected funding rate of one contract.
///
/// Documented as the
/// [funding rate channel](https://developer-pro.bitmart.com/en/futuresv2/#public-funding-rate-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/fundingRate")]
pub struct FundingRate {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Current rate, as a ratio; `None` while a new contract has none.
    #[serde(rename = "fundingRate", default, with = "codec::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Documented as the next funding, but observed to be the time of the push or just before it. For
    /// the next funding use [`next_funding_time`](Self::next_funding_time).
    #[serde(rename = "fundingTime", default, with = "codec::millis_opt")]
    pub funding_time: Option<Timestamp>,
    /// Expected rate of the next funding, as a ratio.
    #[serde(rename = "nextFundingRate", default, with = "codec::decimal_opt")]
    pub expected_rate: Option<Decimal>,
    /// Time of the next funding.
    #[serde(rename = "nextFundingTime", default, with = "codec::millis_opt")]
    pub next_funding_time: Option<Timestamp>,
    /// Highest possible rate, as a ratio.
    #[serde(rename = "funding_upper_limit", default, with = "codec::decimal_opt")]
    pub upper_limit: Option<Decimal>,
    /// Lowest possible rate, as a ratio.
    #[serde(rename = "funding_lower_limit", default, with = "codec::decimal_opt")]
    pub lower_limit: Option<Decimal>,
    /// Time of the push.
    #[serde(rename = "ts", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

impl_event!(Ticker: symbol, Trade: symbol, BookTicker: symbol, FundingRate: symbol);

/// A number on the wire. Ids that do not fit one are written as text.
pub(super) mod trade_number {
    use bitmart_types::{TradeId, codec};
    use serde::Serializer;

    pub(crate) use codec::opt::deserialize;

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<TradeId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(id) => codec::id_number::serialize(id, serializer),
            None => serializer.serialize_none(),
        }
    }
}
