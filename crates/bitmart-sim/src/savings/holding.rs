//! Money in savings products.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};

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

/// The holdings of all accounts by number. A holding without money is removed.
///
/// The serialized form is a map by number; the index by account is built when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<u64, Holding>")]
pub(super) struct Holdings {
    rows: BTreeMap<u64, Holding>,
    /// The numbers of the holdings of an account. An account without holdings has no entry.
    by_account: BTreeMap<AccountId, BTreeSet<u64>>,
}

impl Holdings {
    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &Holding> + ExactSizeIterator {
        self.rows.values()
    }

    /// Returns the holdings of an account, oldest first.
    pub(super) fn of(&self, account: AccountId) -> impl Iterator<Item = &Holding> {
        let own = self.by_account.get(&account).into_iter().flatten();
        own.filter_map(|id| self.rows.get(id))
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Holding> {
        self.rows.get_mut(&id)
    }

    pub(super) fn insert(&mut self, holding: Holding) {
        self.by_account.entry(holding.account).or_default().insert(holding.id);
        self.rows.insert(holding.id, holding);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Holding> {
        let holding = self.rows.remove(&id)?;
        if let Some(own) = self.by_account.get_mut(&holding.account) {
            own.remove(&id);
            if own.is_empty() {
                self.by_account.remove(&holding.account);
            }
        }
        Some(holding)
    }
}

impl From<BTreeMap<u64, Holding>> for Holdings {
    fn from(rows: BTreeMap<u64, Holding>) -> Self {
        let mut holdings = Self::default();
        for holding in rows.into_values() {
            holdings.insert(holding);
        }
        holdings
    }
}

impl Serialize for Holdings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}
