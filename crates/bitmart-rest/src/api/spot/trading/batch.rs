//! Several orders in one request.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use bitmart_types::{ClientOrderId, OrderId, Rows, Symbol, codec};
use serde::{Deserialize, Serialize};

use super::BATCH_MAX;
use super::order::{NewOrder, OrderFields};
use crate::ValidationError;
use crate::api::model;
use crate::protocol::validate;

/// Places up to ten orders for one pair.
///
/// On [`Outcome::Unknown`](crate::Outcome::Unknown) any number of them may have been placed: query
/// each by its client order id before placing one again.
///
/// ```
/// use bitmart_rest::spot;
/// use bitmart_types::dec;
///
/// let batch = spot::SubmitOrders::new("BTC_USDT")
///     .push(spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000)))
///     .push(spot::NewOrder::limit_sell("BTC_USDT", dec!(0.001), dec!(70000)));
/// assert_eq!(batch.client_order_ids().count(), 2);
/// ```
#[doc(alias = "/spot/v4/batch_orders")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitOrders {
    symbol: Symbol,
    #[serde(rename = "orderParams")]
    rows: Vec<Row>,
    #[serde(
        rename = "recvWindow",
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::protocol::duration::millis_opt"
    )]
    pub(super) recv_window: Option<Duration>,
    /// Pair of an order of another pair; reported by `check`.
    #[serde(skip)]
    other_pair: Option<Symbol>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    fields: OrderFields,
    #[serde(
        rename = "clientOrderId",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    client_order_id: Option<ClientOrderId>,
}

impl SubmitOrders {
    /// Creates an empty batch for one pair.
    pub fn new(symbol: impl Into<Symbol>) -> Self {
        Self { symbol: symbol.into(), rows: Vec::new(), recv_window: None, other_pair: None }
    }
    /// Adds an order of the same pair; one of another pair, or an eleventh, is rejected
    /// before sending.
    pub fn push(mut self, order: NewOrder) -> Self {
        let (symbol, fields, client_order_id) = order.into_parts();
        if symbol != self.symbol {
            self.other_pair = Some(symbol);
        }
        self.rows.push(Row { fields, client_order_id: Some(client_order_id) });
        self
    }
    /// Maximum age of the request on arrival. In whole milliseconds, 1 ms to 60 s, default 5 s.
    pub fn recv_window(mut self, recv_window: Duration) -> Self {
        self.recv_window = Some(recv_window);
        self
    }
    /// Returns your ids of the orders, in the order of the batch.
    pub fn client_order_ids(&self) -> impl Iterator<Item = &ClientOrderId> {
        self.rows.iter().filter_map(|row| row.client_order_id.as_ref())
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        if let Some(other_pair) = &self.other_pair {
            let rule = format!("must be {}, the pair of the batch, for every order", self.symbol);
            return Err(ValidationError::new("symbol", other_pair, rule));
        }
        validate::range("orderParams", self.rows.len(), Some(1), Some(BATCH_MAX))?;
        validate::recv_window(self.recv_window)?;
        let mut ids = HashSet::new();
        for row in &self.rows {
            validate::identifier("clientOrderId", row.client_order_id.as_ref())?;
            row.fields.check()?;
            if let Some(id) = row.client_order_id.as_ref().filter(|id| !ids.insert(*id)) {
                let rule = "must be unique in the batch";
                return Err(ValidationError::new("clientOrderId", id, rule));
            }
        }
        Ok(())
    }
}

/// The response to a batch. A successful response contains a separate outcome of the batch: check it
/// with [`into_order_ids`](Self::into_order_ids).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "the batch may have been rejected although the request succeeded"]
#[non_exhaustive]
pub struct BatchReceipt {
    /// 0 when the batch was accepted; `None` if the exchange does not say it.
    #[serde(default, with = "codec::number_opt")]
    pub code: Option<i64>,
    /// The exchange's text.
    #[serde(rename = "msg", with = "codec::text_opt", default)]
    pub message: Option<String>,
    /// The orders that were placed.
    #[serde(default, with = "codec::object_opt")]
    pub data: Option<BatchOrderIds>,
}

/// The orders that a batch placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchOrderIds {
    /// The exchange's ids of the orders.
    #[serde(rename = "orderIds", default)]
    pub order_ids: Rows<OrderId>,
}

impl BatchReceipt {
    /// The exchange's ids of the orders, when there are as many as orders were sent.
    ///
    /// * `sent`: number of orders in the batch.
    ///
    /// # Errors
    /// When the batch was not accepted as a whole. What the exchange does with the other orders when
    /// one is rejected is not documented: query each by its client order id.
    pub fn into_order_ids(self, sent: usize) -> Result<Vec<OrderId>, BatchRejected> {
        let mut order_ids = self.data.map(|data| data.order_ids.into_vec()).unwrap_or_default();
        order_ids.retain(|id| model::is_id(id.as_str()));
        // An id for each order says as much as the code.
        if self.code.unwrap_or_default() == 0 && order_ids.len() == sent {
            return Ok(order_ids);
        }
        let message = self.message.unwrap_or_default();
        let code = self.code.filter(|code| *code != 0);
        Err(BatchRejected { code, message, sent, order_ids })
    }
}

/// A batch that the exchange did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchRejected {
    /// The code inside the response's data; `None` if the exchange accepted the batch or did not say whether, and
    /// did not send an id for each order.
    pub code: Option<i64>,
    /// The exchange's text.
    pub message: String,
    /// Number of orders in the batch.
    pub sent: usize,
    /// Ids of the orders that were placed nevertheless.
    pub order_ids: Vec<OrderId>,
}

impl fmt::Display for BatchRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the exchange responded to the batch with {}, {:?}, and {} ids for {} orders; some may \
             have been placed: query each by its client order id",
            self.code.map_or("no code of an error".to_owned(), |code| format!("code {code}")),
            self.message,
            self.order_ids.len(),
            self.sent
        )
    }
}

impl std::error::Error for BatchRejected {}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;

    #[test]
    fn a_batch_with_a_repeated_client_order_id_is_rejected() {
        let order = NewOrder::market_buy("BTC_USDT", dec!(10));
        let other = NewOrder::market_buy("BTC_USDT", dec!(10));
        let batch = SubmitOrders::new("BTC_USDT").push(order.clone()).push(other);
        assert_eq!(batch.check(), Ok(()));
        // A response could not be attributed to one of the two.
        let error = batch.push(order).check().expect_err("it is rejected");
        assert_eq!(error.field(), "clientOrderId");
    }
}
