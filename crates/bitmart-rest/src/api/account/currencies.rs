//! Currencies and their networks.

use bitmart_types::{Currency, Decimal, Rows, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::protocol::validate;

/// Maximum number of currencies in one request.
const CURRENCIES_MAX: usize = 20;

/// A request for currencies with their networks, fees and minimum amounts.
///
/// `GET /account/v1/currencies`: needs no key, rate limit 2 in 2 s per address.
///
/// ```
/// use bitmart_rest::account;
///
/// let all = account::ListFundingCurrencies::new();
/// let some = account::ListFundingCurrencies::new().currency("BTC").currency("USDT-TRC20");
/// ```
#[doc(alias = "/account/v1/currencies")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct ListFundingCurrencies {
    /// Joined by commas, as on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    pub(super) currencies: Option<String>,
}

impl ListFundingCurrencies {
    /// Requests all currencies.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a currency; only the added currencies are requested, at most 20.
    pub fn currency(mut self, currency: impl Into<Currency>) -> Self {
        let currency = currency.into();
        match &mut self.currencies {
            Some(currencies) => {
                currencies.push(',');
                currencies.push_str(currency.as_str());
            }
            None => self.currencies = Some(currency.into()),
        }
        self
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        let names = || self.currencies.iter().flat_map(|currencies| currencies.split(','));
        for name in names() {
            validate::identifier("currencies", Some(&Currency::from(name)))?;
        }
        match names().count() {
            0..=CURRENCIES_MAX => Ok(()),
            count => Err(ValidationError::new(
                "currencies",
                format_args!("{count} currencies"),
                "must be at most 20",
            )),
        }
    }
}

impl From<()> for ListFundingCurrencies {
    fn from((): ()) -> Self {
        Self::new()
    }
}
crate::api::convert::identifier!(Currency => ListFundingCurrencies.currency);

/// Currencies with their networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingCurrencies {
    /// One row per currency and network.
    pub currencies: Rows<FundingCurrency>,
}

impl FundingCurrencies {
    /// The row of one currency, with its network where there are several: `USDT-TRC20`. `None` if the
    /// exchange does not list it, or its row is a fault.
    pub fn find(&self, currency: &str) -> Option<&FundingCurrency> {
        self.currencies.iter().find(|row| row.currency.as_str() == currency)
    }
}

/// A currency on one of its networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingCurrency {
    /// Currency, with its network where there are several: `USDT-TRC20`.
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Address of its contract; `None` for a coin that has none.
    #[serde(default, with = "codec::text_opt")]
    pub contract_address: Option<String>,
    /// Network.
    #[serde(default, with = "codec::text_opt")]
    pub network: Option<String>,
    /// Whether it can be withdrawn.
    #[serde(default, with = "codec::boolean_opt")]
    pub withdraw_enabled: Option<bool>,
    /// Whether it can be deposited.
    #[serde(default, with = "codec::boolean_opt")]
    pub deposit_enabled: Option<bool>,
    /// Smallest withdrawal, in the currency; `None` without a minimum.
    #[serde(rename = "withdraw_minsize", default, with = "codec::decimal_opt")]
    pub withdraw_min_size: Option<Decimal>,
    /// Smallest fee, in the currency. BitMart announced its removal after 2025-05-18.
    #[serde(rename = "withdraw_minfee", default, with = "codec::decimal_opt")]
    pub withdraw_min_fee: Option<Decimal>,
    /// Fee of a withdrawal, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub withdraw_fee: Option<Decimal>,
    /// Estimated fee of a withdrawal, in USD.
    #[serde(default, with = "codec::decimal_opt")]
    pub withdraw_fee_estimate: Option<Decimal>,
}
