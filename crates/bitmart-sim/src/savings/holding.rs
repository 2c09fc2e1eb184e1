//! Money in a savings product.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{DAY_MS, Renewal, SavingProduct};
use crate::AccountId;

/// Money saved in a product. An account has at most one holding of a flexible product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Number of the holding. Holdings and records share one counter.
    pub id: u64,
    /// The owner.
    pub account: AccountId,
    /// The product, with its terms at the time of the subscription.
    pub product: SavingProduct,
    /// Saved money without interest, in units of the currency.
    pub amount: Decimal,
    /// All interest so far, in units of the currency.
    pub profit: Decimal,
    /// The last interest paid, in units of the currency.
    pub latest_profit: Decimal,
    /// What happens at the end; without effect on flexible savings.
    pub renewal: Renewal,
    /// Time of the first subscription, in milliseconds since 1970.
    pub time_ms: u64,
}

impl Holding {
    /// Returns when fixed savings end, in milliseconds since 1970.
    pub fn ends_ms(&self) -> u64 {
        let days = self.product.lock_days.unwrap_or_default();
        self.time_ms.saturating_add(u64::from(days) * DAY_MS)
    }

    /// Returns when the next interest is due: of flexible savings at every full day after the first subscription.
    pub(super) fn due_ms(&self, now_ms: u64) -> u64 {
        let days = now_ms.saturating_sub(self.time_ms) / DAY_MS + 1;
        let daily_ms = self.time_ms.saturating_add(days.saturating_mul(DAY_MS));
        if self.product.lock_days.is_none() { daily_ms } else { self.ends_ms() }
    }

    /// Returns the interest that fixed savings pay at their end.
    pub fn whole_interest(&self) -> Decimal {
        self.product.interest(self.amount, self.product.lock_days.unwrap_or_default())
    }
}
