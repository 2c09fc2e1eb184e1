//! The account's own spot balances.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, codec, open_enum};
use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, Event, decode_entries, required};

/// Balances of the account after a change.
///
/// Documented as
/// [balance change](https://developer-pro.bitmart.com/en/spot/#private-balance-change).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "spot/user/balance")]
pub struct BalanceUpdate {
    /// Reason of the change.
    #[serde(rename = "event_type", default, with = "codec::opt")]
    pub reason: Option<BalanceReason>,
    /// Account behind the change. Known from a third party only, in events since March 2026.
    #[serde(default, with = "codec::text_opt")]
    pub account_type: Option<BalanceAccount>,
    /// Time of the change.
    #[serde(rename = "event_time", default, with = "codec::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
    /// Balances that changed. One that cannot be decoded is among the [`faults`](Rows::faults): query
    /// it over REST.
    #[serde(rename = "balance_details")]
    pub balances: Rows<Balance>,
}

/// The balance of one currency after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// Currency.
    #[serde(rename = "ccy", deserialize_with = "required")]
    pub currency: Currency,
    /// Free to trade or withdraw, in the currency.
    #[serde(rename = "av_bal", default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held, for example by open orders, in the currency.
    #[serde(rename = "fz_bal", default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
}

impl Event for BalanceUpdate {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    /// Always `None`: one update contains balances of several currencies.
    fn symbol(&self) -> Option<&str> {
        None
    }
}

open_enum! {
    /// Reason of a change of spot balances. The published sample ends in two blanks.
    pub enum BalanceReason {
        /// A trade.
        Trade = "TRANSACTION_COMPLETED",
        /// A deposit.
        Deposit = "ACCOUNT_RECHARGE",
        /// A withdrawal.
        Withdrawal = "ACCOUNT_WITHDRAWAL",
        /// A transfer between accounts.
        Transfer = "ACCOUNT_TRANSFER",
        /// A fee paid in BMX.
        BmxFee = "BMX_DEDUCTION",
    }
}

open_enum! {
    /// Account behind a change of spot balances, as named by a third party's types.
    pub enum BalanceAccount {
        /// Presumably an account at BitMart.
        BitMart = "BITMART",
        /// Presumably an account at Copper.
        Copper = "COPPER",
        /// Presumably an account at Cobo.
        Cobo = "COBO",
    }
}
