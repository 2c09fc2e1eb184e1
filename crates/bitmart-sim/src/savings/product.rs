//! Savings products: the same terms for every currency.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{Exchange, exchange::round_down};

// Rule: Interest of a day is a 365th of that of a year. Source: invented (no source says it)
/// Divisor of an annual rate for the interest of a day.
const DAYS_PER_YEAR: Decimal = Decimal::from_parts(365, 0, 0, false, 0);
// Rule: Every currency has a flexible saving at 2 %, and fixed ones of 7 days at 4 % and 30 days at 6 %.
// Source: invented (the samples have no figures)
/// The products of every currency: days of the lock (`None` for flexible ones), and annual interest in percent.
const OFFERS: [(Option<u32>, i64); 3] = [(None, 2), (Some(7), 4), (Some(30), 6)];
const FIRST_PRODUCT: u32 = 1_001;

/// A product for savings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavingProduct {
    /// Number of the product, from 1001.
    pub id: u32,
    /// The currency of savings and interest.
    pub currency: SmolStr,
    /// Days of the lock; `None` for flexible savings.
    pub lock_days: Option<u32>,
    /// Annual interest as a ratio.
    pub apy: Decimal,
}

impl SavingProduct {
    /// Whether the money is locked for a fixed term; otherwise it can be redeemed at any time (flexible savings).
    pub fn is_fixed(&self) -> bool {
        self.lock_days.is_some()
    }

    pub(super) fn interest(&self, amount: Decimal, days: u32) -> Decimal {
        round_down(amount * self.apy * Decimal::from(days) / DAYS_PER_YEAR)
    }
}

impl Exchange {
    /// Returns the products: the same terms for every currency of the spot market.
    pub fn products(&self) -> Vec<SavingProduct> {
        let markets = self.spot.values().map(|market| &market.rules);
        let currencies: BTreeSet<_> =
            markets.flat_map(|rules| [&rules.base, &rules.quote]).collect();
        let offers =
            currencies.into_iter().flat_map(|currency| OFFERS.map(|offer| (currency, offer)));
        let product =
            |(id, (currency, (lock_days, rate))): (u32, (&SmolStr, (Option<u32>, i64)))| {
                SavingProduct {
                    id,
                    currency: currency.clone(),
                    lock_days,
                    apy: Decimal::new(rate, 2),
                }
            };
        (FIRST_PRODUCT..).zip(offers).map(product).collect()
    }
}
