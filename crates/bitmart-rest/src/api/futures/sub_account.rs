//! Futures accounts of sub-accounts.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, WalletType, wire};
use serde::{Deserialize, Serialize};

mod generated;

pub use generated::*;

/// The endpoints of futures sub-accounts: `client.futures_sub_accounts()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct FuturesSubAccounts<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Futures accounts of sub-accounts.
    pub fn futures_sub_accounts(&self) -> FuturesSubAccounts<'_> {
        FuturesSubAccounts { client: self }
    }
}

/// Futures balances of a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesSubWallet {
    /// One row per currency with a balance above zero.
    pub wallet: Rows<FuturesSubBalance>,
}

/// Futures balance of a sub-account in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesSubBalance {
    /// Currency.
    pub currency: Currency,
    /// Its name in words. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub name: Option<String>,
    /// Free, in the currency.
    #[serde(with = "wire::decimal")]
    pub available: Decimal,
    /// Held by orders and positions, in the currency. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
}

/// A transfer between futures accounts of a main account and its sub-accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FuturesSubTransfer {
    /// User name of the account that paid. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub from_account: Option<String>,
    /// Kind of that account. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub from_wallet_type: Option<WalletType>,
    /// User name of the account that received. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub to_account: Option<String>,
    /// Kind of that account. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub to_wallet_type: Option<WalletType>,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// When it was asked for; whole seconds. `None`: not told.
    #[serde(default, with = "wire::seconds_opt")]
    pub submission_time: Option<Timestamp>,
}
