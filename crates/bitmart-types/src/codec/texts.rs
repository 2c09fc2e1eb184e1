//! Text that may be empty, and values that are written as text.

use serde::de::{DeserializeOwned, IntoDeserializer as _, value::Error as ValueError};

use super::scalar::{Mismatch, Scalar, is_blank};

/// A value that is written as text although its type has another form, such as a numbered state
/// written as `"2"`. Reads with `Deserialize` of `T`, writes with `Display`.
pub mod text {
    use std::fmt::Display;

    use serde::{
        Deserializer, Serializer,
        de::{DeserializeOwned, Error as _, value::Error as ValueError},
    };

    /// Reads a `T`; an integer also from its digits, if `T` accepts text only.
    ///
    /// # Errors
    /// When `T` does not accept the value.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: DeserializeOwned,
    {
        super::super::scalar::read(deserializer, "text", |scalar| super::from_scalar::<T>(scalar))?
            .map_err(|error: ValueError| D::Error::custom(error))
    }
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

/// Text or no value: ids, enums and free text that may be empty. `null`, blanks, `-`, `NA` and
/// `N/A` are `None`, which is written as `""`. `market` is a value here, since it is an order type.
pub mod text_opt {
    use std::fmt::Display;

    use serde::{Deserializer, Serializer, de::DeserializeOwned};

    /// Reads a `T` or a spelling of no value; an integer also from its digits, if `T` accepts text only.
    /// A value that `T` does not accept is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: DeserializeOwned,
    {
        super::super::scalar::read_opt(deserializer, "text", super::opt_from_scalar::<T>)
    }
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

/// An enumeration, an id or another scalar, or no value: like [`text_opt`](super::text_opt), but written
/// with `Serialize` of `T`, `None` as `null`.
pub mod opt {
    use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};

    /// Reads a `T` or a spelling of no value. A value that `T` does not accept, and every list or object,
    /// is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: DeserializeOwned,
    {
        super::super::scalar::read_opt(deserializer, "a value", super::opt_from_scalar::<T>)
    }
    /// Writes the `T`, `null` for `None`.
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

/// The result of deserializing a `T`.
type Parsed<T> = Result<T, ValueError>;

/// Deserializes a `T` from a scalar. The outer result is an error for a scalar that cannot be text.
fn from_scalar<T: DeserializeOwned>(scalar: Scalar<'_>) -> Result<Parsed<T>, Mismatch> {
    Ok(match scalar {
        Scalar::Text(text) | Scalar::Number(text) => T::deserialize(text.into_deserializer()),
        Scalar::Unsigned(value) => {
            T::deserialize(value.into_deserializer()).or_else(|error| from_digits(&value, error))
        }
        Scalar::Signed(value) => {
            T::deserialize(value.into_deserializer()).or_else(|error| from_digits(&value, error))
        }
        // An enumeration may have the value; a text or an id has not.
        Scalar::Bool(value) => T::deserialize(value.into_deserializer()),
        Scalar::Null | Scalar::Float(_) => return Err(None),
    })
}

fn opt_from_scalar<T: DeserializeOwned>(scalar: Scalar<'_>) -> Result<Option<T>, Mismatch> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_blank(text) => Ok(None),
        scalar => from_scalar(scalar)?.map(Some).map_err(|_: ValueError| None),
    }
}

/// Deserializes a type that accepts text only from the digits of a number.
fn from_digits<T: DeserializeOwned>(number: &impl ToString, error: ValueError) -> Parsed<T> {
    T::deserialize(number.to_string().into_deserializer()).map_err(|_: ValueError| error)
}
