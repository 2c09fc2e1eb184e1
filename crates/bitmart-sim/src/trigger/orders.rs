//! The trigger orders of spot or of futures, with an index by price: those that a price triggers are found without
//! looking at the others.

#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use self::watch::MarketWatch;
use super::{
    AccountId, Condition, MAX_FINISHED, MAX_WAITING, OperatorSettings, OrderId, PriceType, Traded,
    Trigger, TriggerState,
};

/// The trigger orders of spot or of futures.
///
/// Only the orders are serialized. The indexes are built when they are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "StoredOrders<T>", bound(deserialize = "T: Traded + Deserialize<'de>"))]
pub struct TriggerOrders<T> {
    waiting: BTreeMap<OrderId, Trigger<T>>,
    /// In the order in which they were finished.
    finished: VecDeque<Trigger<T>>,
    /// The prices for which the orders of a market wait. A market without waiting orders has no entry.
    #[serde(skip)]
    by_market: BTreeMap<SmolStr, MarketWatch>,
    /// The waiting orders of an account. An account without waiting orders has no entry.
    #[serde(skip)]
    by_account: BTreeMap<AccountId, BTreeSet<OrderId>>,
    /// Whether orders were added or changed.
    #[serde(skip)]
    has_new: bool,
}

/// The serialized form.
#[derive(Debug, Deserialize)]
struct StoredOrders<T> {
    waiting: BTreeMap<OrderId, Trigger<T>>,
    finished: VecDeque<Trigger<T>>,
}

impl<T: Traded> From<StoredOrders<T>> for TriggerOrders<T> {
    fn from(stored: StoredOrders<T>) -> Self {
        let mut orders = Self { finished: stored.finished, ..Self::default() };
        for trigger in stored.waiting.into_values() {
            orders.insert(trigger);
        }
        orders
    }
}

impl<T> Default for TriggerOrders<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            finished: VecDeque::new(),
            by_market: BTreeMap::new(),
            by_account: BTreeMap::new(),
            has_new: false,
        }
    }
}

impl<T> TriggerOrders<T> {
    /// Returns a trigger order, waiting or finished.
    pub fn get(&self, id: OrderId) -> Option<&Trigger<T>> {
        self.waiting.get(&id).or_else(|| self.finished.iter().find(|one| one.id == id))
    }

    /// Returns the trigger order of an account with a client order id: the waiting one, else the latest finished one.
    pub fn by_client_order_id(
        &self,
        account: AccountId,
        client_order_id: &str,
    ) -> Option<&Trigger<T>> {
        self.of(account).find(|one| one.client_order_id.as_deref() == Some(client_order_id))
    }

    /// Whether a waiting trigger order of an account has a client order id.
    pub fn is_client_order_id_reserved(&self, account: AccountId, client_order_id: &str) -> bool {
        self.waiting_of(account).any(|one| one.client_order_id.as_deref() == Some(client_order_id))
    }

    /// Returns the trigger orders of an account: waiting ones, then finished ones, newest first.
    pub fn of(&self, account: AccountId) -> impl Iterator<Item = &Trigger<T>> {
        let finished = self.finished.iter().rev().filter(move |one| one.account == account);
        self.waiting_of(account).rev().chain(finished)
    }

    /// Returns the waiting trigger orders of an account, oldest first.
    pub(super) fn waiting_of(
        &self,
        account: AccountId,
    ) -> impl DoubleEndedIterator<Item = &Trigger<T>> {
        let own = self.by_account.get(&account).into_iter().flatten();
        own.filter_map(|id| self.waiting.get(id))
    }

    /// Returns a waiting trigger order.
    pub(super) fn waiting(&self, id: OrderId) -> Option<&Trigger<T>> {
        self.waiting.get(&id)
    }

    /// Whether no trigger order waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether orders were added or changed since the last call.
    pub(super) fn take_has_new(&mut self) -> bool {
        std::mem::take(&mut self.has_new)
    }

    /// Whether an account already has as many waiting trigger orders as it may have.
    pub(super) fn is_full(&self, account: AccountId) -> bool {
        self.has_no_room_for(account, 1)
    }

    pub(super) fn has_no_room_for(&self, account: AccountId, more: usize) -> bool {
        self.by_account.get(&account).map_or(0, BTreeSet::len) + more > MAX_WAITING
    }

    /// Returns the markets of the waiting trigger orders.
    pub(super) fn markets(&self) -> impl Iterator<Item = (&SmolStr, &MarketWatch)> {
        self.by_market.iter()
    }

    /// Returns the fixed trigger prices of a market.
    pub(super) fn prices(&self, symbol: &str) -> impl Iterator<Item = Decimal> {
        self.by_market.get(symbol).into_iter().flat_map(MarketWatch::prices)
    }
}

impl<T: Traded> TriggerOrders<T> {
    /// Updates the trailing conditions with a price. Returns the trigger orders that it triggers, oldest first. Those
    /// of frozen accounts do not follow the price.
    pub(super) fn triggered_by(
        &mut self,
        symbol: &str,
        price_type: PriceType,
        price: Decimal,
        operator_settings: &OperatorSettings,
    ) -> Vec<OrderId> {
        let Some(watch) = self.by_market.get_mut(symbol) else { return Vec::new() };
        let is_frozen = |one: &Trigger<T>| operator_settings.is_frozen(one.account);
        let reached = watch.reached(price_type, price).filter_map(|id| self.waiting.get(&id));
        let mut triggered: Vec<_> =
            reached.filter(|one| !is_frozen(one)).map(|one| one.id).collect();
        watch.follow(price_type, price, |id| {
            let one = self.waiting.get_mut(&id).filter(|one| !is_frozen(one))?;
            if let Condition::Trail(trail) = &mut one.condition
                && trail.follow(price)
            {
                triggered.push(id);
            }
            Some(())
        });
        triggered.sort_unstable();
        triggered
    }

    /// Adds a waiting trigger order.
    pub(super) fn insert(&mut self, trigger: Trigger<T>) {
        let (id, account, condition) = (trigger.id, trigger.account, &trigger.condition);
        self.by_market.entry(trigger.terms.symbol().clone()).or_default().insert(id, condition);
        self.by_account.entry(account).or_default().insert(id);
        self.waiting.insert(id, trigger);
        self.has_new = true;
    }

    /// Removes a waiting trigger order.
    pub(super) fn take(&mut self, id: OrderId) -> Option<Trigger<T>> {
        let trigger = self.waiting.remove(&id)?;
        let symbol = trigger.terms.symbol();
        if let Some(watch) = self.by_market.get_mut(symbol) {
            watch.remove(id, &trigger.condition);
            if watch.is_empty() {
                self.by_market.remove(symbol);
            }
        }
        if let Some(own) = self.by_account.get_mut(&trigger.account) {
            own.remove(&id);
            if own.is_empty() {
                self.by_account.remove(&trigger.account);
            }
        }
        Some(trigger)
    }

    /// Changes a waiting trigger order.
    pub(super) fn change(&mut self, id: OrderId, change: impl FnOnce(&mut Trigger<T>)) {
        if let Some(mut trigger) = self.take(id) {
            change(&mut trigger);
            self.insert(trigger);
        }
    }
}

impl<T: Clone> TriggerOrders<T> {
    /// Keeps a removed trigger order in its final state.
    pub(super) fn finish(
        &mut self,
        mut trigger: Trigger<T>,
        state: TriggerState,
        now_ms: u64,
    ) -> Trigger<T> {
        trigger.state = state;
        trigger.updated_ms = now_ms;
        if self.finished.len() >= MAX_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back(trigger.clone());
        trigger
    }
}
