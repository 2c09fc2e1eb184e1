//! New futures orders.

use bitmart_types::futures::{MarginType, OrderType, PriceType, Side};
use bitmart_types::{ClientOrderId, ContractSymbol, Decimal, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::api::futures::{SelfTradePrevention, TimeInForce};
use crate::futures::intent::by_intent;
use crate::futures::order_to_check::OrderToCheck;
use crate::futures::presets;
use crate::protocol::validate;

/// A futures order to place.
///
/// The constructors name the intent: [`open_long`](Self::open_long) and its siblings for an
/// account in hedge mode, [`buy`](Self::buy) and its siblings for one in one-way mode. Both modes
/// share the four `side` values of the exchange: the position mode of the account decides what an order does.
///
/// Every order gets a random [`client_order_id`](Self::client_order_id) at construction. Keep it:
/// when placing the order ends with [`Outcome::Unknown`](crate::Outcome::Unknown), the order may
/// exist; it then appears in order queries and on the private WebSocket with this id. Do not place it
/// again before you know.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::dec;
///
/// let order = futures::NewOrder::open_long("BTCUSDT", 10, futures::Execution::Limit(dec!(60000)))
///     .leverage(dec!(5))
///     .margin_type(futures::MarginType::Isolated);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
#[non_exhaustive]
pub struct NewOrder {
    request: SubmitOrder,
    client_order_id: ClientOrderId,
}

/// Price and time in force of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Execution {
    /// At any price.
    Market,
    /// At this price or better, until it is canceled. In the quote currency.
    Limit(Decimal),
    /// At this price or better, only as a maker. In the quote currency.
    PostOnly(Decimal),
    /// At this price or better, immediately; the remainder is canceled. In the quote currency.
    ImmediateOrCancel(Decimal),
    /// At this price or better, completely and immediately, or not at all. In the quote currency.
    FillOrKill(Decimal),
}

by_intent!(
    NewOrder,
    "* `size`: whole contracts, at least 1.",
    (size: u64, execution: Execution)
);

impl Execution {
    /// Returns kind of order, price and mode on the wire.
    pub(in crate::api::futures) fn split(
        self,
    ) -> (OrderType, Option<Decimal>, Option<TimeInForce>) {
        use TimeInForce::{FillOrKill, ImmediateOrCancel, PostOnly};

        let limit = |price, mode| (OrderType::Limit, Some(price), mode);
        match self {
            Self::Market => (OrderType::Market, None, None),
            Self::Limit(price) => limit(price, None),
            Self::PostOnly(price) => limit(price, Some(PostOnly)),
            Self::ImmediateOrCancel(price) => limit(price, Some(ImmediateOrCancel)),
            Self::FillOrKill(price) => limit(price, Some(FillOrKill)),
        }
    }
}

impl NewOrder {
    fn new(symbol: ContractSymbol, side: Side, size: u64, execution: Execution) -> Self {
        let (order_type, price, mode) = execution.split();
        Self {
            client_order_id: ClientOrderId::random(),
            request: SubmitOrder {
                symbol,
                client_order_id: None,
                order_type: Some(order_type),
                side,
                leverage: None,
                margin_type: None,
                mode,
                price,
                size,
                take_profit: None,
                take_profit_price_type: None,
                stop_loss: None,
                stop_loss_price_type: None,
                self_trade_prevention: None,
            },
        }
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
    /// Leverage of the position that the order opens; at least 1, and within the contract's range.
    /// With a position open it must match that position. The exchange's documentation calls it
    /// optional, but its newer reference requires it for an order that opens.
    pub fn leverage(mut self, leverage: Decimal) -> Self {
        self.request.leverage = Some(leverage);
        self
    }
    /// Margin type of the position. With a position open it must match that position. As for
    /// [`leverage`](Self::leverage), set it for an order that opens.
    pub fn margin_type(mut self, margin_type: MarginType) -> Self {
        self.request.margin_type = Some(margin_type);
        self
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
    /// Sets what happens when the order would trade with one of your own. The documented default is
    /// [`SelfTradePrevention::CancelMaker`].
    pub fn self_trade_prevention(mut self, mode: SelfTradePrevention) -> Self {
        self.request.self_trade_prevention = Some(mode);
        self
    }
    /// Contract.
    pub fn symbol(&self) -> &ContractSymbol {
        &self.request.symbol
    }
    /// Direction; the position mode of the account determines whether it opens or closes.
    pub fn side(&self) -> &Side {
        &self.request.side
    }
    /// Limit price, in the quote currency; `None` for a market order.
    pub fn price(&self) -> Option<Decimal> {
        self.request.price
    }
    /// Size, in whole contracts.
    pub fn size(&self) -> u64 {
        self.request.size
    }
    /// The values that the rules of a contract check.
    pub(in crate::api::futures) fn order_to_check(&self) -> OrderToCheck<'_> {
        OrderToCheck {
            symbol: &self.request.symbol,
            size: Some(self.request.size),
            is_market: self.request.order_type == Some(OrderType::Market),
            leverage: self.request.leverage,
            prices: [
                ("price", self.request.price),
                ("preset_take_profit_price", self.request.take_profit),
                ("preset_stop_loss_price", self.request.stop_loss),
                ("trigger_price", None),
            ],
        }
    }
}

/// Places an order: the request. Created from a [`NewOrder`] with `into`, or decoded from a recorded
/// body.
#[doc(alias = "/contract/private/submit-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitOrder {
    symbol: ContractSymbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    order_type: Option<OrderType>,
    side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    leverage: Option<Decimal>,
    #[serde(
        rename = "open_type",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    margin_type: Option<MarginType>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    mode: Option<TimeInForce>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    price: Option<Decimal>,
    #[serde(with = "codec::number")]
    size: u64,
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
    #[serde(
        rename = "stp_mode",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    self_trade_prevention: Option<SelfTradePrevention>,
}

impl From<NewOrder> for SubmitOrder {
    fn from(order: NewOrder) -> Self {
        Self { client_order_id: Some(order.client_order_id), ..order.request }
    }
}

impl SubmitOrder {
    /// Your id of the order; `None` only for a decoded body without one.
    pub fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::identifier("client_order_id", self.client_order_id.as_ref())?;
        validate::range("size", self.size, Some(1), None)?;
        validate::range("leverage", self.leverage, Some(Decimal::ONE), None)?;
        validate::positive("price", self.price)?;
        validate::required(
            "price",
            self.price.is_some() || self.order_type == Some(OrderType::Market),
            "must be set for a limit order",
        )?;
        presets::check_presets(&self.side, self.take_profit, self.stop_loss)
    }
}
