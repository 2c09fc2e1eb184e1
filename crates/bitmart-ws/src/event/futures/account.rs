//! The account's own futures balances and positions.

use bitmart_types::{
    ContractSymbol, Currency, Decimal, MarginType, PositionMode, PositionType, Timestamp, wire,
};
use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, Event, decode_entries};

/// An entry of `futures/asset`: the balance of one currency after a change. It carries no time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesAsset {
    /// The currency.
    pub currency: Currency,
    /// Free to use, in the currency.
    #[serde(rename = "available_balance", with = "wire::decimal")]
    pub available: Decimal,
    /// Margin of open positions, in the currency.
    #[serde(with = "wire::decimal")]
    pub position_deposit: Decimal,
    /// Bound by open orders, in the currency.
    #[serde(rename = "frozen_balance", with = "wire::decimal")]
    pub frozen: Decimal,
}

impl Event for FuturesAsset {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    /// The currency, which stands in the topic where others have a contract.
    fn symbol(&self) -> Option<&str> {
        Some(self.currency.as_str())
    }
}

/// An entry of `futures/position`: a position after a change, and every 10 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesPosition {
    /// The contract.
    pub symbol: ContractSymbol,
    /// Open size in contracts.
    #[serde(rename = "hold_volume", with = "wire::decimal")]
    pub size: Decimal,
    /// Long or short.
    pub position_type: PositionType,
    /// Cross or isolated. A number on the wire here, a word in orders.
    #[serde(rename = "open_type", with = "margin_number")]
    pub margin_type: MarginType,
    /// Bound by closing orders, in contracts.
    #[serde(rename = "frozen_volume", with = "wire::decimal")]
    pub frozen_size: Decimal,
    /// Closed so far, in contracts.
    #[serde(rename = "close_volume", with = "wire::decimal")]
    pub closed_size: Decimal,
    /// Average price of what is held.
    #[serde(rename = "hold_avg_price", with = "wire::decimal")]
    pub average_price: Decimal,
    /// Average price of what was closed. 0 when nothing was.
    #[serde(rename = "close_avg_price", with = "wire::decimal_opt")]
    pub average_close_price: Option<Decimal>,
    /// Average price of what was opened.
    #[serde(rename = "open_avg_price", with = "wire::decimal_opt")]
    pub average_open_price: Option<Decimal>,
    /// Price at which the position is liquidated.
    #[serde(rename = "liquidate_price", with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// When it was opened.
    #[serde(with = "wire::millis")]
    pub create_time: Timestamp,
    /// When it changed last.
    #[serde(with = "wire::millis")]
    pub update_time: Timestamp,
    /// One-way or hedge mode.
    pub position_mode: PositionMode,
}

/// 1 and 2 on this channel, words elsewhere.
mod margin_number {
    use bitmart_types::MarginType;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<MarginType, D::Error> {
        MarginType::deserialize(deserializer)
    }

    pub(super) fn serialize<S: Serializer>(
        value: &MarginType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            MarginType::Isolated => serializer.serialize_u8(1),
            MarginType::Cross => serializer.serialize_u8(2),
            other => other.serialize(serializer),
        }
    }
}
