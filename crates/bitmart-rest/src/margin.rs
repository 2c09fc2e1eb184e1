//! Isolated margin: accounts, loans and orders.

use bitmart_types::{
    BorrowId, Currency, Decimal, MarginRiskLevel, RepayId, Symbol, Timestamp, TransferId, wire,
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
    #[serde(deserialize_with = "wire::list")]
    pub symbols: Vec<MarginAccount>,
}

/// The isolated margin account of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginAccount {
    /// Pair.
    pub symbol: Symbol,
    /// Assets over debts, a ratio.
    #[serde(with = "wire::decimal_opt")]
    pub risk_rate: Option<Decimal>,
    /// How close it is to liquidation.
    #[serde(with = "wire::text")]
    pub risk_level: MarginRiskLevel,
    /// Whether it may buy.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub buy_enabled: bool,
    /// Whether it may sell.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub sell_enabled: bool,
    /// Price at which it is liquidated, in the quote currency; not above zero when there is none.
    #[serde(with = "wire::decimal_opt")]
    pub liquidate_price: Option<Decimal>,
    /// Risk rate at which it is liquidated, a ratio.
    #[serde(with = "wire::decimal_opt")]
    pub liquidate_rate: Option<Decimal>,
    /// What it holds and owes of the base currency; `None` where the exchange does not say.
    pub base: Option<MarginBalance>,
    /// What it holds and owes of the quote currency; `None` where the exchange does not say.
    pub quote: Option<MarginBalance>,
}

/// What an isolated margin account holds and owes of one currency, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginBalance {
    /// Currency.
    pub currency: Currency,
    /// Whether it can be borrowed.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub borrow_enabled: bool,
    /// Borrowed.
    #[serde(with = "wire::decimal")]
    pub borrowed: Decimal,
    /// Principal still owed.
    #[serde(with = "wire::decimal")]
    pub borrow_unpaid: Decimal,
    /// Interest still owed.
    #[serde(with = "wire::decimal")]
    pub interest_unpaid: Decimal,
    /// Free to trade or transfer.
    #[serde(with = "wire::decimal")]
    pub available: Decimal,
    /// Held by open orders.
    #[serde(with = "wire::decimal")]
    pub frozen: Decimal,
    /// What is held less what is owed.
    #[serde(with = "wire::decimal")]
    pub net_asset: Decimal,
    /// The same in BTC.
    #[serde(rename = "net_assetBTC", with = "wire::decimal")]
    pub net_asset_btc: Decimal,
    /// All that is held, available and frozen.
    #[serde(with = "wire::decimal")]
    pub total_asset: Decimal,
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
    #[serde(deserialize_with = "wire::list")]
    pub records: Vec<BorrowRecord>,
}

/// A loan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowRecord {
    /// The exchange's id of the loan.
    pub borrow_id: BorrowId,
    /// Pair of the margin account.
    pub symbol: Symbol,
    /// Currency.
    pub currency: Currency,
    /// Borrowed amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub borrow_amount: Decimal,
    /// Interest per day, a ratio.
    #[serde(with = "wire::decimal")]
    pub daily_interest: Decimal,
    /// Interest per hour, a ratio.
    #[serde(with = "wire::decimal")]
    pub hourly_interest: Decimal,
    /// Interest so far, in the currency.
    #[serde(with = "wire::decimal")]
    pub interest_amount: Decimal,
    /// When it was given; whole seconds.
    #[serde(with = "wire::seconds")]
    pub create_time: Timestamp,
}

/// Repayments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecords {
    /// One row per repayment.
    #[serde(deserialize_with = "wire::list")]
    pub records: Vec<RepayRecord>,
}

/// A repayment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepayRecord {
    /// The exchange's id of the repayment.
    pub repay_id: RepayId,
    /// When it was made; whole seconds.
    #[serde(with = "wire::seconds")]
    pub repay_time: Timestamp,
    /// Pair of the margin account.
    pub symbol: Symbol,
    /// Currency.
    pub currency: Currency,
    /// Repaid amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub repaid_amount: Decimal,
    /// Part of it that repaid principal.
    #[serde(with = "wire::decimal")]
    pub repaid_principal: Decimal,
    /// Part of it that repaid interest.
    #[serde(with = "wire::decimal")]
    pub repaid_interest: Decimal,
}

/// Pairs that can be traded on isolated margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginPairs {
    /// One row per pair.
    #[serde(deserialize_with = "wire::list")]
    pub symbols: Vec<MarginPair>,
}

/// What can be borrowed for a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarginPair {
    /// Pair.
    pub symbol: Symbol,
    /// Highest leverage.
    #[serde(with = "wire::decimal")]
    pub max_leverage: Decimal,
    /// Whether the pair can be traded on margin.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub symbol_enabled: bool,
    /// Terms of the base currency; `None` where the exchange does not say.
    pub base: Option<BorrowTerms>,
    /// Terms of the quote currency; `None` where the exchange does not say.
    pub quote: Option<BorrowTerms>,
}

/// What borrowing a currency costs, and how much of it can be borrowed, in that currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BorrowTerms {
    /// Currency.
    pub currency: Currency,
    /// Interest per day, a ratio.
    #[serde(with = "wire::decimal")]
    pub daily_interest: Decimal,
    /// Interest per hour, a ratio.
    #[serde(with = "wire::decimal")]
    pub hourly_interest: Decimal,
    /// Most that can be borrowed in all.
    #[serde(with = "wire::decimal")]
    pub max_borrow_amount: Decimal,
    /// Least that can be borrowed at once.
    #[serde(with = "wire::decimal")]
    pub min_borrow_amount: Decimal,
    /// What can still be borrowed.
    #[serde(with = "wire::decimal")]
    pub borrowable_amount: Decimal,
}
