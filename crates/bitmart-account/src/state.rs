//! What is known of an account.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bitmart_types::{ClientOrderId, ContractSymbol, Currency, OrderId, Timestamp, TradeId};

use crate::counted::Counted;

use crate::{Balance, Fill, Market, Order, Position, PositionKey};

/// Finished orders that are kept, unless told otherwise.
const FINISHED: usize = 10_000;

/// Orders, fills, balances and positions of an account, merged from streams and queries in any
/// order: an order never goes back, a fill counts once.
///
/// Plain data. [`AccountTracker`](crate::AccountTracker) feeds one from live connections; feed your
/// own with [`take_order`](Self::take_order) and its siblings.
///
/// # What is forgotten
///
/// - Open orders are all kept; of finished ones the newest 10,000
///   ([`keep_finished`](Self::keep_finished)).
/// - The fills of an order are forgotten with it. Those of orders that were never reported are kept
///   for the newest 10,000 such orders.
/// - That a fill was counted is remembered for the newest 50,000 fills. An
///   [`AccountTracker`](super::AccountTracker) remembers beyond that every fill that a stream or a
///   query may still tell of: after a long time without a connection that takes memory for all fills
///   of that time.
/// - Balances and positions are kept by currency and contract.
#[derive(Clone, Debug)]
pub struct AccountState {
    orders: HashMap<Key, Order>,
    by_client_id: HashMap<(Market, ClientOrderId), OrderId>,
    fills: HashMap<Key, Vec<Fill>>,
    counted: Counted,
    finished: VecDeque<Key>,
    /// Orders that only fills have told of, oldest first.
    unreported: VecDeque<Key>,
    keep: usize,
    balances: BTreeMap<(Market, Currency), Balance>,
    positions: BTreeMap<PositionKey, Position>,
}

/// Order ids are given by each market.
type Key = (Market, OrderId);

impl Default for AccountState {
    fn default() -> Self {
        Self::new()
    }
}

impl AccountState {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            orders: HashMap::new(),
            by_client_id: HashMap::new(),
            fills: HashMap::new(),
            counted: Counted::default(),
            finished: VecDeque::new(),
            unreported: VecDeque::new(),
            keep: FINISHED,
            balances: BTreeMap::new(),
            positions: BTreeMap::new(),
        }
    }

    /// How many finished orders to keep, and of how many orders that were never reported the fills.
    #[must_use]
    pub fn keep_finished(mut self, most: usize) -> Self {
        self.keep = most;
        self
    }

    /// Takes in a report about an order. Gives the order if that was news.
    pub fn take_order(&mut self, report: Order) -> Option<&Order> {
        let key = (report.instrument.market(), report.order_id.clone());
        if let Some(id) = &report.client_order_id {
            self.by_client_id.insert((key.0, id.clone()), key.1.clone());
        }
        let (news, was_open) = if let Some(order) = self.orders.get_mut(&key) {
            let was_open = !order.progress.is_final();
            (order.advance(report), was_open)
        } else {
            self.orders.insert(key.clone(), report);
            (true, true)
        };
        if was_open && self.orders.get(&key).is_some_and(|order| order.progress.is_final()) {
            self.finished.push_back(key.clone());
            self.drop_oldest(&key);
        }
        self.orders.get(&key).filter(|_| news)
    }

    /// Takes in a fill. `true` if it had not been counted.
    pub fn take_fill(&mut self, fill: Fill) -> bool {
        let time = fill.time.unwrap_or(Timestamp::from_millis(0));
        self.take_fill_at(fill, time)
    }

    /// The same with a time for a fill that carries none.
    pub(crate) fn take_fill_at(&mut self, fill: Fill, now: Timestamp) -> bool {
        let key = (fill.instrument.market(), fill.order_id.clone());
        let time = fill.time.unwrap_or(now);
        let new = self.counted.insert(key.0, (key.1.clone(), fill.trade_id.clone()), time);
        if new {
            let fills = self.fills.entry(key.clone()).or_default();
            fills.push(fill);
            if fills.len() == 1 && !self.orders.contains_key(&key) {
                self.unreported.push_back(key);
                self.drop_unreported();
            }
        }
        new
    }

    /// Remembers fills of this market that were counted since then.
    pub(crate) fn remember_since(&mut self, market: Market, since: Timestamp) {
        self.counted.protect(market, since);
    }

    /// The fills of a market of which it is remembered that they were counted.
    pub(crate) fn counted(
        &self,
        market: Market,
    ) -> impl Iterator<Item = (&OrderId, &TradeId, Timestamp)> {
        self.counted.of(market)
    }

    /// Drops an open order that the exchange does not know any more. Its fills stay for a while, as
    /// those of an order that was never reported.
    pub(crate) fn forget_order(&mut self, market: Market, id: &OrderId) -> bool {
        let key = (market, id.clone());
        let Some(order) = self.orders.remove(&key) else { return false };
        self.forget_client_id(&key, order.client_order_id);
        if self.fills.contains_key(&key) {
            self.unreported.push_back(key);
            self.drop_unreported();
        }
        true
    }

    /// Takes in the balance of a currency. `true` if it differs from what was known.
    pub fn take_balance(&mut self, market: Market, currency: Currency, balance: Balance) -> bool {
        self.balances.insert((market, currency), balance.clone()) != Some(balance)
    }

    /// Takes in a position; one without contracts is none. `true` if it differs from what was known.
    pub fn take_position(&mut self, key: PositionKey, position: Position) -> bool {
        if position.size.is_zero() {
            return self.positions.remove(&key).is_some();
        }
        if position.one_way == Some(true) {
            let direction = key.direction.opposite();
            self.positions.remove(&PositionKey { contract: key.contract.clone(), direction });
        }
        self.positions.insert(key, position.clone()) != Some(position)
    }

    /// Drops finished orders beyond the limit, but not the one that has just finished.
    fn drop_oldest(&mut self, newest: &Key) {
        while self.finished.len() > self.keep.max(1) {
            let Some(key) = self.finished.pop_front().filter(|key| key != newest) else { return };
            let order = self.orders.remove(&key);
            self.forget_client_id(&key, order.and_then(|order| order.client_order_id));
            self.fills.remove(&key);
        }
    }

    fn drop_unreported(&mut self) {
        while self.unreported.len() > self.keep.max(1) {
            let Some(key) = self.unreported.pop_front() else { return };
            // One that was reported meanwhile goes the way of the finished.
            if !self.orders.contains_key(&key) {
                self.fills.remove(&key);
            }
        }
    }

    fn forget_client_id(&mut self, key: &Key, client: Option<ClientOrderId>) {
        let Some(id) = client else { return };
        let known = (key.0, id);
        if self.by_client_id.get(&known) == Some(&key.1) {
            self.by_client_id.remove(&known);
        }
    }

    /// An order by the exchange's id.
    pub fn order(&self, market: Market, id: &OrderId) -> Option<&Order> {
        self.orders.get(&(market, id.clone()))
    }

    /// An order by your id.
    pub fn order_by_client_id(&self, market: Market, id: &ClientOrderId) -> Option<&Order> {
        self.order(market, self.by_client_id.get(&(market, id.clone()))?)
    }

    /// The orders that can still fill, in no order.
    pub fn open_orders(&self, market: Market) -> impl Iterator<Item = &Order> {
        self.orders
            .values()
            .filter(move |order| order.instrument.market() == market)
            .filter(|order| !order.progress.is_final())
    }

    /// The fills of an order, in the order in which they were told.
    pub fn fills(&self, market: Market, id: &OrderId) -> &[Fill] {
        self.fills.get(&(market, id.clone())).map_or(&[], Vec::as_slice)
    }

    /// The balance of a currency; `None` where none was told. Spot tells no balance when an order
    /// binds money, only with the next trade, deposit, withdrawal or transfer: until then what is
    /// available is less than this by what the [open orders](Self::open_orders) bind.
    pub fn balance(&self, market: Market, currency: &Currency) -> Option<&Balance> {
        self.balances.get(&(market, currency.clone()))
    }

    /// All balances.
    pub fn balances(&self) -> impl Iterator<Item = (Market, &Currency, &Balance)> {
        self.balances.iter().map(|((market, currency), balance)| (*market, currency, balance))
    }

    /// The positions of a contract: at most one in one-way mode, a long and a short one in hedge mode.
    pub fn positions(&self, contract: &ContractSymbol) -> impl Iterator<Item = &Position> {
        self.positions
            .iter()
            .filter(move |(key, _)| key.contract == *contract)
            .map(|(_, position)| position)
    }

    /// All positions.
    pub fn all_positions(&self) -> impl Iterator<Item = (&PositionKey, &Position)> {
        self.positions.iter()
    }

    /// Forgets the positions that are not among these: what a full list does not name is closed.
    pub(crate) fn keep_positions(&mut self, listed: &HashSet<PositionKey>) -> Vec<PositionKey> {
        let closed: Vec<_> =
            self.positions.keys().filter(|key| !listed.contains(key)).cloned().collect();
        for key in &closed {
            self.positions.remove(key);
        }
        closed
    }
}
