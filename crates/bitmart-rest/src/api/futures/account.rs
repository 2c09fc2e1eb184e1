//! Futures balances, positions, settings and transactions.

use bitmart_types::futures::{MarginType, PositionMode, PositionSide, PositionType};
use bitmart_types::{
    ContractSymbol, Currency, Decimal, Rows, Timestamp, TransactionId, json, wire,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::api::futures::{RepaymentType, TradingAccount, TransactionType, TransactionTypeName};

mod generated;

pub use generated::*;

/// Balances of the futures account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct Assets {
    /// One row per currency.
    pub assets: Rows<Asset>,
}

impl Assets {
    /// The balance of one currency; `None` if the exchange does not list it, which means zero while
    /// no row is a fault.
    pub fn find(&self, currency: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.currency == currency)
    }
}

/// Reads the rows from the data itself or from its member `list`; the exchange has sent both.
impl<'de> Deserialize<'de> for Assets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct InList {
            list: Rows<Asset>,
        }

        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let assets = if raw.get().starts_with('{') {
            json::from_str(raw.get()).map(|data: InList| data.list)
        } else {
            json::from_str(raw.get())
        };
        Ok(Self { assets: assets.map_err(D::Error::custom)? })
    }
}

/// Balance of one currency. Amounts are in the currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Asset {
    /// Currency.
    pub currency: Currency,
    /// Margin of open positions.
    #[serde(default, with = "wire::decimal_opt")]
    pub position_deposit: Option<Decimal>,
    /// Held by open orders.
    #[serde(rename = "frozen_balance", default, with = "wire::decimal_opt")]
    pub frozen: Option<Decimal>,
    /// Free to trade or to move.
    #[serde(rename = "available_balance", with = "wire::decimal")]
    pub available: Decimal,
    /// Total balance with the unrealized profit and loss.
    #[serde(default, with = "wire::decimal_opt")]
    pub equity: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized", default, with = "wire::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
}

/// Trading fees of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeeRate {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Taker fee, as a ratio.
    #[serde(default, with = "wire::decimal_opt")]
    pub taker_fee_rate: Option<Decimal>,
    /// Maker fee, as a ratio.
    #[serde(default, with = "wire::decimal_opt")]
    pub maker_fee_rate: Option<Decimal>,
}

/// A position in the response of the older endpoint. [`Position`] has more fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionV1 {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Long or short.
    pub position_type: PositionType,
    /// Size, in contracts; never negative.
    #[serde(rename = "current_amount", with = "wire::decimal")]
    pub size: Decimal,
    /// Leverage.
    #[serde(default, with = "wire::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type; `None` when flat.
    #[serde(default, with = "wire::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Position mode of the account.
    #[serde(default, with = "wire::text_opt")]
    pub position_mode: Option<PositionMode>,
    /// Account that holds it.
    #[serde(default, with = "wire::text_opt")]
    pub account: Option<TradingAccount>,
    /// Entry price.
    #[serde(default, with = "wire::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it.
    #[serde(rename = "open_avg_price", default, with = "wire::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(default, with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub position_value: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub mark_value: Option<Decimal>,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(default, with = "wire::decimal_opt")]
    pub current_value: Option<Decimal>,
    /// Margin.
    #[serde(rename = "position_cross", default, with = "wire::decimal_opt")]
    pub margin: Option<Decimal>,
    /// Margin below which it is liquidated.
    #[serde(default, with = "wire::decimal_opt")]
    pub maintenance_margin: Option<Decimal>,
    /// Fees paid for it.
    #[serde(rename = "current_fee", default, with = "wire::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", default, with = "wire::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", default, with = "wire::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized_value", default, with = "wire::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// Realized profit and loss.
    #[serde(rename = "realized_value", default, with = "wire::decimal_opt")]
    pub realized_profit: Option<Decimal>,
    /// When it was opened.
    #[serde(rename = "open_timestamp", default, with = "wire::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the exchange created the row.
    #[serde(default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

/// A position. A contract that was requested by name has a row even when it is flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; in one-way mode [`PositionSide::Both`], and the direction is the sign of
    /// [`signed_size`](Self::signed_size).
    #[serde(default, with = "wire::text_opt")]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts; never negative.
    #[serde(rename = "current_amount", with = "wire::decimal")]
    pub size: Decimal,
    /// Size, in contracts: negative for a short in one-way mode, never negative in hedge mode.
    #[serde(rename = "position_amount", default, with = "wire::decimal_opt")]
    pub signed_size: Option<Decimal>,
    /// Leverage.
    #[serde(default, with = "wire::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "wire::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(default, with = "wire::text_opt")]
    pub account: Option<TradingAccount>,
    /// Entry price; 0 when flat.
    #[serde(default, with = "wire::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it; 0 when flat.
    #[serde(rename = "open_avg_price", default, with = "wire::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(default, with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated; 0 when there is none.
    #[serde(default, with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub position_value: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub mark_value: Option<Decimal>,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(default, with = "wire::decimal_opt")]
    pub current_value: Option<Decimal>,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub max_notional_value: Option<Decimal>,
    /// Margin; not in every response.
    #[serde(rename = "position_cross", default, with = "wire::decimal_opt")]
    pub margin: Option<Decimal>,
    /// Margin that was needed to open it.
    #[serde(default, with = "wire::decimal_opt")]
    pub initial_margin: Option<Decimal>,
    /// Margin below which it is liquidated.
    #[serde(default, with = "wire::decimal_opt")]
    pub maintenance_margin: Option<Decimal>,
    /// Fees paid for it.
    #[serde(rename = "current_fee", default, with = "wire::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", default, with = "wire::decimal_opt")]
    pub closed_size: Option<Decimal>,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", default, with = "wire::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(rename = "unrealized_pnl", default, with = "wire::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// Realized profit and loss.
    #[serde(rename = "realized_value", default, with = "wire::decimal_opt")]
    pub realized_profit: Option<Decimal>,
    /// When it was opened; `None` when flat.
    #[serde(rename = "open_timestamp", default, with = "wire::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the exchange created the row.
    #[serde(default, with = "wire::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

impl Position {
    /// Returns the size in contracts, negative for a short position. `None` if the exchange did not send the side.
    ///
    /// The side decides in hedge mode, and the sign of [`signed_size`](Self::signed_size) in one-way mode.
    pub fn net_size(&self) -> Option<Decimal> {
        if self.size.is_zero() {
            return Some(Decimal::ZERO);
        }
        let is_short = match self.position_side.as_ref()? {
            PositionSide::Long => false,
            PositionSide::Short => true,
            PositionSide::Both => self.signed_size?.is_sign_negative(),
            _ => return None,
        };
        Some(if is_short { -self.size } else { self.size })
    }
}

/// Liquidation risk of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionRisk {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; `None` when flat.
    #[serde(default, with = "wire::text_opt")]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts.
    #[serde(rename = "position_amt", with = "wire::decimal")]
    pub size: Decimal,
    /// Leverage.
    #[serde(default, with = "wire::decimal_opt")]
    pub leverage: Option<Decimal>,
    /// Margin type; `None` when flat.
    #[serde(default, with = "wire::text_opt")]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(default, with = "wire::text_opt")]
    pub account: Option<TradingAccount>,
    /// Mark price.
    #[serde(default, with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated.
    #[serde(default, with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub notional: Option<Decimal>,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub max_notional_value: Option<Decimal>,
    /// Margin of an isolated position.
    #[serde(default, with = "wire::decimal_opt")]
    pub isolated_margin: Option<Decimal>,
    /// Unrealized profit and loss.
    #[serde(default, with = "wire::decimal_opt")]
    pub unrealized_profit: Option<Decimal>,
    /// When it last changed.
    #[serde(default, with = "wire::millis_opt")]
    pub update_time: Option<Timestamp>,
}

/// How the account holds positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionModeSetting {
    /// Position mode, of all contracts.
    pub position_mode: PositionMode,
}

/// Leverage and margin type of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageSetting {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Leverage.
    #[serde(with = "wire::decimal")]
    pub leverage: Decimal,
    /// Margin type.
    #[serde(rename = "open_type", default, with = "wire::opt")]
    pub margin_type: Option<MarginType>,
    /// The greatest leverage, or the greatest value of a position: published responses differ.
    #[serde(default, with = "wire::decimal_opt")]
    pub max_value: Option<Decimal>,
}

/// A transaction of the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transaction {
    /// Contract; `None` for a transfer.
    #[serde(default, with = "wire::text_opt")]
    pub symbol: Option<ContractSymbol>,
    /// Type, as text.
    #[serde(rename = "type", default, with = "wire::opt")]
    pub type_name: Option<TransactionTypeName>,
    /// Type, as a number; not in every response.
    #[serde(
        rename = "flow_type",
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::opt"
    )]
    pub transaction_type: Option<TransactionType>,
    /// Amount, in the currency; negative if it reduced the balance.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// Currency.
    #[serde(rename = "asset")]
    pub currency: Currency,
    /// Account that it belongs to.
    #[serde(default, with = "wire::text_opt")]
    pub account: Option<TradingAccount>,
    /// When it happened.
    #[serde(rename = "time", default, with = "wire::millis_text_opt")]
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
    #[serde(default, with = "wire::object_opt")]
    pub list: Option<Rows<AutoRepayment>>,
    /// Number of rows over all pages.
    #[serde(default, with = "wire::number_opt")]
    pub total: Option<u64>,
}

/// An automatic repayment, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AutoRepayment {
    /// Currency of the debt.
    #[serde(default, rename = "to_coin_code", with = "wire::text_opt")]
    pub to_currency: Option<Currency>,
    /// Repaid amount, in that currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub to_amount: Option<Decimal>,
    /// Currency that was used for the repayment.
    #[serde(default, rename = "from_coin_code", with = "wire::text_opt")]
    pub from_currency: Option<Currency>,
    /// Amount that was used for the repayment, in that currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub from_amount: Option<Decimal>,
    /// When it happened. No source states the format.
    #[serde(default, with = "wire::text_opt")]
    pub time: Option<String>,
    /// Kind.
    #[serde(default, rename = "type", with = "wire::text_opt")]
    pub kind: Option<RepaymentType>,
    /// Fee of a liquidation.
    #[serde(default, with = "wire::decimal_opt")]
    pub liquidation_fee: Option<Decimal>,
}

/// Interest on cross collateral, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollateralInterestLog {
    /// The rows of this page.
    #[serde(default, with = "wire::object_opt")]
    pub items: Option<Rows<CollateralInterest>>,
    /// Number of rows over all pages.
    #[serde(default, with = "wire::number_opt")]
    pub total: Option<u64>,
}

/// Interest on one currency, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollateralInterest {
    /// Id of the row.
    #[serde(default, with = "wire::number_opt")]
    pub id: Option<u64>,
    /// Account.
    #[serde(default, with = "wire::number_opt")]
    pub account_id: Option<u64>,
    /// Currency.
    #[serde(default, rename = "coin_code", with = "wire::text_opt")]
    pub currency: Option<Currency>,
    /// Rate of interest.
    #[serde(default, with = "wire::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Interest, in the currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub interest: Option<Decimal>,
    /// Debt, in the currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub liability: Option<Decimal>,
    /// Debt that bears no interest, in the currency.
    #[serde(default, with = "wire::decimal_opt")]
    pub interest_free_amount: Option<Decimal>,
    /// When the interest was due. No source states the unit.
    #[serde(default, with = "wire::number_opt")]
    pub interest_time: Option<i64>,
    /// When the exchange created the row. No source states the format.
    #[serde(default, with = "wire::text_opt")]
    pub created_at: Option<String>,
    /// When the row last changed. No source states the format.
    #[serde(default, with = "wire::text_opt")]
    pub updated_at: Option<String>,
}

/// Play money of the futures demo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DemoFunds {
    /// Currency.
    pub currency: Currency,
    /// The balance afterwards by the documentation, the claimed amount by the exchange's own
    /// reference.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
}
