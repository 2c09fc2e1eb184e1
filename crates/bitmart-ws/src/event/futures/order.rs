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

use crate::event::{Fill, told};

/// An entry of `futures/order`: what happened to an order of the account, and the order after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesOrderUpdate {
    /// What happened.
    #[serde(default, with = "wire::opt")]
    pub action: Option<FuturesOrderAction>,
    /// The order.
    pub order: FuturesOrder,
}

/// A futures order as its events show it. The wire writes `-` where a value does not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesOrder {
    /// Id given by the exchange.
    #[serde(deserialize_with = "told")]
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
    /// The contract.
    #[serde(deserialize_with = "told")]
    pub symbol: ContractSymbol,
    /// Where the order is in its life.
    #[serde(deserialize_with = "told")]
    pub state: OrderState,
    /// Buy or sell, open or close.
    #[serde(deserialize_with = "told")]
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
    /// Average price of what is filled. 0 when nothing is.
    #[serde(rename = "deal_avg_price", default, with = "wire::decimal_opt")]
    pub average_fill_price: Option<Decimal>,
    /// Filled so far, in contracts.
    #[serde(rename = "deal_size", default, with = "wire::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// When the order was created.
    #[serde(default, with = "wire::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// When the order changed last.
    #[serde(default, with = "wire::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// Id of the plan order behind it.
    #[serde(default, with = "wire::text_opt")]
    pub plan_order_id: Option<OrderId>,
    /// The last fill. One that is there and lacks its id, price or size makes the whole entry a fault:
    /// a fill must not vanish.
    #[serde(default, deserialize_with = "last_trade")]
    pub last_trade: Option<LastTrade>,
    /// Price at which a plan order triggers.
    #[serde(default, with = "wire::decimal_opt")]
    pub trigger_price: Option<Decimal>,
    /// The price that triggers.
    #[serde(default, with = "price_word")]
    pub trigger_price_type: Option<PriceType>,
    /// Price of the order that a plan order places.
    #[serde(default, with = "wire::decimal_opt")]
    pub execution_price: Option<Decimal>,
    /// The price that activates a trailing order.
    #[serde(default, with = "price_word")]
    pub activation_price_type: Option<PriceType>,
    /// Price at which a trailing order becomes active.
    #[serde(default, with = "wire::decimal_opt")]
    pub activation_price: Option<Decimal>,
    /// Distance of a trailing order.
    #[serde(default, with = "wire::decimal_opt")]
    pub callback_rate: Option<Decimal>,
    /// One-way or hedge mode.
    #[serde(default, with = "wire::opt")]
    pub position_mode: Option<PositionMode>,
}

/// The last fill in a futures order event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastTrade {
    /// Id of the fill. A number on the wire.
    #[serde(
        rename = "lastTradeID",
        deserialize_with = "told",
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

impl FuturesOrderUpdate {
    /// The last fill of the order, when the event carries one.
    ///
    /// A later event of the same order may repeat it: count each fill once, by its
    /// [`trade_id`](Fill::trade_id). Futures events do not say who was the maker.
    pub fn fill(&self) -> Option<Fill> {
        let trade = self.order.last_trade.as_ref()?;
        Some(Fill {
            trade_id: trade.trade_id.clone(),
            price: trade.price,
            size: trade.size,
            fee: trade.fee,
            fee_currency: trade.fee_currency.clone(),
            role: None,
            time: self.order.update_time,
        })
    }
}

open_int_enum! {
    /// What happened to a futures order.
    pub enum FuturesOrderAction {
        /// Filled, in part or in whole.
        Fill = 1,
        /// Accepted.
        Submit = 2,
        /// Cancelled.
        Cancel = 3,
        /// Cancelled because the position is liquidated.
        LiquidationCancel = 4,
        /// Cancelled by automatic deleveraging.
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

/// The wire writes the kinds of prices as words here, as numbers over REST.
mod price_word {

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

/// A fill, or a spelling of none.
fn last_trade<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LastTrade>, D::Error> {
    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = Option<LastTrade>;

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
            LastTrade::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(Reader)
}
