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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[doc(alias = "spot/user/order")]
#[doc(alias = "spot/user/orders")]
pub struct OrderUpdate {
    /// Pair.
    pub symbol: Symbol,
    /// Id given by the exchange.
    pub order_id: OrderId,
    /// Id chosen by the client.
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    pub side: Side,
    /// Limit or market. Post-only and immediate-or-cancel are in
    /// [`time_in_force`](Self::time_in_force).
    pub order_type: Option<OrderType>,
    /// Limit price in quote currency.
    pub price: Option<Decimal>,
    /// Ordered size in base currency.
    pub size: Option<Decimal>,
    /// Ordered notional in quote currency. Market buys only.
    pub notional: Option<Decimal>,
    /// Filled size in base currency.
    pub filled_size: Option<Decimal>,
    /// Filled notional in quote currency.
    pub filled_notional: Option<Decimal>,
    /// State of the order. `None` if the event contains only the number of
    /// [`legacy_state`](Self::legacy_state), as in captures of 2022: query REST then.
    ///
    /// A completely filled market buy may end as partially canceled, because the exchange returns
    /// the rest of the notional (observed).
    pub state: Option<OrderState>,
    /// Time in force: normal, post-only or immediate-or-cancel.
    pub time_in_force: Option<TimeInForce>,
    /// Spot or isolated margin.
    pub order_mode: Option<OrderMode>,
    /// Price of the last fill. 0 without a fill.
    pub last_fill_price: Option<Decimal>,
    /// Size of the last fill in base currency. 0 without a fill.
    pub last_fill_size: Option<Decimal>,
    /// Time of the last fill. `None` without a fill.
    pub last_fill_time: Option<Timestamp>,
    /// Maker or taker in the last fill.
    pub trade_role: Option<TradeRole>,
    /// Id of the last fill.
    pub trade_id: Option<TradeId>,
    /// Fee of the last fill.
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    pub fee_currency: Option<Currency>,
    /// Creation time.
    pub create_time: Option<Timestamp>,
    /// Time of the last change.
    pub update_time: Option<Timestamp>,
    /// Creation time once more, from another member of the event.
    pub timestamp: Option<Timestamp>,
    /// State as a number. BitMart has announced its removal; use [`state`](Self::state).
    pub legacy_state: Option<SmolStr>,
    /// Time in force as a number. BitMart has announced its removal; use
    /// [`time_in_force`](Self::time_in_force).
    pub legacy_order_type: Option<SmolStr>,
    /// 0 for spot. BitMart has announced its removal; use [`order_mode`](Self::order_mode).
    pub legacy_margin_trading: Option<SmolStr>,
    /// At least one member of the event could not be read.
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

/// The members of an [`OrderUpdate`] on the wire. serde generates functions from them that read and write an
/// `OrderUpdate`. With the attribute on `OrderUpdate` itself, those functions would be public.
#[derive(Serialize, Deserialize)]
#[serde(remote = "OrderUpdate")]
struct Wire {
    #[serde(deserialize_with = "required")]
    symbol: Symbol,
    #[serde(deserialize_with = "required")]
    order_id: OrderId,
    #[serde(default, with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(deserialize_with = "required")]
    side: Side,
    #[serde(rename = "type", default, with = "codec::opt")]
    order_type: Option<OrderType>,
    #[serde(default, with = "codec::decimal_opt")]
    price: Option<Decimal>,
    #[serde(default, with = "codec::decimal_opt")]
    size: Option<Decimal>,
    #[serde(default, with = "codec::decimal_opt")]
    notional: Option<Decimal>,
    #[serde(default, with = "codec::decimal_opt")]
    filled_size: Option<Decimal>,
    #[serde(default, with = "codec::decimal_opt")]
    filled_notional: Option<Decimal>,
    #[serde(rename = "order_state", default, with = "codec::opt")]
    state: Option<OrderState>,
    #[serde(rename = "entrust_type", default, with = "codec::opt")]
    time_in_force: Option<TimeInForce>,
    #[serde(default, with = "codec::opt")]
    order_mode: Option<OrderMode>,
    #[serde(default, with = "codec::decimal_opt")]
    last_fill_price: Option<Decimal>,
    #[serde(rename = "last_fill_count", default, with = "codec::decimal_opt")]
    last_fill_size: Option<Decimal>,
    #[serde(default, with = "codec::millis_text_opt")]
    last_fill_time: Option<Timestamp>,
    #[serde(rename = "exec_type", default, with = "codec::text_opt")]
    trade_role: Option<TradeRole>,
    #[serde(rename = "detail_id", default, with = "codec::text_opt")]
    trade_id: Option<TradeId>,
    #[serde(rename = "dealFee", default, with = "codec::decimal_opt")]
    fee: Option<Decimal>,
    #[serde(rename = "deal_fee_coin_name", default, with = "codec::text_opt")]
    fee_currency: Option<Currency>,
    #[serde(default, with = "codec::millis_text_opt")]
    create_time: Option<Timestamp>,
    #[serde(default, with = "codec::millis_text_opt")]
    update_time: Option<Timestamp>,
    #[serde(rename = "ms_t", default, with = "codec::millis_text_opt")]
    timestamp: Option<Timestamp>,
    #[serde(rename = "state", default, with = "codec::text_opt")]
    legacy_state: Option<SmolStr>,
    #[serde(rename = "order_type", default, with = "codec::text_opt")]
    legacy_order_type: Option<SmolStr>,
    #[serde(rename = "margin_trading", default, with = "codec::text_opt")]
    legacy_margin_trading: Option<SmolStr>,
    #[serde(skip)]
    is_unreadable: bool,
}

impl<'de> Deserialize<'de> for OrderUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (update, is_unreadable) = find_unreadable(|| Wire::deserialize(deserializer));
        Ok(Self { is_unreadable, ..update? })
    }
}

impl Serialize for OrderUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire::serialize(self, serializer)
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
