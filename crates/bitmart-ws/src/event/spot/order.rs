//! The account's own spot orders.

use bitmart_types::spot::{OrderMode, OrderState, OrderType};
use bitmart_types::{
    ClientOrderId, Currency, Decimal, OrderId, Side, Symbol, Timestamp, TradeId, TradeRole,
    open_enum, wire,
};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::event::{Fill, told};

/// An entry of `spot/user/order` and `spot/user/orders:ALL_SYMBOLS`: an order of the account after
/// a change.
///
/// BitMart sends one when an order is accepted, filled in part or in whole, or cancelled. All
/// values are text on the wire, times included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotOrderUpdate {
    /// The pair.
    #[serde(deserialize_with = "told")]
    pub symbol: Symbol,
    /// Id given by the exchange.
    #[serde(deserialize_with = "told")]
    pub order_id: OrderId,
    /// Id chosen by the client.
    #[serde(default, with = "wire::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    #[serde(deserialize_with = "told")]
    pub side: Side,
    /// Limit or market. Post-only and immediate-or-cancel show in
    /// [`entrust_type`](Self::entrust_type).
    #[serde(rename = "type", default, with = "wire::opt")]
    pub order_type: Option<OrderType>,
    /// Limit price in quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub price: Option<Decimal>,
    /// Ordered size in base currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub size: Option<Decimal>,
    /// Ordered amount in quote currency. Market buys only.
    #[serde(default, with = "wire::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Filled so far, in base currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Filled so far, in quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub filled_notional: Option<Decimal>,
    /// Where the order is in its life. `None` when the event has only the number of
    /// [`legacy_state`](Self::legacy_state), as in captures of 2022: ask REST then.
    ///
    /// A market buy that filled completely may end as partially cancelled, because
    /// a remainder of the quote amount is returned (observed).
    #[serde(rename = "order_state", default, with = "wire::opt")]
    pub state: Option<OrderState>,
    /// How the order behaves in the book.
    #[serde(default, with = "wire::opt")]
    pub entrust_type: Option<EntrustType>,
    /// Spot or isolated margin.
    #[serde(default, with = "wire::opt")]
    pub order_mode: Option<OrderMode>,
    /// Price of the last fill. 0 when there is none.
    #[serde(default, with = "wire::decimal_opt")]
    pub last_fill_price: Option<Decimal>,
    /// Size of the last fill in base currency. 0 when there is none.
    #[serde(rename = "last_fill_count", default, with = "wire::decimal_opt")]
    pub last_fill_size: Option<Decimal>,
    /// Time of the last fill. `None` when there is none.
    #[serde(default, with = "wire::millis_text_opt")]
    pub last_fill_time: Option<Timestamp>,
    /// Maker or taker in the last fill.
    #[serde(rename = "exec_type", default, with = "wire::text_opt")]
    pub role: Option<TradeRole>,
    /// Id of the last fill.
    #[serde(rename = "detail_id", default, with = "wire::text_opt")]
    pub trade_id: Option<TradeId>,
    /// Fee of the last fill.
    #[serde(rename = "dealFee", default, with = "wire::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    #[serde(rename = "deal_fee_coin_name", default, with = "wire::text_opt")]
    pub fee_currency: Option<Currency>,
    /// When the order was created.
    #[serde(default, with = "wire::millis_text_opt")]
    pub create_time: Option<Timestamp>,
    /// When the order changed last.
    #[serde(default, with = "wire::millis_text_opt")]
    pub update_time: Option<Timestamp>,
    /// When the order was created, once more.
    #[serde(rename = "ms_t", default, with = "wire::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
    /// State as a number. BitMart has announced that this field goes away; use
    /// [`state`](Self::state).
    #[serde(rename = "state", default, with = "wire::text_opt")]
    pub legacy_state: Option<SmolStr>,
    /// Behaviour as a number. BitMart has announced that this field goes away; use
    /// [`entrust_type`](Self::entrust_type).
    #[serde(rename = "order_type", default, with = "wire::text_opt")]
    pub legacy_order_type: Option<SmolStr>,
    /// 0 for spot. BitMart has announced that this field goes away; use
    /// [`order_mode`](Self::order_mode).
    #[serde(rename = "margin_trading", default, with = "wire::text_opt")]
    pub legacy_margin_trading: Option<SmolStr>,
}

impl SpotOrderUpdate {
    /// The last fill of the order, when it has one.
    ///
    /// A later event of the same order may repeat it: count each fill once, by its
    /// [`trade_id`](Fill::trade_id).
    pub fn fill(&self) -> Option<Fill> {
        let size = self.last_fill_size.filter(|size| !size.is_zero())?;
        Some(Fill {
            trade_id: self.trade_id.clone()?,
            price: self.last_fill_price?,
            size,
            fee: self.fee,
            fee_currency: self.fee_currency.clone(),
            role: self.role.clone(),
            time: self.last_fill_time,
        })
    }

    /// Whether the event tells of a fill that [`fill`](Self::fill) cannot give, because its id, price
    /// or size was not told or cannot be read. Ask REST for it.
    pub fn has_unread_fill(&self) -> bool {
        let is_some = |value: Option<Decimal>| value.is_some_and(|value| !value.is_zero());
        let is_told = self.trade_id.is_some()
            || is_some(self.last_fill_size)
            || is_some(self.last_fill_price);
        is_told && self.fill().is_none()
    }
}

open_enum! {
    /// How a spot order behaves in the book.
    pub enum EntrustType {
        /// A plain limit or market order.
        Normal = "NORMAL" | "normal",
        /// Post only: refused if it would take.
        LimitMaker = "LIMIT_MAKER" | "limit_maker",
        /// Immediate or cancel.
        ImmediateOrCancel = "IOC" | "ioc",
    }
}
