//! The account's own futures balances and positions.

use bitmart_types::futures::{MarginType, PositionMode, PositionSide};
use bitmart_types::{ContractSymbol, Currency, Decimal, Timestamp, codec};
use serde::{Deserialize, Serialize, Serializer};

use crate::event::{DecodeError, Event, decode_entries, impl_event, required};

/// The balance of one currency after a change. It has no time.
///
/// Documented as the
/// [assets channel](https://developer-pro.bitmart.com/en/futuresv2/#private-assets-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/asset")]
pub struct Balance {
    /// Currency.
    #[serde(deserialize_with = "required")]
    pub currency: Currency,
    /// Free to trade or to transfer, in the currency.
    #[serde(rename = "available_balance", default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Margin of open positions, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub position_deposit: Option<Decimal>,
    /// Held by open orders, in the currency.
    #[serde(rename = "frozen_balance", default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
}

impl Event for Balance {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    /// The currency, because the topic contains it in place of a contract.
    fn symbol(&self) -> Option<&str> {
        Some(self.currency.as_str())
    }
}

/// A position, sent after each change and every 10 s.
///
/// Documented as the
/// [position channel](https://developer-pro.bitmart.com/en/futuresv2/#private-position-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/position")]
pub struct Position {
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// Open size in contracts.
    #[serde(rename = "hold_volume", with = "codec::decimal")]
    pub size: Decimal,
    /// Long or short; `None` if the exchange does not send it, as for a flat position in one-way mode.
    #[serde(
        rename = "position_type",
        default,
        deserialize_with = "codec::opt::deserialize",
        serialize_with = "position_side_number"
    )]
    pub position_side: Option<PositionSide>,
    /// Cross or isolated.
    #[serde(rename = "open_type", default, with = "margin_number")]
    pub margin_type: Option<MarginType>,
    /// Size held by closing orders, in contracts.
    #[serde(rename = "frozen_volume", default, with = "codec::decimal_opt")]
    pub frozen_size: Option<Decimal>,
    /// Closed size, in contracts.
    #[serde(rename = "close_volume", default, with = "codec::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of the open size.
    #[serde(rename = "hold_avg_price", default, with = "codec::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the closing fills. 0 without one.
    #[serde(rename = "close_avg_price", default, with = "codec::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Average price of the opening fills.
    #[serde(rename = "open_avg_price", default, with = "codec::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Price at which the position is liquidated.
    #[serde(rename = "liquidate_price", default, with = "codec::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Time when it was opened.
    #[serde(rename = "create_time", default, with = "codec::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// Time of the last change.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// One-way or hedge mode. Absent from captures of 2023.
    #[serde(default, with = "codec::opt")]
    pub position_mode: Option<PositionMode>,
}

impl_event!(Position: symbol);

/// Numbers on this channel, text on all others.
#[allow(clippy::ref_option, reason = "serde passes the field by reference")]
fn position_side_number<S: Serializer>(
    value: &Option<PositionSide>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(PositionSide::Long) => serializer.serialize_u8(1),
        Some(PositionSide::Short) => serializer.serialize_u8(2),
        other => other.serialize(serializer),
    }
}

/// Numbers on this channel, text on all others.
mod margin_number {
    use bitmart_types::codec;
    use bitmart_types::futures::MarginType;
    use serde::{Serialize as _, Serializer};

    pub(super) use codec::opt::deserialize;

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
