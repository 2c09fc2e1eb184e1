//! Plan orders: orders that wait for a price.

use bitmart_types::futures::{MarginType, OrderType, PriceType, Side};
use bitmart_types::{ClientOrderId, ContractSymbol, Decimal, OrderId, codec};
use serde::{Deserialize, Serialize};

use crate::api::futures::{PlanOrderType, TimeInForce, TriggerDirection};
use crate::futures::intent::by_intent;
use crate::futures::order_to_check::OrderToCheck;
use crate::futures::{Execution, presets};
use crate::protocol::validate;
use crate::{OrderRef, ValidationError};

/// Leverage and margin type of the position that an order opens. With a position open they must
/// match it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leverage {
    pub(super) value: Decimal,
    pub(super) margin_type: MarginType,
}

impl Leverage {
    /// Cross margin: the whole account backs the position.
    ///
    /// * `value`: at least 1, and within the contract's range.
    pub fn cross(value: Decimal) -> Self {
        Self { value, margin_type: MarginType::Cross }
    }
    /// Isolated margin: only the margin of the position backs it.
    ///
    /// * `value`: at least 1, and within the contract's range.
    pub fn isolated(value: Decimal) -> Self {
        Self { value, margin_type: MarginType::Isolated }
    }
}

/// The price that a plan order waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    price: Decimal,
    direction: TriggerDirection,
    price_type: PriceType,
}

impl Trigger {
    /// Triggers when the last price rises to `price`, in the quote currency.
    pub fn rising(price: Decimal) -> Self {
        Self { price, direction: TriggerDirection::Rising, price_type: PriceType::Last }
    }
    /// Triggers when the last price falls to `price`, in the quote currency.
    pub fn falling(price: Decimal) -> Self {
        Self { price, direction: TriggerDirection::Falling, price_type: PriceType::Last }
    }
    /// Sets the price that is compared with the trigger. Default: the last price.
    #[must_use]
    pub fn price_type(mut self, price_type: PriceType) -> Self {
        self.price_type = price_type;
        self
    }
}

/// How a triggered order executes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TriggeredExecution {
    /// At any price.
    Market,
    /// At this price or better. In the quote currency.
    Limit(Decimal),
}

impl TriggeredExecution {
    /// Returns kind of order and price on the wire.
    pub(super) fn split(self) -> (OrderType, Option<Decimal>) {
        match self {
            Self::Market => (OrderType::Market, None),
            Self::Limit(price) => (OrderType::Limit, Some(price)),
        }
    }
}

/// A plan order to place.
///
/// The exchange does not support a client order id for it. When placing it ends with
/// [`Outcome::Unknown`](crate::Outcome::Unknown), search the
/// [plan orders](crate::futures::ListPlanOrders) before you place it again.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::dec;
///
/// let order = futures::NewPlanOrder::open_long(
///     "BTCUSDT",
///     10,
///     futures::Leverage::isolated(dec!(5)),
///     futures::Trigger::falling(dec!(58000)),
///     futures::Execution::Limit(dec!(58100)),
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
pub struct NewPlanOrder {
    request: SubmitPlanOrder,
}

by_intent!(
    NewPlanOrder,
    "* `size`: whole contracts, at least 1.\n* `execution`: of the order that is placed when the trigger fires.",
    (size: u64, leverage: Leverage, trigger: Trigger, execution: Execution)
);

impl NewPlanOrder {
    fn new(
        symbol: ContractSymbol,
        side: Side,
        size: u64,
        leverage: Leverage,
        trigger: Trigger,
        execution: Execution,
    ) -> Self {
        let (order_type, executive_price, mode) = execution.split();
        let order_type = match order_type {
            OrderType::Market => PlanOrderType::Market,
            _ => PlanOrderType::Limit,
        };
        Self {
            request: SubmitPlanOrder {
                symbol,
                order_type: Some(order_type),
                side,
                leverage: leverage.value,
                margin_type: leverage.margin_type,
                mode,
                size,
                trigger_price: trigger.price,
                executive_price,
                direction: trigger.direction,
                price_type: trigger.price_type,
                take_profit: None,
                take_profit_price_type: None,
                stop_loss: None,
                stop_loss_price_type: None,
            },
        }
    }
    /// Closes the position that the order opens when the price of kind `price_type` reaches `price` in its
    /// favor. Only for an order that opens.
    pub fn take_profit(mut self, price: Decimal, price_type: PriceType) -> Self {
        self.request.take_profit = Some(price);
        self.request.take_profit_price_type = Some(price_type);
        self
    }
    /// Closes the position that the order opens when the price of kind `price_type` reaches `price` against
    /// it. Only for an order that opens.
    pub fn stop_loss(mut self, price: Decimal, price_type: PriceType) -> Self {
        self.request.stop_loss = Some(price);
        self.request.stop_loss_price_type = Some(price_type);
        self
    }
    /// The values that the rules of a contract check.
    pub(in crate::api::futures) fn order_to_check(&self) -> OrderToCheck<'_> {
        OrderToCheck {
            symbol: &self.request.symbol,
            size: Some(self.request.size),
            is_market: self.request.order_type == Some(PlanOrderType::Market),
            leverage: Some(self.request.leverage),
            prices: [
                ("trigger_price", Some(self.request.trigger_price)),
                ("executive_price", self.request.executive_price),
                ("preset_take_profit_price", self.request.take_profit),
                ("preset_stop_loss_price", self.request.stop_loss),
            ],
        }
    }
}

/// Places a plan order: the request. Created from a [`NewPlanOrder`] with `into`, or decoded from a recorded
/// body.
#[doc(alias = "/contract/private/submit-plan-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitPlanOrder {
    symbol: ContractSymbol,
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    order_type: Option<PlanOrderType>,
    side: Side,
    #[serde(with = "codec::decimal")]
    leverage: Decimal,
    #[serde(rename = "open_type")]
    margin_type: MarginType,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    mode: Option<TimeInForce>,
    #[serde(with = "codec::number")]
    size: u64,
    #[serde(with = "codec::decimal")]
    trigger_price: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    executive_price: Option<Decimal>,
    #[serde(rename = "price_way")]
    direction: TriggerDirection,
    price_type: PriceType,
    #[serde(
        rename = "preset_take_profit_price",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::decimal_opt"
    )]
    take_profit: Option<Decimal>,
    #[serde(
        rename = "preset_take_profit_price_type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    take_profit_price_type: Option<PriceType>,
    #[serde(
        rename = "preset_stop_loss_price",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::decimal_opt"
    )]
    stop_loss: Option<Decimal>,
    #[serde(
        rename = "preset_stop_loss_price_type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    stop_loss_price_type: Option<PriceType>,
}

impl From<NewPlanOrder> for SubmitPlanOrder {
    fn from(order: NewPlanOrder) -> Self {
        order.request
    }
}

impl SubmitPlanOrder {
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::range("size", self.size, Some(1), None)?;
        validate::range("leverage", self.leverage, Some(Decimal::ONE), None)?;
        validate::positive("trigger_price", self.trigger_price)?;
        validate::positive("executive_price", self.executive_price)?;
        validate::required(
            "executive_price",
            self.executive_price.is_some() || self.order_type == Some(PlanOrderType::Market),
            "must be set for a limit order",
        )?;
        presets::check_presets(&self.side, self.take_profit, self.stop_loss)
    }
}

/// Changes a plan order: what it waits for and what it then places.
#[doc(alias = "/contract/private/modify-plan-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct ModifyPlanOrder {
    symbol: ContractSymbol,
    order_id: OrderId,
    #[serde(with = "codec::decimal")]
    trigger_price: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    executive_price: Option<Decimal>,
    price_type: PriceType,
    #[serde(rename = "type")]
    order_type: OrderType,
}

impl ModifyPlanOrder {
    /// Sets the trigger of the plan order `order_id` to the last price `trigger_price`, and what is
    /// placed then. Prices are in the quote currency.
    pub fn new(
        symbol: impl Into<ContractSymbol>,
        order_id: impl Into<OrderId>,
        trigger_price: Decimal,
        execution: TriggeredExecution,
    ) -> Self {
        let (order_type, executive_price) = execution.split();
        Self {
            symbol: symbol.into(),
            order_id: order_id.into(),
            trigger_price,
            executive_price,
            price_type: PriceType::Last,
            order_type,
        }
    }
    /// Sets the price that is compared with the trigger. Default: the last price.
    pub fn price_type(mut self, price_type: PriceType) -> Self {
        self.price_type = price_type;
        self
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::identifier("order_id", Some(&self.order_id))?;
        validate::positive("trigger_price", self.trigger_price)?;
        validate::positive("executive_price", self.executive_price)?;
        validate::required(
            "executive_price",
            self.executive_price.is_some() || self.order_type == OrderType::Market,
            "must be set for a limit order",
        )
    }
}

/// Cancels a plan order, a take-profit or a stop-loss, named by the exchange's id or by yours. The
/// response confirms that the request was accepted.
#[doc(alias = "/contract/private/cancel-plan-order")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct CancelPlanOrder {
    symbol: ContractSymbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
}

impl CancelPlanOrder {
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

impl<S: Into<ContractSymbol>, O: Into<OrderRef>> From<(S, O)> for CancelPlanOrder {
    fn from((symbol, order): (S, O)) -> Self {
        Self::new(symbol, order)
    }
}
