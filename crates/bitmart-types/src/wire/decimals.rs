//! Decimals in text and in JSON numbers.

use std::io::Write as _;

use rust_decimal::Decimal;
use serde::Serializer;

use super::scalar::{Reason, Scalar, is_no_value};
use crate::json::{self, Pass};

const EXPECTED: &str = "a decimal";
const TOO_MANY_DIGITS: Reason = Some(
    "a JSON number with more than 15 significant digits is not exact once it was read as a float; \
     read the field with `decimal_exact`",
);
const OUT_OF_RANGE: Reason = Some("out of the range of a decimal");
const NOT_EXACT: Reason = Some("more digits than a decimal holds");

/// Most digits of an exponent that are looked at; with more a value is out of range anyway.
const EXPONENT_DIGITS: usize = 6;

/// Most places behind the point of a [`Decimal`].
const PLACES: i64 = 28;

/// A decimal as text or JSON number; written as text.
///
/// Text may have a leading `+`, blanks around it and an exponent, `.5` and `5.` are read, and zeros
/// at the end may be any number. What a [`Decimal`] does not hold exactly is an error, never a
/// rounded value: more than 28 places behind the point, or values above about 7.9 × 10²⁸. JSON
/// integers of 64 bits are exact. A JSON number with a fraction, or a larger one, has been a double
/// before it comes here: up to 15 significant digits are exact. More are an error, unless
/// [`json::from_str`](crate::json::from_str) decodes, which then reads the digits themselves; digits
/// too small for a double to show are gone: `1.00000000000000001` reads as 1. Fields that are
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

    /// Reads text, a number or any spelling of no value; what cannot be read is `None` and noted.
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

/// A decimal that is documented as a JSON number: every digit is read exactly, and written
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
}

/// Like [`decimal_exact`](super::decimal_exact), or no value; `None` is written as `null`.
pub mod decimal_exact_opt {
    use rust_decimal::Decimal;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use serde_json::value::RawValue;

    /// Reads a number, text or any spelling of no value; what cannot be read is `None` and noted.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let give_up = |reason| {
            let shown = crate::wire::scalar::shortened(raw.get());
            crate::wire::scalar::give_up(Some(None), super::EXPECTED, &shown, reason)
        };
        super::from_raw(raw.get()).or_else(give_up)
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

fn read_opt_into(place: &mut Option<Decimal>, scalar: Scalar<'_>) -> Result<(), Reason> {
    match scalar {
        Scalar::Null => Ok(()),
        Scalar::Text(text) if is_no_value(text) => Ok(()),
        scalar => {
            // Only a value that is whole may stay in the place.
            let mut value = Decimal::ZERO;
            read_into(&mut value, scalar)?;
            *place = Some(value);
            Ok(())
        }
    }
}

fn opt_from_scalar(scalar: Scalar<'_>) -> Result<Option<Decimal>, Reason> {
    let mut value = None;
    read_opt_into(&mut value, scalar)?;
    Ok(value)
}

/// Whether a number of the text has more digits than a double shows, so that the digits of all are
/// worth a copy. Formats other than `serde_json` never come here.
fn is_exact() -> bool {
    matches!(json::pass(), Pass::Second { exact: true, .. })
}

/// Whether decoding stopped at a number with more digits than a double shows.
pub(crate) fn is_long(error: &serde_json::Error) -> bool {
    TOO_MANY_DIGITS.is_some_and(|reason| error.to_string().contains(reason))
}

/// Whether the decoder will come back for the digits of this number.
pub(super) fn comes_back(reason: Reason) -> bool {
    reason == TOO_MANY_DIGITS
        && matches!(json::pass(), Pass::First | Pass::Second { exact: false, .. })
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

/// Parses decimal text: digits, optional sign, point and exponent, nothing else. Exact, or an error.
fn parse(text: &str) -> Result<Decimal, Reason> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + places.len() == 0 || !is_plain(whole) || !is_plain(places) {
        return Err(None);
    }
    let mut scale = i64::try_from(places.len()).map_err(|_| OUT_OF_RANGE)? - exponent;
    let mut value: i128 = 0;
    // Zeros wait until a digit follows them, so that any number of them may be at the end.
    let mut zeros = 0_u32;
    for digit in whole.bytes().chain(places.bytes()) {
        match digit {
            b'0' if value == 0 => {}
            b'0' => zeros += 1,
            digit => {
                value = shifted(value, zeros + 1).ok_or(NOT_EXACT)? + i128::from(digit - b'0');
                zeros = 0;
            }
        }
    }
    // As many of the last zeros are kept as there is room for, since the exchange writes them.
    let room =
        |value: i128, scale: i64| (0..=PLACES).contains(&scale) && value.unsigned_abs() < 1 << 96;
    scale -= i64::from(zeros);
    while zeros > 0 && (scale < PLACES) {
        match value.checked_mul(10).filter(|next| scale < 0 || room(*next, scale + 1)) {
            Some(next) => value = next,
            None => break,
        }
        (scale, zeros) = (scale + 1, zeros - 1);
    }
    if value == 0 {
        scale = scale.clamp(0, PLACES);
    }
    if scale < 0 {
        let missing = u32::try_from(-scale).map_err(|_| OUT_OF_RANGE)?;
        value = shifted(value, missing).ok_or(OUT_OF_RANGE)?;
        scale = 0;
    }
    if !room(value, scale) {
        return Err(if scale == 0 { OUT_OF_RANGE } else { NOT_EXACT });
    }
    let scale = u32::try_from(scale).map_err(|_| OUT_OF_RANGE)?;
    let signed = if mantissa.starts_with('-') { -value } else { value };
    Decimal::try_from_i128_with_scale(signed, scale).map_err(|_| OUT_OF_RANGE)
}

/// `value` with so many zeros more.
fn shifted(value: i128, zeros: u32) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(zeros)?)
}

fn parse_exponent(text: &str) -> Result<i64, Reason> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(None);
    }
    let digits = digits.trim_start_matches('0');
    if digits.len() > EXPONENT_DIGITS {
        return Err(OUT_OF_RANGE);
    }
    let exponent: i64 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| None)? };
    Ok(if text.starts_with('-') { -exponent } else { exponent })
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
