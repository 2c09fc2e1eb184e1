//! Transfers from and to sub-accounts.
//!
//! Each gets a random request number at construction. The exchange rejects a number that was used
//! before with code 61004: on [`Outcome::Unknown`](crate::Outcome::Unknown) the same request can be sent
//! again. It either moves the money, or is rejected because the first one did.

use bitmart_types::{Currency, Decimal, RequestNo, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::protocol::validate;

/// Amount and currency of a transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Funds {
    #[serde(with = "codec::decimal")]
    amount: Decimal,
    currency: Currency,
}

impl Funds {
    fn new(currency: Currency, amount: Decimal) -> Self {
        Self { amount, currency }
    }
    fn check(&self, request_no: &RequestNo) -> Result<(), ValidationError> {
        validate::identifier("requestNo", Some(request_no))?;
        validate::positive("amount", self.amount)?;
        validate::identifier("currency", Some(&self.currency))
    }
}

/// Defines setter and getter of the request number.
macro_rules! request_number {
    ($($name:ident)+) => {$(
        impl $name {
            /// Replaces the random request number. The exchange rejects one that was used before, with
            /// code 61004.
            pub fn with_request_no(mut self, request_no: RequestNo) -> Self {
                self.request_no = request_no;
                self
            }
            /// Your request number. While the outcome is unknown, the same request can be sent again: the exchange
            /// executes a number once.
            pub fn request_no(&self) -> &RequestNo {
                &self.request_no
            }
        }
    )+};
}
request_number!(TransferSubToMain TransferOwnToMain TransferMainToSub TransferSubToSub);

/// Moves money from a sub-account to the main account, with the main account's key.
///
/// ```
/// use bitmart_rest::sub_account;
/// use bitmart_types::dec;
///
/// let transfer = sub_account::TransferSubToMain::new("sub1@example.com", "USDT", dec!(250));
/// assert_eq!(transfer.request_no().as_str().len(), 32);
/// ```
#[doc(alias = "/account/sub-account/main/v1/sub-to-main")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct TransferSubToMain {
    #[serde(rename = "requestNo")]
    request_no: RequestNo,
    #[serde(flatten)]
    funds: Funds,
    #[serde(rename = "subAccount")]
    sub_account: String,
}

impl TransferSubToMain {
    /// Moves `amount` of `currency` from the sub-account with this user name.
    pub fn new(
        sub_account: impl Into<String>,
        currency: impl Into<Currency>,
        amount: Decimal,
    ) -> Self {
        Self {
            request_no: RequestNo::random(),
            funds: Funds::new(currency.into(), amount),
            sub_account: sub_account.into(),
        }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        self.funds.check(&self.request_no)?;
        user_name("subAccount", &self.sub_account)
    }
}

/// Moves money to the main account, with the sub-account's key.
#[doc(alias = "/account/sub-account/sub/v1/sub-to-main")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct TransferOwnToMain {
    #[serde(rename = "requestNo")]
    request_no: RequestNo,
    #[serde(flatten)]
    funds: Funds,
}

impl TransferOwnToMain {
    /// Moves `amount` of `currency` from the sub-account that the key belongs to.
    pub fn new(currency: impl Into<Currency>, amount: Decimal) -> Self {
        Self { request_no: RequestNo::random(), funds: Funds::new(currency.into(), amount) }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        self.funds.check(&self.request_no)
    }
}

/// Moves money from the main account to a sub-account, with the main account's key.
#[doc(alias = "/account/sub-account/main/v1/main-to-sub")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct TransferMainToSub {
    #[serde(rename = "requestNo")]
    request_no: RequestNo,
    #[serde(flatten)]
    funds: Funds,
    #[serde(rename = "subAccount")]
    sub_account: String,
}

impl TransferMainToSub {
    /// Moves `amount` of `currency` to the sub-account with this user name.
    pub fn new(
        sub_account: impl Into<String>,
        currency: impl Into<Currency>,
        amount: Decimal,
    ) -> Self {
        Self {
            request_no: RequestNo::random(),
            funds: Funds::new(currency.into(), amount),
            sub_account: sub_account.into(),
        }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        self.funds.check(&self.request_no)?;
        user_name("subAccount", &self.sub_account)
    }
}

/// Moves money between two sub-accounts, with the main account's key.
#[doc(alias = "/account/sub-account/main/v1/sub-to-sub")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct TransferSubToSub {
    #[serde(rename = "requestNo")]
    request_no: RequestNo,
    #[serde(flatten)]
    funds: Funds,
    #[serde(rename = "fromAccount")]
    from: String,
    #[serde(rename = "toAccount")]
    to: String,
}

impl TransferSubToSub {
    /// Moves `amount` of `currency` between the sub-accounts with these user names.
    ///
    /// * `from`: pays.
    /// * `to`: receives.
    pub fn new(
        from: impl Into<String>,
        to: impl Into<String>,
        currency: impl Into<Currency>,
        amount: Decimal,
    ) -> Self {
        Self {
            request_no: RequestNo::random(),
            funds: Funds::new(currency.into(), amount),
            from: from.into(),
            to: to.into(),
        }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        self.funds.check(&self.request_no)?;
        user_name("fromAccount", &self.from)?;
        user_name("toAccount", &self.to)?;
        if self.from == self.to {
            let rule = "must be another account than fromAccount";
            return Err(ValidationError::new("toAccount", &self.to, rule));
        }
        Ok(())
    }
}

/// Checks that a user name is not blank. No source states its form.
fn user_name(field: &'static str, name: &str) -> Result<(), ValidationError> {
    validate::required(field, !name.trim().is_empty(), "must be the user name of a sub-account")
}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;

    #[test]
    fn each_transfer_gets_its_own_request_number() {
        let one = TransferOwnToMain::new("USDT", dec!(1));
        let two = TransferOwnToMain::new("USDT", dec!(1));
        assert_ne!(one.request_no, two.request_no);
        let same = two.with_request_no(one.request_no.clone());
        assert_eq!(one, same);
    }

    #[test]
    fn contradictory_transfers_are_rejected() {
        let field = |checked: Result<(), ValidationError>| checked.err().map(|error| error.field());
        let good = TransferSubToSub::new("a@x.com", "b@x.com", "USDT", dec!(1));
        assert_eq!(field(good.check()), None);
        let to_itself = TransferSubToSub::new("a@x.com", "a@x.com", "USDT", dec!(1));
        assert_eq!(field(to_itself.check()), Some("toAccount"));
        let nothing = TransferMainToSub::new("a@x.com", "USDT", dec!(0));
        assert_eq!(field(nothing.check()), Some("amount"));
        let nobody = TransferSubToMain::new(" ", "USDT", dec!(1));
        assert_eq!(field(nobody.check()), Some("subAccount"));
    }
}
