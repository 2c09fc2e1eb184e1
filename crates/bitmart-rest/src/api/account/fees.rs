//! Trading fees.

use bitmart_types::{Decimal, Symbol, wire};
use serde::{Deserialize, Serialize};

use crate::api::account::FeeRateType;

/// Basic trading fees of the user, as ratios: 0.001 is 0.1 percent. Pairs have the classes A to D.
/// [`TradeFee`] has the fee of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeeRates {
    /// Which fee schedule the user has. `None` if absent.
    #[serde(default, with = "wire::opt")]
    pub user_rate_type: Option<FeeRateType>,
    /// Level of the user: `LV1` in one published sample, `level_1` in another. `None` if absent.
    #[serde(default, with = "wire::text_opt")]
    pub level: Option<String>,
    /// Taker fee of class A. `None` if absent.
    #[serde(rename = "taker_fee_rate_A", default, with = "wire::decimal_opt")]
    pub taker_a: Option<Decimal>,
    /// Maker fee of class A. `None` if absent.
    #[serde(rename = "maker_fee_rate_A", default, with = "wire::decimal_opt")]
    pub maker_a: Option<Decimal>,
    /// Taker fee of class B. `None` if absent.
    #[serde(rename = "taker_fee_rate_B", default, with = "wire::decimal_opt")]
    pub taker_b: Option<Decimal>,
    /// Maker fee of class B. `None` if absent.
    #[serde(rename = "maker_fee_rate_B", default, with = "wire::decimal_opt")]
    pub maker_b: Option<Decimal>,
    /// Taker fee of class C. `None` if absent.
    #[serde(rename = "taker_fee_rate_C", default, with = "wire::decimal_opt")]
    pub taker_c: Option<Decimal>,
    /// Maker fee of class C. `None` if absent.
    #[serde(rename = "maker_fee_rate_C", default, with = "wire::decimal_opt")]
    pub maker_c: Option<Decimal>,
    /// Taker fee of class D. `None` if absent.
    #[serde(rename = "taker_fee_rate_D", default, with = "wire::decimal_opt")]
    pub taker_d: Option<Decimal>,
    /// Maker fee of class D. `None` if absent.
    #[serde(rename = "maker_fee_rate_D", default, with = "wire::decimal_opt")]
    pub maker_d: Option<Decimal>,
}

/// Trading fees of the user for one pair, as ratios: 0.001 is 0.1 percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TradeFee {
    /// Pair.
    pub symbol: Symbol,
    /// Taker fee of a buy order. `None` if absent.
    #[serde(rename = "buy_taker_fee_rate", default, with = "wire::decimal_opt")]
    pub buy_taker: Option<Decimal>,
    /// Taker fee of a sell order. `None` if absent.
    #[serde(rename = "sell_taker_fee_rate", default, with = "wire::decimal_opt")]
    pub sell_taker: Option<Decimal>,
    /// Maker fee of a buy order. `None` if absent.
    #[serde(rename = "buy_maker_fee_rate", default, with = "wire::decimal_opt")]
    pub buy_maker: Option<Decimal>,
    /// Maker fee of a sell order. `None` if absent.
    #[serde(rename = "sell_maker_fee_rate", default, with = "wire::decimal_opt")]
    pub sell_maker: Option<Decimal>,
}
