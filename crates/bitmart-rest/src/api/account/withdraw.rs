//! Withdrawals.

use std::fmt;

use bitmart_types::{Currency, Decimal, codec};
use serde::{Deserialize, Serialize};

use crate::ValidationError;
use crate::api::account::{RecipientType, WithdrawSource};
use crate::protocol::validate;

/// Withdraws money, to an address on a chain or to another account of the exchange.
///
/// A withdrawal has no client id. On [`Outcome::Unknown`](crate::Outcome::Unknown) check
/// [`ListFundingHistory`](crate::account::ListFundingHistory) before trying again: a second request
/// pays a second time.
///
/// `Debug` shows neither the address nor the receiving account.
///
/// ```
/// use bitmart_rest::account;
/// use bitmart_types::dec;
///
/// let on_chain = account::Withdraw::to_address("USDT-TRC20", dec!(100), "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf");
/// let with_tag = account::Withdraw::to_address("XRP", dec!(20), account::Address::new("rEXAMPLE").memo("12345"));
/// let internal = account::Withdraw::to_account("USDT", dec!(5), account::Recipient::UserId("876940329".into()));
/// ```
#[doc(alias = "/account/v1/withdraw/apply")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct Withdraw {
    currency: Currency,
    #[serde(with = "codec::decimal")]
    amount: Decimal,
    #[serde(
        rename = "destination",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    remark: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    address_memo: Option<String>,
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "codec::text_opt::deserialize"
    )]
    recipient_type: Option<RecipientType>,
    /// The user id, e-mail address or phone number of the receiving account, as `recipient_type` says.
    #[serde(
        rename = "value",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    recipient: Option<String>,
    #[serde(
        rename = "areaCode",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    area_code: Option<String>,
    #[serde(
        rename = "sourceAccount",
        default,
        skip_serializing_if = "Option::is_none",
        with = "codec::text_opt"
    )]
    source: Option<WithdrawSource>,
}

/// An address on a chain. It must have been verified on the exchange's web site.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    address: String,
    memo: Option<String>,
}

impl Address {
    /// Creates an address without a memo.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), memo: None }
    }
    /// Sets the tag, payment id or memo that some chains need. Without it the money may be lost.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }
}

impl From<&str> for Address {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}
impl From<String> for Address {
    fn from(address: String) -> Self {
        Self::new(address)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

/// Another account of the exchange.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// By its user id.
    UserId(String),
    /// By its e-mail address.
    Email(String),
    /// By its phone number.
    Phone {
        /// Country code, as `86`.
        area_code: String,
        /// Number within the country.
        number: String,
    },
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserId(_) => "UserId(..)",
            Self::Email(_) => "Email(..)",
            Self::Phone { .. } => "Phone { .. }",
        })
    }
}

impl Withdraw {
    /// Withdraws to an address on a chain.
    ///
    /// * `currency`: with its network where there are several, as `USDT-TRC20`.
    /// * `amount`: before the fee, in the currency.
    /// * `address`: text, or an [`Address`] with a memo.
    pub fn to_address(
        currency: impl Into<Currency>,
        amount: Decimal,
        address: impl Into<Address>,
    ) -> Self {
        let address = address.into();
        Self {
            address: Some(address.address),
            address_memo: address.memo,
            ..Self::new(currency.into(), amount)
        }
    }
    /// Withdraws to another account of the exchange.
    ///
    /// * `amount`: in the currency.
    pub fn to_account(
        currency: impl Into<Currency>,
        amount: Decimal,
        recipient: Recipient,
    ) -> Self {
        let (recipient_type, recipient, area_code) = match recipient {
            Recipient::UserId(id) => (RecipientType::UserId, id, None),
            Recipient::Email(email) => (RecipientType::Email, email, None),
            Recipient::Phone { area_code, number } => {
                (RecipientType::Phone, number, Some(area_code))
            }
        };
        Self {
            recipient_type: Some(recipient_type),
            recipient: Some(recipient),
            area_code,
            ..Self::new(currency.into(), amount)
        }
    }
    fn new(currency: Currency, amount: Decimal) -> Self {
        Self {
            currency,
            amount,
            remark: None,
            address: None,
            address_memo: None,
            recipient_type: None,
            recipient: None,
            area_code: None,
            source: None,
        }
    }
    /// Sets a remark for your records.
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }
    /// Sets the account to withdraw from. Default: spot and funding in turn.
    pub fn source(mut self, source: WithdrawSource) -> Self {
        self.source = Some(source);
        self
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("currency", Some(&self.currency))?;
        validate::positive("amount", self.amount)?;
        // A character that nobody sees, or that looks like another one, names another address or account, so the money
        // would go there. Addresses, numbers and user ids have visible ASCII characters only; an e-mail address may
        // have others.
        let is_email = self.recipient_type == Some(RecipientType::Email);
        let texts = [
            ("address", &self.address, false),
            ("value", &self.recipient, is_email),
            ("areaCode", &self.area_code, false),
        ];
        for (field, text, allows_unicode) in texts {
            let is_invalid = |c: char| {
                if allows_unicode { is_blank_or_invisible(c) } else { !c.is_ascii_graphic() }
            };
            if text.as_ref().is_some_and(|text| text.contains(is_invalid)) {
                let rule = if allows_unicode {
                    "must not contain blanks, line ends or invisible characters"
                } else {
                    "must contain only visible ASCII characters"
                };
                return Err(ValidationError::hidden(field, rule));
            }
        }
        // A memo may be a text of several words.
        let is_invalid_memo = |memo: &str| {
            memo.trim() != memo || memo.contains(|c| c != ' ' && is_blank_or_invisible(c))
        };
        if self.address_memo.as_deref().is_some_and(is_invalid_memo) {
            let rule =
                "must not begin or end with blanks, or contain line ends or invisible characters";
            return Err(ValidationError::hidden("address_memo", rule));
        }
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if self.recipient_type.is_none() {
            return validate::required("address", is_set(&self.address), "must be set");
        }
        validate::required("value", is_set(&self.recipient), "must name the receiving account")?;
        validate::required(
            "areaCode",
            self.recipient_type != Some(RecipientType::Phone) || is_set(&self.area_code),
            "must be set for a phone number",
        )
    }
}

/// Whether a character is a blank, a control character or one that is not displayed. The latter are those that Unicode
/// calls ignorable or format characters, fillers, and the empty Braille pattern.
fn is_blank_or_invisible(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    );
    c.is_whitespace() || c.is_control() || is_invisible
}

impl fmt::Debug for Withdraw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Withdraw")
            .field("currency", &self.currency)
            .field("amount", &self.amount)
            .field("recipient_type", &self.recipient_type)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;

    fn rejection(request: &Withdraw) -> Option<&'static str> {
        request.check().err().map(|error| error.field())
    }

    #[test]
    fn blanks_and_invisible_characters_in_an_address_or_account_are_rejected_and_not_shown() {
        let to = |address: Address| Withdraw::to_address("XRP", dec!(1), address);
        for address in [
            "",
            " ",
            "rCANARY ",
            "\trCANARY",
            "rCANARY\n",
            "rCAN\nARY",
            "rCAN ARY",
            "rCAN\u{A0}ARY",
            "\u{FEFF}rCANARY",
            "rCANARY\u{200B}",
            "rCAN\u{200D}ARY",
            "rCAN\u{202E}ARY",
            "rCAN\u{AD}ARY",
            "rCAN\u{3164}ARY",
            "rCAN\u{E0001}ARY",
            // The Cyrillic letter that looks like the Latin A.
            "rC\u{410}NARY",
        ] {
            let error = to(address.into()).check().expect_err("it is rejected");
            assert_eq!(error.field(), "address", "{address:?}");
            let text = error.to_string();
            assert!(!text.contains("CANARY") && !text.contains("ARY"), "{text}");
        }
        assert_eq!(rejection(&to(Address::new("r1").memo("7\u{200B}"))), Some("address_memo"));
        assert_eq!(rejection(&to(Address::new("r1").memo("7 "))), Some("address_memo"));
        assert_eq!(rejection(&to(Address::new("r1").memo("a memo"))), None);
        assert_eq!(rejection(&to(Address::new("r1").memo(""))), None);
        let account = |recipient| Withdraw::to_account("USDT", dec!(1), recipient);
        for id in ["", " ", "87694\u{200B}"] {
            assert_eq!(rejection(&account(Recipient::UserId(id.into()))), Some("value"), "{id:?}");
        }
        for email in ["a@x.com", "m\u{fc}ller@x.com"] {
            assert_eq!(rejection(&account(Recipient::Email(email.into()))), None, "{email}");
        }
        for email in ["a@x.com ", "a\u{200B}@x.com", "a\u{115F}@x.com", "a\u{E0041}@x.com"] {
            assert_eq!(
                rejection(&account(Recipient::Email(email.into()))),
                Some("value"),
                "{email}"
            );
        }
        let phone = |area_code: &str| {
            account(Recipient::Phone { area_code: area_code.into(), number: "1".into() })
        };
        assert_eq!(rejection(&phone(" ")), Some("areaCode"));
        assert_eq!(rejection(&phone("")), Some("areaCode"));
        assert_eq!(rejection(&phone("44")), None);
    }
}
