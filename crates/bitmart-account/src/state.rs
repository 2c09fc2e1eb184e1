//! The state of an account.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bitmart_types::futures::PositionMode;
use bitmart_types::{ClientOrderId, ContractSymbol, Currency, OrderId, Timestamp, TradeId};

use crate::known_fills::KnownFills;
use crate::{Balance, Fill, Market, Order, Position, PositionKey};

/// Default of [`AccountState::max_finished_orders`].
const MAX_FINISHED_ORDERS: usize = 10_000;

/// How many ids of dropped orders are stored.
const MAX_DROPPED_IDS: usize = 50_000;

/// Orders, fills, balances and positions of an account, merged from streams and queries in any
/// order: the progress of an order never moves back, and a fill counts once. See *Memory* for how long.
///
/// Plain data. [`AccountTracker`](crate::AccountTracker) maintains one from live connections. To
/// maintain your own, call [`apply_order`](Self::apply_order) and the other `apply_…` methods.
///
/// # Memory
///
/// - All open orders are stored, and the newest 10,000 finished ones
///   ([`max_finished_orders`](Self::max_finished_orders)). The ids of the last 50,000 dropped ones are
///   stored as well: late updates of these orders are ignored.
/// - The fills of an order are dropped together with it. Fills of orders that are not known
///   themselves are stored for the newest 10,000 such orders.
/// - To recognize duplicates, the ids of the newest 50,000 fills of each market are stored. An
///   [`AccountTracker`](crate::AccountTracker) additionally stores the id of every fill that a stream
///   or a query may repeat: after a long disconnect, all fills of that time.
/// - Balances and positions are stored per currency and contract.
#[derive(Clone, Debug)]
pub struct AccountState {
    orders: HashMap<OrderKey, Order>,
    by_client_id: HashMap<(Market, ClientOrderId), OrderId>,
    fills: HashMap<OrderKey, Vec<Fill>>,
    known_fills: KnownFills,
    /// Stored finished orders, oldest first.
    finished: VecDeque<OrderKey>,
    /// Finished orders that are no longer stored.
    dropped: DroppedOrders,
    /// Orders of which only fills are known, oldest first. Each once.
    fills_only_orders: VecDeque<OrderKey>,
    /// The limit of `finished`, and of `fills_only_orders`.
    max_finished: usize,
    balances: BTreeMap<(Market, Currency), Balance>,
    positions: BTreeMap<PositionKey, Position>,
}

/// Order ids are unique within a market only.
type OrderKey = (Market, OrderId);

/// The ids of the newest dropped orders.
#[derive(Clone, Debug, Default)]
struct DroppedOrders {
    ids: HashSet<OrderKey>,
    oldest_first: VecDeque<OrderKey>,
}

impl DroppedOrders {
    fn insert(&mut self, key: OrderKey) {
        if self.ids.insert(key.clone()) {
            self.oldest_first.push_back(key);
        }
        if self.oldest_first.len() > MAX_DROPPED_IDS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn contains(&self, key: &OrderKey) -> bool {
        self.ids.contains(key)
    }
}

impl Default for AccountState {
    fn default() -> Self {
        Self::new()
    }
}

impl AccountState {
    /// Creates an empty state.
    pub fn new() -> Self {
        Self {
            orders: HashMap::new(),
            by_client_id: HashMap::new(),
            fills: HashMap::new(),
            known_fills: KnownFills::default(),
            finished: VecDeque::new(),
            dropped: DroppedOrders::default(),
            fills_only_orders: VecDeque::new(),
            max_finished: MAX_FINISHED_ORDERS,
            balances: BTreeMap::new(),
            positions: BTreeMap::new(),
        }
    }

    /// Sets how many finished orders are stored. The same limit applies to orders of which only fills
    /// are known. 10,000 by default; 0 counts as 1, so that an order is stored when it finishes.
    #[must_use]
    pub fn max_finished_orders(mut self, limit: usize) -> Self {
        self.max_finished = limit.max(1);
        self
    }

    /// Merges the state of an order. Returns the order if it is new, was modified, or its progress
    /// changed.
    ///
    /// A finished order that was dropped stays dropped. Of orders with the same client order id, it finds
    /// the last created one, and none after that order was dropped.
    pub fn apply_order(&mut self, update: Order) -> Option<&Order> {
        let key = (update.instrument.market(), update.order_id.clone());
        if self.dropped.contains(&key) {
            return None;
        }
        let (changed, was_open) = if let Some(order) = self.orders.get_mut(&key) {
            let was_open = !order.progress.is_final();
            (order.advance(update), was_open)
        } else {
            if self.fills.contains_key(&key) {
                self.fills_only_orders.retain(|unknown| *unknown != key);
            }
            self.orders.insert(key.clone(), update);
            (true, true)
        };
        self.index_client_id(&key);
        if was_open && self.orders.get(&key).is_some_and(|order| order.progress.is_final()) {
            self.finished.push_back(key.clone());
            self.drop_oldest_finished();
        }
        self.orders.get(&key).filter(|_| changed)
    }

    /// Adds a fill. Returns whether it is new. A repeated one adds what the first report of it lacks, such
    /// as the currency of the fee.
    pub fn apply_fill(&mut self, fill: Fill) -> bool {
        let time = fill.timestamp.unwrap_or(Timestamp::from_millis(0));
        self.apply_fill_at(fill, time)
    }

    /// Like [`apply_fill`](Self::apply_fill), with a default for a missing timestamp.
    pub(crate) fn apply_fill_at(&mut self, fill: Fill, now: Timestamp) -> bool {
        let key = (fill.instrument.market(), fill.order_id.clone());
        let time = fill.timestamp.unwrap_or(now);
        let new = self.known_fills.insert(key.0, (key.1.clone(), fill.trade_id.clone()), time);
        if new && self.dropped.contains(&key) {
            // Reported, but not stored: it would be taken for all fills of the order.
        } else if new {
            let fills = self.fills.entry(key.clone()).or_default();
            fills.push(fill);
            if fills.len() == 1 && !self.orders.contains_key(&key) {
                self.fills_only_orders.push_back(key);
                self.drop_oldest_fills_only();
            }
        } else if let Some(fills) = self.fills.get_mut(&key)
            && let Some(known) = fills.iter_mut().find(|known| known.trade_id == fill.trade_id)
        {
            known.complete(fill);
        }
        new
    }

    /// Returns in which member a stored fill with the id of this one contradicts it.
    pub(crate) fn contradiction(&self, fill: &Fill) -> Option<&'static str> {
        let fills = self.fills(fill.instrument.market(), &fill.order_id);
        let known = fills.iter().find(|known| known.trade_id == fill.trade_id)?;
        known.contradiction(fill)
    }

    /// Retains the ids of fills of this market since that time.
    pub(crate) fn retain_fill_ids_since(&mut self, market: Market, since: Timestamp) {
        self.known_fills.retain_since(market, since);
    }

    /// Returns the retained ids of known fills of a market.
    pub(crate) fn known_fills(
        &self,
        market: Market,
    ) -> impl Iterator<Item = (&OrderId, &TradeId, Timestamp)> {
        self.known_fills.iter(market)
    }

    /// Removes an open order that the exchange no longer knows, as after
    /// [`OrderNotFound`](crate::AccountEvent::OrderNotFound). Its fills stay, like those of any order of
    /// which only fills are known. Returns whether there was one.
    pub fn remove_order(&mut self, market: Market, id: &OrderId) -> bool {
        let key = (market, id.clone());
        if self.orders.get(&key).is_none_or(|order| order.progress.is_final()) {
            return false;
        }
        let Some(order) = self.orders.remove(&key) else { return false };
        self.remove_client_id(&key, order.client_order_id);
        if self.fills.contains_key(&key) {
            self.fills_only_orders.push_back(key);
            self.drop_oldest_fills_only();
        }
        true
    }

    /// Sets the balance of a currency. Returns whether it changed.
    pub fn apply_balance(&mut self, market: Market, currency: Currency, balance: Balance) -> bool {
        self.balances.insert((market, currency), balance.clone()) != Some(balance)
    }

    /// Sets a position; size 0 removes it. Returns whether it changed.
    ///
    /// In one-way mode the position replaces that of the opposite side. A position without its mode
    /// gets the mode of the stored positions of the contract: the mode cannot change while one is open. If
    /// none of them has a mode, both sides are kept. A closed position may then stay until the next
    /// fetch, but no open one is removed.
    pub fn apply_position(&mut self, key: PositionKey, mut position: Position) -> bool {
        if position.size.is_zero() {
            return self.positions.remove(&key).is_some();
        }
        let opposite = key.opposite();
        let mode = |key| self.position(key).and_then(|stored| stored.position_mode.clone());
        position.position_mode =
            position.position_mode.or_else(|| mode(&key)).or_else(|| mode(&opposite));
        if position.position_mode == Some(PositionMode::OneWay) {
            self.positions.remove(&opposite);
        }
        self.positions.insert(key, position.clone()) != Some(position)
    }

    /// Drops finished orders beyond the limit, which is at least 1, so the newest one stays.
    fn drop_oldest_finished(&mut self) {
        while self.finished.len() > self.max_finished {
            let Some(key) = self.finished.pop_front() else { return };
            let order = self.orders.remove(&key);
            self.remove_client_id(&key, order.and_then(|order| order.client_order_id));
            self.fills.remove(&key);
            self.dropped.insert(key);
        }
    }

    /// Drops the fills of the oldest orders of which nothing else is known, beyond the limit.
    fn drop_oldest_fills_only(&mut self) {
        while self.fills_only_orders.len() > self.max_finished {
            let Some(key) = self.fills_only_orders.pop_front() else { return };
            self.fills.remove(&key);
        }
    }

    /// Lets the client order id of an order find it, unless a later order has the same id.
    fn index_client_id(&mut self, key: &OrderKey) {
        let Some(order) = self.orders.get(key) else { return };
        let Some(client_id) = &order.client_order_id else { return };
        let client_key = (key.0, client_id.clone());
        let current = self.by_client_id.get(&client_key);
        let is_later = current.is_none_or(|current| {
            let current = self.orders.get(&(key.0, current.clone()));
            current.is_none_or(|current| match (order.create_time, current.create_time) {
                (Some(time), Some(current)) => time > current,
                _ => current.progress.is_final() && !order.progress.is_final(),
            })
        });
        if is_later {
            self.by_client_id.insert(client_key, key.1.clone());
        }
    }

    fn remove_client_id(&mut self, key: &OrderKey, client_id: Option<ClientOrderId>) {
        let Some(client_id) = client_id else { return };
        let client_key = (key.0, client_id);
        if self.by_client_id.get(&client_key) == Some(&key.1) {
            self.by_client_id.remove(&client_key);
        }
    }

    /// Returns an order by the exchange's order id.
    pub fn order(&self, market: Market, id: &OrderId) -> Option<&Order> {
        self.orders.get(&(market, id.clone()))
    }

    /// Returns an order by its client order id.
    pub fn order_by_client_id(&self, market: Market, id: &ClientOrderId) -> Option<&Order> {
        self.order(market, self.by_client_id.get(&(market, id.clone()))?)
    }

    /// Returns the open orders in no particular order.
    pub fn open_orders(&self, market: Market) -> impl Iterator<Item = &Order> {
        self.orders
            .values()
            .filter(move |order| order.instrument.market() == market)
            .filter(|order| !order.progress.is_final())
    }

    /// Returns the fills of an order, in the order in which they were applied.
    pub fn fills(&self, market: Market, id: &OrderId) -> &[Fill] {
        self.fills.get(&(market, id.clone())).map_or(&[], Vec::as_slice)
    }

    /// Returns the balance of a currency, if known.
    ///
    /// On spot the exchange sends a balance after a trade, deposit, withdrawal or transfer, but not when an
    /// order reserves money. The amount that is really available is then lower than the reported one, by
    /// what the [open orders](Self::open_orders) reserve.
    pub fn balance(&self, market: Market, currency: &Currency) -> Option<&Balance> {
        self.balances.get(&(market, currency.clone()))
    }

    /// Returns all balances.
    pub fn balances(&self) -> impl Iterator<Item = (Market, &Currency, &Balance)> {
        self.balances.iter().map(|((market, currency), balance)| (*market, currency, balance))
    }

    /// Returns the positions of a contract: at most one in one-way mode, up to a long and a short one in
    /// hedge mode.
    pub fn positions(&self, symbol: &ContractSymbol) -> impl Iterator<Item = &Position> {
        self.positions
            .iter()
            .filter(move |(key, _)| key.symbol == *symbol)
            .map(|(_, position)| position)
    }

    /// Returns the position with this key.
    pub(crate) fn position(&self, key: &PositionKey) -> Option<&Position> {
        self.positions.get(key)
    }

    /// Returns all positions.
    pub fn all_positions(&self) -> impl Iterator<Item = (&PositionKey, &Position)> {
        self.positions.iter()
    }

    /// Returns the known currencies that a complete list of balances does not contain, with a balance of
    /// 0.
    pub(crate) fn empty_balances(
        &self,
        market: Market,
        listed: &[(Currency, Balance)],
    ) -> Vec<(Currency, Balance)> {
        let known = self.balances.iter().filter(|((of, _), _)| *of == market);
        known
            .map(|((_, currency), balance)| (currency.clone(), balance.emptied()))
            .filter(|(currency, _)| listed.iter().all(|(listed, _)| listed != currency))
            .collect()
    }

    /// Removes the positions that a complete list does not contain and returns their keys.
    pub(crate) fn retain_positions(&mut self, listed: &HashSet<PositionKey>) -> Vec<PositionKey> {
        let closed: Vec<_> =
            self.positions.keys().filter(|key| !listed.contains(key)).cloned().collect();
        for key in &closed {
            self.positions.remove(key);
        }
        closed
    }
}

#[cfg(test)]
mod tests;
