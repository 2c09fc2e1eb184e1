//! Integers in text and in JSON numbers.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    decimals,
    scalar::{Mismatch, Scalar, is_no_value},
};

const EXPECTED: &str = "an integer";
const OUT_OF_RANGE: Mismatch = Some("out of range for this field");

/// An integer as number or text; written as a number.
pub mod number {
    use std::fmt::Display;

    use serde::{Deserializer, Serialize, Serializer};

    /// Reads a number or text.
    ///
    /// # Errors
    /// When the value is neither, has a fraction, or is out of the range of `T`.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<i128>,
    {
        super::super::scalar::read(deserializer, super::EXPECTED, super::from_scalar)
    }
    /// Writes a number.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Serialize + Display,
    {
        value.serialize(serializer)
    }
}

/// An integer or no value; `None` is written as `null`.
pub mod number_opt {
    use serde::{Deserializer, Serialize, Serializer};

    /// Reads a number, text or any spelling of no value; a value that is unreadable, has a fraction or is
    /// out of the range of `T` is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<i128>,
    {
        super::super::scalar::read_opt(deserializer, super::EXPECTED, super::opt_from_scalar)
    }
    /// Writes a number, `null` for `None`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S, T>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Serialize,
    {
        value.serialize(serializer)
    }
}

/// An integer as text or number; written as text.
pub mod number_text {
    use std::fmt::Display;

    use serde::Serializer;

    pub use super::number::deserialize;

    /// Writes text.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Display,
    {
        serializer.collect_str(value)
    }
}

/// An integer or no value; written as text, `None` as `""`.
pub mod number_text_opt {
    use std::fmt::Display;

    use serde::Serializer;

    pub use super::number_opt::deserialize;

    /// Writes text, `""` for `None`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S, T>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Display,
    {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }
}

/// An id that is written as a JSON number. Ids are text in Rust, because some are above 2^53; every id
/// type reads both forms by itself.
pub mod id_number {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads text or a number.
    ///
    /// # Errors
    /// When the value is neither.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de>,
    {
        T::deserialize(deserializer)
    }
    /// Writes a number; an id that is not one stays text.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: AsRef<str>,
    {
        let text = value.as_ref();
        match text.parse::<u64>() {
            Ok(number) => serializer.serialize_u64(number),
            Err(_) => serializer.serialize_str(text),
        }
    }
}

/// Returns the integer of a scalar, converted to the type of the field.
fn from_scalar<T: TryFrom<i128>>(scalar: Scalar<'_>) -> Result<T, Mismatch> {
    T::try_from(integer(scalar)?).map_err(|_| OUT_OF_RANGE)
}

fn opt_from_scalar<T: TryFrom<i128>>(scalar: Scalar<'_>) -> Result<Option<T>, Mismatch> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_no_value(text) => Ok(None),
        scalar => from_scalar(scalar).map(Some),
    }
}

/// Returns the integer of a scalar. Accepts `"10.0"`, since the exchange writes some integers with a
/// fraction of zero.
pub(super) fn integer(scalar: Scalar<'_>) -> Result<i128, Mismatch> {
    match scalar {
        Scalar::Unsigned(value) => Ok(value.into()),
        Scalar::Signed(value) => Ok(value.into()),
        Scalar::Text(text) | Scalar::Number(text) => match text.trim().parse() {
            Ok(value) => Ok(value),
            Err(_) => without_fraction(decimals::from_scalar(scalar)?),
        },
        Scalar::Float(_) => without_fraction(decimals::from_scalar(scalar)?),
        Scalar::Null | Scalar::Bool(_) => Err(None),
    }
}

fn without_fraction(value: Decimal) -> Result<i128, Mismatch> {
    if value.fract().is_zero() {
        value.to_i128().ok_or(OUT_OF_RANGE)
    } else {
        Err(Some("it has a fraction"))
    }
}
