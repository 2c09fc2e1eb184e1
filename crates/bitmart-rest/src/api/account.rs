//! Balances, deposits, withdrawals and fees of the account.

use bitmart_types::{Currency, Decimal, Rows, WithdrawalId, codec};
use serde::{Deserialize, Serialize};

use crate::api::model;

mod currencies;
mod enums;
mod fees;
mod funding;
mod generated;
mod info;
mod withdraw;

pub use currencies::{FundingCurrencies, FundingCurrency, ListFundingCurrencies};
pub use enums::{
    ApiAccountType, ApiKeyStatus, DepositAccount, FeeRateType, FundingOperation, FundingStatus,
    RecipientType, TransferDirection, WithdrawAddressType, WithdrawSource,
};
pub use fees::{FeeRates, TradeFee};
pub use funding::{
    DepositAddress, FundingDetail, FundingHistory, FundingRecord, WithdrawAddress,
    WithdrawAddresses, WithdrawQuota,
};
pub use generated::*;
pub use info::{AccountInfo, ApiKeyInfo};
pub use withdraw::{Address, Recipient, Withdraw};

/// The account's endpoints: `client.account()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Balances, deposits, withdrawals and fees.
    pub fn account(&self) -> Account<'_> {
        Account { client: self }
    }
}

/// Balances of the spot account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotWallet {
    /// One row per currency that the account holds or held.
    #[serde(rename = "wallet")]
    pub balances: Rows<SpotBalance>,
}

impl SpotWallet {
    /// The balance of one currency; `None` if the exchange does not list it, which means zero while
    /// no row is a fault.
    pub fn find(&self, currency: &str) -> Option<&SpotBalance> {
        self.balances.iter().find(|balance| balance.currency.as_str() == currency)
    }
}

/// Balance of one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotBalance {
    /// Currency.
    #[serde(rename = "id")]
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Free to trade or withdraw, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held by open orders and withdrawals, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// Available and frozen, in the currency. Observed, not documented.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    pub total: Option<Decimal>,
}

/// The exchange has accepted a withdrawal. It is checked and executed later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawReceipt {
    /// The exchange's id of the withdrawal.
    #[serde(alias = "withdrawal_id", deserialize_with = "model::placed_id")]
    pub withdraw_id: WithdrawalId,
}

/// Balances above zero of the account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wallet {
    /// One row per currency.
    #[serde(rename = "wallet")]
    pub balances: Rows<WalletBalance>,
}

impl Wallet {
    /// The row of one currency; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, currency: &str) -> Option<&WalletBalance> {
        self.balances.iter().find(|row| row.currency.as_str() == currency)
    }
}

/// Balance of one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WalletBalance {
    /// Currency.
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Free to trade or withdraw, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Value of the available balance, in USD; only if requested.
    #[serde(default, with = "codec::decimal_opt")]
    pub available_usd_valuation: Option<Decimal>,
    /// Held by open orders and withdrawals, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// Held by open orders or otherwise, in the currency.
    #[serde(rename = "unAvailable", default, with = "codec::decimal_opt")]
    pub unavailable: Option<Decimal>,
    /// Free in the funding account, in the currency; a third party's field.
    #[serde(
        rename = "fundAvailable",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::decimal_opt"
    )]
    pub fund_available: Option<Decimal>,
    /// Held in the funding account, in the currency; a third party's field.
    #[serde(
        rename = "fundFroze",
        alias = "fundFrozen",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::decimal_opt"
    )]
    pub fund_frozen: Option<Decimal>,
}
