//! Sub-accounts on spot: their balances, and transfers from and to them.
//!
//! These endpoints are available to institutional accounts only.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, WalletType, codec};
use serde::{Deserialize, Serialize};

mod enums;
mod generated;
mod transfer;

pub use enums::{MoveType, Status};
pub use generated::*;
pub use transfer::{TransferMainToSub, TransferOwnToMain, TransferSubToMain, TransferSubToSub};

/// The endpoints of sub-accounts on spot: `client.sub_accounts()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct SubAccounts<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Sub-accounts on spot: their balances, and transfers from and to them.
    pub fn sub_accounts(&self) -> SubAccounts<'_> {
        SubAccounts { client: self }
    }
}

/// Sub-accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accounts {
    /// One row per sub-account.
    #[serde(rename = "subAccountList")]
    pub accounts: Rows<Account>,
}

impl Accounts {
    /// The row of one sub-account; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|row| row.name.as_str() == name)
    }
}

/// A sub-account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Its user name, often an e-mail address.
    #[serde(rename = "accountName", with = "codec::text")]
    pub name: String,
    /// State.
    #[serde(default, with = "codec::opt")]
    pub status: Option<Status>,
}

/// Spot balances of a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wallet {
    /// One row per currency with a balance.
    #[serde(rename = "wallet")]
    pub balances: Rows<Balance>,
}

impl Wallet {
    /// The balance of one currency; `None` if the exchange does not list it, which means zero while
    /// no row is a fault.
    pub fn find(&self, currency: &str) -> Option<&Balance> {
        self.balances.iter().find(|balance| balance.currency.as_str() == currency)
    }
}

/// Spot balance of a sub-account in one currency, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// Currency.
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Free to trade or transfer.
    #[serde(default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held by open orders.
    #[serde(default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
}

/// Transfers from and to sub-accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transfers {
    /// Number of transfers.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
    /// Newest first.
    #[serde(rename = "historyList")]
    pub transfers: Rows<Transfer>,
}

/// A transfer from or to a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transfer {
    /// User name of the account that paid.
    #[serde(default, with = "codec::text_opt")]
    pub from_account: Option<String>,
    /// Wallet that paid.
    #[serde(rename = "fromWalletType", default, with = "codec::opt")]
    pub from_wallet: Option<WalletType>,
    /// User name of the account that received.
    #[serde(default, with = "codec::text_opt")]
    pub to_account: Option<String>,
    /// Wallet that received.
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
