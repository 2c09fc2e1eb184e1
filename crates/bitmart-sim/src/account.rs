//! Accounts: their wallets, positions, orders and client order ids.

pub(crate) mod wallet_kind;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::wallet_kind::WalletKind;

use super::{
    AccountId, Exchange, OrderId,
    exchange::account_entry,
    futures_order::MarginType,
    ledger::{BalanceId, Ledger, Wallet, WalletId},
    position::{Position, PositionSide},
    reject::Reject,
    spot_order::NewSpotOrder,
};

// Rule: The last 10,000 finished orders of an account are kept per market. Source: simplified (memory)
/// How many finished orders of an account are kept per market, unless the setup names another number.
pub const DEFAULT_HISTORY_LIMIT: usize = 10_000;

// Rule: An account may have 5,000 open orders on each of spot and futures. Source: invented (no source states a number)
/// Largest number of open orders of an account, on each of spot and futures.
pub(crate) const MAX_OPEN_ORDERS: usize = 5_000;

/// The orders of an account in one market: every open one, and the latest finished ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OrderHistory {
    open: BTreeSet<OrderId>,
    /// In the order in which they were finished.
    finished: VecDeque<OrderId>,
    /// Client order ids of open and kept orders.
    #[serde(alias = "client_ids")]
    client_order_ids: HashMap<SmolStr, OrderId>,
}

impl OrderHistory {
    /// Adds a new order, which is open.
    pub(crate) fn add(&mut self, id: OrderId, client_order_id: Option<&SmolStr>) {
        self.open.insert(id);
        if let Some(client_order_id) = client_order_id {
            self.client_order_ids.insert(client_order_id.clone(), id);
        }
    }

    /// Marks an order as finished. Returns the oldest finished one when more than `history_limit` are kept: the
    /// caller removes it.
    #[must_use]
    pub(crate) fn finish(&mut self, id: OrderId, history_limit: usize) -> Option<OrderId> {
        if self.open.remove(&id) {
            self.finished.push_back(id);
        }
        if self.finished.len() > history_limit { self.finished.pop_front() } else { None }
    }

    /// Checks that another order may be open, if the order can rest in the book.
    pub(crate) fn check_open(&self, rests: bool) -> Result<(), Reject> {
        let is_full = rests && self.open.len() >= MAX_OPEN_ORDERS;
        if is_full { Err(Reject::TooManyOpenOrders { maximum: MAX_OPEN_ORDERS }) } else { Ok(()) }
    }

    /// Makes the client order id of a removed order usable again.
    pub(crate) fn forget_client_order_id(&mut self, client_order_id: Option<&SmolStr>) {
        if let Some(client_order_id) = client_order_id {
            self.client_order_ids.remove(client_order_id);
        }
    }

    /// Returns the orders that can still be filled, oldest first.
    pub fn open(&self) -> &BTreeSet<OrderId> {
        &self.open
    }

    /// Returns the order with this client order id, open or kept.
    pub fn by_client_order_id(&self, client_order_id: &str) -> Option<OrderId> {
        self.client_order_ids.get(client_order_id).copied()
    }

    /// Returns all open and kept orders, oldest first.
    pub fn all(&self) -> Vec<OrderId> {
        let mut ids: Vec<_> = self.open.iter().chain(&self.finished).copied().collect();
        ids.sort_unstable();
        ids
    }
}

/// The account of a customer, or one of the two accounts of the exchange that make the market.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Number of the account; it is also its key in [`Exchange::account`].
    pub id: AccountId,
    /// Belongs to the exchange: it pays no fees, has no margin limit, and its finished orders are not kept.
    pub house: bool,
    /// The main account, when this is a sub-account.
    pub main: Option<AccountId>,
    /// Wallets of [`WalletKind::Spot`], by currency.
    pub spot: BTreeMap<SmolStr, WalletId>,
    /// Wallets of [`WalletKind::Funding`], by currency.
    #[serde(rename = "fund")]
    pub funding: BTreeMap<SmolStr, WalletId>,
    /// Wallets of [`WalletKind::Futures`], by currency.
    pub futures: BTreeMap<SmolStr, WalletId>,
    /// Money in savings, by currency.
    pub(crate) savings: BTreeMap<SmolStr, BalanceId>,
    /// The wallet that deposits are credited to.
    #[serde(default, with = "wallet_kind::stored")]
    pub deposit_to: WalletKind,
    /// Isolated margin, by pair and currency.
    #[serde(with = "super::rows")]
    pub margin: BTreeMap<(SmolStr, SmolStr), WalletId>,
    /// Loans that are not paid back.
    pub open_loans: BTreeSet<u64>,
    /// By contract and side.
    #[serde(with = "super::rows")]
    pub positions: BTreeMap<(SmolStr, PositionSide), Position>,
    /// One-way mode: one net position per contract, instead of a long and a short one (hedge mode).
    pub one_way: bool,
    /// The leverage that was set, by contract and margin type.
    #[serde(with = "super::rows")]
    pub leverages: BTreeMap<(SmolStr, MarginType), u32>,
    /// Orders of all spot pairs, also those paid from margin accounts.
    pub spot_orders: OrderHistory,
    /// Orders of all contracts, without trigger orders.
    pub futures_orders: OrderHistory,
}

impl Account {
    pub(crate) fn new(id: AccountId, house: bool) -> Self {
        Self {
            id,
            house,
            main: None,
            spot: BTreeMap::new(),
            funding: BTreeMap::new(),
            futures: BTreeMap::new(),
            savings: BTreeMap::new(),
            deposit_to: WalletKind::default(),
            margin: BTreeMap::new(),
            open_loans: BTreeSet::new(),
            positions: BTreeMap::new(),
            one_way: false,
            leverages: BTreeMap::new(),
            spot_orders: OrderHistory::default(),
            futures_orders: OrderHistory::default(),
        }
    }

    /// Returns the long or the short position in a contract.
    pub fn position(&self, symbol: &SmolStr, side: PositionSide) -> Option<&Position> {
        self.positions.get(&(symbol.clone(), side))
    }

    /// Returns the long or the short position in a contract, which is created empty when missing.
    pub(crate) fn position_mut(&mut self, symbol: &SmolStr, side: PositionSide) -> &mut Position {
        self.positions.entry((symbol.clone(), side)).or_default()
    }

    /// Returns the open positions with contract and side.
    pub fn open_positions(&self) -> impl Iterator<Item = (&SmolStr, PositionSide, &Position)> {
        let open = self.positions.iter().filter(|(_, position)| position.is_open());
        open.map(|((symbol, side), position)| (symbol, *side, position))
    }

    /// Returns the margin wallet of a pair and currency, which is created when missing.
    pub(crate) fn margin(
        &mut self,
        ledger: &mut Ledger,
        symbol: &SmolStr,
        currency: &SmolStr,
    ) -> WalletId {
        let key = (symbol.clone(), currency.clone());
        *self.margin.entry(key).or_insert_with(|| {
            let wallet = ledger.open_wallet(currency);
            ledger.watch(wallet, (self.id, symbol.clone()));
            wallet
        })
    }

    /// Returns the wallet that a spot order pays from or is paid into; it is created when missing.
    pub(crate) fn ensure_order_wallet(
        &mut self,
        ledger: &mut Ledger,
        order: &NewSpotOrder,
        currency: &SmolStr,
    ) -> WalletId {
        if order.margin {
            self.margin(ledger, &order.symbol, currency)
        } else {
            self.ensure_wallet(ledger, WalletKind::Spot, currency)
        }
    }

    /// Returns the wallet that an order of the spot market pays from, or `None` when there is none yet.
    pub(crate) fn paying_wallet(
        &self,
        order: &NewSpotOrder,
        currency: &SmolStr,
    ) -> Option<WalletId> {
        let wallet = if order.margin {
            self.margin.get(&(order.symbol.clone(), currency.clone()))
        } else {
            self.spot.get(currency)
        };
        wallet.copied()
    }

    /// Returns the wallets of a kind, by currency.
    pub fn wallet_ids(&self, kind: WalletKind) -> &BTreeMap<SmolStr, WalletId> {
        match kind {
            WalletKind::Spot => &self.spot,
            WalletKind::Funding => &self.funding,
            WalletKind::Futures => &self.futures,
        }
    }

    /// Returns the wallet of a kind and currency, which is created when missing.
    pub(crate) fn ensure_wallet(
        &mut self,
        ledger: &mut Ledger,
        kind: WalletKind,
        currency: &SmolStr,
    ) -> WalletId {
        let wallets = match kind {
            WalletKind::Spot => &mut self.spot,
            WalletKind::Funding => &mut self.funding,
            WalletKind::Futures => &mut self.futures,
        };
        if let Some(wallet) = wallets.get(currency) {
            return *wallet;
        }
        *wallets.entry(currency.clone()).or_insert_with(|| ledger.open_wallet(currency))
    }
}

impl Exchange {
    /// Returns the balance of a wallet; zero when the account has no such wallet.
    pub fn wallet(&self, account: AccountId, kind: WalletKind, currency: &str) -> Wallet {
        let owner = self.accounts.get(&account);
        let wallet = owner.and_then(|owner| owner.wallet_ids(kind).get(currency));
        wallet.map(|wallet| self.ledger.wallet(*wallet)).unwrap_or_default()
    }

    /// Returns the balances of all wallets of a kind, by currency.
    pub fn wallets(
        &self,
        account: AccountId,
        kind: WalletKind,
    ) -> impl Iterator<Item = (&SmolStr, Wallet)> {
        let owner = self.accounts.get(&account);
        let wallets = owner.into_iter().flat_map(move |owner| owner.wallet_ids(kind));
        wallets.map(|(currency, wallet)| (currency, self.ledger.wallet(*wallet)))
    }

    /// Returns the balance of the margin wallet of a pair and currency; zero without one.
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

    /// Returns the size of a long or short position in contracts; zero without one.
    pub(crate) fn position_size(
        &self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
    ) -> Decimal {
        let owner = self.accounts.get(&account);
        let position = owner.and_then(|owner| owner.position(symbol, side));
        position.map_or(Decimal::ZERO, |position| position.size)
    }

    /// Returns the wallet of a kind and currency, which is created when missing.
    pub(crate) fn ensure_wallet(
        &mut self,
        account: AccountId,
        kind: WalletKind,
        currency: &SmolStr,
    ) -> WalletId {
        account_entry(&mut self.accounts, account).ensure_wallet(&mut self.ledger, kind, currency)
    }

    /// Returns the margin wallet of a pair and currency, which is created when missing.
    pub(crate) fn ensure_margin_wallet(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        currency: &SmolStr,
    ) -> WalletId {
        account_entry(&mut self.accounts, account).margin(&mut self.ledger, symbol, currency)
    }

    /// Returns the balance of the savings in a currency, which is created when missing.
    pub(crate) fn ensure_savings(&mut self, account: AccountId, currency: &SmolStr) -> BalanceId {
        let savings = &mut account_entry(&mut self.accounts, account).savings;
        *savings.entry(currency.clone()).or_insert_with(|| self.ledger.open_balance(currency))
    }
}
