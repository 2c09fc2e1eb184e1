//! The account's own spot balances.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, open_enum, wire};
use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, Event, decode_entries, told};

/// An entry of `spot/user/balance:BALANCE_UPDATE`: balances of the account after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotBalanceUpdate {
    /// Why they changed.
    #[serde(rename = "event_type", default, with = "wire::opt")]
    pub reason: Option<BalanceReason>,
    /// The account behind the change. Named by a third party only; its events are from March 2026
    /// on.
    #[serde(default, with = "wire::text_opt")]
    pub account_type: Option<BalanceAccount>,
    /// When they changed.
    #[serde(default, with = "wire::millis_text_opt")]
    pub event_time: Option<Timestamp>,
    /// The currencies that changed. One that cannot be read is among the
    /// [`faults`](Rows::faults): what changed there must be asked for over REST.
    #[serde(rename = "balance_details")]
    pub balances: Rows<SpotBalance>,
}

/// The balance of one currency after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpotBalance {
    /// The currency.
    #[serde(rename = "ccy", deserialize_with = "told")]
    pub currency: Currency,
    /// Free to use, in the currency.
    #[serde(rename = "av_bal", default, with = "wire::decimal_opt")]
    pub available: Option<Decimal>,
    /// Bound, by open orders for one, in the currency.
    #[serde(rename = "fz_bal", default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
}

impl Event for SpotBalanceUpdate {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        decode_entries(text, out)
    }

    /// Balances are about currencies, not about a pair.
    fn symbol(&self) -> Option<&str> {
        None
    }
}

open_enum! {
    /// Why spot balances changed. The published sample ends in two blanks.
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
    /// The account behind a change of spot balances, as a third party's types name it.
    pub enum BalanceAccount {
        /// By its name an account at BitMart.
        BitMart = "BITMART",
        /// By its name an account at Copper.
        Copper = "COPPER",
        /// By its name an account at Cobo.
        Cobo = "COBO",
    }
}
