//! Deposits and withdrawals: what happened, and where money may go.

use std::fmt;

use bitmart_types::{
    Currency, Decimal, DepositId, FundingOperation, FundingStatus, Timestamp, WithdrawAddressType,
    WithdrawalId, wire,
};
use serde::{Deserialize, Serialize};

/// Deposits or withdrawals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingHistory {
    /// Newest first.
    #[serde(deserialize_with = "wire::list")]
    pub records: Vec<FundingRecord>,
}

/// A deposit or a withdrawal. `Debug` does not show the address.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRecord {
    /// The exchange's id of a withdrawal; `None` for a deposit.
    #[serde(with = "wire::text_opt", default)]
    pub withdraw_id: Option<WithdrawalId>,
    /// The exchange's id of a deposit; `None` for a withdrawal.
    #[serde(with = "wire::text_opt", default)]
    pub deposit_id: Option<DepositId>,
    /// Deposit or withdrawal.
    #[serde(rename = "operation_type")]
    pub operation: FundingOperation,
    /// Currency, with its network where there are several.
    pub currency: Currency,
    /// When it was requested.
    #[serde(with = "wire::millis")]
    pub apply_time: Timestamp,
    /// Net amount that arrives, in the currency.
    #[serde(with = "wire::decimal")]
    pub arrival_amount: Decimal,
    /// Fee, in the currency.
    #[serde(with = "wire::decimal")]
    pub fee: Decimal,
    /// How far it is.
    pub status: FundingStatus,
    /// Address that the money goes to or came to.
    #[serde(with = "wire::text_opt", default)]
    pub address: Option<String>,
    /// Tag, payment id or memo of the address.
    #[serde(with = "wire::text_opt", default)]
    pub address_memo: Option<String>,
    /// Transaction on the chain; `None` until it is there.
    #[serde(with = "wire::text_opt", default)]
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
    /// The deposit or withdrawal; `None` where the exchange does not say.
    pub record: Option<FundingRecord>,
}

/// Where to deposit a currency. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepositAddress {
    /// Currency, with its network where there are several.
    pub currency: Currency,
    /// Network.
    #[serde(with = "wire::text")]
    pub chain: String,
    /// Address.
    #[serde(with = "wire::text")]
    pub address: String,
    /// Tag, payment id or memo that must be given with the address; `None` where it needs none.
    #[serde(with = "wire::text_opt", default)]
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

/// What may be withdrawn of a currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawQuota {
    /// What the account may withdraw today, over all currencies, in BTC.
    #[serde(rename = "today_available_withdraw_BTC", with = "wire::decimal")]
    pub today_available_btc: Decimal,
    /// Smallest withdrawal, in the currency.
    #[serde(rename = "min_withdraw", with = "wire::decimal")]
    pub min_size: Decimal,
    /// Most decimals of an amount.
    #[serde(rename = "withdraw_precision", with = "wire::number")]
    pub decimals: u32,
    /// Fee, in the currency.
    #[serde(rename = "withdraw_fee", with = "wire::decimal")]
    pub fee: Decimal,
    /// An amount must be a multiple of this; `None` where there is no such rule.
    #[serde(rename = "withdraw_Precision_GeTen", with = "wire::number_opt", default)]
    pub multiple_of: Option<u64>,
}

/// Saved withdrawal addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawAddresses {
    /// The addresses.
    #[serde(deserialize_with = "wire::list")]
    pub list: Vec<WithdrawAddress>,
}

/// A saved withdrawal address. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithdrawAddress {
    /// Currency; only a standard address has one.
    #[serde(with = "wire::text_opt", default)]
    pub currency: Option<Currency>,
    /// Network; only a standard or a universal address has one.
    #[serde(with = "wire::text_opt", default)]
    pub network: Option<String>,
    /// Address.
    #[serde(with = "wire::text")]
    pub address: String,
    /// Tag, payment id or memo of the address.
    #[serde(with = "wire::text_opt", default)]
    pub memo: Option<String>,
    /// The user's remark.
    #[serde(with = "wire::text_opt", default)]
    pub remark: Option<String>,
    /// Where it may be used.
    #[serde(rename = "addressType")]
    pub address_type: WithdrawAddressType,
    /// Whether it has been verified: the API withdraws to verified addresses only.
    #[serde(rename = "verifyStatus", with = "wire::flag")]
    pub is_verified: bool,
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
