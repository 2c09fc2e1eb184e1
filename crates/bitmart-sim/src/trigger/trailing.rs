//! The condition of a trailing order (endpoint futures/submit-trail-order).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Direction, PriceType};

/// A trailing condition: met when the price, once activated, turns back from its extreme by the callback rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Activation price in the quote currency.
    pub activation: Decimal,
    /// Callback rate in percent: 1 is 1 %.
    pub callback_rate: Decimal,
    /// Which price of the market is followed.
    #[serde(rename = "by")]
    pub price_type: PriceType,
    /// The direction of the followed price: rising for a sell, falling for a buy.
    #[serde(rename = "way")]
    pub direction: Direction,
    /// The extreme price since the activation, highest or lowest by the direction; `None` before the activation.
    #[serde(rename = "peak")]
    pub extreme: Option<Decimal>,
}

impl Trail {
    // Rule: A trailing order follows the price from its activation, and is triggered when the price has turned back
    // by the callback rate. Source: documented (the parameters of endpoint futures_submit_trailing_order); simplified
    // (how the price is followed)
    /// Follows a price. Returns whether it has turned back from the extreme by the callback rate.
    pub(super) fn follow(&mut self, price: Decimal) -> bool {
        let Some(extreme) = self.extreme else {
            self.extreme = self.direction.is_reached(price, self.activation).then_some(price);
            return false;
        };
        let callback = extreme * self.callback_rate / Decimal::ONE_HUNDRED;
        match self.direction {
            Direction::Rise => {
                self.extreme = Some(extreme.max(price));
                price <= extreme - callback
            }
            Direction::Fall => {
                self.extreme = Some(extreme.min(price));
                price >= extreme + callback
            }
        }
    }
}
