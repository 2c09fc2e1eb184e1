//! Decimals in text and in JSON numbers.

mod parse;

use rust_decimal::Decimal;
use serde::Serializer;

use self::parse::{TOO_MANY_DIGITS, from_float, parse};
use super::scalar::{Mismatch, Scalar, is_no_value};
use crate::json::{self, Mode};

const EXPECTED: &str = "a decimal";

/// A decimal as text or JSON number; written as text.
///
/// Text may have a leading `+`, surrounding blanks, an exponent and any number of trailing zeros; `.5`
/// and `5.` are read. Decimal places that a [`Decimal`] cannot hold are cut off, with a
/// note: those after the 28th, or fewer beside a large integer part. An integer part that does not fit,
/// above about 7.9 × 10²⁸, and a value of which only zeros would remain are errors.
///
/// JSON integers of 64 bits are exact. `serde_json` passes other JSON numbers as a double: up to 15
/// significant digits are exact, more are an error, unless
/// [`json::from_str`](crate::json::from_str) decodes, which then reads the digits in a second pass.
/// Digits below the precision of a double are lost: `1.00000000000000001` reads as 1. Fields that are
/// documented as numbers use [`decimal_exact`](super::decimal_exact).
pub mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserializer, Serializer};

    /// Reads text or a number.
    ///
    /// # Errors
    /// When the value is neither, or does not fit a decimal.
    #[inline]
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        if super::is_exact() {
            return super::decimal_exact::deserialize(deserializer);
        }
        let mut value = Decimal::ZERO;
        let make = |scalar: super::Scalar<'_>| super::read_into(&mut value, scalar);
        super::super::scalar::read(deserializer, super::EXPECTED, make)?;
        Ok(value)
    }
    /// Writes text.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(value, serializer)
    }
}

/// A decimal or no value; `None` is written as `""`.
pub mod decimal_opt {
    use rust_decimal::Decimal;
    use serde::{Deserializer, Serializer};

    /// Reads text, a number or any spelling of no value; an unreadable value is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    #[inline]
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        if super::is_exact() {
            return super::decimal_exact_opt::deserialize(deserializer);
        }
        let mut value = None;
        let make = |scalar: super::Scalar<'_>| super::read_opt_into(&mut value, scalar);
        super::super::scalar::read_opt(deserializer, super::EXPECTED, make)?;
        Ok(value)
    }
    /// Writes text, `""` for `None`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(
        value: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::write(value, serializer),
            None => serializer.serialize_str(""),
        }
    }
}

/// A decimal that is documented as a JSON number: every digit is read exactly, and written as a JSON
/// number. Works with `serde_json` only. It copies the digits, so prefer [`decimal`](super::decimal) for
/// fields that are text.
pub mod decimal_exact {
    use rust_decimal::Decimal;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, ser};
    use serde_json::value::RawValue;

    /// Reads a number or text, digit by digit.
    ///
    /// # Errors
    /// When the value is neither, or does not fit a decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        super::from_raw(raw.get())
            .and_then(|value| value.ok_or(None))
            .map_err(|reason| super::raw_error(raw.get(), reason))
    }
    /// Writes a JSON number with exactly these digits.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(value.to_string())
            .map_err(<S::Error as ser::Error>::custom)?
            .serialize(serializer)
    }
}

/// Like [`decimal_exact`](super::decimal_exact), or no value; `None` is written as `null`.
pub mod decimal_exact_opt {
    use rust_decimal::Decimal;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use serde_json::value::RawValue;

    /// Reads a number, text or any spelling of no value; an unreadable value is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let none = |reason| {
            let shown = crate::codec::scalar::shortened(raw.get());
            crate::codec::scalar::default_or_error(Some(None), super::EXPECTED, &shown, reason)
        };
        super::from_raw(raw.get()).or_else(none)
    }
    /// Writes a JSON number, `null` for `None`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(
        value: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::decimal_exact::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }
}

pub(super) fn from_scalar(scalar: Scalar<'_>) -> Result<Decimal, Mismatch> {
    let mut value = Decimal::ZERO;
    read_into(&mut value, scalar)?;
    Ok(value)
}

/// Writes to `place` instead of returning a `Result<Decimal, _>`. Such a result is moved in pieces of
/// other sizes than it was written in; the stalls take longer than the parsing (measured).
fn read_into(place: &mut Decimal, scalar: Scalar<'_>) -> Result<(), Mismatch> {
    *place = match scalar {
        Scalar::Text(text) if read_short(place, text) => return Ok(()),
        Scalar::Text(text) => parse(text.trim())?,
        Scalar::Number(digits) => parse(digits)?,
        Scalar::Unsigned(value) => value.into(),
        Scalar::Signed(value) => value.into(),
        Scalar::Float(value) => from_float(value)?,
        Scalar::Null | Scalar::Bool(_) => return Err(None),
    };
    Ok(())
}

fn read_opt_into(place: &mut Option<Decimal>, scalar: Scalar<'_>) -> Result<(), Mismatch> {
    // `place` stays `None` on an error.
    let mut value = Decimal::ZERO;
    match scalar {
        Scalar::Null => return Ok(()),
        // Most texts are numbers, so the spellings of no value come second.
        Scalar::Text(text) if read_short(&mut value, text) => {}
        Scalar::Text(text) if is_no_value(text) => return Ok(()),
        scalar => read_into(&mut value, scalar)?,
    }
    *place = Some(value);
    Ok(())
}

fn opt_from_scalar(scalar: Scalar<'_>) -> Result<Option<Decimal>, Mismatch> {
    let mut value = None;
    read_opt_into(&mut value, scalar)?;
    Ok(value)
}

/// Whether a number of the text has more digits than a double represents, so that all numbers are read
/// from their digits. Always false for formats other than `serde_json`.
fn is_exact() -> bool {
    matches!(json::mode(), Mode::Tolerant { exact: true, .. })
}

/// Whether decoding stopped at a number with more digits than a double represents.
pub(crate) fn needs_exact_digits(error: &serde_json::Error) -> bool {
    TOO_MANY_DIGITS.is_some_and(|reason| error.to_string().contains(reason))
}

/// Whether the decoder reads this number again, from its digits.
pub(super) fn is_retried_exactly(reason: Mismatch) -> bool {
    reason == TOO_MANY_DIGITS
        && matches!(json::mode(), Mode::Fast | Mode::Tolerant { exact: false, .. })
}

/// Reads text of the common form: at most 18 characters, an optional minus, digits and at most one
/// point between them. Returns `false` for any other text. A single pass, because an order book
/// has hundreds of these.
#[inline]
fn read_short(place: &mut Decimal, text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (mut value, mut scale, mut point) = (0_u64, 0, false);
    if digits.len() > 18 || !digits.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                scale += u32::from(point);
            }
            b'.' if !point => point = true,
            _ => return false,
        }
    }
    let negative = digits.len() < text.len();
    if !digits.last().is_some_and(u8::is_ascii_digit) || (negative && value == 0) {
        return false;
    }
    let (low, middle) = ((value & 0xffff_ffff) as u32, (value >> 32) as u32);
    *place = Decimal::from_parts(low, middle, 0, negative, scale);
    true
}

/// Writes the text of a decimal, in a single pass if its digits fit 64 bits.
fn write<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    match digits(value, &mut [0; MAX_TEXT]) {
        Some(text) => serializer.serialize_str(text),
        None => serializer.collect_str(value),
    }
}

/// Maximum length of a decimal's text: sign, one digit, point and 28 decimal places.
const MAX_TEXT: usize = 31;

/// Writes the same text as `Display` to the end of `buffer`. `None` if the digits exceed 64 bits.
fn digits<'a>(value: &Decimal, buffer: &'a mut [u8; MAX_TEXT]) -> Option<&'a str> {
    let mut rest = u64::try_from(value.mantissa().unsigned_abs()).ok()?;
    let mut start = buffer.len();
    let mut scale = value.scale();
    // There is always a digit before the point.
    while rest > 0 || scale > 0 || !buffer.get(start).is_some_and(u8::is_ascii_digit) {
        start -= 1;
        // The remainder is a single digit.
        buffer[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if scale == 1 {
            start -= 1;
            buffer[start] = b'.';
        }
        scale = scale.saturating_sub(1);
    }
    if value.is_sign_negative() {
        start -= 1;
        buffer[start] = b'-';
    }
    std::str::from_utf8(&buffer[start..]).ok()
}

/// Parses a decimal from raw JSON: a number or text.
fn from_raw(json: &str) -> Result<Option<Decimal>, Mismatch> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => opt_from_scalar(Scalar::Text(text)),
        None if json == "null" => Ok(None),
        None => parse(json).map(Some),
    }
}

fn raw_error<E: serde::de::Error>(json: &str, reason: Mismatch) -> E {
    let shown = super::scalar::shortened(json);
    match reason {
        None => E::custom(format_args!("expected {EXPECTED}, got {shown}")),
        Some(reason) => E::custom(format_args!("expected {EXPECTED}, got {shown}: {reason}")),
    }
}
