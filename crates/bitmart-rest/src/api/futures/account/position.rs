//! Positions.

use bitmart_types::futures::{MarginType, PositionMode, PositionSide};
use bitmart_types::{ContractSymbol, Decimal, Rows, Timestamp, codec};
use serde::{Deserialize, Serialize, Serializer};

use crate::api::futures::TradingAccount;

/// A position in the response of the older endpoint. [`Position`] has more fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionV1 {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Long or short.
    #[serde(
        rename = "position_type",
        default,
        deserialize_with = "codec::opt::deserialize",
        serialize_with = "position_side_number"
    )]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts; never negative.
    #[serde(rename = "current_amount", with = "codec::decimal")]
    pub size: Decimal,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type; `None` when flat.
    #[serde(default, with = "codec::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Position mode of the account.
    #[serde(default, with = "codec::text_opt")]
    pub position_mode: Option<PositionMode>,
    /// Account that holds it.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// Entry price.
    #[serde(default, with = "codec::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it.
    #[serde(rename = "open_avg_price", default, with = "codec::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(default, with = "codec::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub position_value: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub mark_value: Option<Decimal>,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(default, with = "codec::decimal_opt")]
    pub current_value: Option<Decimal>,
    /// Margin.
    #[serde(rename = "position_cross", default, with = "codec::decimal_opt")]
    pub margin: Option<Decimal>,
    /// Margin below which it is liquidated.
    #[serde(default, with = "codec::decimal_opt")]
    pub maintenance_margin: Option<Decimal>,
    /// Fees paid for it.
    #[serde(rename = "current_fee", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", default, with = "codec::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", default, with = "codec::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized_value", default, with = "codec::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// Realized profit and loss.
    #[serde(rename = "realized_value", default, with = "codec::decimal_opt")]
    pub realized_profit: Option<Decimal>,
    /// When it was opened.
    #[serde(rename = "open_timestamp", default, with = "codec::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the exchange created the row.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// A position. A contract that was requested by name has a row even when it is flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; in one-way mode [`PositionSide::Both`], and the direction is the sign of
    /// [`signed_size`](Self::signed_size).
    #[serde(default, with = "codec::text_opt")]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts; never negative.
    #[serde(rename = "current_amount", with = "codec::decimal")]
    pub size: Decimal,
    /// Size, in contracts: negative for a short in one-way mode, never negative in hedge mode.
    #[serde(rename = "position_amount", default, with = "codec::decimal_opt")]
    pub signed_size: Option<Decimal>,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "codec::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// Entry price; 0 when flat.
    #[serde(default, with = "codec::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it; 0 when flat.
    #[serde(rename = "open_avg_price", default, with = "codec::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(default, with = "codec::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated; 0 when there is none.
    #[serde(default, with = "codec::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub position_value: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub mark_value: Option<Decimal>,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(default, with = "codec::decimal_opt")]
    pub current_value: Option<Decimal>,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_notional_value: Option<Decimal>,
    /// Margin; not in every response.
    #[serde(rename = "position_cross", default, with = "codec::decimal_opt")]
    pub margin: Option<Decimal>,
    /// Margin that was needed to open it.
    #[serde(default, with = "codec::decimal_opt")]
    pub initial_margin: Option<Decimal>,
    /// Margin below which it is liquidated.
    #[serde(default, with = "codec::decimal_opt")]
    pub maintenance_margin: Option<Decimal>,
    /// Fees paid for it.
    #[serde(rename = "current_fee", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", default, with = "codec::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", default, with = "codec::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized_pnl", default, with = "codec::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// Realized profit and loss.
    #[serde(rename = "realized_value", default, with = "codec::decimal_opt")]
    pub realized_profit: Option<Decimal>,
    /// When it was opened; `None` when flat.
    #[serde(rename = "open_timestamp", default, with = "codec::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the exchange created the row.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

impl Position {
    /// Returns the size in contracts, negative for a short position. `None` if the exchange did not send the side.
    ///
    /// The side decides in hedge mode, and the sign of [`signed_size`](Self::signed_size) in one-way mode.
    pub fn net_size(&self) -> Option<Decimal> {
        if self.size.is_zero() {
            return Some(Decimal::ZERO);
        }
        let is_short = match self.position_side.as_ref()? {
            PositionSide::Long => false,
            PositionSide::Short => true,
            PositionSide::Both => self.signed_size?.is_sign_negative(),
            _ => return None,
        };
        Some(if is_short { -self.size } else { self.size })
    }
}

/// Finds a position in a list of them. A contract has one row in one-way mode and two in hedge mode, so that its symbol
/// alone does not name a row.
///
/// ```
/// use bitmart_rest::futures::{FindPosition as _, Position, PositionSide};
/// use bitmart_rest::types::{Rows, json};
///
/// let positions: Rows<Position> = json::from_str(
///     r#"[{"symbol": "BTCUSDT", "position_side": "long", "current_amount": "3"},
///         {"symbol": "BTCUSDT", "position_side": "short", "current_amount": "5"}]"#,
/// )?;
/// let short = positions.find_position("BTCUSDT", &PositionSide::Short).expect("it is listed");
/// assert_eq!(short.size.to_string(), "5");
/// assert!(positions.find_position("BTCUSDT", &PositionSide::Both).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait FindPosition {
    /// A row of the list.
    type Position;

    /// The first row of this contract and side. In one-way mode the side of a [`Position`] is [`PositionSide::Both`].
    ///
    /// `None` if the exchange does not list it, its row has no side, or its row is a fault: that proves that there is
    /// no such position only while no row is a [fault](Rows::faults). A flat position may have no side.
    fn find_position(&self, symbol: &str, side: &PositionSide) -> Option<&Self::Position>;
}

macro_rules! find_position {
    ($($row:ident)+) => {$(
        impl FindPosition for Rows<$row> {
            type Position = $row;

            fn find_position(&self, symbol: &str, side: &PositionSide) -> Option<&$row> {
                self.iter()
                    .find(|row| row.symbol == *symbol && row.position_side.as_ref() == Some(side))
            }
        }
    )+};
}
find_position!(Position PositionRisk PositionV1);

/// Liquidation risk of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionRisk {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; `None` when flat.
    #[serde(default, with = "codec::text_opt")]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts.
    #[serde(rename = "position_amt", with = "codec::decimal")]
    pub size: Decimal,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type; `None` when flat.
    #[serde(default, with = "codec::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// Mark price.
    #[serde(default, with = "codec::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated.
    #[serde(default, with = "codec::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_notional_value: Option<Decimal>,
    /// Margin of an isolated position.
    #[serde(default, with = "codec::decimal_opt")]
    pub isolated_margin: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(default, with = "codec::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// When it last changed.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
}

/// Numbers in the response of the older endpoint, text on all others.
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
