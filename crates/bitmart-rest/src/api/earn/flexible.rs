//! Flexible savings, as a third party describes them: every field may be absent.

use bitmart_types::{Currency, Decimal, EarnId, EarnProductId, EarnRequestNo, Rows, codec};
use serde::{Deserialize, Serialize};

use crate::api::earn::{AutoSubscribe, RecordType};

mod generated;

pub use super::change::{RedeemFlexible, SubscribeFlexible};
pub use generated::*;

/// A page of flexible products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FlexibleProducts {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub products: Option<Rows<FlexibleProduct>>,
}

impl FlexibleProducts {
    /// The row of one product; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, product_id: &str) -> Option<&FlexibleProduct> {
        let mut rows = self.products.iter().flatten();
        rows.find(|row| row.product_id.as_ref().is_some_and(|id| id.as_str() == product_id))
    }
}

/// A flexible product: money can be taken out at any time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FlexibleProduct {
    /// Product.
    #[serde(with = "codec::text_opt")]
    pub product_id: Option<EarnProductId>,
    /// Currency.
    #[serde(rename = "coinName", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// The exchange's label of the product.
    #[serde(with = "codec::text_opt")]
    pub product_tag: Option<String>,
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
    /// Whether the yield depends on the amount.
    #[serde(with = "codec::boolean_opt")]
    pub has_tier_rate: Option<bool>,
    /// Yields by amount.
    #[serde(rename = "tierRate", with = "codec::object_opt")]
    pub tier_rates: Option<Rows<TierRate>>,
}

/// Yield of a range of amounts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TierRate {
    /// Smallest amount, in the currency of the product.
    #[serde(rename = "minPurchaseAmount", with = "codec::decimal_opt")]
    pub min_amount: Option<Decimal>,
    /// Largest amount, in the currency of the product.
    #[serde(rename = "maxPurchaseAmount", with = "codec::decimal_opt")]
    pub max_amount: Option<Decimal>,
    /// Yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub apy: Option<Decimal>,
}

/// A page of holdings in flexible products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FlexibleHoldings {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub holdings: Option<Rows<FlexibleHolding>>,
}

impl FlexibleHoldings {
    /// The row of one holding; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, earn_id: &str) -> Option<&FlexibleHolding> {
        let mut rows = self.holdings.iter().flatten();
        rows.find(|row| row.earn_id.as_ref().is_some_and(|id| id.as_str() == earn_id))
    }
}

/// A holding in a flexible product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FlexibleHolding {
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
    /// Amount, in the currency. No source mentions this field.
    #[serde(with = "codec::decimal_opt", skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The exchange's label of the product.
    #[serde(with = "codec::text_opt")]
    pub product_tag: Option<String>,
    /// Yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub apy: Option<Decimal>,
    /// Interest so far, in the currency.
    #[serde(with = "codec::decimal_opt")]
    pub total_profit: Option<Decimal>,
    /// Whether idle money is put into the product automatically.
    #[serde(with = "codec::boolean_opt")]
    pub auto_subscribe: Option<bool>,
    /// Additional yearly yield; whether a ratio or in percent is not stated.
    #[serde(with = "codec::decimal_opt")]
    pub additional_apy: Option<Decimal>,
    /// Whether the yield depends on the amount.
    #[serde(with = "codec::boolean_opt")]
    pub has_tier_rate: Option<bool>,
    /// Yields by amount.
    #[serde(rename = "tierRate", with = "codec::object_opt")]
    pub tier_rates: Option<Rows<TierRate>>,
}

/// A page of records of flexible products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FlexibleRecords {
    /// Number of rows over all pages.
    #[serde(with = "codec::number_opt")]
    pub total: Option<u64>,
    /// The rows of this page.
    #[serde(rename = "list", with = "codec::object_opt")]
    pub records: Option<Rows<FlexibleRecord>>,
}

impl FlexibleRecords {
    /// The row of one record; `None` if this page does not list it, or its row is a fault.
    pub fn find(&self, record_id: &str) -> Option<&FlexibleRecord> {
        let mut rows = self.records.iter().flatten();
        rows.find(|row| row.record_id.as_ref().is_some_and(|id| id == record_id))
    }
}

/// A subscription, redemption or interest of a flexible product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FlexibleRecord {
    /// Subscription, redemption or interest; the values are not stated.
    #[serde(rename = "type", with = "codec::text_opt")]
    pub record_type: Option<RecordType>,
    /// Id of the record.
    #[serde(with = "codec::text_opt")]
    pub record_id: Option<String>,
    /// Product.
    #[serde(with = "codec::text_opt")]
    pub product_id: Option<EarnProductId>,
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

/// Whether automatic saving into one product is on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AutoSubscribeStatus {
    /// On or off.
    #[serde(rename = "subscribeStatus", with = "codec::text_opt")]
    pub status: Option<AutoSubscribe>,
}
