//! New orders on isolated margin.

use bitmart_types::{ClientOrderId, Symbol, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::protocol::validate;
use crate::spot;

/// The request that places an order on isolated margin. A [`spot::NewOrder`] converts into it.
///
/// It equals a spot order, except that an order with self-trade prevention is rejected before sending.
///
/// ```
/// use bitmart_rest::endpoint::Endpoint;
/// use bitmart_rest::{margin, spot};
/// use bitmart_types::dec;
///
/// let order = spot::NewOrder::limit_sell("BTC_USDT", dec!(0.01), dec!(70000));
/// assert!(margin::SubmitOrder::from(order).validate().is_ok());
/// ```
#[doc(alias = "/spot/v1/margin/submit_order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitOrder {
    symbol: Symbol,
    #[serde(flatten)]
    fields: spot::OrderFields,
    #[serde(
        rename = "clientOrderId",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    client_order_id: Option<ClientOrderId>,
}

impl From<spot::NewOrder> for SubmitOrder {
    fn from(order: spot::NewOrder) -> Self {
        let (symbol, fields, client_order_id) = order.into_parts();
        Self { symbol, fields, client_order_id: Some(client_order_id) }
    }
}

impl SubmitOrder {
    /// Your id of the order; `None` only for a decoded body without one.
    pub fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::identifier("clientOrderId", self.client_order_id.as_ref())?;
        if let Some(mode) = &self.fields.self_trade_prevention {
            let rule = "must not be set for an order on margin";
            return Err(ValidationError::new("stpMode", mode, rule));
        }
        self.fields.check()
    }
}
