//! Trades, best bid and ask, and the funding rate.

use bitmart_types::{ContractSymbol, Decimal, Side, Timestamp, TradeId, open_int_enum, wire};
use serde::{Deserialize, Serialize};

use crate::event::told;

/// An entry of `futures/trade`: one trade.
///
/// Within a frame trades run from newest to oldest (seen by other clients), unlike spot. Events keep
/// the order of the frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTrade {
    /// Id of the trade. A number on the wire.
    #[serde(default, with = "trade_number")]
    pub trade_id: Option<TradeId>,
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Price.
    #[serde(rename = "deal_price", with = "wire::decimal")]
    pub price: Decimal,
    /// Size in contracts.
    #[serde(rename = "deal_vol", with = "wire::decimal")]
    pub size: Decimal,
    /// Whether the buyer was the maker; see [`taker_side`](Self::taker_side).
    #[serde(rename = "m", default, with = "wire::boolean_opt")]
    pub is_buyer_maker: Option<bool>,
    /// When it happened. The wire has a date with nanoseconds; digits beyond the millisecond are
    /// dropped.
    #[serde(rename = "created_at", default, with = "wire::rfc3339_opt")]
    pub timestamp: Option<Timestamp>,
    /// Who opened and who closed. Documented, and absent from the published sample.
    #[serde(default, with = "wire::opt")]
    pub way: Option<FuturesTradeWay>,
}

impl FuturesTrade {
    /// The side of the taker: a buyer who was the maker was sold to. `None` when it was not told who
    /// was the maker.
    pub fn taker_side(&self) -> Option<Side> {
        self.is_buyer_maker.map(|sold| if sold { Side::Sell } else { Side::Buy })
    }
}

open_int_enum! {
    /// What a futures trade did for its two parties. The documents name the two in pairs; the
    /// party that is named first reads as the one that started the trade.
    pub enum FuturesTradeWay {
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

/// An entry of `futures/bookticker`: best bid and ask of one contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesBookTicker {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Best bid.
    #[serde(rename = "best_bid_price", default, with = "wire::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size at the best bid, in contracts.
    #[serde(rename = "best_bid_vol", default, with = "wire::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask.
    #[serde(rename = "best_ask_price", default, with = "wire::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size at the best ask, in contracts.
    #[serde(rename = "best_ask_vol", default, with = "wire::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// When it was so.
    #[serde(rename = "ms_t", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// An entry of `futures/fundingRate`: present and expected rate of one contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesFundingRate {
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Present rate, as a ratio.
    #[serde(rename = "fundingRate", with = "wire::decimal")]
    pub rate: Decimal,
    /// The documents call it the next settlement; it was observed at the time of the push or just
    /// before it. For the next settlement use [`next_settlement`](Self::next_settlement).
    #[serde(rename = "fundingTime", default, with = "wire::millis_opt")]
    pub funding_time: Option<Timestamp>,
    /// Rate of the next settlement as expected now, as a ratio.
    #[serde(rename = "nextFundingRate", default, with = "wire::decimal_opt")]
    pub next_rate: Option<Decimal>,
    /// When the next settlement is.
    #[serde(rename = "nextFundingTime", default, with = "wire::millis_opt")]
    pub next_settlement: Option<Timestamp>,
    /// Greatest possible rate, as a ratio.
    #[serde(rename = "funding_upper_limit", default, with = "wire::decimal_opt")]
    pub upper_limit: Option<Decimal>,
    /// Least possible rate, as a ratio.
    #[serde(rename = "funding_lower_limit", default, with = "wire::decimal_opt")]
    pub lower_limit: Option<Decimal>,
    /// When it was pushed.
    #[serde(rename = "ts", default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// A number on the wire, which some ids outgrow.
mod trade_number {
    use bitmart_types::{TradeId, wire};
    use serde::Serializer;

    pub(super) use wire::opt::deserialize;

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<TradeId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(id) => wire::id_number::serialize(id, serializer),
            None => serializer.serialize_none(),
        }
    }
}
