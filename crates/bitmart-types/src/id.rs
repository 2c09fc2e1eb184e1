//! Identifiers.

use std::{fmt, str::FromStr};

use smol_str::SmolStr;

use crate::{InvalidValue, codec::scalar, open_enum::itoa};

/// Longest client order id, as documented.
const CLIENT_ORDER_ID_MAX: usize = 32;

/// Length of the request number of savings, as the official clients document it.
const EARN_REQUEST_NO_LENGTH: usize = 20;

/// Defines an identifier. Decoding does not check its form.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        ///
        /// Reads JSON text and JSON integers, writes text.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(SmolStr);

        impl $name {
            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// Checks the form. Requests are checked before they are sent; values from the exchange
            /// are not checked when they are decoded.
            ///
            /// # Errors
            /// When the text does not have the form of this identifier.
            pub fn check(&self) -> Result<(), InvalidValue> {
                $check(self.as_str()).map_err(|rule| InvalidValue::new($what, self.as_str(), rule))
            }
        }
        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id = Self(text.into());
                id.check().map(|()| id)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }
        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                scalar::read(deserializer, concat!($what, " as text or integer"), id_text).map(Self)
            }
        }
    };
}

/// Implements unchecked conversions from text; requests check their identifiers before sending.
macro_rules! from_any_text {
    ($($name:ident)+) => {$(
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl From<&Self> for $name {
            fn from(id: &Self) -> Self {
                id.clone()
            }
        }
    )+};
}

identifier! {
    /// A spot pair, `BASE_QUOTE` in capitals: `BTC_USDT`.
    Symbol, "symbol", spot_symbol
}
identifier! {
    /// A futures contract, base and quote without a separator: `BTCUSDT`.
    ContractSymbol, "contract symbol", contract_symbol
}
identifier! {
    /// A currency code, possibly with its network: `USDT`, `USDT-TRC20`.
    Currency, "currency", currency
}
identifier! {
    /// An order id given by the exchange. Text, because some are above 2^53.
    OrderId, "order id", exchange_id
}
identifier! {
    /// A trade (fill) id given by the exchange.
    TradeId, "trade id", exchange_id
}
identifier! {
    /// The id of a withdrawal, given by the exchange.
    WithdrawalId, "withdrawal id", exchange_id
}
identifier! {
    /// The id of a deposit, given by the exchange.
    DepositId, "deposit id", exchange_id
}
identifier! {
    /// The id of a loan on isolated margin, given by the exchange.
    BorrowId, "loan id", exchange_id
}
identifier! {
    /// The id of a repayment on isolated margin, given by the exchange.
    RepayId, "repayment id", exchange_id
}
identifier! {
    /// The id of a transfer between accounts, given by the exchange.
    TransferId, "transfer id", exchange_id
}
identifier! {
    /// The id of a movement of money, given by the exchange.
    TransactionId, "transaction id", exchange_id
}
identifier! {
    /// An order id chosen by the client: 1 to 32 letters and digits.
    ///
    /// [`new`](Self::new) and [`random`](Self::random) return valid ids only. Ids from the exchange are
    /// not checked.
    ClientOrderId, "client order id", client_order_id
}
identifier! {
    /// A request number that the client chooses for a transfer between accounts: 1 to 64 characters
    /// without blanks. The exchange executes a number once.
    RequestNo, "request number", request_no
}
identifier! {
    /// The id of a user of the exchange, in digits. Also called `cid`.
    UserId, "user id", exchange_id
}
identifier! {
    /// The id of a savings product.
    EarnProductId, "savings product id", exchange_id
}
identifier! {
    /// The id of a holding in a savings product.
    EarnId, "savings id", exchange_id
}
identifier! {
    /// A request number that the client chooses for a savings request: 20 digits. The exchange executes
    /// a number once.
    EarnRequestNo, "request number", earn_request_no
}

from_any_text!(
    Symbol ContractSymbol Currency OrderId TradeId WithdrawalId DepositId TransferId TransactionId
    BorrowId RepayId UserId EarnProductId EarnId
);

impl Symbol {
    /// The base currency, `BTC` in `BTC_USDT`; `None` without a separator.
    pub fn base(&self) -> Option<&str> {
        self.0.rsplit_once('_').map(|(base, _)| base)
    }
    /// The quote currency, `USDT` in `BTC_USDT`; `None` without a separator.
    pub fn quote(&self) -> Option<&str> {
        self.0.rsplit_once('_').map(|(_, quote)| quote)
    }
}

impl ClientOrderId {
    /// Creates an id from text.
    ///
    /// # Errors
    /// When `text` is not 1 to 32 ASCII letters and digits.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidValue> {
        text.as_ref().parse()
    }
    /// Creates a random id of 32 hexadecimal digits with the operating system's generator.
    ///
    /// # Panics
    /// When the operating system provides no randomness, which does not happen after boot.
    pub fn random() -> Self {
        Self(random_text())
    }
}

impl RequestNo {
    /// Creates a number from text.
    ///
    /// # Errors
    /// When `text` is empty, longer than 64 characters or has blanks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidValue> {
        text.as_ref().parse()
    }
    /// Creates a random number of 32 hexadecimal digits with the operating system's generator.
    ///
    /// # Panics
    /// When the operating system provides no randomness, which does not happen after boot.
    pub fn random() -> Self {
        Self(random_text())
    }
}

impl EarnRequestNo {
    /// Creates a number from text.
    ///
    /// # Errors
    /// When `text` is not 20 digits.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidValue> {
        text.as_ref().parse()
    }
    /// Creates a random number of 64 bits with the operating system's generator.
    ///
    /// # Panics
    /// When the operating system provides no randomness, which does not happen after boot.
    pub fn random() -> Self {
        Self(smol_str::format_smolstr!("{:020}", u64::from_le_bytes(random_bytes())))
    }
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::getrandom(&mut bytes) {
        // An id that is not random could repeat: the exchange would reject the order, or a query
        // would find another order.
        panic!("the operating system provides no random bytes: {error}");
    }
    bytes
}

/// 32 random hexadecimal digits.
fn random_text() -> SmolStr {
    let bytes: [u8; CLIENT_ORDER_ID_MAX / 2] = random_bytes();
    let mut text = [0_u8; CLIENT_ORDER_ID_MAX];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 0xf)];
    }
    SmolStr::new(std::str::from_utf8(&text).unwrap_or_default())
}

macro_rules! checked_from_text {
    ($($name:ident)+) => {$(
        impl TryFrom<&str> for $name {
            type Error = InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }
    )+};
}
checked_from_text!(ClientOrderId RequestNo EarnRequestNo);

/// Returns the text of an id that is text or an integer on the wire.
fn id_text(scalar: scalar::Scalar<'_>) -> Result<SmolStr, scalar::Mismatch> {
    use scalar::Scalar;

    match scalar {
        Scalar::Text(text) => Ok(text.into()),
        Scalar::Number(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(digits.into()),
        Scalar::Unsigned(number) => Ok(itoa(&mut [0; 20], number, false).into()),
        Scalar::Signed(number) => Ok(itoa(&mut [0; 20], number.unsigned_abs(), number < 0).into()),
        Scalar::Float(_) => Err(Some("a number that is not a 64-bit integer is not exact")),
        Scalar::Number(_) | Scalar::Null | Scalar::Bool(_) => Err(None),
    }
}

type Rule = &'static str;

/// Whether `text` is a name of 1 to `max` printable characters. Names of new coins follow no pattern,
/// so any script is allowed.
fn is_name(text: &str, max: usize) -> bool {
    let printable = |c: char| !c.is_whitespace() && !c.is_control();
    if text.is_ascii() {
        (1..=max).contains(&text.len()) && all(text, |b| b.is_ascii_graphic())
    } else {
        text.chars().count() <= max && text.chars().all(printable)
    }
}

/// Whether all letters are lower case. Some names of coins contain lower case letters, but one without
/// any capital is a mistake.
fn is_lower_case(text: &str) -> bool {
    !all(text, |b| !b.is_ascii_lowercase()) && all(text, |b| !b.is_ascii_uppercase())
}

/// Whether `is` holds for all bytes. Checks every byte without an early exit, which is faster for
/// valid ids.
fn all(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & is(byte))
}

fn spot_symbol(text: &str) -> Result<(), Rule> {
    let parts = text.rsplit_once('_');
    let has_two_parts = parts.is_some_and(|(base, quote)| is_name(base, 32) && is_name(quote, 32));
    if has_two_parts && !is_lower_case(text) {
        Ok(())
    } else {
        Err("BASE_QUOTE in capitals with an underscore, such as BTC_USDT")
    }
}

fn contract_symbol(text: &str) -> Result<(), Rule> {
    if is_name(text, 64) && !text.contains(['_', '-', '/']) && !is_lower_case(text) {
        Ok(())
    } else {
        Err("base and quote in capitals without an underscore or other separator, such as BTCUSDT")
    }
}

fn currency(text: &str) -> Result<(), Rule> {
    if is_name(text, 64) {
        Ok(())
    } else {
        Err("a code of 1 to 64 characters without blanks, such as USDT or USDT-TRC20")
    }
}

fn exchange_id(text: &str) -> Result<(), Rule> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=64).contains(&text.len()) && all(text, fits) {
        Ok(())
    } else {
        Err("1 to 64 letters and digits")
    }
}

fn client_order_id(text: &str) -> Result<(), Rule> {
    let length = 1..=CLIENT_ORDER_ID_MAX;
    if length.contains(&text.len()) && all(text, |b| b.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err("1 to 32 ASCII letters and digits")
    }
}

fn request_no(text: &str) -> Result<(), Rule> {
    if is_name(text, 64) { Ok(()) } else { Err("1 to 64 characters without blanks") }
}

fn earn_request_no(text: &str) -> Result<(), Rule> {
    if text.len() == EARN_REQUEST_NO_LENGTH && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("20 digits")
    }
}
