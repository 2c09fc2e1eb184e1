//! The account's own futures orders.

use std::fmt;

use bitmart_types::futures::{MarginType, OrderState, OrderType, PositionMode, PriceType, Side};
use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, Decimal, OrderId, Timestamp, TradeId, open_int_enum,
    wire,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::event::{Fill, impl_event, required};

/// A change of an order of the account, and the order after it.
///
/// Documented as the
/// [order channel](https://developer-pro.bitmart.com/en/futuresv2/#private-order-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/order")]
pub struct OrderUpdate {
    /// The change.
    #[serde(default, with = "wire::opt")]
    pub action: Option<OrderAction>,
    /// The order.
    pub order: Order,
}

/// A futures order in an [`OrderUpdate`]. The wire has `-` where a value does not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// Id given by the exchange.
    #[serde(deserialize_with = "required")]
    pub order_id: OrderId,
    /// Id chosen by the client.
    #[serde(default, with = "wire::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Limit price.
    #[serde(default, with = "wire::decimal_opt")]
    pub price: Option<Decimal>,
    /// Ordered size in contracts.
    #[serde(default, with = "wire::decimal_opt")]
    pub size: Option<Decimal>,
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// State of the order.
    #[serde(deserialize_with = "required")]
    pub state: OrderState,
    /// Buy or sell, open or close.
    #[serde(deserialize_with = "required")]
    pub side: Side,
    /// Type of the order.
    #[serde(rename = "type", default, with = "wire::opt")]
    pub order_type: Option<OrderType>,
    /// Leverage.
    #[serde(default, with = "wire::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Cross or isolated.
    #[serde(rename = "open_type", default, with = "wire::opt")]
    pub margin_type: Option<MarginType>,
    /// Average price of the fills. 0 without one.
    #[serde(rename = "deal_avg_price", default, with = "wire::decimal_opt")]
    pub average_price: Option<Decimal>,
    /// Filled size in contracts.
    #[serde(rename = "deal_size", default, with = "wire::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Creation time.
    #[serde(default, with = "wire::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// Time of the last change.
    #[serde(default, with = "wire::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// Id of the plan order that placed it.
    #[serde(default, with = "wire::text_opt")]
    pub plan_order_id: Option<OrderId>,
    /// The last fill. A fill without id, price or size makes the whole entry a fault, so that no fill
    /// is lost silently.
    #[serde(rename = "last_trade", default, deserialize_with = "last_fill")]
    pub last_fill: Option<LastFill>,
    /// Price at which a plan order triggers.
    #[serde(default, with = "wire::decimal_opt")]
    pub trigger_price: Option<Decimal>,
    /// Kind of price that triggers it.
    #[serde(default, with = "price_type_text")]
    pub trigger_price_type: Option<PriceType>,
    /// Price of the order that a plan order places.
    #[serde(default, with = "wire::decimal_opt")]
    pub execution_price: Option<Decimal>,
    /// Kind of price that activates a trailing order.
    #[serde(default, with = "price_type_text")]
    pub activation_price_type: Option<PriceType>,
    /// Price at which a trailing order becomes active.
    #[serde(default, with = "wire::decimal_opt")]
    pub activation_price: Option<Decimal>,
    /// Callback rate of a trailing order.
    #[serde(default, with = "wire::decimal_opt")]
    pub callback_rate: Option<Decimal>,
    /// One-way or hedge mode.
    #[serde(default, with = "wire::opt")]
    pub position_mode: Option<PositionMode>,
}

/// The last fill of a futures order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastFill {
    /// Id of the fill. A number on the wire.
    #[serde(
        rename = "lastTradeID",
        deserialize_with = "required",
        serialize_with = "wire::id_number::serialize"
    )]
    pub trade_id: TradeId,
    /// Size in contracts.
    #[serde(rename = "fillQty", with = "wire::decimal")]
    pub size: Decimal,
    /// Price.
    #[serde(rename = "fillPrice", with = "wire::decimal")]
    pub price: Decimal,
    /// Fee. Negative in the documented sample.
    #[serde(default, with = "wire::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    #[serde(rename = "feeCcy", default, with = "wire::text_opt")]
    pub fee_currency: Option<Currency>,
}

impl OrderUpdate {
    /// Returns the last fill of the order, if the event contains one.
    ///
    /// A later event of the same order may repeat it: count each fill once, by its
    /// [`trade_id`](Fill::trade_id).
    pub fn fill(&self) -> Option<Fill> {
        let trade = self.order.last_fill.as_ref()?;
        Some(Fill {
            trade_id: trade.trade_id.clone(),
            price: trade.price,
            size: trade.size,
            fee: trade.fee,
            fee_currency: trade.fee_currency.clone(),
            trade_role: None,
            timestamp: self.order.update_time,
        })
    }
}

impl_event!(OrderUpdate: order.symbol);

open_int_enum! {
    /// A change of a futures order.
    pub enum OrderAction {
        /// Partially or completely filled.
        Fill = 1,
        /// Accepted.
        Submit = 2,
        /// Canceled.
        Cancel = 3,
        /// Canceled because the position is liquidated.
        LiquidationCancel = 4,
        /// Canceled by automatic deleveraging.
        DeleveragingCancel = 5,
        /// Part of a liquidation.
        PartialLiquidation = 6,
        /// Placed by a bankruptcy.
        Bankruptcy = 7,
        /// Filled as the passive side of automatic deleveraging.
        PassiveDeleveragingFill = 8,
        /// Filled as the active side of automatic deleveraging.
        ActiveDeleveragingFill = 9,
    }
}

/// Price types are text on this channel, numbers over REST.
mod price_type_text {
    use bitmart_types::futures::PriceType;
    use bitmart_types::wire;
    use serde::Serializer;

    pub(super) use wire::text_opt::deserialize;

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<PriceType>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match value {
            None => "-",
            Some(PriceType::Last) => "last_price",
            Some(PriceType::Fair) => "fair_price",
            Some(other) => other.as_str(),
        })
    }
}

/// Deserializes a fill, or a spelling of "no value".
fn last_fill<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LastFill>, D::Error> {
    struct LastFillVisitor;

    impl<'de> Visitor<'de> for LastFillVisitor {
        type Value = Option<LastFill>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a fill or null")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if wire::is_blank(text) {
                return Ok(None);
            }
            Err(E::invalid_type(de::Unexpected::Str(text), &self))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            LastFill::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(LastFillVisitor)
}
