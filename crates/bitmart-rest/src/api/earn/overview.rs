//! Overview of savings.

use bitmart_types::{Currency, Decimal, Keyed, codec};
use serde::{Deserialize, Serialize};

use crate::api::earn::AutoSubscribe;

/// Savings in one currency. The names of the amounts suggest that they are in that currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Holding {
    /// Currency.
    #[serde(rename = "coinName", with = "codec::text_opt")]
    pub currency: Option<Currency>,
    /// Total savings.
    #[serde(rename = "totalUserSum", with = "codec::decimal_opt")]
    pub total: Option<Decimal>,
    /// Interest over all time.
    #[serde(with = "codec::decimal_opt")]
    pub total_profit: Option<Decimal>,
    /// Interest of the previous period.
    #[serde(with = "codec::decimal_opt")]
    pub previous_profit: Option<Decimal>,
}

/// By the currency: `holdings.find("USDT")`.
impl Keyed for Holding {
    fn key(&self) -> Option<&str> {
        self.currency.as_ref().map(Currency::as_str)
    }
}

/// Whether automatic saving of everything is on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AutoSaving {
    /// On or off.
    #[serde(rename = "batchSubscribeStatus", with = "codec::text_opt")]
    pub status: Option<AutoSubscribe>,
}
