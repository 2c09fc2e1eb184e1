//! Futures balances, positions, settings and movements of money.

use std::fmt;

use bitmart_types::{
    ContractSymbol, Currency, Decimal, FuturesAccount, FuturesFlowName, FuturesFlowType,
    MarginType, PositionMode, PositionSide, PositionType, RepaymentType, Timestamp, TransactionId,
    wire,
};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

mod generated;

pub use generated::*;

/// Balances of the futures account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct FuturesAssets {
    /// One row per currency.
    pub assets: Vec<FuturesAsset>,
}

impl FuturesAssets {
    /// The balance of one currency; `None` where the exchange does not list it, which means zero.
    pub fn asset(&self, currency: &str) -> Option<&FuturesAsset> {
        self.assets.iter().find(|asset| asset.currency == currency)
    }
}

/// The rows are the data itself; for a while they stood in its member `list`.
impl<'de> Deserialize<'de> for FuturesAssets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;

        impl<'de> Visitor<'de> for Rows {
            type Value = FuturesAssets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rows, or an object with rows in `list`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<FuturesAssets, A::Error> {
                let mut assets = Vec::new();
                while let Some(asset) = rows.next_element()? {
                    assets.push(asset);
                }
                Ok(FuturesAssets { assets })
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<FuturesAssets, A::Error> {
                let mut assets = Vec::new();
                while let Some(key) = members.next_key::<String>()? {
                    if key == "list" {
                        assets = members.next_value()?;
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(FuturesAssets { assets })
            }
        }

        deserializer.deserialize_any(Rows)
    }
}

/// Balance of one currency. Amounts are in the currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesAsset {
    /// Currency.
    pub currency: Currency,
    /// Margin of open positions.
    #[serde(with = "wire::decimal")]
    pub position_deposit: Decimal,
    /// Held by open orders.
    #[serde(rename = "frozen_balance", with = "wire::decimal")]
    pub frozen: Decimal,
    /// Free to trade or to move.
    #[serde(rename = "available_balance", with = "wire::decimal")]
    pub available: Decimal,
    /// All of it, with the profit and loss of open positions.
    #[serde(with = "wire::decimal")]
    pub equity: Decimal,
    /// Profit and loss of open positions.
    #[serde(rename = "unrealized", with = "wire::decimal")]
    pub unrealized_profit: Decimal,
}

/// What trading a contract costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesFeeRate {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Rate of an order that takes, as a ratio.
    #[serde(with = "wire::decimal")]
    pub taker_fee_rate: Decimal,
    /// Rate of an order that makes, as a ratio.
    #[serde(with = "wire::decimal")]
    pub maker_fee_rate: Decimal,
}

/// A position, as the older call tells it. [`Position`] says more.
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
    #[serde(with = "wire::decimal")]
    pub leverage: Decimal,
    /// Margin type; `None` when flat.
    #[serde(with = "wire::text_opt", default)]
    pub margin_type: Option<MarginType>,
    /// Position mode of the account.
    #[serde(with = "wire::text_opt", default)]
    pub position_mode: Option<PositionMode>,
    /// Account that holds it.
    #[serde(with = "wire::text_opt", default)]
    pub account: Option<FuturesAccount>,
    /// Price at which it was entered.
    #[serde(with = "wire::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it.
    #[serde(rename = "open_avg_price", with = "wire::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub position_value: Decimal,
    /// Value at the mark price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub mark_value: Decimal,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(with = "wire::decimal")]
    pub current_value: Decimal,
    /// Margin.
    #[serde(rename = "position_cross", with = "wire::decimal_opt", default)]
    pub margin: Option<Decimal>,
    /// Margin below which it is liquidated.
    #[serde(with = "wire::decimal")]
    pub maintenance_margin: Decimal,
    /// Fees paid for it.
    #[serde(rename = "current_fee", with = "wire::decimal")]
    pub fee: Decimal,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", with = "wire::decimal")]
    pub closed_size: Decimal,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", with = "wire::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Profit and loss of what is open.
    #[serde(rename = "unrealized_value", with = "wire::decimal")]
    pub unrealized_profit: Decimal,
    /// Profit and loss of what was closed.
    #[serde(rename = "realized_value", with = "wire::decimal")]
    pub realized_profit: Decimal,
    /// When it was opened.
    #[serde(rename = "open_timestamp", with = "wire::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the row was made.
    #[serde(rename = "timestamp", with = "wire::millis")]
    pub time: Timestamp,
}

/// A position. A contract that was asked for by name has a row even when it is flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; in one-way mode [`PositionSide::Both`], and the sign of
    /// [`signed_size`](Self::signed_size) tells.
    #[serde(with = "wire::text_opt", default)]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts; never negative.
    #[serde(rename = "current_amount", with = "wire::decimal")]
    pub size: Decimal,
    /// Size, in contracts: negative for a short in one-way mode, never negative in hedge mode.
    #[serde(rename = "position_amount", with = "wire::decimal")]
    pub signed_size: Decimal,
    /// Leverage.
    #[serde(with = "wire::decimal")]
    pub leverage: Decimal,
    /// Margin type.
    #[serde(rename = "open_type", with = "wire::text_opt", default)]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(with = "wire::text_opt", default)]
    pub account: Option<FuturesAccount>,
    /// Price at which it was entered; 0 when flat.
    #[serde(with = "wire::decimal_opt")]
    pub entry_price: Option<Decimal>,
    /// Average price of the fills that opened it; 0 when flat.
    #[serde(rename = "open_avg_price", with = "wire::decimal_opt")]
    pub open_average_price: Option<Decimal>,
    /// Mark price.
    #[serde(with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated; 0 when there is none.
    #[serde(with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the entry price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub position_value: Decimal,
    /// Value at the mark price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub mark_value: Decimal,
    /// Value, in the quote currency: at the last price by the documentation, at the mark price by
    /// the exchange's own reference.
    #[serde(with = "wire::decimal")]
    pub current_value: Decimal,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(with = "wire::decimal_opt", default)]
    pub max_notional_value: Option<Decimal>,
    /// Margin; not in every answer.
    #[serde(rename = "position_cross", with = "wire::decimal_opt", default)]
    pub margin: Option<Decimal>,
    /// Margin that was needed to open it.
    #[serde(with = "wire::decimal")]
    pub initial_margin: Decimal,
    /// Margin below which it is liquidated.
    #[serde(with = "wire::decimal")]
    pub maintenance_margin: Decimal,
    /// Fees paid for it.
    #[serde(rename = "current_fee", with = "wire::decimal")]
    pub fee: Decimal,
    /// Closed size, in contracts.
    #[serde(rename = "close_vol", with = "wire::decimal")]
    pub closed_size: Decimal,
    /// Average price of the fills that closed; 0 without one.
    #[serde(rename = "close_avg_price", with = "wire::decimal_opt")]
    pub close_average_price: Option<Decimal>,
    /// Profit and loss of what is open.
    #[serde(rename = "unrealized_pnl", with = "wire::decimal")]
    pub unrealized_profit: Decimal,
    /// Profit and loss of what was closed.
    #[serde(rename = "realized_value", with = "wire::decimal")]
    pub realized_profit: Decimal,
    /// When it was opened; `None` when flat.
    #[serde(rename = "open_timestamp", with = "wire::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When the row was made.
    #[serde(rename = "timestamp", with = "wire::millis")]
    pub time: Timestamp,
}

/// How near a position is to its liquidation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PositionRisk {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Side; `None` when flat.
    #[serde(with = "wire::text_opt", default)]
    pub position_side: Option<PositionSide>,
    /// Size, in contracts.
    #[serde(rename = "position_amt", with = "wire::decimal")]
    pub size: Decimal,
    /// Leverage.
    #[serde(with = "wire::decimal_opt", default)]
    pub leverage: Option<Decimal>,
    /// Margin type; `None` when flat.
    #[serde(with = "wire::text_opt", default)]
    pub margin_type: Option<MarginType>,
    /// Account that holds it.
    #[serde(with = "wire::text_opt", default)]
    pub account: Option<FuturesAccount>,
    /// Mark price.
    #[serde(with = "wire::decimal_opt")]
    pub mark_price: Option<Decimal>,
    /// Price at which it is liquidated.
    #[serde(with = "wire::decimal_opt")]
    pub liquidation_price: Option<Decimal>,
    /// Value at the mark price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub notional: Decimal,
    /// Greatest value that the leverage allows, in the quote currency.
    #[serde(with = "wire::decimal_opt", default)]
    pub max_notional_value: Option<Decimal>,
    /// Margin of an isolated position.
    #[serde(with = "wire::decimal_opt", default)]
    pub isolated_margin: Option<Decimal>,
    /// Profit and loss of what is open.
    #[serde(with = "wire::decimal")]
    pub unrealized_profit: Decimal,
    /// When it last changed.
    #[serde(deserialize_with = "update_time", serialize_with = "wire::millis_opt::serialize")]
    pub update_time: Option<Timestamp>,
}

/// Documented in milliseconds, but a published answer has seconds. No position is older than the
/// exchange, so that the size of the number tells.
fn update_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    /// March 1973 in milliseconds, the year 5138 in seconds.
    const LEAST_MILLIS: i64 = 100_000_000_000;

    let time = wire::millis_opt::deserialize(deserializer)?;
    Ok(time.map(|time| match time.as_millis() {
        seconds if seconds < LEAST_MILLIS => Timestamp::from_secs(seconds),
        _ => time,
    }))
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
    #[serde(rename = "open_type")]
    pub margin_type: MarginType,
    /// The greatest leverage, or the greatest value of a position: published answers differ.
    #[serde(with = "wire::decimal_opt", default)]
    pub max_value: Option<Decimal>,
}

/// A movement of money in the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTransaction {
    /// Contract; `None` for a transfer.
    #[serde(with = "wire::text_opt", default)]
    pub symbol: Option<ContractSymbol>,
    /// Kind, in words.
    #[serde(rename = "type")]
    pub name: FuturesFlowName,
    /// Kind, as a number; not in every answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_type: Option<FuturesFlowType>,
    /// What came in, negative for what went out; in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// Currency.
    #[serde(rename = "asset")]
    pub currency: Currency,
    /// Account that it belongs to.
    #[serde(with = "wire::text_opt", default)]
    pub account: Option<FuturesAccount>,
    /// When it happened.
    #[serde(with = "wire::millis_text")]
    pub time: Timestamp,
    /// The exchange's id of the movement.
    #[serde(rename = "tran_id")]
    pub id: TransactionId,
}

/// Automatic repayments, as a third party describes them; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AutoRepayments {
    /// Rows of the page.
    #[serde(default)]
    pub list: Option<Vec<AutoRepayment>>,
    /// Number of rows of all pages.
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
    /// Currency that paid.
    #[serde(default, rename = "from_coin_code", with = "wire::text_opt")]
    pub from_currency: Option<Currency>,
    /// Amount that paid, in that currency.
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
    /// Rows of the page.
    #[serde(default)]
    pub items: Option<Vec<CollateralInterest>>,
    /// Number of rows of all pages.
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
    /// When the row was made. No source states the format.
    #[serde(default, with = "wire::text_opt")]
    pub created_at: Option<String>,
    /// When the row last changed. No source states the format.
    #[serde(default, with = "wire::text_opt")]
    pub updated_at: Option<String>,
}

/// Play money of the demo exchange.
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
