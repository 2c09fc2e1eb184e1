//! New algo orders.

use bitmart_types::spot::OrderType;
use bitmart_types::{ClientOrderId, Decimal, Side, Symbol, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::api::spot::{AlgoExecution, AlgoOrderType};
use crate::protocol::validate;
use crate::spot::NewOrder;

/// Places an order that waits until the price reaches a trigger.
///
/// It consists of the order that it becomes and the price that triggers it. Only plain limit and market
/// orders are supported: post-only, immediate-or-cancel and self-trade prevention are rejected before
/// sending.
///
/// The order's client order id becomes that of the algo order. On
/// [`Outcome::Unknown`](crate::Outcome::Unknown) query it with
/// [`QueryAlgoOrderByClientId`](crate::spot::QueryAlgoOrderByClientId) before placing it again.
///
/// The exchange does not document this endpoint: try it with a small amount first.
///
/// ```
/// use bitmart_rest::endpoint::Endpoint;
/// use bitmart_rest::spot;
/// use bitmart_types::dec;
///
/// // Buy when the price has fallen to 50,000.
/// let entry = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(50100));
/// let dip = spot::SubmitAlgoOrder::trigger(entry, dec!(50000));
/// assert!(dip.validate().is_ok());
///
/// // Sell at market when the price falls to 45,000.
/// let exit = spot::NewOrder::market_sell("BTC_USDT", dec!(0.01));
/// let stop = spot::SubmitAlgoOrder::take_profit_stop_loss(exit, dec!(45000));
/// assert!(stop.validate().is_ok());
/// ```
#[doc(alias = "/spot/v4/algo/submit_order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitAlgoOrder {
    symbol: Symbol,
    side: Side,
    #[serde(rename = "type")]
    order_type: AlgoOrderType,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    trigger_price: Option<Decimal>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt",
        rename = "trigger_type"
    )]
    execution: Option<AlgoExecution>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    notional: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    size: Option<Decimal>,
    /// A setting of the order that an algo order does not support; reported by `check`.
    #[serde(skip)]
    unsupported: Option<ValidationError>,
}

impl SubmitAlgoOrder {
    /// Becomes `order` when the price reaches `trigger_price`.
    ///
    /// * `trigger_price`: in the quote currency.
    pub fn trigger(order: NewOrder, trigger_price: Decimal) -> Self {
        Self::new(AlgoOrderType::Trigger, order, trigger_price)
    }
    /// Takes a profit or stops a loss with `order` when the price reaches `trigger_price`. Which of
    /// the two it is depends on the current price.
    ///
    /// * `trigger_price`: in the quote currency.
    pub fn take_profit_stop_loss(order: NewOrder, trigger_price: Decimal) -> Self {
        Self::new(AlgoOrderType::TakeProfitStopLoss, order, trigger_price)
    }

    fn new(order_type: AlgoOrderType, order: NewOrder, trigger_price: Decimal) -> Self {
        let (symbol, fields, client_order_id) = order.into_parts();
        let rejected = |field, value: &str, rule| Some(ValidationError::new(field, value, rule));
        let (execution, unsupported) = match &fields.order_type {
            OrderType::Limit => (AlgoExecution::Limit, None),
            OrderType::Market => (AlgoExecution::Market, None),
            other => (
                AlgoExecution::Limit,
                rejected("trigger_type", other.as_str(), "must be limit or market"),
            ),
        };
        let unsupported = unsupported.or_else(|| fields.check_type().err()).or_else(|| {
            let mode = fields.self_trade_prevention.as_ref()?;
            rejected("stpMode", mode.as_str(), "must not be set for an algo order")
        });
        Self {
            symbol,
            side: fields.side,
            order_type,
            client_order_id: Some(client_order_id),
            trigger_price: Some(trigger_price),
            execution: Some(execution),
            price: fields.price,
            notional: fields.notional,
            size: fields.size,
            unsupported,
        }
    }

    /// Your id of the algo order; `None` only for a decoded body without one.
    pub fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        if let Some(unsupported) = &self.unsupported {
            return Err(unsupported.clone());
        }
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::identifier("client_order_id", self.client_order_id.as_ref())?;
        let amounts = [
            ("trigger_price", self.trigger_price),
            ("price", self.price),
            ("notional", self.notional),
            ("size", self.size),
        ];
        for (field, amount) in amounts {
            validate::positive(field, amount)?;
        }
        validate::required(
            "trigger_price",
            self.trigger_price.is_some(),
            "must be set for an algo order",
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::api::spot::SelfTradePrevention;
    use bitmart_types::dec;

    use super::*;

    fn body(order: &SubmitAlgoOrder) -> serde_json::Value {
        let mut body = serde_json::to_value(order).expect("it encodes");
        let members = body.as_object_mut().expect("an object");
        assert!(members.remove("client_order_id").is_some());
        body
    }

    #[test]
    fn an_algo_order_has_only_the_fields_of_its_kind() {
        let limit = NewOrder::limit_sell("BTC_USDT", dec!(0.1), dec!(29000));
        let buy = NewOrder::market_buy("BTC_USDT", dec!(25));
        let sell = NewOrder::market_sell("BTC_USDT", dec!(0.1));
        let rows = [
            (
                SubmitAlgoOrder::trigger(limit, dec!(30000)),
                r#"{"symbol":"BTC_USDT","side":"sell","type":"trigger","trigger_price":"30000",
                    "trigger_type":"limit","price":"29000","size":"0.1"}"#,
            ),
            (
                SubmitAlgoOrder::trigger(buy, dec!(30000)),
                r#"{"symbol":"BTC_USDT","side":"buy","type":"trigger","trigger_price":"30000",
                    "trigger_type":"market","notional":"25"}"#,
            ),
            (
                SubmitAlgoOrder::take_profit_stop_loss(sell, dec!(30000)),
                r#"{"symbol":"BTC_USDT","side":"sell","type":"tp/sl","trigger_price":"30000",
                    "trigger_type":"market","size":"0.1"}"#,
            ),
        ];
        for (order, expected) in rows {
            order.check().expect("it is complete");
            let expected: serde_json::Value = serde_json::from_str(expected).expect("JSON");
            assert_eq!(body(&order), expected);
        }
    }

    #[test]
    fn settings_that_an_algo_order_does_not_support_are_rejected() {
        let limit = || NewOrder::limit_buy("BTC_USDT", dec!(0.1), dec!(29000));
        let rows = [
            (limit().post_only(), "`trigger_type` must be limit or market, not `limit_maker`"),
            (limit().immediate_or_cancel(), "`trigger_type` must be limit or market, not `ioc`"),
            (
                limit().self_trade_prevention(SelfTradePrevention::CancelBoth),
                "`stpMode` must not be set for an algo order, not `cancel_both`",
            ),
        ];
        for (order, expected) in rows {
            let error = SubmitAlgoOrder::trigger(order, dec!(30000)).check().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let without_trigger = SubmitAlgoOrder::trigger(limit(), dec!(0));
        assert_eq!(without_trigger.check().unwrap_err().field(), "trigger_price");
    }
}
