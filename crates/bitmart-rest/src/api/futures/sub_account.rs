//! Futures accounts of sub-accounts.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, WalletType, codec};
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
pub struct SubAccountWallet {
    /// One row per currency with a balance above zero.
    #[serde(rename = "wallet")]
    pub balances: Rows<SubAccountBalance>,
}

impl SubAccountWallet {
    /// The row of one currency; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, currency: &str) -> Option<&SubAccountBalance> {
        self.balances.iter().find(|row| row.currency.as_str() == currency)
    }
}

/// Futures balance of a sub-account in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountBalance {
    /// Currency.
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Free, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held by orders and positions, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
}

/// A transfer between futures accounts of a main account and its sub-accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubAccountTransfer {
    /// User name of the account that paid.
    #[serde(default, with = "codec::text_opt")]
    pub from_account: Option<String>,
    /// Kind of that account.
    #[serde(rename = "fromWalletType", default, with = "codec::opt")]
    pub from_wallet: Option<WalletType>,
    /// User name of the account that received.
    #[serde(default, with = "codec::text_opt")]
    pub to_account: Option<String>,
    /// Kind of that account.
    #[serde(rename = "toWalletType", default, with = "codec::opt")]
    pub to_wallet: Option<WalletType>,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "codec::decimal")]
    pub amount: Decimal,
    /// When it was requested; whole seconds.
    #[serde(rename = "submissionTime", default, with = "codec::seconds_opt")]
    pub timestamp: Option<Timestamp>,
}
