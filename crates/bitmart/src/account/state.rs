//! What is known of an account.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bitmart_types::{ClientOrderId, ContractSymbol, Currency, OrderId, TradeId};

use super::{Balance, Fill, Market, Order, Position, PositionKey};

/// Finished orders that are kept, unless told otherwise.
const FINISHED: usize = 10_000;

/// Orders, fills, balances and positions of an account, merged from streams and queries in any
/// order: an order never goes back, a fill counts once.
///
/// Plain data. [`AccountTracker`](super::AccountTracker) feeds one from live connections; feed your
/// own with [`take_order`](Self::take_order) and its siblings.
///
/// Open orders are all kept; of finished ones the newest 10,000, with their fills.
#[derive(Clone, Debug)]
pub struct AccountState {
    orders: HashMap<Key, Order>,
    by_client_id: HashMap<(Market, ClientOrderId), OrderId>,
    fills: HashMap<Key, Vec<Fill>>,
    counted: HashSet<(Key, TradeId)>,
    finished: VecDeque<Key>,
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
            counted: HashSet::new(),
            finished: VecDeque::new(),
            keep: FINISHED,
            balances: BTreeMap::new(),
            positions: BTreeMap::new(),
        }
    }

    /// How many finished orders to keep. A fill of an order that was dropped counts anew if it is
    /// told again, so keep more than the longest time without a connection can bring.
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
        let key = (fill.instrument.market(), fill.order_id.clone());
        let new = self.counted.insert((key.clone(), fill.trade_id.clone()));
        if new {
            self.fills.entry(key).or_default().push(fill);
        }
        new
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
            if let Some(id) = self.orders.remove(&key).and_then(|order| order.client_order_id) {
                let known = (key.0, id);
                if self.by_client_id.get(&known) == Some(&key.1) {
                    self.by_client_id.remove(&known);
                }
            }
            for fill in self.fills.remove(&key).into_iter().flatten() {
                self.counted.remove(&(key.clone(), fill.trade_id));
            }
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
    pub(super) fn keep_positions(&mut self, listed: &HashSet<PositionKey>) -> Vec<PositionKey> {
        let closed: Vec<_> =
            self.positions.keys().filter(|key| !listed.contains(key)).cloned().collect();
        for key in &closed {
            self.positions.remove(key);
        }
        closed
    }
}
