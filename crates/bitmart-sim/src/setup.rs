//! The setup of a new exchange.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId,
    account::DEFAULT_HISTORY_LIMIT,
    markets::{Contract, SpotPair, listed},
};

/// The setup of an exchange. The same setup, commands and times give the same ledger.
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
    /// Whether there are simulated market makers and takers.
    pub market_maker: bool,
    /// Spot pairs.
    pub pairs: Vec<SpotPair>,
    /// Perpetual contracts.
    pub contracts: Vec<Contract>,
    /// How many finished orders of an account are kept per market.
    pub history_limit: usize,
    /// The first accounts.
    pub accounts: NewAccounts,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// Creates a setup with seed 1, 20 spot pairs, 10 contracts, market makers, and no accounts. New accounts hold
    /// 100,000 USDT in the spot wallet and in the futures wallet, and some of each other currency.
    pub fn new() -> Self {
        Self {
            seed: 1,
            market_maker: true,
            pairs: listed::pairs(),
            contracts: listed::contracts(),
            history_limit: DEFAULT_HISTORY_LIMIT,
            accounts: NewAccounts { accounts: Vec::new(), funds: StartingBalances::default() },
        }
    }

    /// Sets the seed of the order-flow model.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Removes the simulated market makers and takers.
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
        self.accounts.accounts.push(NewAccount { id, main: None });
        self
    }

    /// Adds a sub-account, which starts without money.
    #[must_use]
    pub fn sub_account(mut self, id: AccountId, main: AccountId) -> Self {
        self.accounts.accounts.push(NewAccount { id, main: Some(main) });
        self
    }

    /// Sets the starting balance of a currency in the spot wallet of each main account.
    #[must_use]
    pub fn spot_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set(&mut self.accounts.funds.spot, currency, amount);
        self
    }

    /// Sets the starting balance of a currency in the futures wallet of each main account.
    #[must_use]
    pub fn futures_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set(&mut self.accounts.funds.futures, currency, amount);
        self
    }
}

fn set(funds: &mut Vec<(String, Decimal)>, currency: &str, amount: Decimal) {
    match funds.iter_mut().find(|row| row.0 == currency) {
        Some(row) => row.1 = amount,
        None => funds.push((currency.to_owned(), amount)),
    }
}

/// Accounts to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccounts {
    /// The accounts.
    pub accounts: Vec<NewAccount>,
    /// Starting balances of each main account.
    pub funds: StartingBalances,
}

/// A new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Number of the account.
    pub id: AccountId,
    /// The main account of a sub-account; `None` for a main account.
    pub main: Option<AccountId>,
}

/// Starting balances of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartingBalances {
    /// Currencies and amounts in the spot wallet.
    pub spot: Vec<(String, Decimal)>,
    /// Currencies and amounts in the futures wallet.
    pub futures: Vec<(String, Decimal)>,
}

impl Default for StartingBalances {
    fn default() -> Self {
        Self {
            spot: listed::spot_funds(),
            futures: vec![("USDT".to_owned(), Decimal::from(100_000))],
        }
    }
}
