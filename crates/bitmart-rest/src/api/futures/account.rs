//! Futures balances, positions, settings and transactions.

use bitmart_types::futures::{MarginType, PositionMode};
use bitmart_types::{ContractSymbol, Currency, Decimal, Rows, Timestamp, TransactionId, codec};
use serde::{Deserialize, Serialize};

use crate::api::futures::{RepaymentType, TradingAccount, TransactionType, TransactionTypeName};

mod generated;
mod position;

pub use generated::*;
pub use position::{FindPosition, Position, PositionRisk, PositionV1};

/// Balances of the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct Balances {
    /// One row per currency.
    pub balances: Rows<Balance>,
}

impl Balances {
    /// The balance of one currency; `None` if the exchange does not list it, which means zero while
    /// no row is a fault.
    pub fn find(&self, currency: &str) -> Option<&Balance> {
        self.balances.iter().find(|balance| balance.currency == currency)
    }
}

/// Balance of one currency. Amounts are in the currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// Currency.
    pub currency: Currency,
    /// Margin of open positions.
    #[serde(default, with = "codec::decimal_opt")]
    pub position_deposit: Option<Decimal>,
    /// Held by open orders.
    #[serde(rename = "frozen_balance", default, with = "codec::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// Free to trade or to move.
    #[serde(rename = "available_balance", default, with = "codec::decimal_opt")]
    pub available: Option<Decimal>,
    /// Total balance with the unrealized profit and loss.
    #[serde(default, with = "codec::decimal_opt")]
    pub equity: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized", default, with = "codec::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
}

/// Trading fees of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeeRate {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Taker fee, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub taker_fee_rate: Option<Decimal>,
    /// Maker fee, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub maker_fee_rate: Option<Decimal>,
}

/// How the account holds positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionModeSetting {
    /// Position mode, of all contracts.
    #[serde(default, with = "codec::opt")]
    pub position_mode: Option<PositionMode>,
}

/// Leverage and margin type of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageSetting {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "codec::opt")]
    pub margin_type: Option<MarginType>,
    /// The greatest leverage, or the greatest value of a position: published responses differ.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_value: Option<Decimal>,
}

/// A transaction of the futures account. Its id is not unique: it is often the millisecond, which transactions of
/// several contracts share. So a list of transactions has no `find`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transaction {
    /// Contract; `None` for a transfer.
    #[serde(default, with = "codec::text_opt")]
    pub symbol: Option<ContractSymbol>,
    /// Type, as text.
    #[serde(rename = "type", default, with = "codec::opt")]
    pub type_name: Option<TransactionTypeName>,
    /// Type, as a number; not in every response.
    #[serde(
        rename = "flow_type",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::opt"
    )]
    pub transaction_type: Option<TransactionType>,
    /// Amount, in the currency; negative if it reduced the balance.
    #[serde(with = "codec::decimal")]
    pub amount: Decimal,
    /// Currency.
    #[serde(rename = "asset")]
    pub currency: Currency,
    /// Account that it belongs to.
    #[serde(default, with = "codec::text_opt")]
    pub account: Option<TradingAccount>,
    /// When it happened.
    #[serde(rename = "time", default, with = "codec::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
    /// The exchange's id of the transaction.
    #[serde(rename = "tran_id")]
    pub id: TransactionId,
}

/// Automatic repayments, as a third party describes them; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AutoRepayments {
    /// The rows of this page.
    #[serde(rename = "list", default, with = "codec::object_opt")]
    pub repayments: Option<Rows<AutoRepayment>>,
    /// Number of rows over all pages.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
}

/// An automatic repayment, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AutoRepayment {
    /// Currency of the debt.
    #[serde(default, rename = "to_coin_code", with = "codec::text_opt")]
    pub to_currency: Option<Currency>,
    /// Repaid amount, in that currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub to_amount: Option<Decimal>,
    /// Currency that was used for the repayment.
    #[serde(default, rename = "from_coin_code", with = "codec::text_opt")]
    pub from_currency: Option<Currency>,
    /// Amount that was used for the repayment, in that currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub from_amount: Option<Decimal>,
    /// When it happened. No source states the format.
    #[serde(default, with = "codec::text_opt")]
    pub time: Option<String>,
    /// Kind.
    #[serde(default, rename = "type", with = "codec::text_opt")]
    pub repayment_type: Option<RepaymentType>,
    /// Fee of a liquidation.
    #[serde(default, with = "codec::decimal_opt")]
    pub liquidation_fee: Option<Decimal>,
}

/// Interest on cross collateral, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollateralInterestHistory {
    /// The rows of this page.
    #[serde(rename = "items", default, with = "codec::object_opt")]
    pub interest: Option<Rows<CollateralInterest>>,
    /// Number of rows over all pages.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
}

/// Interest on one currency, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollateralInterest {
    /// Id of the row.
    #[serde(default, with = "codec::number_opt")]
    pub id: Option<u64>,
    /// Account.
    #[serde(default, with = "codec::number_opt")]
    pub account_id: Option<u64>,
    /// Currency.
    #[serde(default, rename = "coin_code", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Rate of interest.
    #[serde(default, with = "codec::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Interest, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub interest: Option<Decimal>,
    /// Debt, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub liability: Option<Decimal>,
    /// Debt that bears no interest, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub interest_free_amount: Option<Decimal>,
    /// When the interest was due. No source states the unit.
    #[serde(default, with = "codec::number_opt")]
    pub interest_time: Option<i64>,
    /// When the exchange created the row. No source states the format.
    #[serde(default, with = "codec::text_opt")]
    pub created_at: Option<String>,
    /// When the row last changed. No source states the format.
    #[serde(default, with = "codec::text_opt")]
    pub updated_at: Option<String>,
}

/// Play money of the futures demo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoFunds {
    /// Currency.
    #[serde(default, with = "codec::opt")]
    pub currency: Option<Currency>,
    /// The balance afterwards by the documentation, the claimed amount by the exchange's own
    /// reference.
    #[serde(default, with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
}
