//! Sub-accounts on spot: their balances, and transfers from and to them.
//!
//! The exchange opens these calls to institutional accounts only.

use bitmart_types::{Currency, Decimal, Rows, SubAccountStatus, Timestamp, WalletType, wire};
use serde::{Deserialize, Serialize};

mod generated;
mod transfer;

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
pub struct SubAccountList {
    /// One row per sub-account.
    #[serde(rename = "subAccountList")]
    pub accounts: Rows<SubAccount>,
}

/// A sub-account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccount {
    /// Its user name, often an e-mail address.
    #[serde(rename = "accountName", with = "wire::text")]
    pub name: String,
    /// State. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub status: Option<SubAccountStatus>,
}

/// Spot balances of a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountWallet {
    /// One row per currency with a balance.
    pub wallet: Rows<SubAccountBalance>,
}

impl SubAccountWallet {
    /// The balance of one currency; `None` where the exchange does not list it, which means zero
    /// while no row is a fault.
    pub fn balance(&self, currency: &str) -> Option<&SubAccountBalance> {
        self.wallet.iter().find(|balance| balance.currency.as_str() == currency)
    }
}

/// Spot balance of a sub-account in one currency, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountBalance {
    /// Currency.
    pub currency: Currency,
    /// Its name in words. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub name: Option<String>,
    /// Free to trade or transfer.
    #[serde(with = "wire::decimal")]
    pub available: Decimal,
    /// Held by open orders. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
}

/// Transfers from and to sub-accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountTransfers {
    /// Number of transfers. `None`: not told.
    #[serde(default, with = "wire::number_opt")]
    pub total: Option<u64>,
    /// Newest first.
    #[serde(rename = "historyList")]
    pub transfers: Rows<SubAccountTransfer>,
}

/// A transfer from or to a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubAccountTransfer {
    /// User name of the account that paid. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub from_account: Option<String>,
    /// Wallet that paid. `None`: not told.
    #[serde(rename = "fromWalletType", default, with = "wire::opt")]
    pub from_wallet: Option<WalletType>,
    /// User name of the account that received. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub to_account: Option<String>,
    /// Wallet that received. `None`: not told.
    #[serde(rename = "toWalletType", default, with = "wire::opt")]
    pub to_wallet: Option<WalletType>,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// When it was requested; whole seconds. `None`: not told.
    #[serde(rename = "submissionTime", default, with = "wire::seconds_opt")]
    pub time: Option<Timestamp>,
}
