//! Customers of an affiliate.

use bitmart_types::{Currency, Decimal, Rows, UserId, codec};
use serde::{Deserialize, Serialize};

use crate::Unverified;
use crate::api::affiliate::RebateStatus;

/// Whether a user is a customer of the affiliate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Invitation {
    /// Whether the affiliate invited the user.
    #[serde(rename = "isInviteUser", with = "codec::boolean")]
    pub is_invited: bool,
}

/// A page of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Customers {
    /// Number of rows over all pages.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(default, with = "codec::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(rename = "size", default, with = "codec::number_opt")]
    pub limit: Option<u32>,
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
    #[serde(rename = "cid", with = "codec::text_opt")]
    pub uid: Option<UserId>,
    /// Rebate, in USDT.
    #[serde(rename = "rebateTotal", with = "codec::decimal_opt")]
    pub total_rebate: Option<Decimal>,
    /// Traded amount, in USDT.
    #[serde(rename = "tradingVolTotal", with = "codec::decimal_opt")]
    pub total_volume: Option<Decimal>,
    /// Cash back, in percent.
    #[serde(with = "codec::decimal_opt")]
    pub cashback_rate: Option<Decimal>,
    /// Fees, in USDT.
    #[serde(rename = "tradingFeeTotal", with = "codec::decimal_opt")]
    pub total_fee: Option<Decimal>,
    /// Share of the fees that is paid back; the unit is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub back_rate: Option<Decimal>,
    /// Whether the rebate has been paid.
    #[serde(with = "codec::text_opt")]
    pub status: Option<RebateStatus>,
    /// Total assets of the customer's account; the unit is not stated.
    #[serde(rename = "accountAssetTotal", with = "codec::decimal_opt")]
    pub total_assets: Option<Decimal>,
}

/// A page of a customer's deposits and withdrawals, as a third party describes it: every field may
/// be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CustomerFunding {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(with = "codec::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(rename = "size", with = "codec::number_opt")]
    pub limit: Option<u32>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub records: Option<Rows<CustomerFundingRecord>>,
}

/// A deposit or withdrawal of a customer. No source explains the numbers of `user_type`,
/// `record_type` and `method`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct CustomerFundingRecord {
    /// When it happened; the unit is not stated.
    #[serde(with = "codec::number_opt")]
    pub date_time: Option<i64>,
    /// The customer.
    #[serde(rename = "cid", with = "codec::text_opt")]
    pub uid: Option<UserId>,
    /// Remark.
    #[serde(with = "codec::text_opt")]
    pub remark: Option<String>,
    /// The user who invited the customer.
    #[serde(rename = "parentCid", with = "codec::text_opt")]
    pub parent_uid: Option<UserId>,
    /// Kind of customer.
    #[serde(with = "codec::number_opt")]
    pub user_type: Option<i64>,
    /// Kind of record.
    #[serde(rename = "type", with = "codec::number_opt")]
    pub record_type: Option<i64>,
    /// Method of the deposit or withdrawal.
    #[serde(with = "codec::number_opt")]
    pub method: Option<i64>,
    /// Amount, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
    /// Currency.
    #[serde(rename = "coin", with = "codec::text_opt")]
    pub currency: Option<Currency>,
}

/// Futures account of a customer, as a third party describes it: every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CustomerAccount {
    /// Total assets of the account, in USDT.
    #[serde(rename = "futuresAccountAssetTotalUsdt", with = "codec::decimal_opt")]
    pub total_assets: Option<Decimal>,
    /// Equity of the account, in USDT.
    #[serde(rename = "futuresAccountRightUsdt", with = "codec::decimal_opt")]
    pub equity: Option<Decimal>,
}
