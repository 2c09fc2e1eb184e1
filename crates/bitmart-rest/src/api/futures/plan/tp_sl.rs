//! Take-profit and stop-loss orders of a position.

use bitmart_types::futures::{OrderType, PriceType, Side};
use bitmart_types::{ClientOrderId, ContractSymbol, Decimal, OrderId, codec};
use serde::{Deserialize, Serialize};

use super::TriggeredExecution;
use crate::api::futures::{PlanOrderType, TpSlScope};
use crate::futures::order_to_check::OrderToCheck;
use crate::protocol::validate;
use crate::{OrderRef, ValidationError};

/// A take-profit or a stop-loss to place: an order that waits for a price and then closes a
/// position. In one-way mode long and short are the direction of the net position.
///
/// It closes the whole position at market unless a setter changes it. A take-profit and a
/// stop-loss of one position are two orders.
///
/// Every order gets a random [`client_order_id`](Self::client_order_id) at construction. Keep it:
/// when placing the order ends with [`Outcome::Unknown`](crate::Outcome::Unknown), search for it in
/// the [plan orders](crate::futures::ListPlanOrders) before you place it again.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::dec;
///
/// let stop = futures::NewTpSlOrder::stop_loss_long("BTCUSDT", dec!(58000)).price_type(futures::PriceType::Mark);
/// let half = futures::NewTpSlOrder::take_profit_long("BTCUSDT", dec!(72000))
///     .size(5)
///     .execution(futures::TriggeredExecution::Limit(dec!(71900)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
#[non_exhaustive]
pub struct NewTpSlOrder {
    request: SubmitTpSlOrder,
    client_order_id: ClientOrderId,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident, $side:ident;)+) => {
        impl NewTpSlOrder {
            $(
                $(#[$doc])*
                ///
                /// * `trigger_price`: last price, in the quote currency.
                pub fn $name(symbol: impl Into<ContractSymbol>, trigger_price: Decimal) -> Self {
                    Self::new(
                        symbol.into(),
                        PlanOrderType::$kind,
                        Side::$side,
                        trigger_price,
                    )
                }
            )+
        }
    };
}

constructors! {
    /// Closes a long position when the price has risen to `trigger_price`.
    take_profit_long => TakeProfit, CloseLong;
    /// Closes a short position when the price has fallen to `trigger_price`.
    take_profit_short => TakeProfit, CloseShort;
    /// Closes a long position when the price has fallen to `trigger_price`.
    stop_loss_long => StopLoss, CloseLong;
    /// Closes a short position when the price has risen to `trigger_price`.
    stop_loss_short => StopLoss, CloseShort;
}

impl NewTpSlOrder {
    fn new(
        symbol: ContractSymbol,
        order_type: PlanOrderType,
        side: Side,
        trigger_price: Decimal,
    ) -> Self {
        Self {
            client_order_id: ClientOrderId::random(),
            request: SubmitTpSlOrder {
                symbol,
                order_type,
                side,
                size: None,
                trigger_price,
                executive_price: Decimal::ZERO,
                price_type: PriceType::Last,
                scope: Some(TpSlScope::Position),
                client_order_id: None,
                execution: Some(OrderType::Market),
            },
        }
    }
    /// Closes only `size` of the position, in whole contracts, at least 1.
    pub fn size(mut self, size: u64) -> Self {
        self.request.size = Some(size);
        self.request.scope = Some(TpSlScope::Size);
        self
    }
    /// Sets the price at which the position is closed.
    pub fn execution(mut self, execution: TriggeredExecution) -> Self {
        let (order_type, price) = execution.split();
        self.request.execution = Some(order_type);
        self.request.executive_price = price.unwrap_or_default();
        self
    }
    /// Sets the price that is compared with the trigger. Default: the last price.
    pub fn price_type(mut self, price_type: PriceType) -> Self {
        self.request.price_type = price_type;
        self
    }
    /// Replaces the random id. The exchange rejects an id that was used before.
    pub fn with_client_order_id(mut self, id: ClientOrderId) -> Self {
        self.client_order_id = id;
        self
    }
    /// Your id of the order.
    pub fn client_order_id(&self) -> &ClientOrderId {
        &self.client_order_id
    }
    /// The values that the rules of a contract check.
    pub(in crate::api::futures) fn order_to_check(&self) -> OrderToCheck<'_> {
        let is_market = self.request.execution == Some(OrderType::Market);
        OrderToCheck {
            symbol: &self.request.symbol,
            size: self.request.size,
            is_market,
            leverage: None,
            prices: [
                ("trigger_price", Some(self.request.trigger_price)),
                ("executive_price", (!is_market).then_some(self.request.executive_price)),
                ("preset_take_profit_price", None),
                ("preset_stop_loss_price", None),
            ],
        }
    }
}

/// Places a take-profit or a stop-loss: the request. Created from a [`NewTpSlOrder`] with `into`,
/// or decoded from a recorded body.
#[doc(alias = "/contract/private/submit-tp-sl-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitTpSlOrder {
    symbol: ContractSymbol,
    #[serde(rename = "type")]
    order_type: PlanOrderType,
    side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::number_opt")]
    size: Option<u64>,
    #[serde(with = "codec::decimal")]
    trigger_price: Decimal,
    /// Zero at market.
    #[serde(with = "codec::decimal")]
    executive_price: Decimal,
    price_type: PriceType,
    #[serde(
        rename = "plan_category",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    scope: Option<TpSlScope>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(
        rename = "category",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    execution: Option<OrderType>,
}

impl From<NewTpSlOrder> for SubmitTpSlOrder {
    fn from(order: NewTpSlOrder) -> Self {
        Self { client_order_id: Some(order.client_order_id), ..order.request }
    }
}

impl SubmitTpSlOrder {
    /// Your id of the order; `None` only for a decoded body without one.
    pub fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::identifier("client_order_id", self.client_order_id.as_ref())?;
        validate::range("size", self.size, Some(1), None)?;
        validate::positive("trigger_price", self.trigger_price)?;
        if !matches!(self.side, Side::CloseLong | Side::CloseShort) {
            return Err(ValidationError::new("side", &self.side, "must be a closing side"));
        }
        check_price(self.execution.as_ref(), Some(self.executive_price))
    }
}

/// Changes a take-profit or a stop-loss.
#[doc(alias = "/contract/private/modify-tp-sl-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct ModifyTpSlOrder {
    symbol: ContractSymbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(with = "codec::decimal")]
    trigger_price: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    executive_price: Option<Decimal>,
    price_type: PriceType,
    #[serde(
        rename = "plan_category",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    scope: Option<TpSlScope>,
    #[serde(
        rename = "category",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    execution: Option<OrderType>,
}

impl ModifyTpSlOrder {
    /// Sets the trigger of an order that closes the whole position to the last price
    /// `trigger_price`, in the quote currency. It closes at market unless
    /// [`execution`](Self::execution) changes it.
    pub fn of_position(
        symbol: impl Into<ContractSymbol>,
        order: impl Into<OrderRef>,
        trigger_price: Decimal,
    ) -> Self {
        Self::new(symbol.into(), order.into(), trigger_price, TpSlScope::Position)
    }
    /// Sets the trigger of an order that closes a given size to the last price `trigger_price`, and
    /// how it closes. Prices are in the quote currency.
    pub fn of_size(
        symbol: impl Into<ContractSymbol>,
        order: impl Into<OrderRef>,
        trigger_price: Decimal,
        execution: TriggeredExecution,
    ) -> Self {
        Self::new(symbol.into(), order.into(), trigger_price, TpSlScope::Size).execution(execution)
    }
    fn new(
        symbol: ContractSymbol,
        order: OrderRef,
        trigger_price: Decimal,
        scope: TpSlScope,
    ) -> Self {
        let (order_id, client_order_id) = order.split();
        Self {
            symbol,
            order_id,
            client_order_id,
            trigger_price,
            executive_price: None,
            price_type: PriceType::Last,
            scope: Some(scope),
            execution: None,
        }
    }
    /// Sets the price at which the position is closed.
    pub fn execution(mut self, execution: TriggeredExecution) -> Self {
        let (order_type, price) = execution.split();
        self.execution = Some(order_type);
        self.executive_price = Some(price.unwrap_or_default());
        self
    }
    /// Sets the price that is compared with the trigger. Default: the last price.
    pub fn price_type(mut self, price_type: PriceType) -> Self {
        self.price_type = price_type;
        self
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::named(self.order_id.as_ref(), self.client_order_id.as_ref())?;
        validate::positive("trigger_price", self.trigger_price)?;
        validate::required(
            "executive_price",
            self.executive_price.is_some() || self.scope != Some(TpSlScope::Size),
            "must be set for an order of a given size",
        )?;
        check_price(self.execution.as_ref(), self.executive_price)
    }
}

/// Checks that a limit order has a price above zero. At market the price is zero or absent.
fn check_price(
    execution: Option<&OrderType>,
    price: Option<Decimal>,
) -> Result<(), ValidationError> {
    match execution {
        Some(OrderType::Limit) => {
            validate::required(
                "executive_price",
                price.is_some(),
                "must be set for a limit order",
            )?;
            validate::positive("executive_price", price)
        }
        _ => validate::range("executive_price", price, Some(Decimal::ZERO), None),
    }
}
