//! Customers of an affiliate.

use bitmart_types::{Currency, Decimal, Rows, UserId, wire};
use serde::{Deserialize, Serialize};

use crate::Unverified;
use crate::api::affiliate::RebateStatus;

/// Whether a user is a customer of the affiliate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Invitation {
    /// Whether the affiliate invited the user.
    #[serde(rename = "isInviteUser", with = "wire::boolean")]
    pub is_invited: bool,
}

/// A page of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Customers {
    /// Number of rows over all pages.
    #[serde(default, with = "wire::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(default, with = "wire::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(default, with = "wire::number_opt")]
    pub size: Option<u32>,
    /// The rows of this page. Their form is unverified, since the published sample has none.
    #[serde(rename = "list")]
    pub customers: Rows<Unverified<Customer>>,
}

impl Customers {
    /// The row of one customer; `None` if this page does not list it, or its row has another form.
    pub fn find(&self, uid: &str) -> Option<&Customer> {
        let mut rows = self.customers.iter().filter_map(Unverified::value);
        rows.find(|row| row.uid.as_ref().is_some_and(|id| id.as_str() == uid))
    }
}

/// A customer, as a third party describes it: every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Customer {
    /// The customer.
    #[serde(rename = "cid", with = "wire::text_opt")]
    pub uid: Option<UserId>,
    /// Rebate, in USDT.
    #[serde(with = "wire::decimal_opt")]
    pub rebate_total: Option<Decimal>,
    /// Traded amount, in USDT.
    #[serde(rename = "tradingVolTotal", with = "wire::decimal_opt")]
    pub trading_volume_total: Option<Decimal>,
    /// Cash back, in percent.
    #[serde(with = "wire::decimal_opt")]
    pub cashback_rate: Option<Decimal>,
    /// Fees, in USDT.
    #[serde(with = "wire::decimal_opt")]
    pub trading_fee_total: Option<Decimal>,
    /// Share of the fees that is paid back; the unit is not stated.
    #[serde(with = "wire::decimal_opt")]
    pub back_rate: Option<Decimal>,
    /// Whether the rebate has been paid.
    #[serde(with = "wire::text_opt")]
    pub status: Option<RebateStatus>,
    /// Total assets of the customer's account; the unit is not stated.
    #[serde(with = "wire::decimal_opt")]
    pub account_asset_total: Option<Decimal>,
}

/// A page of a customer's deposits and withdrawals, as a third party describes it: every field may
/// be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CustomerFunding {
    /// Number of rows over all pages.
    #[serde(with = "wire::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(with = "wire::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(with = "wire::number_opt")]
    pub size: Option<u32>,
    /// The rows of this page.
    #[serde(rename = "list", with = "wire::object_opt")]
    pub rows: Option<Rows<CustomerFundingRow>>,
}

/// A deposit or withdrawal of a customer. No source explains the numbers of `user_type`, `kind` and
/// `method`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct CustomerFundingRow {
    /// When it happened; the unit is not stated.
    #[serde(with = "wire::number_opt")]
    pub date_time: Option<i64>,
    /// The customer.
    #[serde(rename = "cid", with = "wire::text_opt")]
    pub uid: Option<UserId>,
    /// Remark.
    #[serde(with = "wire::text_opt")]
    pub remark: Option<String>,
    /// The user who invited the customer.
    #[serde(rename = "parentCid", with = "wire::text_opt")]
    pub parent_uid: Option<UserId>,
    /// Kind of customer.
    #[serde(with = "wire::number_opt")]
    pub user_type: Option<i64>,
    /// Kind of record.
    #[serde(rename = "type", with = "wire::number_opt")]
    pub kind: Option<i64>,
    /// Method of the deposit or withdrawal.
    #[serde(with = "wire::number_opt")]
    pub method: Option<i64>,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal_opt")]
    pub amount: Option<Decimal>,
    /// Currency.
    #[serde(rename = "coin", with = "wire::text_opt")]
    pub currency: Option<Currency>,
}

/// Futures account of a customer, as a third party describes it: every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CustomerAccount {
    /// Total assets of the account, in USDT.
    #[serde(rename = "futuresAccountAssetTotalUsdt", with = "wire::decimal_opt")]
    pub total_assets: Option<Decimal>,
    /// Equity of the account, in USDT.
    #[serde(rename = "futuresAccountRightUsdt", with = "wire::decimal_opt")]
    pub equity: Option<Decimal>,
}
