//! Rebates.

use bitmart_types::{Currency, Decimal, Rows, UserId, codec};
use serde::{Deserialize, Serialize};

use crate::api::affiliate::UserType;

/// A page of rebates by customer, with the sums over all pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rebates {
    /// Number of rows over all pages.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(default, with = "codec::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(rename = "size", default, with = "codec::number_opt")]
    pub limit: Option<u32>,
    /// Sum of the rebates in BTC.
    #[serde(rename = "btc_rebate_sum", default, with = "codec::decimal_exact_opt")]
    pub btc: Option<Decimal>,
    /// Sum of the rebates in USDT.
    #[serde(rename = "usdt_rebate_sum", default, with = "codec::decimal_exact_opt")]
    pub usdt: Option<Decimal>,
    /// Sum of the rebates in ETH.
    #[serde(rename = "eth_rebate_sum", default, with = "codec::decimal_exact_opt")]
    pub eth: Option<Decimal>,
    /// The rows of this page.
    #[serde(rename = "rebate_detail_page_data")]
    pub rebates: Rows<Rebate>,
}

impl Rebates {
    /// The row of one customer in one currency; `None` if this page does not list it, or its row is a
    /// fault.
    pub fn find(&self, uid: &str, currency: &str) -> Option<&Rebate> {
        self.rebates.iter().find(|row| row.uid == uid && row.currency == currency)
    }
}

/// Rebates of one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rebate {
    /// Currency of the rebates.
    #[serde(rename = "rebate_coin")]
    pub currency: Currency,
    /// The customer.
    #[serde(rename = "trade_user_id", with = "codec::id_number")]
    pub uid: UserId,
    /// Sum of the customer's rebates, in the currency.
    #[serde(rename = "total_rebate_amount", with = "codec::decimal_exact")]
    pub amount: Decimal,
    /// How the customer was invited.
    #[serde(default, with = "codec::opt")]
    pub user_type: Option<UserType>,
}

/// Volume, fees and rebate of a customer, in total and in the requested period. The exchange does not
/// state the currency of the amounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserRebate {
    /// The customer.
    #[serde(rename = "cid", default, with = "codec::opt")]
    pub uid: Option<UserId>,
    /// Share of the fees that is paid back, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub back_rate: Option<Decimal>,
    /// Traded amount over all time.
    #[serde(rename = "trading_vol_total", default, with = "codec::decimal_opt")]
    pub total_volume: Option<Decimal>,
    /// Fees over all time.
    #[serde(rename = "trading_fee_total", default, with = "codec::decimal_opt")]
    pub total_fee: Option<Decimal>,
    /// Rebate over all time.
    #[serde(rename = "rebate_total", default, with = "codec::decimal_opt")]
    pub total_rebate: Option<Decimal>,
    /// Traded amount in the requested period.
    #[serde(rename = "trading_vol", default, with = "codec::decimal_opt")]
    pub volume: Option<Decimal>,
    /// Fees in the requested period.
    #[serde(rename = "trading_fee", default, with = "codec::decimal_opt")]
    pub fee: Option<Decimal>,
    /// Rebate in the requested period.
    #[serde(default, with = "codec::decimal_opt")]
    pub rebate: Option<Decimal>,
}

/// Fees and rebate of a customer's trades over the API. The exchange does not state the currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiRebate {
    /// Fees.
    #[serde(rename = "api_trading_fee_total", default, with = "codec::decimal_opt")]
    pub total_fee: Option<Decimal>,
    /// Rebate.
    #[serde(rename = "api_rebate_total", default, with = "codec::decimal_opt")]
    pub total_rebate: Option<Decimal>,
}
