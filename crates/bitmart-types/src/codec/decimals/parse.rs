//! Digits of a decimal in text.

use std::io::Write as _;

use rust_decimal::Decimal;

use crate::codec::scalar::Mismatch;
use crate::json::{self, Mode};
use crate::notes::{self, Note};

pub(super) const TOO_MANY_DIGITS: Mismatch = Some(
    "a JSON number with more than 15 significant digits is not exact as a double; \
     read the field with `decimal_exact`",
);

const OUT_OF_RANGE: Mismatch = Some("out of the range of a decimal");

const NOT_EXACT: Mismatch = Some("more digits than a decimal holds");

/// Maximum number of digits of an exponent; with more a value is out of range anyway.
const MAX_EXPONENT_DIGITS: usize = 6;

/// Maximum number of decimal places of a [`Decimal`].
const PLACES: i64 = 28;

/// Maximum number of significant digits of a [`Decimal`]; not every number of 29 digits fits.
const MAX_DIGITS: i64 = 29;

/// Parses digits with an optional sign, point and exponent. Decimal places that do not fit are cut off, with
/// a note, where a response is decoded; not in trusted text, and not where nobody collects the note.
pub(super) fn parse(text: &str) -> Result<Decimal, Mismatch> {
    match (parse_exact(text), json::mode()) {
        (Err(NOT_EXACT), Mode::Fast | Mode::Tolerant { .. } | Mode::WithoutRows) => cut(text),
        (result, _) => result,
    }
}

/// Parses all digits that fit, without the decimal places after them: the exchange writes quotients with as
/// many places as it formats.
#[cold]
fn cut(text: &str) -> Result<Decimal, Mismatch> {
    let (mantissa, exponent) = mantissa_and_exponent(text)?;
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (integer, places) = digits.split_once('.').unwrap_or((digits, ""));
    let significant = || integer.bytes().chain(places.bytes()).skip_while(|byte| *byte == b'0');
    let length = i64::try_from(significant().count()).map_err(|_| OUT_OF_RANGE)?;
    let scale = i64::try_from(places.len()).map_err(|_| OUT_OF_RANGE)? - exponent;
    // As few as possible: those after the last place, and one more if 29 digits exceed 96 bits.
    let fewest = 0.max(scale - PLACES).max(length - MAX_DIGITS);
    for removed in fewest..=scale.min(fewest + 1) {
        let digits_left = usize::try_from(length - removed).map_err(|_| NOT_EXACT)?;
        let append = |value: i128, digit: u8| value * 10 + i128::from(digit - b'0');
        let value = significant().take(digits_left).fold(0, append);
        let scale = u32::try_from(scale - removed).map_err(|_| NOT_EXACT)?;
        let signed = if mantissa.starts_with('-') { -value } else { value };
        // A value is never made zero.
        let value = Decimal::try_from_i128_with_scale(signed, scale).ok().filter(|_| value != 0);
        if let Some(value) = value {
            notes::note(|| Note::TruncatedDecimal);
            return Ok(value);
        }
    }
    Err(NOT_EXACT)
}

fn mantissa_and_exponent(text: &str) -> Result<(&str, i64), Mismatch> {
    Ok(match text.find(['e', 'E']) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    })
}

/// Parses all digits, or is an error.
fn parse_exact(text: &str) -> Result<Decimal, Mismatch> {
    let (mantissa, exponent) = mantissa_and_exponent(text)?;
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (integer, places) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if integer.len() + places.len() == 0 || !is_plain(integer) || !is_plain(places) {
        return Err(None);
    }
    let mut scale = i64::try_from(places.len()).map_err(|_| OUT_OF_RANGE)? - exponent;
    let mut value: i128 = 0;
    // Zeros are added when a digit follows, so that any number of trailing zeros is valid.
    let mut zeros = 0_u32;
    for digit in integer.bytes().chain(places.bytes()) {
        match digit {
            b'0' if value == 0 => {}
            b'0' => zeros += 1,
            digit => {
                value = shifted(value, zeros + 1)
                    .and_then(|value| value.checked_add(i128::from(digit - b'0')))
                    .ok_or(NOT_EXACT)?;
                zeros = 0;
            }
        }
    }
    // Keeps as many trailing zeros as fit, since they are part of the exchange's text.
    let fits =
        |value: i128, scale: i64| (0..=PLACES).contains(&scale) && value.unsigned_abs() < 1 << 96;
    scale -= i64::from(zeros);
    while zeros > 0 && (scale < PLACES) {
        match value.checked_mul(10).filter(|next| scale < 0 || fits(*next, scale + 1)) {
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
    if !fits(value, scale) {
        return Err(if scale == 0 { OUT_OF_RANGE } else { NOT_EXACT });
    }
    let scale = u32::try_from(scale).map_err(|_| OUT_OF_RANGE)?;
    let signed = if mantissa.starts_with('-') { -value } else { value };
    Decimal::try_from_i128_with_scale(signed, scale).map_err(|_| OUT_OF_RANGE)
}

/// Appends `zeros` zeros to `value`.
fn shifted(value: i128, zeros: u32) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(zeros)?)
}

fn parse_exponent(text: &str) -> Result<i64, Mismatch> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(None);
    }
    let digits = digits.trim_start_matches('0');
    if digits.len() > MAX_EXPONENT_DIGITS {
        return Err(OUT_OF_RANGE);
    }
    let exponent: i64 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| None)? };
    Ok(if text.starts_with('-') { -exponent } else { exponent })
}

/// Returns the decimal of a JSON number that was read as a double, from its shortest text.
pub(super) fn from_float(value: f64) -> Result<Decimal, Mismatch> {
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
