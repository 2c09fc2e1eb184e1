//! Accounts: wallets, positions and the ids they used.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{AccountId, OrderId, order::NewSpotOrder, position::Position};

/// Money of one currency: free, and bound by open orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub available: Decimal,
    pub frozen: Decimal,
}

impl Wallet {
    pub fn is_empty(&self) -> bool {
        (self.available + self.frozen).is_zero()
    }

    /// Moves money from available to frozen; false when there is too little.
    #[must_use]
    pub fn freeze(&mut self, amount: Decimal) -> bool {
        let enough = self.available >= amount;
        if enough {
            self.available -= amount;
            self.frozen += amount;
        }
        enough
    }

    pub fn release(&mut self, amount: Decimal) {
        self.frozen -= amount;
        self.available += amount;
    }
}

/// The wallets of an account that money can be moved between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purse {
    #[default]
    Spot,
    /// The funding account that BitMart added in 2026.
    Fund,
    Futures,
}

// Rule: An account remembers its last 10,000 finished orders of a market. Source: simplified (memory)
/// Finished orders that an account remembers in one market unless configured; older ones are forgotten.
pub const HISTORY: usize = 10_000;

/// The orders of an account in one market: every open one, and the latest finished ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    pub open: BTreeSet<OrderId>,
    /// In the order in which they ended.
    finished: VecDeque<OrderId>,
    client_ids: HashMap<SmolStr, OrderId>,
}

impl History {
    pub fn add(&mut self, id: OrderId, client_id: Option<&SmolStr>) {
        self.open.insert(id);
        if let Some(client_id) = client_id {
            self.client_ids.insert(client_id.clone(), id);
        }
    }

    /// Marks an order as finished, and says which one is to be forgotten for it when `remembered` of them
    /// are kept.
    #[must_use]
    pub fn finish(&mut self, id: OrderId, remembered: usize) -> Option<OrderId> {
        if self.open.remove(&id) {
            self.finished.push_back(id);
        }
        if self.finished.len() > remembered { self.finished.pop_front() } else { None }
    }

    pub fn forget_client_id(&mut self, client_id: Option<&SmolStr>) {
        if let Some(client_id) = client_id {
            self.client_ids.remove(client_id);
        }
    }

    pub fn by_client_id(&self, client_id: &str) -> Option<OrderId> {
        self.client_ids.get(client_id).copied()
    }

    /// Every remembered order, oldest first.
    pub fn all(&self) -> Vec<OrderId> {
        let mut ids: Vec<_> = self.open.iter().chain(&self.finished).copied().collect();
        ids.sort_unstable();
        ids
    }
}

/// One customer, or one of the house accounts that make the market.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    /// House accounts pay no fee, have no margin limit and leave no history.
    pub house: bool,
    /// The main account, when this is a sub-account.
    pub main: Option<AccountId>,
    pub spot: BTreeMap<SmolStr, Wallet>,
    pub fund: BTreeMap<SmolStr, Wallet>,
    pub futures: BTreeMap<SmolStr, Wallet>,
    /// The wallet that deposits are credited to.
    #[serde(default)]
    pub deposit_to: Purse,
    /// Isolated margin, by pair and currency.
    #[serde(with = "super::rows")]
    pub margin: BTreeMap<(SmolStr, SmolStr), Wallet>,
    /// Loans that are not paid back.
    pub open_loans: BTreeSet<u64>,
    /// By contract and direction (true = long).
    #[serde(with = "super::rows")]
    pub positions: BTreeMap<(SmolStr, bool), Position>,
    /// Futures positions are netted into one, in place of a long and a short one.
    pub one_way: bool,
    /// What was set last for a contract and margin mode (true = isolated).
    #[serde(with = "super::rows")]
    pub leverages: BTreeMap<(SmolStr, bool), u32>,
    pub spot_orders: History,
    pub futures_orders: History,
}

impl Account {
    pub fn new(id: AccountId, house: bool) -> Self {
        Self {
            id,
            house,
            main: None,
            spot: BTreeMap::new(),
            fund: BTreeMap::new(),
            futures: BTreeMap::new(),
            deposit_to: Purse::default(),
            margin: BTreeMap::new(),
            open_loans: BTreeSet::new(),
            positions: BTreeMap::new(),
            one_way: false,
            leverages: BTreeMap::new(),
            spot_orders: History::default(),
            futures_orders: History::default(),
        }
    }

    pub fn spot(&mut self, currency: &SmolStr) -> &mut Wallet {
        self.spot.entry(currency.clone()).or_default()
    }

    pub fn futures(&mut self, currency: &SmolStr) -> &mut Wallet {
        self.futures.entry(currency.clone()).or_default()
    }

    /// A position as it stands; `long` is its direction.
    pub fn position(&self, symbol: &SmolStr, long: bool) -> Option<&Position> {
        self.positions.get(&(symbol.clone(), long))
    }

    pub fn position_mut(&mut self, symbol: &SmolStr, long: bool) -> &mut Position {
        self.positions.entry((symbol.clone(), long)).or_default()
    }

    /// Its open positions with their contract and direction.
    pub fn open_positions(&self) -> impl Iterator<Item = (&SmolStr, bool, &Position)> {
        let open = self.positions.iter().filter(|(_, position)| position.is_open());
        open.map(|((symbol, long), position)| (symbol, *long, position))
    }

    pub fn fund(&mut self, currency: &SmolStr) -> &mut Wallet {
        self.fund.entry(currency.clone()).or_default()
    }

    pub fn margin(&mut self, symbol: &SmolStr, currency: &SmolStr) -> &mut Wallet {
        self.margin.entry((symbol.clone(), currency.clone())).or_default()
    }

    /// The wallet that an order of the spot market pays from and is paid into.
    pub fn trading(&mut self, order: &NewSpotOrder, currency: &SmolStr) -> &mut Wallet {
        if order.margin { self.margin(&order.symbol, currency) } else { self.spot(currency) }
    }

    pub fn purses(&self, purse: Purse) -> &BTreeMap<SmolStr, Wallet> {
        match purse {
            Purse::Spot => &self.spot,
            Purse::Fund => &self.fund,
            Purse::Futures => &self.futures,
        }
    }

    pub fn purse(&mut self, purse: Purse, currency: &SmolStr) -> &mut Wallet {
        match purse {
            Purse::Spot => self.spot(currency),
            Purse::Fund => self.fund(currency),
            Purse::Futures => self.futures(currency),
        }
    }
}
