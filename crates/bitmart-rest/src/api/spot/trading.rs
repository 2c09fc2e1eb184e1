//! Spot orders.

use bitmart_types::spot::{OrderMode, OrderState, OrderType};
use bitmart_types::{
    ClientOrderId, Currency, Decimal, Keyed, OrderId, Rows, Side, Symbol, Timestamp, TradeId,
    TradeRole, codec,
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::api::model;
use crate::api::spot::{CancelSource, SelfTradePrevention};

mod batch;
mod cancel;
mod generated;
mod order;

pub use batch::{BatchOrderIds, BatchReceipt, BatchRejected, SubmitOrders};
pub use cancel::{CancelOrder, CancelOrders};
pub use generated::*;
pub(crate) use order::OrderFields;
pub use order::{NewOrder, SubmitOrder};

/// Maximum number of orders that one request can place or cancel, as documented.
pub const BATCH_MAX: usize = 10;

/// The exchange has accepted an order. A post-only order that would take liquidity is accepted too, and
/// canceled afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrderReceipt {
    /// The exchange's id of the order. A response without one does not decode: the outcome is then
    /// unknown.
    #[serde(deserialize_with = "model::placed_id")]
    pub order_id: OrderId,
}

/// The response to canceling an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[must_use = "`canceled` may be false although the request succeeded"]
#[non_exhaustive]
pub struct CancelReceipt {
    /// Whether the order was canceled. `false` means that it was filled or canceled before; `None` if the
    /// exchange accepted the request and does not say it.
    #[serde(rename = "result", default, with = "codec::boolean_opt")]
    pub canceled: Option<bool>,
}

/// Reads the flag from the member `result` or, as an older version of the endpoint wrote it, from the data
/// itself.
impl<'de> Deserialize<'de> for CancelReceipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Data {
            Members {
                #[serde(default, with = "codec::boolean_opt")]
                result: Option<bool>,
            },
            Bare(#[serde(with = "codec::boolean_opt")] Option<bool>),
        }

        let canceled = match Data::deserialize(deserializer)? {
            Data::Members { result } => result,
            Data::Bare(canceled) => canceled,
        };
        Ok(Self { canceled })
    }
}

/// The response to canceling several orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "some orders may not have been canceled although the request succeeded"]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BatchCancelReceipt {
    /// Ids of the orders that were canceled.
    #[serde(rename = "successIds", default)]
    pub canceled: Rows<OrderId>,
    /// Ids of the orders that were not: filled or canceled before, or unknown.
    #[serde(rename = "failIds", default)]
    pub failed: Rows<OrderId>,
    /// Number of requested orders.
    #[serde(default, with = "codec::number_opt")]
    pub total_count: Option<u32>,
    /// Number of canceled orders.
    #[serde(default, with = "codec::number_opt")]
    pub success_count: Option<u32>,
    /// Number of orders that were not canceled.
    #[serde(default, with = "codec::number_opt")]
    pub failed_count: Option<u32>,
}

impl BatchCancelReceipt {
    /// Whether every order was canceled: the exchange reports no failure and lists no failed order.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.failed.is_complete() && self.failed_count == Some(0)
    }
}

/// An order and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Order {
    /// The exchange's id.
    pub order_id: OrderId,
    /// Your id; `None` for an order that has none.
    #[serde(default, with = "codec::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Pair.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Account that the order trades for.
    #[serde(default, with = "codec::opt")]
    pub order_mode: Option<OrderMode>,
    /// Kind of order.
    #[serde(rename = "type", default, with = "codec::opt")]
    pub order_type: Option<OrderType>,
    /// State.
    pub state: OrderState,
    /// Who canceled it; `None` for an order that was not.
    #[serde(default, with = "codec::text_opt")]
    pub cancel_source: Option<CancelSource>,
    /// Self-trade prevention.
    #[serde(rename = "stpMode", default, with = "codec::text_opt")]
    pub self_trade_prevention: Option<SelfTradePrevention>,
    /// Limit price, in the quote currency; `None` or 0 for a market order.
    #[serde(default, with = "codec::decimal_opt")]
    pub price: Option<Decimal>,
    /// Average price of the fills; 0 or `None` without one.
    #[serde(rename = "priceAvg", default, with = "codec::decimal_opt")]
    pub average_price: Option<Decimal>,
    /// Ordered amount, in the base currency; 0 or `None` for a market buy.
    #[serde(default, with = "codec::decimal_opt")]
    pub size: Option<Decimal>,
    /// Filled amount, in the base currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub filled_size: Option<Decimal>,
    /// Ordered amount, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Filled amount, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub filled_notional: Option<Decimal>,
    /// When it was accepted.
    #[serde(default, with = "codec::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
}

/// By the id of the exchange: `orders.find("117")`.
impl Keyed for Order {
    fn key(&self) -> Option<&str> {
        Some(self.order_id.as_str())
    }
}

/// A fill of one of your orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Fill {
    /// The exchange's id of the trade.
    pub trade_id: TradeId,
    /// The exchange's id of the order.
    pub order_id: OrderId,
    /// Your id of the order; `None` for an order that has none.
    #[serde(default, with = "codec::text_opt")]
    pub client_order_id: Option<ClientOrderId>,
    /// Pair.
    pub symbol: Symbol,
    /// Direction of the order.
    pub side: Side,
    /// Account that the order trades for.
    #[serde(default, with = "codec::opt")]
    pub order_mode: Option<OrderMode>,
    /// Kind of order.
    #[serde(rename = "type", default, with = "codec::opt")]
    pub order_type: Option<OrderType>,
    /// Self-trade prevention.
    #[serde(rename = "stpMode", default, with = "codec::text_opt")]
    pub self_trade_prevention: Option<SelfTradePrevention>,
    /// Price of the fill, in the quote currency.
    #[serde(with = "codec::decimal")]
    pub price: Decimal,
    /// Filled amount, in the base currency.
    #[serde(with = "codec::decimal")]
    pub size: Decimal,
    /// Filled amount, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Fee, in [`fee_currency`](Self::fee_currency).
    #[serde(default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    #[serde(rename = "feeCoinName", default, with = "codec::opt")]
    pub fee_currency: Option<Currency>,
    /// Whether the order was maker or taker.
    #[serde(default, with = "codec::opt")]
    pub trade_role: Option<TradeRole>,
    /// When it happened.
    #[serde(rename = "createTime", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// When the record last changed.
    #[serde(default, with = "codec::millis_opt")]
    pub update_time: Option<Timestamp>,
}

/// By the id of the trade. A trade between two orders of the account is two rows: the first is found.
impl Keyed for Fill {
    fn key(&self) -> Option<&str> {
        Some(self.trade_id.as_str())
    }
}
