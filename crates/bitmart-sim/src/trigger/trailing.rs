//! The condition of a trailing order (endpoint futures/submit-trail-order).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{PriceType, Way};

/// Follows the price from its activation on, until it has turned back far enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The price from which it is followed, in the quote currency.
    pub activation: Decimal,
    /// In percent: 1 is 1 %.
    pub callback_rate: Decimal,
    /// The price that is watched.
    pub by: PriceType,
    /// Where the price goes while it is followed: up for a sell, down for a buy.
    pub way: Way,
    /// The furthest price since the activation.
    pub peak: Option<Decimal>,
}

impl Trail {
    // Rule: A trailing order follows the price from its activation, and fires when it has turned back by the
    // callback rate. Source: documented (the parameters of endpoint futures_submit_trailing_order); simplified
    // (how the price is followed)
    /// Takes notice of a price; true when it has turned back from the furthest one by the callback rate.
    pub(super) fn follow(&mut self, price: Decimal) -> bool {
        let Some(peak) = self.peak else {
            self.peak = self.way.is_reached(price, self.activation).then_some(price);
            return false;
        };
        let back = peak * self.callback_rate / Decimal::ONE_HUNDRED;
        match self.way {
            Way::Rise => {
                self.peak = Some(peak.max(price));
                price <= peak - back
            }
            Way::Fall => {
                self.peak = Some(peak.min(price));
                price >= peak + back
            }
        }
    }
}
