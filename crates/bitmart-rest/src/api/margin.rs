//! Isolated margin: accounts, loans and orders.

use bitmart_types::{
    BorrowId, Currency, Decimal, MarginRiskLevel, RepayId, Rows, Symbol, Timestamp, TransferId,
    wire,
};
use serde::{Deserialize, Serialize};

mod generated;
mod order;

pub use generated::*;
pub use order::SubmitMarginOrder;

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
pub struct MarginAccounts {
    /// One row per pair.
    pub symbols: Rows<MarginAccount>,
}

/// The isolated margin account of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginAccount {
    /// Pair.
    pub symbol: Symbol,
    /// Assets over debts, a ratio.
    #[serde(default, with = "wire::decimal_opt")]
    pub risk_rate: Option<Decimal>,
    /// How close it is to liquidation. `None`: not told.
    #[serde(default, with = "wire::text_opt")]
    pub risk_level: Option<MarginRiskLevel>,
    /// Whether it may buy. `None`: not told.
    #[serde(default, with = "wire::boolean_opt")]
    pub buy_enabled: Option<bool>,
    /// Whether it may sell. `None`: not told.
    #[serde(default, with = "wire::boolean_opt")]
    pub sell_enabled: Option<bool>,
    /// Price at which it is liquidated, in the quote currency; not above zero when there is none.
    #[serde(default, with = "wire::decimal_opt")]
    pub liquidate_price: Option<Decimal>,
    /// Risk rate at which it is liquidated, a ratio.
    #[serde(default, with = "wire::decimal_opt")]
    pub liquidate_rate: Option<Decimal>,
    /// What it holds and owes of the base currency; `None` where the exchange does not say.
    #[serde(default, with = "wire::object_opt")]
    pub base: Option<MarginBalance>,
    /// What it holds and owes of the quote currency; `None` where the exchange does not say.
    #[serde(default, with = "wire::object_opt")]
    pub quote: Option<MarginBalance>,
}

/// What an isolated margin account holds and owes of one currency, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginBalance {
    /// Currency. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub currency: Option<Currency>,
    /// Whether it can be borrowed. `None`: not told.
    #[serde(default, with = "wire::boolean_opt")]
    pub borrow_enabled: Option<bool>,
    /// Borrowed. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub borrowed: Option<Decimal>,
    /// Principal still owed. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub borrow_unpaid: Option<Decimal>,
    /// Interest still owed. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub interest_unpaid: Option<Decimal>,
    /// Free to trade or transfer. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub available: Option<Decimal>,
    /// Held by open orders. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// What is held less what is owed. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub net_asset: Option<Decimal>,
    /// The same in BTC. `None`: not told.
    #[serde(rename = "net_assetBTC", default, with = "wire::decimal_opt")]
    pub net_asset_btc: Option<Decimal>,
    /// All that is held, available and frozen. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub total_asset: Option<Decimal>,
}

/// The exchange has executed a transfer into or out of margin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginTransferReceipt {
    /// The exchange's id of the transfer.
    pub transfer_id: TransferId,
}

/// The exchange has given a loan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowReceipt {
    /// The exchange's id of the loan.
    pub borrow_id: BorrowId,
}

/// The exchange has taken a repayment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayReceipt {
    /// The exchange's id of the repayment.
    pub repay_id: RepayId,
}

/// Loans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowRecords {
    /// One row per loan.
    pub records: Rows<BorrowRecord>,
}

/// A loan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowRecord {
    /// The exchange's id of the loan.
    pub borrow_id: BorrowId,
    /// Pair of the margin account. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub symbol: Option<Symbol>,
    /// Currency.
    pub currency: Currency,
    /// Borrowed amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub borrow_amount: Decimal,
    /// Interest per day, a ratio. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub daily_interest: Option<Decimal>,
    /// Interest per hour, a ratio. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub hourly_interest: Option<Decimal>,
    /// Interest so far, in the currency. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub interest_amount: Option<Decimal>,
    /// When it was given. `None`: not told.
    #[serde(default, with = "wire::millis_text_opt")]
    pub create_time: Option<Timestamp>,
}

/// Repayments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecords {
    /// One row per repayment.
    pub records: Rows<RepayRecord>,
}

/// A repayment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecord {
    /// The exchange's id of the repayment.
    pub repay_id: RepayId,
    /// When it was made. `None`: not told.
    #[serde(default, with = "wire::millis_text_opt")]
    pub repay_time: Option<Timestamp>,
    /// Pair of the margin account. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub symbol: Option<Symbol>,
    /// Currency.
    pub currency: Currency,
    /// Repaid amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub repaid_amount: Decimal,
    /// Part of it that repaid principal. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub repaid_principal: Option<Decimal>,
    /// Part of it that repaid interest. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub repaid_interest: Option<Decimal>,
}

/// Pairs that can be traded on isolated margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginPairs {
    /// One row per pair.
    pub symbols: Rows<MarginPair>,
}

/// What can be borrowed for a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginPair {
    /// Pair.
    pub symbol: Symbol,
    /// Highest leverage. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub max_leverage: Option<Decimal>,
    /// Whether the pair can be traded on margin. `None`: not told.
    #[serde(default, with = "wire::boolean_opt")]
    pub symbol_enabled: Option<bool>,
    /// Terms of the base currency; `None` where the exchange does not say.
    #[serde(default, with = "wire::object_opt")]
    pub base: Option<BorrowTerms>,
    /// Terms of the quote currency; `None` where the exchange does not say.
    #[serde(default, with = "wire::object_opt")]
    pub quote: Option<BorrowTerms>,
}

/// What borrowing a currency costs, and how much of it can be borrowed, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowTerms {
    /// Currency. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub currency: Option<Currency>,
    /// Interest per day, a ratio. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub daily_interest: Option<Decimal>,
    /// Interest per hour, a ratio. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub hourly_interest: Option<Decimal>,
    /// Most that can be borrowed in all. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub max_borrow_amount: Option<Decimal>,
    /// Least that can be borrowed at once. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub min_borrow_amount: Option<Decimal>,
    /// What can still be borrowed. `None`: not told.
    #[serde(default, with = "wire::decimal_opt")]
    pub borrowable_amount: Option<Decimal>,
}
