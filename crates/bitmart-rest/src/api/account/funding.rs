//! Deposit and withdrawal records, addresses and quotas.

use std::fmt;

use bitmart_types::{Currency, Decimal, DepositId, Rows, Timestamp, WithdrawalId, codec};
use serde::{Deserialize, Serialize};

use crate::api::account::{FundingOperation, FundingStatus, WithdrawAddressType};

/// Deposits or withdrawals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingHistory {
    /// Newest first.
    pub records: Rows<FundingRecord>,
}

impl FundingHistory {
    /// The row of one deposit or withdrawal, by its id; `None` if the exchange does not list it, or its
    /// row is a fault.
    pub fn find(&self, id: &str) -> Option<&FundingRecord> {
        self.records.iter().find(|row| {
            row.withdraw_id.as_ref().is_some_and(|withdrawal| withdrawal.as_str() == id)
                || row.deposit_id.as_ref().is_some_and(|deposit| deposit.as_str() == id)
        })
    }
}

/// A deposit or a withdrawal. `Debug` does not show the address.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRecord {
    /// The exchange's id of a withdrawal; `None` for a deposit.
    #[serde(default, with = "codec::text_opt")]
    pub withdraw_id: Option<WithdrawalId>,
    /// The exchange's id of a deposit; `None` for a withdrawal.
    #[serde(default, with = "codec::text_opt")]
    pub deposit_id: Option<DepositId>,
    /// Deposit or withdrawal.
    #[serde(rename = "operation_type", default, with = "codec::opt")]
    pub operation: Option<FundingOperation>,
    /// Currency, with its network where there are several.
    pub currency: Currency,
    /// When it was requested.
    #[serde(default, with = "codec::millis_opt")]
    pub apply_time: Option<Timestamp>,
    /// Net amount that arrives, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub arrival_amount: Option<Decimal>,
    /// Fee, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// State.
    #[serde(default, with = "codec::opt")]
    pub status: Option<FundingStatus>,
    /// Address of the receiver.
    #[serde(default, with = "codec::text_opt")]
    pub address: Option<String>,
    /// Tag, payment id or memo of the address.
    #[serde(default, with = "codec::text_opt")]
    pub address_memo: Option<String>,
    /// Id of the transaction on the chain; `None` until there is one.
    #[serde(default, with = "codec::text_opt")]
    pub tx_id: Option<String>,
}

impl fmt::Debug for FundingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FundingRecord")
            .field("withdraw_id", &self.withdraw_id)
            .field("deposit_id", &self.deposit_id)
            .field("operation", &self.operation)
            .field("currency", &self.currency)
            .field("apply_time", &self.apply_time)
            .field("arrival_amount", &self.arrival_amount)
            .field("fee", &self.fee)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One deposit or withdrawal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingDetail {
    /// The deposit or withdrawal.
    #[serde(default, with = "codec::object_opt")]
    pub record: Option<FundingRecord>,
}

/// Where to deposit a currency. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepositAddress {
    /// Currency, with its network where there are several.
    #[serde(default, with = "codec::opt")]
    pub currency: Option<Currency>,
    /// Network.
    #[serde(default, with = "codec::text_opt")]
    pub chain: Option<String>,
    /// Address.
    #[serde(with = "codec::text")]
    pub address: String,
    /// Tag, payment id or memo that must be given with the address; `None` if it needs none.
    #[serde(default, with = "codec::text_opt")]
    pub address_memo: Option<String>,
}

impl fmt::Debug for DepositAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DepositAddress")
            .field("currency", &self.currency)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

/// Withdrawal limits of a currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawQuota {
    /// Amount that the account may still withdraw today, over all currencies, in BTC.
    #[serde(rename = "today_available_withdraw_BTC", default, with = "codec::decimal_opt")]
    pub today_available_btc: Option<Decimal>,
    /// Smallest withdrawal, in the currency.
    #[serde(rename = "min_withdraw", default, with = "codec::decimal_opt")]
    pub min_size: Option<Decimal>,
    /// Maximum number of decimal places of an amount.
    #[serde(rename = "withdraw_precision", default, with = "codec::number_opt")]
    pub decimals: Option<u32>,
    /// Fee, in the currency.
    #[serde(rename = "withdraw_fee", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// An amount must be a multiple of this; `None` without such a rule.
    #[serde(rename = "withdraw_Precision_GeTen", default, with = "codec::number_opt")]
    pub multiple_of: Option<u64>,
}

/// Saved withdrawal addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawAddresses {
    /// One row per address and currency.
    #[serde(rename = "list")]
    pub addresses: Rows<WithdrawAddress>,
}

impl WithdrawAddresses {
    /// The row of one address; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, address: &str) -> Option<&WithdrawAddress> {
        self.addresses.iter().find(|row| row.address == address)
    }
}

/// A saved withdrawal address. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawAddress {
    /// Currency; only a standard address has one.
    #[serde(default, with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Network; only a standard or a universal address has one.
    #[serde(default, with = "codec::text_opt")]
    pub network: Option<String>,
    /// Address.
    #[serde(with = "codec::text")]
    pub address: String,
    /// Tag, payment id or memo of the address.
    #[serde(default, with = "codec::text_opt")]
    pub memo: Option<String>,
    /// The user's remark.
    #[serde(default, with = "codec::text_opt")]
    pub remark: Option<String>,
    /// Where it may be used.
    #[serde(rename = "addressType", default, with = "codec::opt")]
    pub address_type: Option<WithdrawAddressType>,
    /// Whether it has been verified: the API withdraws to verified addresses only.
    #[serde(rename = "verifyStatus", default, with = "codec::flag_opt")]
    pub is_verified: Option<bool>,
}

impl fmt::Debug for WithdrawAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithdrawAddress")
            .field("currency", &self.currency)
            .field("network", &self.network)
            .field("address_type", &self.address_type)
            .field("is_verified", &self.is_verified)
            .finish_non_exhaustive()
    }
}
