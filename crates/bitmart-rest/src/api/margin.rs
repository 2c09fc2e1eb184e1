//! Isolated margin: accounts, loans and orders.

use bitmart_types::{
    BorrowId, Currency, Decimal, RepayId, Rows, Symbol, Timestamp, TransferId, codec,
};
use serde::{Deserialize, Serialize};

use crate::api::model;

mod enums;
mod generated;
mod order;

pub use enums::{RiskLevel, TransferDirection};
pub use generated::*;
pub use order::SubmitOrder;

/// The endpoints of isolated margin: `client.margin()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Margin<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Isolated margin: accounts, loans and orders.
    pub fn margin(&self) -> Margin<'_> {
        Margin { client: self }
    }
}

/// Isolated margin accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accounts {
    /// One row per pair.
    #[serde(rename = "symbols")]
    pub accounts: Rows<Account>,
}

impl Accounts {
    /// The row of one pair; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&Account> {
        self.accounts.iter().find(|row| row.symbol.as_str() == symbol)
    }
}

/// The isolated margin account of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Pair.
    pub symbol: Symbol,
    /// Assets over debts, a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub risk_rate: Option<Decimal>,
    /// How close the account is to liquidation.
    #[serde(default, with = "codec::text_opt")]
    pub risk_level: Option<RiskLevel>,
    /// Whether the account may buy the base currency.
    #[serde(default, with = "codec::boolean_opt")]
    pub buy_enabled: Option<bool>,
    /// Whether the account may sell the base currency.
    #[serde(default, with = "codec::boolean_opt")]
    pub sell_enabled: Option<bool>,
    /// Price at which the account is liquidated, in the quote currency; not above zero when there is none.
    #[serde(rename = "liquidate_price", default, with = "codec::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Risk rate at which the account is liquidated, a ratio.
    #[serde(rename = "liquidate_rate", default, with = "codec::decimal_opt")]
    pub liquidation_rate: Option<Decimal>,
    /// Held and owed amounts of the base currency.
    #[serde(default, with = "codec::object_opt")]
    pub base: Option<Balance>,
    /// Held and owed amounts of the quote currency.
    #[serde(default, with = "codec::object_opt")]
    pub quote: Option<Balance>,
}

/// Held and owed amounts of one currency in an isolated margin account, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// Currency.
    #[serde(default, with = "codec::opt")]
    pub currency: Option<Currency>,
    /// Whether it can be borrowed.
    #[serde(default, with = "codec::boolean_opt")]
    pub borrow_enabled: Option<bool>,
    /// Borrowed.
    #[serde(default, with = "codec::decimal_opt")]
    pub borrowed: Option<Decimal>,
    /// Principal still owed.
    #[serde(default, with = "codec::decimal_opt")]
    pub borrow_unpaid: Option<Decimal>,
    /// Interest still owed.
    #[serde(default, with = "codec::decimal_opt")]
    pub interest_unpaid: Option<Decimal>,
    /// Free to trade or transfer.
    #[serde(default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held by open orders.
    #[serde(default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// Total amount minus the owed amount.
    #[serde(default, with = "codec::decimal_opt")]
    pub net_asset: Option<Decimal>,
    /// Net amount, in BTC.
    #[serde(rename = "net_assetBTC", default, with = "codec::decimal_opt")]
    pub net_asset_btc: Option<Decimal>,
    /// Total held amount: available and frozen.
    #[serde(default, with = "codec::decimal_opt")]
    pub total_asset: Option<Decimal>,
}

/// The exchange has executed a transfer into or out of margin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransferReceipt {
    /// The exchange's id of the transfer.
    #[serde(deserialize_with = "model::placed_id")]
    pub transfer_id: TransferId,
}

/// The exchange has granted a loan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowReceipt {
    /// The exchange's id of the loan.
    #[serde(deserialize_with = "model::placed_id")]
    pub borrow_id: BorrowId,
}

/// The exchange has accepted a repayment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayReceipt {
    /// The exchange's id of the repayment.
    #[serde(deserialize_with = "model::placed_id")]
    pub repay_id: RepayId,
}

/// Loans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowRecords {
    /// One row per loan.
    pub records: Rows<BorrowRecord>,
}

impl BorrowRecords {
    /// The row of one loan; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, borrow_id: &str) -> Option<&BorrowRecord> {
        self.records.iter().find(|row| row.borrow_id.as_str() == borrow_id)
    }
}

/// A loan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowRecord {
    /// The exchange's id of the loan.
    pub borrow_id: BorrowId,
    /// Pair of the margin account.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<Symbol>,
    /// Currency.
    pub currency: Currency,
    /// Borrowed amount, in the currency.
    #[serde(with = "codec::decimal")]
    pub borrow_amount: Decimal,
    /// Interest per day, a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub daily_interest: Option<Decimal>,
    /// Interest per hour, a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub hourly_interest: Option<Decimal>,
    /// Interest so far, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub interest_amount: Option<Decimal>,
    /// When it was granted.
    #[serde(default, with = "codec::millis_text_opt")]
    pub create_time: Option<Timestamp>,
}

/// Repayments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecords {
    /// One row per repayment.
    pub records: Rows<RepayRecord>,
}

impl RepayRecords {
    /// The row of one repayment; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, repay_id: &str) -> Option<&RepayRecord> {
        self.records.iter().find(|row| row.repay_id.as_str() == repay_id)
    }
}

/// A repayment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecord {
    /// The exchange's id of the repayment.
    pub repay_id: RepayId,
    /// When it was made.
    #[serde(default, with = "codec::millis_text_opt")]
    pub repay_time: Option<Timestamp>,
    /// Pair of the margin account.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<Symbol>,
    /// Currency.
    pub currency: Currency,
    /// Repaid amount, in the currency.
    #[serde(with = "codec::decimal")]
    pub repaid_amount: Decimal,
    /// Part of it that repaid principal.
    #[serde(default, with = "codec::decimal_opt")]
    pub repaid_principal: Option<Decimal>,
    /// Part of it that repaid interest.
    #[serde(default, with = "codec::decimal_opt")]
    pub repaid_interest: Option<Decimal>,
}

/// Pairs that can be traded on isolated margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pairs {
    /// One row per pair.
    #[serde(rename = "symbols")]
    pub pairs: Rows<Pair>,
}

impl Pairs {
    /// The row of one pair; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&Pair> {
        self.pairs.iter().find(|row| row.symbol.as_str() == symbol)
    }
}

/// Leverage and borrowing terms of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pair {
    /// Pair.
    pub symbol: Symbol,
    /// Highest leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_leverage: Option<Decimal>,
    /// Whether the pair can be traded on margin.
    #[serde(default, with = "codec::boolean_opt")]
    pub symbol_enabled: Option<bool>,
    /// Terms of the base currency.
    #[serde(default, with = "codec::object_opt")]
    pub base: Option<BorrowTerms>,
    /// Terms of the quote currency.
    #[serde(default, with = "codec::object_opt")]
    pub quote: Option<BorrowTerms>,
}

/// Interest and limits of borrowing a currency, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowTerms {
    /// Currency.
    #[serde(default, with = "codec::opt")]
    pub currency: Option<Currency>,
    /// Interest per day, a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub daily_interest: Option<Decimal>,
    /// Interest per hour, a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub hourly_interest: Option<Decimal>,
    /// Maximum total that can be borrowed.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_borrow_amount: Option<Decimal>,
    /// Minimum of one loan.
    #[serde(default, with = "codec::decimal_opt")]
    pub min_borrow_amount: Option<Decimal>,
    /// Amount that can still be borrowed.
    #[serde(default, with = "codec::decimal_opt")]
    pub borrowable_amount: Option<Decimal>,
}
