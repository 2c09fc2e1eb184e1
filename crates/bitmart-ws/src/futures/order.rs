//! The account's own futures orders.

use std::fmt;

use bitmart_types::futures::{MarginType, OrderState, OrderType, PositionMode, PriceType, Side};
use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, Decimal, OrderId, Timestamp, TradeId, codec,
    find_unreadable, open_int_enum,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::event::{Fill, impl_event, is_trade_id, required};
use crate::futures::market::trade_number;

/// A change of an order of the account, and the order after it.
///
/// Documented as the
/// [order channel](https://developer-pro.bitmart.com/en/futuresv2/#private-order-channel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "futures/order")]
pub struct OrderUpdate {
    /// The change.
    #[serde(default, with = "codec::opt")]
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
    #[serde(default, with = "codec::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Limit price.
    #[serde(default, with = "codec::decimal_opt")]
    pub price: Option<Decimal>,
    /// Ordered size in contracts.
    #[serde(default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Contract.
    #[serde(deserialize_with = "required")]
    pub symbol: ContractSymbol,
    /// State of the order; `None` if the exchange does not send it: query REST then.
    #[serde(default, with = "codec::opt")]
    pub state: Option<OrderState>,
    /// Buy or sell, open or close.
    #[serde(deserialize_with = "required")]
    pub side: Side,
    /// Type of the order.
    #[serde(rename = "type", default, with = "codec::opt")]
    pub order_type: Option<OrderType>,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Cross or isolated.
    #[serde(rename = "open_type", default, with = "codec::opt")]
    pub margin_type: Option<MarginType>,
    /// Average price of the fills. 0 without one.
    #[serde(rename = "deal_avg_price", default, with = "codec::decimal_opt")]
    pub average_price: Option<Decimal>,
    /// Filled size in contracts.
    #[serde(rename = "deal_size", default, with = "codec::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Creation time.
    #[serde(default, with = "codec::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// Time of the last change.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// Id of the plan order that placed it.
    #[serde(default, with = "codec::text_opt")]
    pub plan_order_id: Option<OrderId>,
    /// The last fill. [`OrderUpdate::fill`] returns it if it is complete, and
    /// [`OrderUpdate::has_unread_fill`] tells whether it is not.
    #[serde(rename = "last_trade", default, deserialize_with = "last_fill")]
    pub last_fill: Option<LastFill>,
    /// Price at which a plan order triggers.
    #[serde(default, with = "codec::decimal_opt")]
    pub trigger_price: Option<Decimal>,
    /// Kind of price that triggers it.
    #[serde(default, with = "price_type_text")]
    pub trigger_price_type: Option<PriceType>,
    /// Price of the order that a plan order places.
    #[serde(default, with = "codec::decimal_opt")]
    pub execution_price: Option<Decimal>,
    /// Kind of price that activates a trailing order.
    #[serde(default, with = "price_type_text")]
    pub activation_price_type: Option<PriceType>,
    /// Price at which a trailing order becomes active.
    #[serde(default, with = "codec::decimal_opt")]
    pub activation_price: Option<Decimal>,
    /// Callback rate of a trailing order.
    #[serde(default, with = "codec::decimal_opt")]
    pub callback_rate: Option<Decimal>,
    /// One-way or hedge mode.
    #[serde(default, with = "codec::opt")]
    pub position_mode: Option<PositionMode>,
}

/// The last fill of a futures order. Without a fill it is absent, empty, or all of it is zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastFill {
    /// Id of the fill. A number on the wire.
    #[serde(rename = "lastTradeID", default, with = "trade_number")]
    pub trade_id: Option<TradeId>,
    /// Size in contracts.
    #[serde(rename = "fillQty", default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Price.
    #[serde(rename = "fillPrice", default, with = "codec::decimal_opt")]
    pub price: Option<Decimal>,
    /// Fee. Negative in the documented sample.
    #[serde(default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    #[serde(rename = "feeCcy", default, with = "codec::text_opt")]
    pub fee_currency: Option<Currency>,
    /// The exchange sent something other than an object, or an object with a member that cannot be read.
    #[serde(skip)]
    is_unreadable: bool,
}

impl OrderUpdate {
    /// Returns the last fill of the order, if the event contains one with id, price and size.
    ///
    /// A later event of the same order may repeat it: count each fill once, by its
    /// [`trade_id`](Fill::trade_id).
    pub fn fill(&self) -> Option<Fill> {
        let last_fill = self.order.last_fill.as_ref()?;
        Some(Fill {
            trade_id: last_fill.trade_id.clone().filter(is_trade_id)?,
            price: last_fill.price.filter(|price| !price.is_zero())?,
            size: last_fill.size.filter(|size| !size.is_zero())?,
            fee: last_fill.fee,
            fee_currency: last_fill.fee_currency.clone(),
            trade_role: None,
            timestamp: self.order.update_time,
        })
    }

    /// Returns whether the event contains a fill that [`fill`](Self::fill) cannot return, because its
    /// id, price or size is absent or unreadable. Query REST for it.
    pub fn has_unread_fill(&self) -> bool {
        let is_set = |value: Option<Decimal>| value.is_some_and(|value| !value.is_zero());
        let has_fill = |last_fill: &LastFill| {
            last_fill.is_unreadable
                || last_fill.trade_id.as_ref().is_some_and(is_trade_id)
                || is_set(last_fill.size)
                || is_set(last_fill.price)
        };
        self.order.last_fill.as_ref().is_some_and(has_fill) && self.fill().is_none()
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
    use bitmart_types::codec;
    use bitmart_types::futures::PriceType;
    use serde::Serializer;

    pub(super) use codec::text_opt::deserialize;

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<PriceType>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match value {
            None => "-",
            Some(PriceType::Last) => "last_price",
            Some(PriceType::Mark) => "fair_price",
            Some(other) => other.as_str(),
        })
    }
}

/// Deserializes a fill, or a spelling of "no value". Any other value is a fill that cannot be read.
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
            Ok(if codec::is_blank(text) { None } else { Some(unreadable()) })
        }

        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Some(unreadable()))
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Some(unreadable()))
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Some(unreadable()))
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Some(unreadable()))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut is_empty = true;
            while items.next_element::<IgnoredAny>()?.is_some() {
                is_empty = false;
            }
            Ok(if is_empty { None } else { Some(unreadable()) })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let read = || LastFill::deserialize(MapAccessDeserializer::new(map));
            let (fill, is_unreadable) = find_unreadable(read);
            Ok(Some(LastFill { is_unreadable, ..fill? }))
        }
    }

    fn unreadable() -> LastFill {
        LastFill { is_unreadable: true, ..LastFill::default() }
    }

    deserializer.deserialize_any(LastFillVisitor)
}
