//! Canceling futures orders.

use std::time::Duration;

use bitmart_types::{ClientOrderId, ContractSymbol, OrderId, codec};
use serde::{Deserialize, Serialize};

use crate::protocol::validate;
use crate::{OrderRef, ValidationError};

/// Cancels an order by the exchange's id or by yours. The response confirms that the request was
/// accepted; the order's state shows whether it was canceled.
///
/// The exchange takes a request without any id as "cancel every order of the contract". This type
/// cannot express that.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::OrderId;
///
/// let cancel = futures::CancelOrder::new("BTCUSDT", OrderId::from("220906179559421"));
/// ```
#[doc(alias = "/contract/private/cancel-order")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct CancelOrder {
    symbol: ContractSymbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
}

impl CancelOrder {
    /// Cancels `order` of the contract `symbol`.
    pub fn new(symbol: impl Into<ContractSymbol>, order: impl Into<OrderRef>) -> Self {
        let (order_id, client_order_id) = order.into().split();
        Self { symbol: symbol.into(), order_id, client_order_id }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::named(self.order_id.as_ref(), self.client_order_id.as_ref())
    }
}

impl<S: Into<ContractSymbol>, O: Into<OrderRef>> From<(S, O)> for CancelOrder {
    fn from((symbol, order): (S, O)) -> Self {
        Self::new(symbol, order)
    }
}

/// Sets a timer at the exchange that cancels all orders of a contract, unless the request is sent again
/// before. Sent at intervals it cancels the open orders when the sender fails.
///
/// ```
/// use std::time::Duration;
///
/// use bitmart_rest::futures;
///
/// let armed = futures::CancelAllAfter::new("BTCUSDT", Duration::from_secs(30));
/// let disarmed = futures::CancelAllAfter::never("BTCUSDT");
/// ```
#[doc(alias = "/contract/private/cancel-all-after")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct CancelAllAfter {
    symbol: ContractSymbol,
    #[serde(with = "crate::protocol::duration::seconds")]
    timeout: Duration,
}

impl CancelAllAfter {
    /// Minimum of the timer, as documented.
    pub const MIN_TIMEOUT: Duration = Duration::from_secs(5);

    /// Cancels after `timeout`: whole seconds, at least [`MIN_TIMEOUT`](Self::MIN_TIMEOUT).
    pub fn new(symbol: impl Into<ContractSymbol>, timeout: Duration) -> Self {
        Self { symbol: symbol.into(), timeout }
    }
    /// Switches the timer off.
    pub fn never(symbol: impl Into<ContractSymbol>) -> Self {
        Self::new(symbol, Duration::ZERO)
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        if self.timeout.is_zero() || Self::is_timeout(self.timeout) {
            return Ok(());
        }
        let rule = "must be 0, which switches it off, or at least 5 s in whole seconds";
        Err(ValidationError::new("timeout", format_args!("{:?}", self.timeout), rule))
    }

    /// Whether the timer can be set to this time. No maximum is documented.
    pub(crate) fn is_timeout(timeout: Duration) -> bool {
        timeout >= Self::MIN_TIMEOUT
            && timeout.subsec_nanos() == 0
            && u32::try_from(timeout.as_secs()).is_ok()
    }
}

impl<S: Into<ContractSymbol>> From<(S, Duration)> for CancelAllAfter {
    fn from((symbol, timeout): (S, Duration)) -> Self {
        Self::new(symbol, timeout)
    }
}
