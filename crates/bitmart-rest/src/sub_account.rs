//! Sub-accounts on spot: their balances, and transfers from and to them.
//!
//! The exchange opens these calls to institutional accounts only.

use bitmart_types::{Currency, Decimal, SubAccountStatus, Timestamp, WalletType, wire};
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
    #[serde(deserialize_with = "wire::list")]
    pub accounts: Vec<SubAccount>,
}

/// A sub-account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccount {
    /// Its user name, often an e-mail address.
    #[serde(rename = "accountName", with = "wire::text")]
    pub name: String,
    /// State.
    pub status: SubAccountStatus,
}

/// Spot balances of a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountWallet {
    /// One row per currency with a balance.
    #[serde(deserialize_with = "wire::list")]
    pub wallet: Vec<SubAccountBalance>,
}

impl SubAccountWallet {
    /// The balance of one currency; `None` where the exchange does not list it, which means zero.
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
    /// Its name in words.
    #[serde(with = "wire::text")]
    pub name: String,
    /// Free to trade or transfer.
    #[serde(with = "wire::decimal")]
    pub available: Decimal,
    /// Held by open orders.
    #[serde(with = "wire::decimal")]
    pub frozen: Decimal,
}

/// Transfers from and to sub-accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAccountTransfers {
    /// Number of transfers.
    #[serde(with = "wire::number")]
    pub total: u64,
    /// Newest first.
    #[serde(rename = "historyList")]
    #[serde(deserialize_with = "wire::list")]
    pub transfers: Vec<SubAccountTransfer>,
}

/// A transfer from or to a sub-account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubAccountTransfer {
    /// User name of the account that paid.
    #[serde(with = "wire::text")]
    pub from_account: String,
    /// Wallet that paid.
    #[serde(rename = "fromWalletType")]
    pub from_wallet: WalletType,
    /// User name of the account that received.
    #[serde(with = "wire::text")]
    pub to_account: String,
    /// Wallet that received.
    #[serde(rename = "toWalletType")]
    pub to_wallet: WalletType,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// When it was requested; whole seconds.
    #[serde(rename = "submissionTime", with = "wire::seconds")]
    pub time: Timestamp,
}
