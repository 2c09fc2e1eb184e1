//! Rebates.

use bitmart_types::{AffiliateUserType, Currency, Decimal, UserId, wire};
use serde::{Deserialize, Serialize};

/// A page of rebates by customer, with the sums over all pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rebates {
    /// Number of rows over all pages.
    #[serde(with = "wire::number")]
    pub total: u64,
    /// This page.
    #[serde(with = "wire::number")]
    pub page: u32,
    /// Rows of a page.
    #[serde(with = "wire::number")]
    pub size: u32,
    /// Sum of the rebates in BTC.
    #[serde(rename = "btc_rebate_sum", with = "wire::decimal_exact")]
    pub btc: Decimal,
    /// Sum of the rebates in USDT.
    #[serde(rename = "usdt_rebate_sum", with = "wire::decimal_exact")]
    pub usdt: Decimal,
    /// Sum of the rebates in ETH.
    #[serde(rename = "eth_rebate_sum", with = "wire::decimal_exact")]
    pub eth: Decimal,
    /// The rows of this page.
    #[serde(rename = "rebate_detail_page_data")]
    #[serde(deserialize_with = "wire::list")]
    pub rebates: Vec<Rebate>,
}

/// Rebates of one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rebate {
    /// Currency of the rebates.
    #[serde(rename = "rebate_coin")]
    pub currency: Currency,
    /// The customer.
    #[serde(rename = "trade_user_id", with = "wire::id_number")]
    pub user_id: UserId,
    /// Sum of the customer's rebates, in the currency.
    #[serde(rename = "total_rebate_amount", with = "wire::decimal_exact")]
    pub amount: Decimal,
    /// How the customer came.
    pub user_type: AffiliateUserType,
}

/// Volume, fees and rebate of a customer: over all time, and in the time that was asked for. The
/// exchange states no currency of the amounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserRebate {
    /// The customer.
    #[serde(rename = "cid", with = "wire::id_number")]
    pub user_id: UserId,
    /// Share of the fees that is given back, as a ratio.
    #[serde(with = "wire::decimal")]
    pub back_rate: Decimal,
    /// Traded amount over all time.
    #[serde(rename = "trading_vol_total", with = "wire::decimal")]
    pub total_volume: Decimal,
    /// Fees over all time.
    #[serde(rename = "trading_fee_total", with = "wire::decimal")]
    pub total_fee: Decimal,
    /// Rebate over all time.
    #[serde(rename = "rebate_total", with = "wire::decimal")]
    pub total_rebate: Decimal,
    /// Traded amount in the time that was asked for.
    #[serde(rename = "trading_vol", with = "wire::decimal")]
    pub volume: Decimal,
    /// Fees in the time that was asked for.
    #[serde(rename = "trading_fee", with = "wire::decimal")]
    pub fee: Decimal,
    /// Rebate in the time that was asked for.
    #[serde(with = "wire::decimal")]
    pub rebate: Decimal,
}

/// Fees and rebate of what a customer trades over the API. The exchange states no currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiRebate {
    /// Fees.
    #[serde(rename = "api_trading_fee_total", with = "wire::decimal")]
    pub total_fee: Decimal,
    /// Rebate.
    #[serde(rename = "api_rebate_total", with = "wire::decimal")]
    pub total_rebate: Decimal,
}
