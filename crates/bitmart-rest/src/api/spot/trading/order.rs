//! New spot orders.

use bitmart_types::spot::OrderType;
use bitmart_types::{ClientOrderId, Decimal, Side, Symbol, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::api::spot::SelfTradePrevention;
use crate::protocol::validate;

/// A spot order to place.
///
/// The constructors take what each kind of order needs and nothing else: a limit order has a price
/// and a size, a market buy has an amount of the quote currency to spend, a market sell a size.
///
/// Every order gets a random [`client_order_id`](Self::client_order_id) at construction. Keep it:
/// when placing the order ends with [`Outcome::Unknown`](crate::Outcome::Unknown), the order may
/// exist: resolve it with [`reconcile`](crate::reconcile) before placing the order again. It queries the
/// order until it is found or can no longer appear; a single *not found* proves nothing. Do it within 20
/// minutes: an API order that was canceled without a fill cannot be queried for longer.
///
/// ```
/// use bitmart_rest::spot;
/// use bitmart_types::dec;
///
/// let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000)).post_only();
/// let id = order.client_order_id().clone();
/// assert_eq!(id.as_str().len(), 32);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
#[non_exhaustive]
pub struct NewOrder {
    pub(super) symbol: Symbol,
    pub(super) fields: OrderFields,
    client_order_id: ClientOrderId,
}

impl NewOrder {
    /// Buys `size` of the base currency at `price` or lower.
    ///
    /// * `size`: in the base currency.
    /// * `price`: in the quote currency per unit of the base currency.
    pub fn limit_buy(symbol: impl Into<Symbol>, size: Decimal, price: Decimal) -> Self {
        Self::limit(symbol.into(), Side::Buy, size, price)
    }
    /// Sells `size` of the base currency at `price` or higher.
    ///
    /// * `size`: in the base currency.
    /// * `price`: in the quote currency per unit of the base currency.
    pub fn limit_sell(symbol: impl Into<Symbol>, size: Decimal, price: Decimal) -> Self {
        Self::limit(symbol.into(), Side::Sell, size, price)
    }
    /// Buys for `notional` of the quote currency at the best prices.
    ///
    /// The remainder that buys no further step of the base currency is returned, so that a complete
    /// fill may end in the state
    /// [`PartiallyCanceled`](bitmart_types::spot::OrderState::PartiallyCanceled).
    pub fn market_buy(symbol: impl Into<Symbol>, notional: Decimal) -> Self {
        let fields = OrderFields {
            notional: Some(notional),
            ..OrderFields::new(Side::Buy, OrderType::Market)
        };
        Self::new(symbol.into(), fields)
    }
    /// Sells `size` of the base currency at the best prices.
    pub fn market_sell(symbol: impl Into<Symbol>, size: Decimal) -> Self {
        let fields =
            OrderFields { size: Some(size), ..OrderFields::new(Side::Sell, OrderType::Market) };
        Self::new(symbol.into(), fields)
    }

    fn limit(symbol: Symbol, side: Side, size: Decimal, price: Decimal) -> Self {
        let fields = OrderFields::new(side, OrderType::Limit);
        Self::new(symbol, OrderFields { size: Some(size), price: Some(price), ..fields })
    }

    fn new(symbol: Symbol, fields: OrderFields) -> Self {
        Self { symbol, fields, client_order_id: ClientOrderId::random() }
    }

    /// Makes a limit order post-only. The exchange accepts an order that would take liquidity, then cancels
    /// it: check the order's state. An order that is a market order or immediate-or-cancel, too, is rejected
    /// before sending.
    pub fn post_only(mut self) -> Self {
        self.fields.restrict(OrderType::PostOnly);
        self
    }
    /// Cancels the part of a limit order that does not fill immediately. An order that is a market order or
    /// post-only, too, is rejected before sending.
    pub fn immediate_or_cancel(mut self) -> Self {
        self.fields.restrict(OrderType::ImmediateOrCancel);
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
    /// Sets what happens when the order would trade with one of your own. The documented default is
    /// [`SelfTradePrevention::Off`].
    pub fn self_trade_prevention(mut self, mode: SelfTradePrevention) -> Self {
        self.fields.self_trade_prevention = Some(mode);
        self
    }
    /// Returns the parts of the request, which spot and margin share.
    pub(crate) fn into_parts(self) -> (Symbol, OrderFields, ClientOrderId) {
        (self.symbol, self.fields, self.client_order_id)
    }
    /// Pair.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }
    /// Direction.
    pub fn side(&self) -> &Side {
        &self.fields.side
    }
    /// Size, in the base currency; `None` for a market buy.
    pub fn size(&self) -> Option<Decimal> {
        self.fields.size
    }
    /// Limit price, in the quote currency; `None` for a market order.
    pub fn price(&self) -> Option<Decimal> {
        self.fields.price
    }
    /// Amount to spend, in the quote currency; `None` except for a market buy.
    pub fn notional(&self) -> Option<Decimal> {
        self.fields.notional
    }
}

/// Places an order: the request. Created from a [`NewOrder`] with `into`, or decoded from a
/// recorded body.
#[doc(alias = "/spot/v2/submit_order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitOrder {
    symbol: Symbol,
    #[serde(flatten)]
    fields: OrderFields,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    client_order_id: Option<ClientOrderId>,
}

/// The fields that all requests for new orders share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrderFields {
    pub(crate) side: Side,
    #[serde(rename = "type")]
    pub(crate) order_type: OrderType,
    /// Two types were set that exclude each other.
    #[serde(skip)]
    is_contradictory: bool,
    #[serde(
        rename = "stpMode",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    pub(crate) self_trade_prevention: Option<SelfTradePrevention>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    pub(crate) size: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    pub(crate) price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    pub(crate) notional: Option<Decimal>,
}

impl From<NewOrder> for SubmitOrder {
    fn from(order: NewOrder) -> Self {
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
        validate::identifier("client_order_id", self.client_order_id.as_ref())?;
        self.fields.check()
    }
}

impl OrderFields {
    fn new(side: Side, order_type: OrderType) -> Self {
        Self {
            side,
            order_type,
            is_contradictory: false,
            self_trade_prevention: None,
            size: None,
            price: None,
            notional: None,
        }
    }

    /// Makes a limit order one of this type.
    fn restrict(&mut self, order_type: OrderType) {
        if self.order_type == OrderType::Limit {
            self.order_type = order_type;
        } else if self.order_type != order_type {
            self.is_contradictory = true;
        }
    }

    pub(crate) fn check_type(&self) -> Result<(), ValidationError> {
        let rule = "must be one of market, post-only and immediate-or-cancel";
        validate::required("type", !self.is_contradictory, rule)
    }

    /// Checks that the type is unambiguous, that the amounts that it requires are set, and that all are above
    /// zero.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        self.check_type()?;
        let market = self.order_type == OrderType::Market;
        let market_buy = market && self.side == Side::Buy;
        amount("size", self.size, !market_buy)?;
        amount("price", self.price, !market)?;
        amount("notional", self.notional, market_buy)
    }
}

/// Checks that a required amount is set, and that an amount is above zero.
fn amount(
    field: &'static str,
    value: Option<Decimal>,
    required: bool,
) -> Result<(), ValidationError> {
    let is_valid = value.is_some() || !required;
    validate::required(field, is_valid, "must be set for this kind of order")?;
    validate::positive(field, value)
}
