//! Canceling orders.

use std::time::Duration;

use bitmart_types::{ClientOrderId, OrderId, Symbol, codec};
use serde::{Deserialize, Serialize};

use super::BATCH_MAX;
use crate::protocol::validate;
use crate::{OrderRef, ValidationError};

/// Cancels an order by the exchange's id or by yours.
///
/// Check [`CancelReceipt::canceled`](super::CancelReceipt::canceled): an order that was filled or
/// canceled before is no error.
///
/// ```
/// use bitmart_rest::spot;
/// use bitmart_types::OrderId;
///
/// let cancel = spot::CancelOrder::new("BTC_USDT", OrderId::from("118100034543076010"));
/// ```
#[doc(alias = "/spot/v3/cancel_order")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct CancelOrder {
    symbol: Symbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
}

impl CancelOrder {
    /// Cancels `order` of the pair `symbol`.
    pub fn new(symbol: impl Into<Symbol>, order: impl Into<OrderRef>) -> Self {
        let (order_id, client_order_id) = order.into().split();
        Self { symbol: symbol.into(), order_id, client_order_id }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::named(self.order_id.as_ref(), self.client_order_id.as_ref())
    }
}

impl<S: Into<Symbol>, O: Into<OrderRef>> From<(S, O)> for CancelOrder {
    fn from((symbol, order): (S, O)) -> Self {
        Self::new(symbol, order)
    }
}

/// Cancels up to ten orders of one pair, all by the exchange's ids or all by yours.
///
/// Check [`BatchCancelReceipt::failed`](super::BatchCancelReceipt::failed): the request succeeds
/// although some orders could not be canceled.
#[doc(alias = "/spot/v4/cancel_orders")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
#[serde(rename_all = "camelCase")]
pub struct CancelOrders {
    symbol: Symbol,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    order_ids: Vec<OrderId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client_order_ids: Vec<ClientOrderId>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::protocol::duration::millis_opt"
    )]
    pub(super) recv_window: Option<Duration>,
}

impl CancelOrders {
    /// Cancels the orders with these ids of the exchange.
    pub fn by_ids(
        symbol: impl Into<Symbol>,
        ids: impl IntoIterator<Item = impl Into<OrderId>>,
    ) -> Self {
        Self {
            symbol: symbol.into(),
            order_ids: ids.into_iter().map(Into::into).collect(),
            client_order_ids: Vec::new(),
            recv_window: None,
        }
    }
    /// Cancels the orders with these ids of yours.
    pub fn by_client_order_ids(
        symbol: impl Into<Symbol>,
        ids: impl IntoIterator<Item = ClientOrderId>,
    ) -> Self {
        Self {
            symbol: symbol.into(),
            order_ids: Vec::new(),
            client_order_ids: ids.into_iter().collect(),
            recv_window: None,
        }
    }
    /// Maximum age of the request on arrival. In whole milliseconds, 1 ms to 60 s, default 5 s.
    pub fn recv_window(mut self, recv_window: Duration) -> Self {
        self.recv_window = Some(recv_window);
        self
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        let count = self.order_ids.len() + self.client_order_ids.len();
        validate::range("orderIds", count, Some(1), Some(BATCH_MAX))?;
        validate::recv_window(self.recv_window)?;
        for id in &self.order_ids {
            validate::identifier("orderIds", Some(id))?;
        }
        for id in &self.client_order_ids {
            validate::identifier("clientOrderIds", Some(id))?;
        }
        Ok(())
    }
}
