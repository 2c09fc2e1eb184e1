//! Subscriptions and redemptions of savings.

use bitmart_types::{Decimal, EarnId, EarnProductId, EarnRequestNo, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::api::earn::FixedRenewal;
use crate::protocol::validate;

/// Defines setter and getter of the request number.
macro_rules! request_number {
    ($($name:ident)+) => {$(
        impl $name {
            /// Replaces the random request number. The exchange does not execute a number that was used before.
            pub fn with_request_no(mut self, request_no: EarnRequestNo) -> Self {
                self.request_no = request_no;
                self
            }
            /// Your request number.
            pub fn request_no(&self) -> &EarnRequestNo {
                &self.request_no
            }
        }
    )+};
}
request_number!(SubscribeFlexible RedeemFlexible SubscribeFixed RedeemFixed);

/// Puts money into a flexible product.
///
/// It gets a random [`request_no`](Self::request_no) at construction. Keep it: when the
/// request ends with [`Outcome::Unknown`](crate::Outcome::Unknown), search the records for the number.
/// The official clients document that the exchange executes a number once.
#[doc(alias = "/newearn/cloud/v1/saving/subscribe")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct SubscribeFlexible {
    product_id: EarnProductId,
    #[serde(with = "codec::decimal")]
    amount: Decimal,
    request_no: EarnRequestNo,
}

impl SubscribeFlexible {
    /// Creates the request with a random request number.
    ///
    /// * `amount`: in the currency of the product.
    pub fn new(product_id: impl Into<EarnProductId>, amount: Decimal) -> Self {
        Self { product_id: product_id.into(), amount, request_no: EarnRequestNo::random() }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("productId", Some(&self.product_id))?;
        validate::positive("amount", self.amount)?;
        validate::identifier("requestNo", Some(&self.request_no))
    }
}

/// Takes money out of a flexible product.
///
/// It gets a random [`request_no`](Self::request_no) at construction. Keep it: when the
/// request ends with [`Outcome::Unknown`](crate::Outcome::Unknown), search the records for the number.
/// The official clients document that the exchange executes a number once.
#[doc(alias = "/newearn/cloud/v1/saving/redeem")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct RedeemFlexible {
    earn_id: EarnId,
    #[serde(with = "codec::decimal")]
    amount: Decimal,
    request_no: EarnRequestNo,
}

impl RedeemFlexible {
    /// Creates the request with a random request number.
    ///
    /// * `earn_id`: id of the holding.
    /// * `amount`: in the currency of the product.
    pub fn new(earn_id: impl Into<EarnId>, amount: Decimal) -> Self {
        Self { earn_id: earn_id.into(), amount, request_no: EarnRequestNo::random() }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("earnId", Some(&self.earn_id))?;
        validate::positive("amount", self.amount)?;
        validate::identifier("requestNo", Some(&self.request_no))
    }
}

/// Puts money into a fixed product.
///
/// It gets a random [`request_no`](Self::request_no) at construction. Keep it: when the
/// request ends with [`Outcome::Unknown`](crate::Outcome::Unknown), search the records for the number.
/// The official clients document that the exchange executes a number once.
#[doc(alias = "/newearn/cloud/v1/saving/fixed/subscribe")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct SubscribeFixed {
    product_id: EarnProductId,
    #[serde(with = "codec::decimal")]
    amount: Decimal,
    #[serde(rename = "autoSubscribe")]
    renewal: FixedRenewal,
    request_no: EarnRequestNo,
}

impl SubscribeFixed {
    /// Creates the request with a random request number.
    ///
    /// * `amount`: in the currency of the product.
    /// * `renewal`: what happens at the end of the term.
    pub fn new(
        product_id: impl Into<EarnProductId>,
        amount: Decimal,
        renewal: FixedRenewal,
    ) -> Self {
        Self { product_id: product_id.into(), amount, renewal, request_no: EarnRequestNo::random() }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("productId", Some(&self.product_id))?;
        validate::positive("amount", self.amount)?;
        validate::identifier("requestNo", Some(&self.request_no))
    }
}

/// Takes all money out of a fixed product before its term ends.
///
/// It gets a random [`request_no`](Self::request_no) at construction. Keep it: when the
/// request ends with [`Outcome::Unknown`](crate::Outcome::Unknown), search the records for the number.
/// The official clients document that the exchange executes a number once.
#[doc(alias = "/newearn/cloud/v1/saving/fixed/redeem")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct RedeemFixed {
    earn_id: EarnId,
    request_no: EarnRequestNo,
}

impl RedeemFixed {
    /// Creates the request with a random request number.
    ///
    /// * `earn_id`: id of the holding.
    pub fn new(earn_id: impl Into<EarnId>) -> Self {
        Self { earn_id: earn_id.into(), request_no: EarnRequestNo::random() }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("earnId", Some(&self.earn_id))?;
        validate::identifier("requestNo", Some(&self.request_no))
    }
}

crate::api::convert::identifier!(EarnId => RedeemFixed);
