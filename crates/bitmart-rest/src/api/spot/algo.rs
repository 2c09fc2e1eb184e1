//! Spot orders that wait for a price.
//!
//! The exchange documents neither these calls nor their responses. The requests follow its own client
//! libraries; what third parties report of the responses is typed with every field optional.

use bitmart_types::{ClientOrderId, Decimal, Keyed, OrderId, Side, Symbol, codec};
use serde::{Deserialize, Serialize};

use crate::api::spot::AlgoExecution;

mod generated;
mod submit;

pub use generated::*;
pub use submit::SubmitAlgoOrder;

/// The exchange has accepted an algo order. Unverified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlgoOrderReceipt {
    /// The exchange's id of the algo order.
    #[serde(with = "codec::text_opt", default)]
    pub order_id: Option<OrderId>,
}

/// The response to canceling an algo order. Unverified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlgoCancelReceipt {
    /// Whether it was canceled.
    #[serde(rename = "result", with = "codec::boolean_opt", default)]
    pub canceled: Option<bool>,
}

/// An algo order. Unverified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AlgoOrder {
    /// The exchange's id.
    #[serde(with = "codec::text_opt", default)]
    pub order_id: Option<OrderId>,
    /// Your id.
    #[serde(with = "codec::text_opt", default)]
    pub client_order_id: Option<ClientOrderId>,
    /// Pair.
    #[serde(with = "codec::text_opt", default)]
    pub symbol: Option<Symbol>,
    /// Direction.
    #[serde(with = "codec::text_opt", default)]
    pub side: Option<Side>,
    /// Kind of algo order or account; no source states the values.
    #[serde(with = "codec::text_opt", default)]
    pub order_mode: Option<String>,
    /// Kind of the order that it becomes.
    #[serde(rename = "trigger_type", with = "codec::text_opt", default)]
    pub execution: Option<AlgoExecution>,
    /// State; no source states the values.
    #[serde(with = "codec::text_opt", default)]
    pub state: Option<String>,
    /// Who canceled it; no source states the values.
    #[serde(with = "codec::text_opt", default)]
    pub cancel_source: Option<String>,
    /// Price of the order that it becomes, in the quote currency.
    #[serde(with = "codec::decimal_opt", default)]
    pub price: Option<Decimal>,
    /// Ordered amount, in the base currency.
    #[serde(with = "codec::decimal_opt", default)]
    pub size: Option<Decimal>,
    /// Ordered amount, in the quote currency.
    #[serde(with = "codec::decimal_opt", default)]
    pub notional: Option<Decimal>,
    /// When it was placed, in a unit that no source states; most likely milliseconds.
    #[serde(with = "codec::number_opt", default)]
    pub create_time: Option<i64>,
    /// When it last changed, in a unit that no source states; most likely milliseconds.
    #[serde(with = "codec::number_opt", default)]
    pub update_time: Option<i64>,
}

/// By the id of the exchange.
impl Keyed for AlgoOrder {
    fn key(&self) -> Option<&str> {
        self.order_id.as_ref().map(OrderId::as_str)
    }
}
