//! Moving money between the futures account and others of the same user.

use bitmart_types::{
    Currency, Decimal, FuturesFundTransferType, FuturesTransferState, FuturesTransferType, Rows,
    Timestamp, TransferId, wire,
};
use serde::{Deserialize, Serialize};

mod generated;

pub use generated::*;

impl TransferFutures {
    /// Moves money from the spot to the futures account.
    ///
    /// * `currency`: USDT is the only one.
    /// * `amount`: 0.01 to 10000000000, in the currency.
    pub fn from_spot(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FuturesTransferType::SpotToFutures)
    }
    /// Moves money from the futures to the spot account.
    ///
    /// * `currency`: USDT is the only one.
    /// * `amount`: 0.01 to 10000000000, in the currency.
    pub fn to_spot(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FuturesTransferType::FuturesToSpot)
    }
}

impl TransferFuturesFund {
    /// Moves money from the funding to the futures account.
    ///
    /// * `amount`: in the currency.
    pub fn from_fund(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FuturesFundTransferType::FundToFutures)
    }
    /// Moves money from the futures to the funding account.
    ///
    /// * `amount`: in the currency.
    pub fn to_fund(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self::new(currency, amount, FuturesFundTransferType::FuturesToFund)
    }
}

/// Money was moved between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTransferReceipt {
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
}

/// Transfers between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTransfers {
    /// Rows of the page.
    pub records: Rows<FuturesTransfer>,
}

/// A transfer between the spot and the futures account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTransfer {
    /// The exchange's id of the transfer.
    pub transfer_id: TransferId,
    /// Currency.
    pub currency: Currency,
    /// Amount, in the currency.
    #[serde(with = "wire::decimal")]
    pub amount: Decimal,
    /// From where to where.
    #[serde(rename = "type")]
    pub direction: FuturesTransferType,
    /// How far it is. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub state: Option<FuturesTransferState>,
    /// When it was made. `None`: not told.
    #[serde(rename = "timestamp", default, with = "wire::millis_opt")]
    pub time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;
    use crate::Endpoint;

    #[test]
    fn an_amount_outside_of_the_published_range_is_refused() {
        let refused = |amount| TransferFutures::from_spot("USDT", amount).validate().is_err();
        for amount in [dec!(0.009), dec!(0), dec!(-1), dec!(10000000000.01)] {
            assert!(refused(amount), "{amount}");
        }
        for amount in [dec!(0.01), dec!(10000000000)] {
            assert!(!refused(amount), "{amount}");
        }
    }
}
