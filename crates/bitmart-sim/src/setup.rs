//! What an exchange starts with.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId,
    account::HISTORY,
    markets::{Contract, SpotPair, listed},
};

/// All that decides how an exchange begins: the same setup, commands and times give the same ledger.
///
/// ```
/// use bitmart_sim::{AccountId, Decimal, Exchange, Setup};
///
/// let setup = Setup::new().seed(7).account(AccountId(1)).spot_balance("USDT", Decimal::from(500));
/// let exchange = Exchange::new(&setup, 1_700_000_000_000);
/// assert!(exchange.account(AccountId(1)).is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Seed of the order-flow model.
    pub seed: u64,
    /// Whether simulated makers and takers make the market.
    pub market_maker: bool,
    /// Spot pairs.
    pub pairs: Vec<SpotPair>,
    /// Perpetual contracts.
    pub contracts: Vec<Contract>,
    /// Finished orders that each account remembers in one market.
    pub remembered: usize,
    /// Accounts that there are from the beginning.
    pub customers: Customers,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// Seed 1, 20 spot pairs, 10 contracts with a market maker, and no account yet. Accounts will hold
    /// 100,000 USDT in the spot and in the futures wallet, and some of each coin.
    pub fn new() -> Self {
        Self {
            seed: 1,
            market_maker: true,
            pairs: listed::pairs(),
            contracts: listed::contracts(),
            remembered: HISTORY,
            customers: Customers { accounts: Vec::new(), funds: Funds::default() },
        }
    }

    /// Sets the seed of the order-flow model.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Leaves the books to the customers: there is no market maker.
    #[must_use]
    pub fn without_market_maker(mut self) -> Self {
        self.market_maker = false;
        self
    }

    /// Replaces the spot pairs.
    #[must_use]
    pub fn pairs(mut self, pairs: impl IntoIterator<Item = SpotPair>) -> Self {
        self.pairs = pairs.into_iter().collect();
        self
    }

    /// Replaces the contracts.
    #[must_use]
    pub fn contracts(mut self, contracts: impl IntoIterator<Item = Contract>) -> Self {
        self.contracts = contracts.into_iter().collect();
        self
    }

    /// Adds a main account.
    #[must_use]
    pub fn account(mut self, id: AccountId) -> Self {
        self.customers.accounts.push(NewAccount { id, main: None });
        self
    }

    /// Adds a sub-account, which starts without money.
    #[must_use]
    pub fn sub_account(mut self, id: AccountId, main: AccountId) -> Self {
        self.customers.accounts.push(NewAccount { id, main: Some(main) });
        self
    }

    /// Sets what the spot wallet of each main account holds of a currency.
    #[must_use]
    pub fn spot_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set(&mut self.customers.funds.spot, currency, amount);
        self
    }

    /// Sets what the futures wallet of each main account holds of a currency.
    #[must_use]
    pub fn futures_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set(&mut self.customers.funds.futures, currency, amount);
        self
    }
}

fn set(funds: &mut Vec<(String, Decimal)>, currency: &str, amount: Decimal) {
    match funds.iter_mut().find(|row| row.0 == currency) {
        Some(row) => row.1 = amount,
        None => funds.push((currency.to_owned(), amount)),
    }
}

/// Accounts that there are from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customers {
    /// The accounts.
    pub accounts: Vec<NewAccount>,
    /// What each main account starts with.
    pub funds: Funds,
}

/// An account, and whose sub-account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its number.
    pub id: AccountId,
    /// The main account, when it is a sub-account.
    pub main: Option<AccountId>,
}

/// What a new account starts with, by currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funds {
    /// In the spot wallet.
    pub spot: Vec<(String, Decimal)>,
    /// In the futures wallet.
    pub futures: Vec<(String, Decimal)>,
}

impl Default for Funds {
    fn default() -> Self {
        Self {
            spot: listed::spot_funds(),
            futures: vec![("USDT".to_owned(), Decimal::from(100_000))],
        }
    }
}
