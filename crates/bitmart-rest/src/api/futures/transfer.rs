//! Moving money between the futures account and others of the same user.

use bitmart_types::{Currency, Decimal, Rows, Timestamp, TransferId, codec};
use serde::{Deserialize, Serialize};

use crate::api::futures::{FundingTransferDirection, TransferDirection, TransferState};

mod generated;

pub use generated::*;

impl TransferFunds {
    /// Moves money from the spot to the futures account.
    ///
    /// * `currency`: USDT is the only one.
    /// * `amount`: 0.01 to 10000000000, in the currency.
    pub fn from_spot(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, TransferDirection::SpotToFutures)
    }
    /// Moves money from the futures to the spot account.
    ///
    /// * `currency`: USDT is the only one.
    /// * `amount`: 0.01 to 10000000000, in the currency.
    pub fn to_spot(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, TransferDirection::FuturesToSpot)
    }
}

impl TransferWithFunding {
    /// Moves money from the funding to the futures account.
    ///
    /// * `amount`: in the currency.
    pub fn from_funding(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FundingTransferDirection::FundingToFutures)
    }
    /// Moves money from the futures to the funding account.
    ///
    /// * `amount`: in the currency.
    pub fn to_funding(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FundingTransferDirection::FuturesToFunding)
    }
}

/// Money was moved between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransferReceipt {
    /// Currency.
    #[serde(default, with = "codec::opt")]
    pub currency: Option<Currency>,
    /// Amount, in the currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub amount: Option<Decimal>,
}

/// Transfers between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transfers {
    /// The rows of this page.
    #[serde(rename = "records")]
    pub transfers: Rows<Transfer>,
}

impl Transfers {
    /// The row of one transfer; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, transfer_id: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|row| row.transfer_id.as_str() == transfer_id)
    }
}

/// A transfer between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transfer {
    /// The exchange's id of the transfer.
    pub transfer_id: TransferId,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "codec::decimal")]
    pub amount: Decimal,
    /// From where to where.
    #[serde(rename = "type")]
    pub direction: TransferDirection,
    /// State.
    #[serde(default, with = "codec::opt")]
    pub state: Option<TransferState>,
    /// When it was requested.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;
    use crate::endpoint::Endpoint;

    #[test]
    fn an_amount_outside_of_the_published_range_is_rejected() {
        let rejected = |amount| TransferFunds::from_spot("USDT", amount).validate().is_err();
        for amount in [dec!(0.009), dec!(0), dec!(-1), dec!(10000000000.01)] {
            assert!(rejected(amount), "{amount}");
        }
        for amount in [dec!(0.01), dec!(10000000000)] {
            assert!(!rejected(amount), "{amount}");
        }
    }
}
