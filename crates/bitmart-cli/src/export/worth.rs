//! What trades of futures are worth, for those who read an archive.

use bitmart::Decimal;
use serde_json::Value;

use super::Archive;
use super::amounts::{self, decimal};
use crate::failure::Failure;

/// The contracts that an archive knows.
#[derive(Debug)]
pub(crate) struct Contracts(amounts::Contracts);

/// What a trade was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worth {
    /// In the base currency.
    pub(crate) base: Decimal,
    pub(crate) quote: Decimal,
    /// The quote currency.
    pub(crate) currency: String,
}

impl Archive {
    /// # Errors
    /// When the list of contracts cannot be read.
    pub(crate) fn contracts(&self) -> Result<Contracts, Failure> {
        amounts::contracts(self.folder()).map(Contracts)
    }
}

impl Contracts {
    /// Of a row of trades. `None` where the contract is not known, or the row lacks price or
    /// number.
    pub(crate) fn worth(&self, row: &Value) -> Option<Worth> {
        let contract = self.0.get(row["symbol"].as_str()?)?;
        let amounts = contract.amounts(decimal(row, "vol")?, decimal(row, "price"));
        let (Some(base), Some(quote)) = amounts else { return None };
        Some(Worth { base, quote, currency: contract.quote.clone() })
    }
}
