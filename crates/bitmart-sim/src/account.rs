//! Accounts: wallets, positions and the ids they used.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, OrderId,
    exchange::owner,
    ledger::{Ledger, Place, Wallet, WalletId},
    order::NewSpotOrder,
    position::Position,
};

/// The wallets of an account that money can be moved between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purse {
    /// Pays and receives in spot trading.
    #[default]
    Spot,
    /// The funding account that BitMart added in 2026.
    Fund,
    /// Pays margin and fees of futures. It holds only currencies that contracts are settled in.
    Futures,
}

// Rule: An account remembers its last 10,000 finished orders of a market. Source: simplified (memory)
/// Finished orders that an account remembers in one market unless configured; older ones are forgotten.
pub const HISTORY: usize = 10_000;

/// The orders of an account in one market: every open one, and the latest finished ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    /// Orders that can still be filled.
    pub open: BTreeSet<OrderId>,
    /// In the order in which they ended.
    finished: VecDeque<OrderId>,
    client_ids: HashMap<SmolStr, OrderId>,
}

impl History {
    pub(crate) fn add(&mut self, id: OrderId, client_id: Option<&SmolStr>) {
        self.open.insert(id);
        if let Some(client_id) = client_id {
            self.client_ids.insert(client_id.clone(), id);
        }
    }

    /// Marks an order as finished, and says which one is to be forgotten for it when `remembered` of them
    /// are kept.
    #[must_use]
    pub(crate) fn finish(&mut self, id: OrderId, remembered: usize) -> Option<OrderId> {
        if self.open.remove(&id) {
            self.finished.push_back(id);
        }
        if self.finished.len() > remembered { self.finished.pop_front() } else { None }
    }

    pub(crate) fn forget_client_id(&mut self, client_id: Option<&SmolStr>) {
        if let Some(client_id) = client_id {
            self.client_ids.remove(client_id);
        }
    }

    /// Returns the remembered order with this client order id.
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
    /// Number of the account; it is also its key in [`Exchange::accounts`].
    pub id: AccountId,
    /// House accounts pay no fee, have no margin limit and leave no history.
    pub house: bool,
    /// The main account, when this is a sub-account.
    pub main: Option<AccountId>,
    /// Wallets of [`Purse::Spot`], by currency.
    pub spot: BTreeMap<SmolStr, WalletId>,
    /// Wallets of [`Purse::Fund`], by currency.
    pub fund: BTreeMap<SmolStr, WalletId>,
    /// Wallets of [`Purse::Futures`], by currency.
    pub futures: BTreeMap<SmolStr, WalletId>,
    /// What it has saved, by currency.
    pub(crate) savings: BTreeMap<SmolStr, Place>,
    /// The wallet that deposits are credited to.
    #[serde(default)]
    pub deposit_to: Purse,
    /// Isolated margin, by pair and currency.
    #[serde(with = "super::rows")]
    pub margin: BTreeMap<(SmolStr, SmolStr), WalletId>,
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
    /// Orders of all spot pairs, also those paid from margin accounts.
    pub spot_orders: History,
    /// Orders of all contracts, without those that wait for a price.
    pub futures_orders: History,
}

impl Account {
    pub(crate) fn new(id: AccountId, house: bool) -> Self {
        Self {
            id,
            house,
            main: None,
            spot: BTreeMap::new(),
            fund: BTreeMap::new(),
            futures: BTreeMap::new(),
            savings: BTreeMap::new(),
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

    /// A position as it stands; `long` is its direction.
    pub fn position(&self, symbol: &SmolStr, long: bool) -> Option<&Position> {
        self.positions.get(&(symbol.clone(), long))
    }

    pub(crate) fn position_mut(&mut self, symbol: &SmolStr, long: bool) -> &mut Position {
        self.positions.entry((symbol.clone(), long)).or_default()
    }

    /// Its open positions with their contract and direction.
    pub fn open_positions(&self) -> impl Iterator<Item = (&SmolStr, bool, &Position)> {
        let open = self.positions.iter().filter(|(_, position)| position.is_open());
        open.map(|((symbol, long), position)| (symbol, *long, position))
    }

    /// Its margin wallet of a pair and currency; opened when it is not there.
    pub(crate) fn margin(
        &mut self,
        ledger: &mut Ledger,
        symbol: &SmolStr,
        currency: &SmolStr,
    ) -> WalletId {
        let key = (symbol.clone(), currency.clone());
        *self.margin.entry(key).or_insert_with(|| ledger.open_wallet(currency))
    }

    /// The wallet that an order of the spot market pays from or is paid into.
    pub(crate) fn trading(
        &mut self,
        ledger: &mut Ledger,
        order: &NewSpotOrder,
        currency: &SmolStr,
    ) -> WalletId {
        if order.margin {
            self.margin(ledger, &order.symbol, currency)
        } else {
            self.purse(ledger, Purse::Spot, currency)
        }
    }

    /// The wallet that an order of the spot market pays from; none when it was never opened.
    pub(crate) fn paying(&self, order: &NewSpotOrder, currency: &SmolStr) -> Option<WalletId> {
        let wallet = if order.margin {
            self.margin.get(&(order.symbol.clone(), currency.clone()))
        } else {
            self.spot.get(currency)
        };
        wallet.copied()
    }

    /// Its wallets of a kind, by currency.
    pub fn purses(&self, purse: Purse) -> &BTreeMap<SmolStr, WalletId> {
        match purse {
            Purse::Spot => &self.spot,
            Purse::Fund => &self.fund,
            Purse::Futures => &self.futures,
        }
    }

    /// Its wallet of a kind and currency; opened when it is not there.
    pub(crate) fn purse(
        &mut self,
        ledger: &mut Ledger,
        purse: Purse,
        currency: &SmolStr,
    ) -> WalletId {
        let wallets = match purse {
            Purse::Spot => &mut self.spot,
            Purse::Fund => &mut self.fund,
            Purse::Futures => &mut self.futures,
        };
        if let Some(wallet) = wallets.get(currency) {
            return *wallet;
        }
        *wallets.entry(currency.clone()).or_insert_with(|| ledger.open_wallet(currency))
    }
}

impl Exchange {
    /// What an account has in a wallet of a kind and currency; nothing without one.
    pub fn wallet(&self, account: AccountId, purse: Purse, currency: &str) -> Wallet {
        let owner = self.accounts.get(&account);
        let wallet = owner.and_then(|owner| owner.purses(purse).get(currency));
        wallet.map(|wallet| self.ledger.wallet(*wallet)).unwrap_or_default()
    }

    /// What an account has in its wallets of a kind, by currency.
    pub fn wallets(
        &self,
        account: AccountId,
        purse: Purse,
    ) -> impl Iterator<Item = (&SmolStr, Wallet)> {
        let owner = self.accounts.get(&account);
        let wallets = owner.into_iter().flat_map(move |owner| owner.purses(purse));
        wallets.map(|(currency, wallet)| (currency, self.ledger.wallet(*wallet)))
    }

    /// What an account has in its margin wallet of a pair and currency; nothing without one.
    pub fn margin_wallet(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        currency: &SmolStr,
    ) -> Wallet {
        let owner = self.accounts.get(&account);
        let wallet = owner.and_then(|owner| owner.margin.get(&(symbol.clone(), currency.clone())));
        wallet.map(|wallet| self.ledger.wallet(*wallet)).unwrap_or_default()
    }

    /// The wallet of a kind and currency; opened when it is not there.
    pub(crate) fn open_wallet(
        &mut self,
        account: AccountId,
        purse: Purse,
        currency: &SmolStr,
    ) -> WalletId {
        owner(&mut self.accounts, account).purse(&mut self.ledger, purse, currency)
    }

    /// The margin wallet of a pair and currency; opened when it is not there.
    pub(crate) fn open_margin(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        currency: &SmolStr,
    ) -> WalletId {
        owner(&mut self.accounts, account).margin(&mut self.ledger, symbol, currency)
    }

    /// The place of what an account has saved of a currency; opened when it is not there.
    pub(crate) fn open_savings(&mut self, account: AccountId, currency: &SmolStr) -> Place {
        let savings = &mut owner(&mut self.accounts, account).savings;
        *savings.entry(currency.clone()).or_insert_with(|| self.ledger.open_place(currency))
    }
}
