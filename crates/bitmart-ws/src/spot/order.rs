//! The account's own spot orders.

use bitmart_types::spot::{OrderMode, OrderState, OrderType};
use bitmart_types::{
    ClientOrderId, Currency, Decimal, OrderId, Side, Symbol, Timestamp, TradeId, TradeRole, codec,
    find_unreadable, open_enum,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::event::{Fill, impl_event, is_trade_id, required};

/// An order of the account after a change: accepted, partially or completely filled, or canceled.
///
/// Documented as
/// [order progress](https://developer-pro.bitmart.com/en/spot/#private-order-progress).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// Generates functions instead of the traits, whose implementations below call them.
#[serde(remote = "Self")]
#[non_exhaustive]
#[doc(alias = "spot/user/order")]
#[doc(alias = "spot/user/orders")]
pub struct OrderUpdate {
    /// Pair.
    #[serde(deserialize_with = "required")]
    pub symbol: Symbol,
    /// Id given by the exchange.
    #[serde(deserialize_with = "required")]
    pub order_id: OrderId,
    /// Id chosen by the client.
    #[serde(default, with = "codec::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    #[serde(deserialize_with = "required")]
    pub side: Side,
    /// Limit or market. Post-only and immediate-or-cancel are in
    /// [`time_in_force`](Self::time_in_force).
    #[serde(rename = "type", default, with = "codec::opt")]
    pub order_type: Option<OrderType>,
    /// Limit price in quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub price: Option<Decimal>,
    /// Ordered size in base currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Ordered notional in quote currency. Market buys only.
    #[serde(default, with = "codec::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Filled size in base currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Filled notional in quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub filled_notional: Option<Decimal>,
    /// State of the order. `None` if the event contains only the number of
    /// [`legacy_state`](Self::legacy_state), as in captures of 2022: query REST then.
    ///
    /// A completely filled market buy may end as partially canceled, because the exchange returns
    /// the rest of the notional (observed).
    #[serde(rename = "order_state", default, with = "codec::opt")]
    pub state: Option<OrderState>,
    /// Time in force: normal, post-only or immediate-or-cancel.
    #[serde(rename = "entrust_type", default, with = "codec::opt")]
    pub time_in_force: Option<TimeInForce>,
    /// Spot or isolated margin.
    #[serde(default, with = "codec::opt")]
    pub order_mode: Option<OrderMode>,
    /// Price of the last fill. 0 without a fill.
    #[serde(default, with = "codec::decimal_opt")]
    pub last_fill_price: Option<Decimal>,
    /// Size of the last fill in base currency. 0 without a fill.
    #[serde(rename = "last_fill_count", default, with = "codec::decimal_opt")]
    pub last_fill_size: Option<Decimal>,
    /// Time of the last fill. `None` without a fill.
    #[serde(default, with = "codec::millis_text_opt")]
    pub last_fill_time: Option<Timestamp>,
    /// Maker or taker in the last fill.
    #[serde(rename = "exec_type", default, with = "codec::text_opt")]
    pub trade_role: Option<TradeRole>,
    /// Id of the last fill.
    #[serde(rename = "detail_id", default, with = "codec::text_opt")]
    pub trade_id: Option<TradeId>,
    /// Fee of the last fill.
    #[serde(rename = "dealFee", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    #[serde(rename = "deal_fee_coin_name", default, with = "codec::text_opt")]
    pub fee_currency: Option<Currency>,
    /// Creation time.
    #[serde(default, with = "codec::millis_text_opt")]
    pub create_time: Option<Timestamp>,
    /// Time of the last change.
    #[serde(default, with = "codec::millis_text_opt")]
    pub update_time: Option<Timestamp>,
    /// Creation time once more.
    #[serde(rename = "ms_t", default, with = "codec::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
    /// State as a number. BitMart has announced its removal; use [`state`](Self::state).
    #[serde(rename = "state", default, with = "codec::text_opt")]
    pub legacy_state: Option<SmolStr>,
    /// Time in force as a number. BitMart has announced its removal; use
    /// [`time_in_force`](Self::time_in_force).
    #[serde(rename = "order_type", default, with = "codec::text_opt")]
    pub legacy_order_type: Option<SmolStr>,
    /// 0 for spot. BitMart has announced its removal; use [`order_mode`](Self::order_mode).
    #[serde(rename = "margin_trading", default, with = "codec::text_opt")]
    pub legacy_margin_trading: Option<SmolStr>,
    /// A member of the event cannot be read.
    #[serde(skip)]
    is_unreadable: bool,
}

impl OrderUpdate {
    /// Returns the last fill of the order, if any.
    ///
    /// A later event of the same order may repeat it: count each fill once, by its
    /// [`trade_id`](Fill::trade_id).
    pub fn fill(&self) -> Option<Fill> {
        let size = self.last_fill_size.filter(|size| !size.is_zero())?;
        Some(Fill {
            trade_id: self.trade_id.clone().filter(is_trade_id)?,
            price: self.last_fill_price.filter(|price| !price.is_zero())?,
            size,
            fee: self.fee,
            fee_currency: self.fee_currency.clone(),
            trade_role: self.trade_role.clone(),
            timestamp: self.last_fill_time,
        })
    }

    /// Returns whether the event contains, or may contain, a fill that [`fill`](Self::fill) cannot return, because its
    /// id, price or size is absent or unreadable. Query REST for it. An event without a size may contain one if
    /// any of its members was unreadable.
    pub fn has_unread_fill(&self) -> bool {
        let is_set = |value: Option<Decimal>| value.is_some_and(|value| !value.is_zero());
        let has_fill = self.trade_id.as_ref().is_some_and(is_trade_id)
            || is_set(self.last_fill_size)
            || is_set(self.last_fill_price)
            || (self.is_unreadable && self.last_fill_size.is_none());
        has_fill && self.fill().is_none()
    }
}

impl_event!(OrderUpdate: symbol);

impl<'de> Deserialize<'de> for OrderUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (update, is_unreadable) = find_unreadable(|| Self::deserialize(deserializer));
        Ok(Self { is_unreadable, ..update? })
    }
}

impl Serialize for OrderUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

open_enum! {
    /// Time in force of a spot order.
    pub enum TimeInForce {
        /// A limit order that is good till canceled, or a market order.
        Normal = "NORMAL" | "normal",
        /// Post-only: rejected if it would take.
        PostOnly = "LIMIT_MAKER" | "limit_maker",
        /// Immediate-or-cancel.
        ImmediateOrCancel = "IOC" | "ioc",
    }
}
