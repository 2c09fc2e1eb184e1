//! The account's own futures balances and positions.

use bitmart_types::futures::{MarginType, PositionMode, PositionType};
use bitmart_types::{ContractSymbol, Currency, Decimal, Timestamp, wire};
use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, Event, decode_entries, told};

/// An entry of `futures/asset`: the balance of one currency after a change. It carries no time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesAsset {
    /// The currency.
    #[serde(deserialize_with = "told")]
    pub currency: Currency,
    /// Free to use, in the currency.
    #[serde(rename = "available_balance", default, with = "wire::decimal_opt")]
    pub available: Option<Decimal>,
    /// Margin of open positions, in the currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub position_deposit: Option<Decimal>,
    /// Bound by open orders, in the currency.
    #[serde(rename = "frozen_balance", default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
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
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Open size in contracts.
    #[serde(rename = "hold_volume", with = "wire::decimal")]
    pub size: Decimal,
    /// Long or short.
    #[serde(deserialize_with = "told")]
    pub position_type: PositionType,
    /// Cross or isolated. A number on the wire here, a word in orders.
    #[serde(rename = "open_type", default, with = "margin_number")]
    pub margin_type: Option<MarginType>,
    /// Bound by closing orders, in contracts.
    #[serde(rename = "frozen_volume", default, with = "wire::decimal_opt")]
    pub frozen_size: Option<Decimal>,
    /// Closed so far, in contracts.
    #[serde(rename = "close_volume", default, with = "wire::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of what is held.
    #[serde(rename = "hold_avg_price", default, with = "wire::decimal_opt")]
    pub average_price: Option<Decimal>,
    /// Average price of what was closed. 0 when nothing was.
    #[serde(rename = "close_avg_price", default, with = "wire::decimal_opt")]
    pub average_close_price: Option<Decimal>,
    /// Average price of what was opened.
    #[serde(rename = "open_avg_price", default, with = "wire::decimal_opt")]
    pub average_open_price: Option<Decimal>,
    /// Price at which the position is liquidated.
    #[serde(rename = "liquidate_price", default, with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// When it was opened.
    #[serde(default, with = "wire::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// When it changed last.
    #[serde(default, with = "wire::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// One-way or hedge mode. Absent from captures of 2023.
    #[serde(default, with = "wire::opt")]
    pub position_mode: Option<PositionMode>,
}

/// 1 and 2 on this channel, words elsewhere.
mod margin_number {
    use bitmart_types::futures::MarginType;
    use bitmart_types::wire;
    use serde::{Serialize as _, Serializer};

    pub(super) use wire::opt::deserialize;

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<MarginType>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(MarginType::Isolated) => serializer.serialize_u8(1),
            Some(MarginType::Cross) => serializer.serialize_u8(2),
            other => other.serialize(serializer),
        }
    }
}
