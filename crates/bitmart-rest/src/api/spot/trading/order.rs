//! New spot orders.

use bitmart_types::{ClientOrderId, Decimal, OrderType, SelfTradePrevention, Side, Symbol, wire};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::wire::validate;

/// A spot order to place.
///
/// The constructors take what each kind of order needs and nothing else: a limit order has a price
/// and a size, a market buy has an amount of the quote currency to spend, a market sell a size.
///
/// Every order gets a random [`client_order_id`](Self::client_order_id) at construction. Keep it:
/// when placing the order ends with [`Outcome::Unknown`](crate::Outcome::Unknown), the order may
/// exist, and [`QueryOrderByClientId`](crate::spot::QueryOrderByClientId) with this id tells. *Not
/// found* is no proof before the 60 seconds have passed for which the exchange takes a signature:
/// ask again then, and do not place the order again before. Do it within 20 minutes: an API order
/// that was cancelled without a fill can be queried for no longer.
///
/// ```
/// use bitmart_rest::spot::NewOrder;
/// use bitmart_types::dec;
///
/// let order = NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000)).post_only();
/// let id = order.client_order_id().clone();
/// assert_eq!(id.as_str().len(), 32);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
pub struct NewOrder {
    pub(super) symbol: Symbol,
    pub(super) side: Side,
    pub(super) amount: Amount,
    pub(super) client_order_id: ClientOrderId,
    pub(super) self_trade_prevention: Option<SelfTradePrevention>,
}

/// How much, and at which price.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Amount {
    Limit { order_type: OrderType, size: Decimal, price: Decimal },
    MarketBuy { notional: Decimal },
    MarketSell { size: Decimal },
}

/// A [`NewOrder`] with a price, which can still be told how to execute. It goes wherever a
/// `NewOrder` goes, with `into` where the type is not inferred.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
pub struct LimitOrder {
    symbol: Symbol,
    side: Side,
    order_type: OrderType,
    size: Decimal,
    price: Decimal,
    client_order_id: ClientOrderId,
    self_trade_prevention: Option<SelfTradePrevention>,
}

impl NewOrder {
    /// Buys `size` of the base currency at `price` or lower.
    ///
    /// * `size`: in the base currency.
    /// * `price`: in the quote currency per unit of the base currency.
    pub fn limit_buy(symbol: impl Into<Symbol>, size: Decimal, price: Decimal) -> LimitOrder {
        LimitOrder::new(symbol.into(), Side::Buy, size, price)
    }
    /// Sells `size` of the base currency at `price` or higher.
    ///
    /// * `size`: in the base currency.
    /// * `price`: in the quote currency per unit of the base currency.
    pub fn limit_sell(symbol: impl Into<Symbol>, size: Decimal, price: Decimal) -> LimitOrder {
        LimitOrder::new(symbol.into(), Side::Sell, size, price)
    }
    /// Buys for `notional` of the quote currency at the best prices.
    ///
    /// The remainder that buys no further step of the base currency is returned, so that a complete
    /// fill may end in the state
    /// [`PartiallyCanceled`](bitmart_types::OrderState::PartiallyCanceled).
    pub fn market_buy(symbol: impl Into<Symbol>, notional: Decimal) -> Self {
        Self::new(symbol.into(), Side::Buy, Amount::MarketBuy { notional })
    }
    /// Sells `size` of the base currency at the best prices.
    pub fn market_sell(symbol: impl Into<Symbol>, size: Decimal) -> Self {
        Self::new(symbol.into(), Side::Sell, Amount::MarketSell { size })
    }

    fn new(symbol: Symbol, side: Side, amount: Amount) -> Self {
        Self {
            symbol,
            side,
            amount,
            client_order_id: ClientOrderId::random(),
            self_trade_prevention: None,
        }
    }

    /// Replaces the random id. An id that was used before is refused by the exchange.
    pub fn with_client_order_id(mut self, id: ClientOrderId) -> Self {
        self.client_order_id = id;
        self
    }
    /// What happens when the order would trade with one of your own; documented default is
    /// [`SelfTradePrevention::Off`].
    pub fn self_trade_prevention(mut self, mode: SelfTradePrevention) -> Self {
        self.self_trade_prevention = Some(mode);
        self
    }
    /// What the requests of spot and margin are made of.
    pub(crate) fn into_parts(self) -> (Symbol, Terms, ClientOrderId) {
        let terms = Terms::new(self.side, self.amount, self.self_trade_prevention);
        (self.symbol, terms, self.client_order_id)
    }
    /// Your id of the order.
    pub fn client_order_id(&self) -> &ClientOrderId {
        &self.client_order_id
    }
    /// Pair.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }
    /// Direction.
    pub fn side(&self) -> &Side {
        &self.side
    }
    /// Size, in the base currency; `None` for a market buy.
    pub fn size(&self) -> Option<Decimal> {
        match self.amount {
            Amount::Limit { size, .. } | Amount::MarketSell { size } => Some(size),
            Amount::MarketBuy { .. } => None,
        }
    }
    /// Limit price, in the quote currency; `None` for a market order.
    pub fn price(&self) -> Option<Decimal> {
        match self.amount {
            Amount::Limit { price, .. } => Some(price),
            _ => None,
        }
    }
    /// Amount to spend, in the quote currency; for a market buy.
    pub fn notional(&self) -> Option<Decimal> {
        match self.amount {
            Amount::MarketBuy { notional } => Some(notional),
            _ => None,
        }
    }
}

impl LimitOrder {
    fn new(symbol: Symbol, side: Side, size: Decimal, price: Decimal) -> Self {
        Self {
            symbol,
            side,
            order_type: OrderType::Limit,
            size,
            price,
            client_order_id: ClientOrderId::random(),
            self_trade_prevention: None,
        }
    }

    /// Only as a maker. The exchange accepts an order that would take, then cancels it: watch the
    /// order's state.
    pub fn post_only(mut self) -> Self {
        self.order_type = OrderType::LimitMaker;
        self
    }
    /// What does not fill at once is cancelled.
    pub fn immediate_or_cancel(mut self) -> Self {
        self.order_type = OrderType::ImmediateOrCancel;
        self
    }
    /// Replaces the random id. An id that was used before is refused by the exchange.
    pub fn with_client_order_id(mut self, id: ClientOrderId) -> Self {
        self.client_order_id = id;
        self
    }
    /// What happens when the order would trade with one of your own; documented default is
    /// [`SelfTradePrevention::Off`].
    pub fn self_trade_prevention(mut self, mode: SelfTradePrevention) -> Self {
        self.self_trade_prevention = Some(mode);
        self
    }
    /// Your id of the order.
    pub fn client_order_id(&self) -> &ClientOrderId {
        &self.client_order_id
    }
    /// Pair.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }
    /// Direction.
    pub fn side(&self) -> &Side {
        &self.side
    }
    /// Size, in the base currency.
    pub fn size(&self) -> Decimal {
        self.size
    }
    /// Limit price, in the quote currency.
    pub fn price(&self) -> Decimal {
        self.price
    }
}

impl From<LimitOrder> for NewOrder {
    fn from(order: LimitOrder) -> Self {
        let LimitOrder { order_type, size, price, .. } = order;
        Self {
            symbol: order.symbol,
            side: order.side,
            amount: Amount::Limit { order_type, size, price },
            client_order_id: order.client_order_id,
            self_trade_prevention: order.self_trade_prevention,
        }
    }
}

/// Places an order: the request. Made from a [`NewOrder`] or [`LimitOrder`] with `into`; decoding
/// a recorded body gives one too.
#[doc(alias = "/spot/v2/submit_order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitOrder {
    symbol: Symbol,
    #[serde(flatten)]
    terms: Terms,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text_opt::deserialize"
    )]
    client_order_id: Option<ClientOrderId>,
}

/// The fields that all requests for new orders share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) side: Side,
    #[serde(rename = "type")]
    pub(crate) order_type: OrderType,
    #[serde(
        rename = "stpMode",
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::text_opt"
    )]
    pub(crate) self_trade_prevention: Option<SelfTradePrevention>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::decimal_opt")]
    pub(crate) size: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::decimal_opt")]
    pub(crate) price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::decimal_opt")]
    pub(crate) notional: Option<Decimal>,
}

impl From<LimitOrder> for SubmitOrder {
    fn from(order: LimitOrder) -> Self {
        NewOrder::from(order).into()
    }
}

impl From<NewOrder> for SubmitOrder {
    fn from(order: NewOrder) -> Self {
        let (symbol, terms, client_order_id) = order.into_parts();
        Self { symbol, terms, client_order_id: Some(client_order_id) }
    }
}

impl SubmitOrder {
    /// Your id of the order; `None` only for a decoded body without one.
    pub fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::form("symbol", Some(&self.symbol))?;
        validate::form("client_order_id", self.client_order_id.as_ref())?;
        self.terms.check()
    }
}

impl Terms {
    pub(super) fn new(
        side: Side,
        amount: Amount,
        self_trade_prevention: Option<SelfTradePrevention>,
    ) -> Self {
        let (order_type, size, price, notional) = match amount {
            Amount::Limit { order_type, size, price } => {
                (order_type, Some(size), Some(price), None)
            }
            Amount::MarketBuy { notional } => (OrderType::Market, None, None, Some(notional)),
            Amount::MarketSell { size } => (OrderType::Market, Some(size), None, None),
        };
        Self { side, order_type, self_trade_prevention, size, price, notional }
    }

    /// Amounts are there where the kind of order needs them, and above zero. A decoded body may
    /// break this, the constructors cannot but for the sign.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        let market = self.order_type == OrderType::Market;
        let market_buy = market && self.side == Side::Buy;
        amount("size", self.size, !market_buy)?;
        amount("price", self.price, !market)?;
        amount("notional", self.notional, market_buy)
    }
}

/// A needed amount must be there; one that is there must be above zero.
fn amount(
    field: &'static str,
    value: Option<Decimal>,
    needed: bool,
) -> Result<(), ValidationError> {
    let present = value.is_some() || !needed;
    validate::any(field, present, "must be set for this kind of order")?;
    validate::positive(field, value)
}
