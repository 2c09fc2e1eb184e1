//! Rebates of brokers.

use std::collections::BTreeMap;

use bitmart_types::{Currency, Decimal, Rows, codec};
use serde::{Deserialize, Serialize};

mod generated;

pub use generated::*;

/// The endpoints of brokers: `client.broker()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Broker<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Rebates of brokers.
    pub fn broker(&self) -> Broker<'_> {
        Broker { client: self }
    }
}

/// Rebates of a broker, as a third party describes them: every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rebates {
    /// Rebates by date. The form of the dates is not stated.
    #[serde(with = "codec::object_opt")]
    pub rebates: Option<BTreeMap<String, Rows<Rebate>>>,
}

/// Rebate of one day in one currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Rebate {
    /// Currency.
    #[serde(with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Rebate, in the currency.
    #[serde(rename = "rebate_amount", with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
}
