//! Decimals in text and in JSON numbers.

use std::{io::Write as _, str::FromStr as _};

use rust_decimal::Decimal;
use serde::Serializer;

use super::scalar::{Reason, Scalar, is_no_value};

const EXPECTED: &str = "a decimal";
const TOO_MANY_DIGITS: Reason = Some(
    "a JSON number with more than 15 significant digits is not exact once it was read as a float; \
     read the field with `decimal_exact`",
);
const OUT_OF_RANGE: Reason = Some("out of the range of a decimal");

/// A decimal as text or JSON number; written as text.
///
/// Text may have a leading `+`, blanks around it and an exponent. Beyond 28 significant digits the
/// last place is rounded, and values above about 7.9 × 10²⁸ are an error: that is what [`Decimal`]
/// holds. JSON integers of 64 bits are exact. A JSON number with a fraction, or a larger one, has been
/// a double before it comes here: up to 15 significant digits are exact. More are an error, except
/// that digits too small for a double to show are gone: `1.00000000000000001` reads as 1. Fields that
/// are documented as numbers use [`decimal_exact`](super::decimal_exact).
pub mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserializer, Serializer};

    /// Reads text or a number.
    ///
    /// # Errors
    /// When the value is neither, or does not fit a decimal.
    #[inline]
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
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

    /// Reads text, a number or any spelling of no value.
    ///
    /// # Errors
    /// When the value is none of these, or does not fit a decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        super::super::scalar::read(deserializer, super::EXPECTED, super::opt_from_scalar)
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

/// A decimal that is documented as a JSON number: every digit is read as it stands, and written
/// as a JSON number. Works with `serde_json` only. It copies the digits, so prefer
/// [`decimal`](super::decimal) for fields that are text.
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

    /// Decodes `null` and the other spellings of no value as `None`.
    pub(super) fn deserialize_opt<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        super::from_raw(raw.get()).map_err(|reason| super::raw_error(raw.get(), reason))
    }
}

/// Like [`decimal_exact`](super::decimal_exact), or no value; `None` is written as `null`.
pub mod decimal_exact_opt {
    use rust_decimal::Decimal;
    use serde::{Deserializer, Serializer};

    /// Reads a number, text or any spelling of no value.
    ///
    /// # Errors
    /// When the value is none of these, or does not fit a decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        super::decimal_exact::deserialize_opt(deserializer)
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

pub(super) fn from_scalar(scalar: Scalar<'_>) -> Result<Decimal, Reason> {
    let mut value = Decimal::ZERO;
    read_into(&mut value, scalar)?;
    Ok(value)
}

/// Writes to the place instead of giving out a `Result<Decimal, _>`: such a result is moved in
/// pieces of other sizes than it was written in, and waiting for them takes longer than the parsing
/// (measured).
fn read_into(place: &mut Decimal, scalar: Scalar<'_>) -> Result<(), Reason> {
    *place = match scalar {
        Scalar::Text(text) if read_usual(place, text) => return Ok(()),
        Scalar::Text(text) => parse(text.trim())?,
        Scalar::Number(digits) => parse(digits)?,
        Scalar::Unsigned(value) => value.into(),
        Scalar::Signed(value) => value.into(),
        Scalar::Float(value) => from_float(value)?,
        Scalar::Null | Scalar::Bool(_) => return Err(None),
    };
    Ok(())
}

fn opt_from_scalar(scalar: Scalar<'_>) -> Result<Option<Decimal>, Reason> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_no_value(text) => Ok(None),
        scalar => from_scalar(scalar).map(Some),
    }
}

/// Reads text of the usual form: at most 18 characters, digits with perhaps a point among them, and
/// perhaps a minus before. In one pass, because books consist of hundreds of these. `false` for any
/// other text.
#[inline]
fn read_usual(place: &mut Decimal, text: &str) -> bool {
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

/// Writes the text of a decimal, in one pass where its digits fit 64 bits: orders and books consist
/// of these.
fn write<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    match digits(value, &mut [0; TEXT]) {
        Some(text) => serializer.serialize_str(text),
        None => serializer.collect_str(value),
    }
}

/// Longest text of a decimal: 28 digits behind the point, one before it, point and sign.
const TEXT: usize = 31;

/// The text of a decimal as its `Display` has it, written to the end of `buffer`.
fn digits<'a>(value: &Decimal, buffer: &'a mut [u8; TEXT]) -> Option<&'a str> {
    let mut rest = u64::try_from(value.mantissa().unsigned_abs()).ok()?;
    let mut start = buffer.len();
    let mut scale = value.scale();
    // A digit before the point is always there.
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

/// Parses decimal text: digits, optional sign, point and exponent, nothing else.
fn parse(text: &str) -> Result<Decimal, Reason> {
    let plain = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E');
    // `rust_decimal` reads `1_000` as well; the exchange does not write it.
    if !text.as_bytes().iter().all(plain) || !text.bytes().any(|b| b.is_ascii_digit()) {
        return Err(None);
    }
    let parsed = if text.bytes().any(|b| matches!(b, b'e' | b'E')) {
        Decimal::from_scientific(text)
    } else {
        Decimal::from_str(text)
    };
    parsed.map_err(|error| match error {
        rust_decimal::Error::ErrorString(_) => None,
        _ => OUT_OF_RANGE,
    })
}

/// The decimal that a JSON number with a fraction stood for, from its shortest text.
fn from_float(value: f64) -> Result<Decimal, Reason> {
    // Sign, 17 digits, point, `e-308`: at most 24 characters.
    let mut buffer = [0_u8; 32];
    let mut rest = &mut buffer[..];
    write!(rest, "{value:e}").map_err(|_| OUT_OF_RANGE)?;
    let unused = rest.len();
    let length = buffer.len() - unused;
    let text = std::str::from_utf8(&buffer[..length]).map_err(|_| None)?;
    let digits = text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    if digits > 15 {
        return Err(TOO_MANY_DIGITS);
    }
    parse(text)
}

/// The decimal in a piece of JSON: a number, or text.
fn from_raw(json: &str) -> Result<Option<Decimal>, Reason> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => opt_from_scalar(Scalar::Text(text)),
        None if json == "null" => Ok(None),
        None => parse(json).map(Some),
    }
}

fn raw_error<E: serde::de::Error>(json: &str, reason: Reason) -> E {
    let shown = super::scalar::shortened(json);
    match reason {
        None => E::custom(format_args!("expected {EXPECTED}, got {shown}")),
        Some(reason) => E::custom(format_args!("expected {EXPECTED}, got {shown}: {reason}")),
    }
}
