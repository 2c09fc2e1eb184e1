//! Trailing orders: orders that follow the price and execute when it reverses.

use bitmart_types::futures::{MarginType, PriceType, Side};
use bitmart_types::{ContractSymbol, Decimal, codec};
use serde::{Deserialize, Serialize};

use super::Leverage;
use crate::ValidationError;
use crate::futures::intent::by_intent;
use crate::futures::order_to_check::OrderToCheck;
use crate::protocol::validate;

/// Least callback rate of a trailing order in percent, as documented.
pub const CALLBACK_RATE_MIN: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
/// Greatest callback rate of a trailing order in percent, as documented.
pub const CALLBACK_RATE_MAX: Decimal = Decimal::from_parts(5, 0, 0, false, 0);

/// How a trailing order follows the price.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    activation_price: Decimal,
    callback_rate: Decimal,
    price_type: PriceType,
}

impl Trail {
    /// Follows the price from `activation_price` on and executes when it reverses by `callback_rate`.
    ///
    /// * `activation_price`: last price, in the quote currency.
    /// * `callback_rate`: in percent, [`CALLBACK_RATE_MIN`] to [`CALLBACK_RATE_MAX`]: 1 is 1 %.
    pub fn new(activation_price: Decimal, callback_rate: Decimal) -> Self {
        Self { activation_price, callback_rate, price_type: PriceType::Last }
    }
    /// Sets the price that is compared with the trigger. Default: the last price.
    #[must_use]
    pub fn price_type(mut self, price_type: PriceType) -> Self {
        self.price_type = price_type;
        self
    }
}

/// A trailing order to place.
///
/// The exchange does not support a client order id for it. When placing it ends with
/// [`Outcome::Unknown`](crate::Outcome::Unknown), search the
/// [open orders](crate::futures::ListOpenOrders) of the kind trailing before you place it
/// again.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::dec;
///
/// let order = futures::NewTrailingOrder::close_long(
///     "BTCUSDT",
///     10,
///     futures::Leverage::cross(dec!(10)),
///     futures::Trail::new(dec!(72000), dec!(2)),
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order does nothing until it is submitted"]
pub struct NewTrailingOrder {
    request: SubmitTrailingOrder,
}

by_intent!(
    NewTrailingOrder,
    "* `size`: whole contracts, at least 1.",
    (size: u64, leverage: Leverage, trail: Trail)
);

impl NewTrailingOrder {
    fn new(
        symbol: ContractSymbol,
        side: Side,
        size: u64,
        leverage: Leverage,
        trail: Trail,
    ) -> Self {
        Self {
            request: SubmitTrailingOrder {
                symbol,
                side,
                leverage: leverage.value,
                margin_type: leverage.margin_type,
                size,
                activation_price: trail.activation_price,
                callback_rate: trail.callback_rate,
                price_type: trail.price_type,
            },
        }
    }
    /// The values that the rules of a contract check. It executes at market.
    pub(in crate::api::futures) fn order_to_check(&self) -> OrderToCheck<'_> {
        OrderToCheck {
            symbol: &self.request.symbol,
            size: Some(self.request.size),
            is_market: true,
            leverage: Some(self.request.leverage),
            prices: [
                ("activation_price", Some(self.request.activation_price)),
                ("executive_price", None),
                ("preset_take_profit_price", None),
                ("preset_stop_loss_price", None),
            ],
        }
    }
}

/// Places a trailing order: the request. Created from a [`NewTrailingOrder`] with `into`, or decoded
/// from a recorded body.
#[doc(alias = "/contract/private/submit-trail-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct SubmitTrailingOrder {
    symbol: ContractSymbol,
    side: Side,
    #[serde(with = "codec::decimal")]
    leverage: Decimal,
    #[serde(rename = "open_type")]
    margin_type: MarginType,
    #[serde(with = "codec::number")]
    size: u64,
    #[serde(with = "codec::decimal")]
    activation_price: Decimal,
    #[serde(with = "codec::decimal")]
    callback_rate: Decimal,
    #[serde(rename = "activation_price_type")]
    price_type: PriceType,
}

impl From<NewTrailingOrder> for SubmitTrailingOrder {
    fn from(order: NewTrailingOrder) -> Self {
        order.request
    }
}

impl SubmitTrailingOrder {
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::range("size", self.size, Some(1), None)?;
        validate::range("leverage", self.leverage, Some(Decimal::ONE), None)?;
        validate::positive("activation_price", self.activation_price)?;
        validate::range(
            "callback_rate",
            self.callback_rate,
            Some(CALLBACK_RATE_MIN),
            Some(CALLBACK_RATE_MAX),
        )
    }
}
