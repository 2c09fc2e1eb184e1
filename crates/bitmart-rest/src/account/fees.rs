//! Trading fees.

use bitmart_types::{Decimal, FeeRateType, Symbol, wire};
use serde::{Deserialize, Serialize};

/// Basic trading fees of the user, as ratios: 0.001 is 0.1 percent. Pairs have the classes A to D.
/// What a pair costs is told by [`TradeFee`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeeRates {
    /// Which fee schedule the user has.
    pub user_rate_type: FeeRateType,
    /// Level of the user: `LV1` in one published sample, `level_1` in another.
    #[serde(with = "wire::text")]
    pub level: String,
    /// Of an order that takes, in class A.
    #[serde(rename = "taker_fee_rate_A", with = "wire::decimal")]
    pub taker_a: Decimal,
    /// Of an order that rested, in class A.
    #[serde(rename = "maker_fee_rate_A", with = "wire::decimal")]
    pub maker_a: Decimal,
    /// Of an order that takes, in class B.
    #[serde(rename = "taker_fee_rate_B", with = "wire::decimal")]
    pub taker_b: Decimal,
    /// Of an order that rested, in class B.
    #[serde(rename = "maker_fee_rate_B", with = "wire::decimal")]
    pub maker_b: Decimal,
    /// Of an order that takes, in class C.
    #[serde(rename = "taker_fee_rate_C", with = "wire::decimal")]
    pub taker_c: Decimal,
    /// Of an order that rested, in class C.
    #[serde(rename = "maker_fee_rate_C", with = "wire::decimal")]
    pub maker_c: Decimal,
    /// Of an order that takes, in class D.
    #[serde(rename = "taker_fee_rate_D", with = "wire::decimal")]
    pub taker_d: Decimal,
    /// Of an order that rested, in class D.
    #[serde(rename = "maker_fee_rate_D", with = "wire::decimal")]
    pub maker_d: Decimal,
}

/// Trading fees of the user for one pair, as ratios: 0.001 is 0.1 percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TradeFee {
    /// Pair.
    pub symbol: Symbol,
    /// Of a buy order that takes.
    #[serde(rename = "buy_taker_fee_rate", with = "wire::decimal")]
    pub buy_taker: Decimal,
    /// Of a sell order that takes.
    #[serde(rename = "sell_taker_fee_rate", with = "wire::decimal")]
    pub sell_taker: Decimal,
    /// Of a buy order that rested.
    #[serde(rename = "buy_maker_fee_rate", with = "wire::decimal")]
    pub buy_maker: Decimal,
    /// Of a sell order that rested.
    #[serde(rename = "sell_maker_fee_rate", with = "wire::decimal")]
    pub sell_maker: Decimal,
}
