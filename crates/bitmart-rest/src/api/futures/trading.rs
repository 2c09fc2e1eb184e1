//! Futures orders.

use bitmart_types::futures::{MarginType, OrderState, OrderType, PositionMode, PriceType, Side};
use bitmart_types::{
    ClientOrderId, ContractSymbol, Decimal, Keyed, OrderId, Timestamp, TradeId, TradeRole, codec,
};
use serde::{Deserialize, Serialize};

use crate::api::futures::TradingAccount;
use crate::api::model;

mod cancel;
mod generated;
mod modify;
mod order;

pub use cancel::{CancelAllAfter, CancelOrder};
pub use generated::*;
pub use modify::ModifyLimitOrder;
pub use order::{Execution, NewOrder, SubmitOrder};

/// The exchange has accepted an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrderReceipt {
    /// The exchange's id of the order.
    #[serde(with = "model::placed_number")]
    pub order_id: OrderId,
    /// Limit price, in the quote currency; `None` for a market order.
    #[serde(with = "codec::decimal_opt", default)]
    pub price: Option<Decimal>,
}

/// An order and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
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
    pub order_type: Option<OrderType>,
    /// State, as sent by the exchange: finished means filled or canceled.
    /// [`progress`](Self::progress) distinguishes the two.
    pub state: OrderState,
    /// Limit price, in the quote currency; `None` or 0 for a market order.
    #[serde(default, with = "codec::decimal_opt")]
    pub price: Option<Decimal>,
    /// Ordered size, in contracts.
    #[serde(default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Price that triggered it; in the order history, 0 or `None` without one.
    #[serde(default, with = "codec::decimal_opt")]
    pub trigger_price: Option<Decimal>,
    /// Limit price of a triggered order; in the order history, 0 or `None` without one.
    #[serde(default, with = "codec::decimal_opt")]
    pub execution_price: Option<Decimal>,
    /// Order that was placed when this one was triggered.
    #[serde(rename = "executive_order_id", default, with = "codec::text_opt")]
    pub placed_order_id: Option<OrderId>,
    /// Average price of the fills; 0 or `None` without one.
    #[serde(rename = "deal_avg_price", default, with = "codec::decimal_opt")]
    pub average_price: Option<Decimal>,
    /// Filled size, in contracts.
    #[serde(rename = "deal_size", default, with = "codec::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "codec::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Position mode of the account at that time.
    #[serde(default, with = "codec::text_opt")]
    pub position_mode: Option<PositionMode>,
    /// Account that the order belongs to.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// When it was accepted.
    #[serde(default, with = "codec::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
    /// Price that activates a trailing order.
    #[serde(default, with = "codec::decimal_opt")]
    pub activation_price: Option<Decimal>,
    /// Callback rate of a trailing order, in percent.
    #[serde(default, with = "codec::decimal_opt")]
    pub callback_rate: Option<Decimal>,
    /// Which price activates a trailing order.
    #[serde(default, with = "codec::opt")]
    pub activation_price_type: Option<PriceType>,
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

/// By the id of the exchange: `orders.find("117")`.
impl Keyed for Order {
    fn key(&self) -> Option<&str> {
        Some(self.order_id.as_str())
    }
}

/// State of an order that takes the filled size into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderProgress {
    /// Being checked.
    Approving,
    /// Open, nothing filled; or open, and the exchange sent no readable filled size.
    Open,
    /// Open, partly filled.
    PartiallyFilled,
    /// Completely filled.
    Filled,
    /// Canceled with nothing filled.
    Canceled,
    /// Canceled after a partial fill.
    PartiallyCanceled,
    /// Filled or canceled; the exchange sent no readable sizes that tell which.
    Finished,
    /// In a state that this version does not know.
    Unknown,
}

impl OrderProgress {
    /// Whether the order can still fill. An unknown state counts as open.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Approving | Self::Open | Self::PartiallyFilled | Self::Unknown)
    }
}

impl Order {
    /// Returns the state, with the filled size taken into account: the exchange has one state for filled
    /// and canceled orders.
    pub fn progress(&self) -> OrderProgress {
        use OrderProgress as Progress;

        let filled = self.filled_size.map(|filled| filled > Decimal::ZERO);
        let is_full = self.size.zip(self.filled_size).map(|(size, filled)| filled >= size);
        match (&self.state, filled) {
            (OrderState::Approving, _) => Progress::Approving,
            (OrderState::Open, Some(true)) => Progress::PartiallyFilled,
            (OrderState::Open, _) => Progress::Open,
            (OrderState::Finished, Some(false)) => Progress::Canceled,
            (OrderState::Finished, Some(true)) => match is_full {
                Some(true) => Progress::Filled,
                Some(false) => Progress::PartiallyCanceled,
                None => Progress::Finished,
            },
            (OrderState::Finished, None) => Progress::Finished,
            _ => Progress::Unknown,
        }
    }
}

/// An open limit order was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModifiedLimitOrder {
    /// The exchange's id of the order.
    #[serde(default, with = "codec::opt")]
    pub order_id: Option<OrderId>,
    /// Your id; `None` for an order that has none.
    #[serde(with = "codec::text_opt", default)]
    pub client_order_id: Option<ClientOrderId>,
}

/// The timer that cancels all orders of a contract was set or switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "the request may have been rejected although the call succeeded"]
#[non_exhaustive]
pub struct CancelAllTimer {
    /// Whether the request was accepted.
    #[serde(rename = "result", default, with = "codec::boolean_opt")]
    pub accepted: Option<bool>,
    /// When it was set; whole seconds.
    #[serde(with = "codec::seconds_opt", default)]
    pub set_time: Option<Timestamp>,
    /// When the orders will be canceled at the earliest; whole seconds. `None` when switched off.
    #[serde(with = "codec::seconds_opt", default)]
    pub cancel_time: Option<Timestamp>,
}

/// A fill of one of your orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fill {
    /// The exchange's id of the trade.
    pub trade_id: TradeId,
    /// The exchange's id of the order.
    pub order_id: OrderId,
    /// Contract.
    pub symbol: ContractSymbol,
    /// Direction of the order.
    pub side: Side,
    /// Price of the fill, in the quote currency.
    #[serde(with = "codec::decimal")]
    pub price: Decimal,
    /// Filled size, in contracts.
    #[serde(rename = "vol", with = "codec::decimal")]
    pub size: Decimal,
    /// Whether the order was maker or taker.
    #[serde(rename = "exec_type", default, with = "codec::opt")]
    pub trade_role: Option<TradeRole>,
    /// Whether it made a profit.
    #[serde(rename = "profit", default, with = "codec::boolean_opt")]
    pub is_profit: Option<bool>,
    /// Profit and loss that the fill realized.
    #[serde(rename = "realised_profit", default, with = "codec::decimal_opt")]
    pub realized_profit: Option<Decimal>,
    /// Fee.
    #[serde(rename = "paid_fees", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Account that the order belongs to.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// When it happened.
    #[serde(rename = "create_time", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// By the id of the trade. A trade between two orders of the account is two rows: the first is found.
impl Keyed for Fill {
    fn key(&self) -> Option<&str> {
        Some(self.trade_id.as_str())
    }
}
