//! Validation of parameters before a request is sent.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bitmart_types::{ClientOrderId, Decimal, InvalidValue, OrderId};

/// Maximum length of an invalid value in an error, in characters.
const VALUE_SHOWN: usize = 64;

/// A parameter that the exchange would reject, found before sending.
///
/// ```
/// use bitmart_rest::ValidationError;
///
/// let error = ValidationError::new("limit", 500, "must be 1 to 200");
/// assert_eq!(error.to_string(), "`limit` must be 1 to 200, not `500`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    field: &'static str,
    value: String,
    rule: Cow<'static, str>,
}

impl ValidationError {
    /// Creates the error for a `field` whose `value` violates the `rule`.
    ///
    /// The rule continues a sentence that begins with the field's name: `must be 1 to 200`.
    /// A long value is cut to 64 characters. For a secret value use [`hidden`](Self::hidden).
    pub fn new(
        field: &'static str,
        value: impl fmt::Display,
        rule: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut value = value.to_string();
        if let Some((end, _)) = value.char_indices().nth(VALUE_SHOWN) {
            value.truncate(end);
            value.push('…');
        }
        Self { field, value, rule: rule.into() }
    }
    /// Creates the error without the value, which must not be shown. [`value`](Self::value) is empty.
    pub fn hidden(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field, value: String::new(), rule: rule.into() }
    }
    /// Wire name of the parameter.
    pub fn field(&self) -> &'static str {
        self.field
    }
    /// The invalid value, cut to 64 characters; empty if it must not be shown.
    pub fn value(&self) -> &str {
        &self.value
    }
    /// The violated rule.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.rule)?;
        if self.value.is_empty() { Ok(()) } else { write!(f, ", not `{}`", self.value) }
    }
}

impl std::error::Error for ValidationError {}

/// Requires a member that the exchange may have left out.
pub(crate) fn present<T>(field: &'static str, value: Option<T>) -> Result<T, ValidationError> {
    value
        .ok_or_else(|| ValidationError::new(field, "nothing", "must be in the exchange's response"))
}

/// Checks the format of an identifier.
pub(crate) fn identifier<T: Identifier>(
    field: &'static str,
    value: Option<&T>,
) -> Result<(), ValidationError> {
    match value.map(T::check) {
        Some(Err(invalid)) => {
            Err(ValidationError::new(field, invalid.value(), format!("must be {}", invalid.rule())))
        }
        _ => Ok(()),
    }
}

/// Checks a published range.
pub(crate) fn range<T: PartialOrd + fmt::Display>(
    field: &'static str,
    value: impl Into<Option<T>>,
    min: Option<T>,
    max: Option<T>,
) -> Result<(), ValidationError> {
    let Some(value) = value.into() else {
        return Ok(());
    };
    let low = min.as_ref().is_some_and(|min| value < *min);
    let high = max.as_ref().is_some_and(|max| value > *max);
    if !low && !high {
        return Ok(());
    }
    let rule = match (min, max) {
        (Some(min), Some(max)) => format!("must be {min} to {max}"),
        (Some(min), None) => format!("must be at least {min}"),
        (_, max) => format!("must be at most {}", max.as_ref().unwrap_or(&value)),
    };
    Err(ValidationError::new(field, value, rule))
}

/// Checks the published range of a duration that is sent in whole milliseconds.
pub(crate) fn duration(
    field: &'static str,
    value: Option<Duration>,
    min: Option<Duration>,
    max: Option<Duration>,
) -> Result<(), ValidationError> {
    let (min, max) = (min.unwrap_or(Duration::ZERO), max.unwrap_or(Duration::MAX));
    match value {
        Some(value) if !(min..=max).contains(&value) || value.subsec_nanos() % 1_000_000 != 0 => {
            let rule = format!("must be {min:?} to {max:?} in whole milliseconds");
            Err(ValidationError::new(field, format_args!("{value:?}"), rule))
        }
        _ => Ok(()),
    }
}

/// Checks a `recvWindow`.
pub(crate) fn recv_window(value: Option<Duration>) -> Result<(), ValidationError> {
    let (min, max) = (Duration::from_millis(1), Duration::from_secs(60));
    duration("recvWindow", value, Some(min), Some(max))
}

/// An identifier with a published format.
pub(crate) trait Identifier {
    fn check(&self) -> Result<(), InvalidValue>;
}

macro_rules! identifiers {
    ($($name:ident)+) => {$(
        impl Identifier for bitmart_types::$name {
            fn check(&self) -> Result<(), InvalidValue> {
                Self::check(self)
            }
        }
    )+};
}
identifiers!(
    Symbol ContractSymbol Currency OrderId ClientOrderId TradeId BorrowId RepayId UserId
    EarnProductId EarnId EarnRequestNo RequestNo
);

/// Requires a parameter, or one of several: `is_set` says whether it is there.
pub(crate) fn required(
    field: &'static str,
    is_set: bool,
    rule: &'static str,
) -> Result<(), ValidationError> {
    if is_set { Ok(()) } else { Err(ValidationError::new(field, "nothing", rule)) }
}

/// Checks that an order id or a client order id is set.
pub(crate) fn named(
    order_id: Option<&OrderId>,
    client_order_id: Option<&ClientOrderId>,
) -> Result<(), ValidationError> {
    identifier("order_id", order_id)?;
    identifier("client_order_id", client_order_id)?;
    required(
        "order_id",
        order_id.is_some() || client_order_id.is_some(),
        "or client_order_id must be set",
    )
}

/// Checks that an amount is greater than zero.
pub(crate) fn positive(
    field: &'static str,
    value: impl Into<Option<Decimal>>,
) -> Result<(), ValidationError> {
    match value.into() {
        Some(value) if value.is_zero() || value.is_sign_negative() => {
            Err(ValidationError::new(field, value, "must be above zero"))
        }
        _ => Ok(()),
    }
}
