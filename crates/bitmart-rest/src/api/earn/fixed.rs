//! Fixed savings, as a third party describes them: every field may be absent.

use bitmart_types::{Currency, Decimal, EarnId, EarnProductId, EarnRequestNo, Rows, codec};
use serde::{Deserialize, Serialize};

use crate::api::earn::RecordType;

mod generated;

pub use super::change::{RedeemFixed, SubscribeFixed};
pub use generated::*;

/// A page of fixed products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FixedProducts {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub products: Option<Rows<FixedProduct>>,
}

impl FixedProducts {
    /// The row of one product; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, product_id: &str) -> Option<&FixedProduct> {
        let mut rows = self.products.iter().flatten();
        rows.find(|row| row.product_id.as_ref().is_some_and(|id| id.as_str() == product_id))
    }
}

/// A fixed product: money stays in it for a term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FixedProduct {
    /// Product.
    #[serde(with = "codec::text_opt")]
    pub product_id: Option<EarnProductId>,
    /// Currency.
    #[serde(rename = "coinName", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// The exchange's label of the product.
    #[serde(with = "codec::text_opt")]
    pub product_tag: Option<String>,
    /// Length of the term in days; unit inferred from the field name.
    #[serde(rename = "lockDay", with = "codec::number_opt")]
    pub lock_days: Option<u32>,
    /// Yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub apy: Option<Decimal>,
    /// Smallest amount, in the currency.
    #[serde(rename = "minPurchaseAmount", with = "codec::decimal_opt")]
    pub min_amount: Option<Decimal>,
    /// Largest amount, in the currency.
    #[serde(rename = "maxPurchaseAmount", with = "codec::decimal_opt")]
    pub max_amount: Option<Decimal>,
    /// Additional yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub additional_apy: Option<Decimal>,
}

/// A page of holdings in fixed products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FixedHoldings {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub holdings: Option<Rows<FixedHolding>>,
}

impl FixedHoldings {
    /// The row of one holding; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, earn_id: &str) -> Option<&FixedHolding> {
        let mut rows = self.holdings.iter().flatten();
        rows.find(|row| row.earn_id.as_ref().is_some_and(|id| id.as_str() == earn_id))
    }
}

/// A holding in a fixed product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FixedHolding {
    /// Id of this holding.
    #[serde(with = "codec::text_opt")]
    pub earn_id: Option<EarnId>,
    /// Product.
    #[serde(with = "codec::text_opt")]
    pub product_id: Option<EarnProductId>,
    /// Currency id.
    #[serde(with = "codec::number_opt")]
    pub coin_id: Option<i64>,
    /// Currency.
    #[serde(rename = "coinName", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Amount, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
    /// Expected interest, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub estimated_interest: Option<Decimal>,
    /// When the term ends; the unit is not stated.
    #[serde(with = "codec::number_opt")]
    pub expired_date: Option<i64>,
    /// The exchange's label of the product.
    #[serde(with = "codec::text_opt")]
    pub product_tag: Option<String>,
    /// Yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub apy: Option<Decimal>,
    /// Length of the term in days; unit inferred from the field name.
    #[serde(rename = "lockDay", with = "codec::number_opt")]
    pub lock_days: Option<u32>,
    /// Interest so far, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub total_profit: Option<Decimal>,
    /// How it was subscribed; the values are not stated.
    #[serde(with = "codec::text_opt")]
    pub subscribe_type: Option<String>,
    /// Additional yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub additional_apy: Option<Decimal>,
}

/// A page of records of fixed products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FixedRecords {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub records: Option<Rows<FixedRecord>>,
}

impl FixedRecords {
    /// The row of one record; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, record_id: &str) -> Option<&FixedRecord> {
        let mut rows = self.records.iter().flatten();
        rows.find(|row| row.record_id.as_ref().is_some_and(|id| id == record_id))
    }
}

/// A subscription, redemption or interest of a fixed product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FixedRecord {
    /// Subscription, redemption or interest; the values are not stated.
    #[serde(rename = "type", with = "codec::text_opt")]
    pub record_type: Option<RecordType>,
    /// Id of the record.
    #[serde(with = "codec::text_opt")]
    pub record_id: Option<String>,
    /// Product.
    #[serde(with = "codec::text_opt")]
    pub product_id: Option<EarnProductId>,
    /// Length of the term in days; unit inferred from the field name.
    #[serde(rename = "lockDay", with = "codec::number_opt")]
    pub lock_days: Option<u32>,
    /// Currency.
    #[serde(rename = "coinName", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Amount, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
    /// The exchange's label of the product.
    #[serde(with = "codec::text_opt")]
    pub product_tag: Option<String>,
    /// When it happened; the unit is not stated.
    #[serde(with = "codec::number_opt")]
    pub time: Option<i64>,
    /// How it was subscribed; the values are not stated.
    #[serde(with = "codec::text_opt")]
    pub subscribe_type: Option<String>,
    /// Request number of the subscription or redemption.
    #[serde(with = "codec::text_opt")]
    pub request_no: Option<EarnRequestNo>,
    /// State; the values are not stated.
    #[serde(with = "codec::text_opt")]
    pub status: Option<String>,
}
