//! Orders that wait for a price: plan orders, take-profits, stop-losses and trailing orders.

use bitmart_types::futures::{MarginType, OrderState, PositionMode, PriceType, Side};
use bitmart_types::{ClientOrderId, ContractSymbol, Decimal, Keyed, OrderId, Timestamp, codec};
use serde::{Deserialize, Serialize};

use crate::api::futures::{PlanOrderType, TimeInForce, TpSlScope, TriggerDirection};
use crate::api::model;

mod generated;
mod order;
mod tp_sl;
mod trailing;

pub use generated::*;
pub use order::{
    CancelPlanOrder, Leverage, ModifyPlanOrder, NewPlanOrder, SubmitPlanOrder, Trigger,
    TriggeredExecution,
};
pub use tp_sl::{ModifyTpSlOrder, NewTpSlOrder, SubmitTpSlOrder};
pub use trailing::{
    CALLBACK_RATE_MAX, CALLBACK_RATE_MIN, NewTrailingOrder, SubmitTrailingOrder, Trail,
};

/// The exchange has accepted a plan order or a trailing order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanOrderReceipt {
    /// The exchange's id of the order.
    #[serde(with = "model::placed_number")]
    pub order_id: OrderId,
}

/// The exchange has changed a plan order, a take-profit, a stop-loss or preset prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifiedPlanOrder {
    /// The exchange's id of the order.
    #[serde(default, with = "codec::opt")]
    pub order_id: Option<OrderId>,
}

/// The exchange has accepted a take-profit or a stop-loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TpSlReceipt {
    /// The exchange's id of the order.
    #[serde(deserialize_with = "model::placed_id")]
    pub order_id: OrderId,
    /// Your id; `None` for an order that has none.
    #[serde(with = "codec::text_opt", default)]
    pub client_order_id: Option<ClientOrderId>,
}

/// A waiting plan order, take-profit or stop-loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanOrder {
    /// The exchange's id.
    pub order_id: OrderId,
    /// Your id; `None` for an order that has none.
    #[serde(default, with = "codec::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Contract.
    pub symbol: ContractSymbol,
    /// Direction.
    pub side: Side,
    /// Kind of order.
    #[serde(rename = "type", default, with = "codec::opt")]
    pub order_type: Option<PlanOrderType>,
    /// State.
    pub state: OrderState,
    /// Size, in contracts.
    #[serde(default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Price that triggers it, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub trigger_price: Option<Decimal>,
    /// Limit price of the order that is placed then; 0 or `None` at market.
    #[serde(rename = "executive_price", default, with = "codec::decimal_opt")]
    pub execution_price: Option<Decimal>,
    /// Direction in which the price must reach the trigger.
    #[serde(rename = "price_way", default, with = "codec::opt")]
    pub trigger_direction: Option<TriggerDirection>,
    /// Which price triggers it.
    #[serde(rename = "price_type", default, with = "codec::opt")]
    pub trigger_price_type: Option<PriceType>,
    /// How much of the position it closes.
    #[serde(rename = "plan_category", default, with = "codec::opt")]
    pub tp_sl_scope: Option<TpSlScope>,
    /// Time in force of the order that is placed then.
    #[serde(rename = "mode", default, with = "codec::opt")]
    pub time_in_force: Option<TimeInForce>,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "codec::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Position mode of the account at that time.
    #[serde(default, with = "codec::text_opt")]
    pub position_mode: Option<PositionMode>,
    /// When it was accepted.
    #[serde(default, with = "codec::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// Which price triggers the take-profit.
    #[serde(default, with = "codec::opt")]
    pub preset_take_profit_price_type: Option<PriceType>,
    /// Which price triggers the stop-loss.
    #[serde(default, with = "codec::opt")]
    pub preset_stop_loss_price_type: Option<PriceType>,
    /// Take-profit price of the position that the order opens.
    #[serde(default, with = "codec::decimal_opt")]
    pub preset_take_profit_price: Option<Decimal>,
    /// Stop-loss price of the position that the order opens.
    #[serde(default, with = "codec::decimal_opt")]
    pub preset_stop_loss_price: Option<Decimal>,
}

/// By the id of the exchange.
impl Keyed for PlanOrder {
    fn key(&self) -> Option<&str> {
        Some(self.order_id.as_str())
    }
}
