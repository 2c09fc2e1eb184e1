//! The configuration of the exchange engine: markets, accounts and their balances.

use bitmart_sim::{
    AccountId,
    setup::{NewAccount, NewAccounts, Setup, StartingBalances},
};

use super::Config;
use crate::keys::ApiKey;

/// Combined with the seed for the default key of the sub-account.
const SUB_ACCOUNT_KEY: u64 = 0x0073_7562;

impl Config {
    /// Initial balances of a main account.
    pub(crate) fn funds(&self) -> StartingBalances {
        StartingBalances { spot: self.spot_funds.clone(), futures: self.futures_funds.clone() }
    }

    /// The configuration of the exchange engine.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            seed: self.seed,
            market_maker: self.market_maker,
            pairs: self.pairs.clone(),
            contracts: self.contracts.clone(),
            history_limit: self.history_limit,
            accounts: self.customers(),
        }
    }

    /// The accounts of the configured keys.
    pub(crate) fn customers(&self) -> NewAccounts {
        let account =
            |key: ApiKey| NewAccount { id: AccountId(key.account), main: key.main.map(AccountId) };
        let accounts = self.keys_or_default().into_iter().map(account).collect();
        NewAccounts { accounts, funds: self.funds() }
    }

    /// The configured keys, or the two derived from the seed: of account 1 and of its sub-account 2.
    pub(crate) fn keys_or_default(&self) -> Vec<ApiKey> {
        if self.keys.is_empty() {
            let sub = ApiKey::from_seed(self.seed ^ SUB_ACCOUNT_KEY).sub_account(2, 1);
            vec![ApiKey::from_seed(self.seed), sub]
        } else {
            self.keys.clone()
        }
    }
}
