//! Trading fees.

use bitmart_types::{Decimal, Symbol, codec};
use serde::{Deserialize, Serialize};

use crate::api::account::FeeRateType;

/// Basic trading fees of the user, as ratios: 0.001 is 0.1 percent. Pairs have the classes A to D.
/// [`TradeFee`] has the fee of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeeRates {
    /// Which fee schedule the user has.
    #[serde(default, with = "codec::opt")]
    pub user_rate_type: Option<FeeRateType>,
    /// Level of the user: `LV1` in one published sample, `level_1` in another.
    #[serde(default, with = "codec::text_opt")]
    pub level: Option<String>,
    /// Taker fee of class A.
    #[serde(rename = "taker_fee_rate_A", default, with = "codec::decimal_opt")]
    pub taker_a: Option<Decimal>,
    /// Maker fee of class A.
    #[serde(rename = "maker_fee_rate_A", default, with = "codec::decimal_opt")]
    pub maker_a: Option<Decimal>,
    /// Taker fee of class B.
    #[serde(rename = "taker_fee_rate_B", default, with = "codec::decimal_opt")]
    pub taker_b: Option<Decimal>,
    /// Maker fee of class B.
    #[serde(rename = "maker_fee_rate_B", default, with = "codec::decimal_opt")]
    pub maker_b: Option<Decimal>,
    /// Taker fee of class C.
    #[serde(rename = "taker_fee_rate_C", default, with = "codec::decimal_opt")]
    pub taker_c: Option<Decimal>,
    /// Maker fee of class C.
    #[serde(rename = "maker_fee_rate_C", default, with = "codec::decimal_opt")]
    pub maker_c: Option<Decimal>,
    /// Taker fee of class D.
    #[serde(rename = "taker_fee_rate_D", default, with = "codec::decimal_opt")]
    pub taker_d: Option<Decimal>,
    /// Maker fee of class D.
    #[serde(rename = "maker_fee_rate_D", default, with = "codec::decimal_opt")]
    pub maker_d: Option<Decimal>,
}

/// Trading fees of the user for one pair, as ratios: 0.001 is 0.1 percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TradeFee {
    /// Pair.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<Symbol>,
    /// Taker fee of a buy order.
    #[serde(rename = "buy_taker_fee_rate", default, with = "codec::decimal_opt")]
    pub buy_taker: Option<Decimal>,
    /// Taker fee of a sell order.
    #[serde(rename = "sell_taker_fee_rate", default, with = "codec::decimal_opt")]
    pub sell_taker: Option<Decimal>,
    /// Maker fee of a buy order.
    #[serde(rename = "buy_maker_fee_rate", default, with = "codec::decimal_opt")]
    pub buy_maker: Option<Decimal>,
    /// Maker fee of a sell order.
    #[serde(rename = "sell_maker_fee_rate", default, with = "codec::decimal_opt")]
    pub sell_maker: Option<Decimal>,
}
