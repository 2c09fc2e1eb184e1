//! Text that may be empty, and values that travel as text.

use serde::de::{DeserializeOwned, IntoDeserializer as _, value::Error as ValueError};

use super::scalar::{Reason, Scalar, is_blank};

/// A value that is text on the wire although its own form is another, such as a numbered state
/// written as `"2"`. Reads what `T` reads, writes what `T` displays.
pub mod text {
    use std::fmt::Display;

    use serde::{
        Deserializer, Serializer,
        de::{DeserializeOwned, Error as _, value::Error as ValueError},
    };

    /// Reads what `T` reads; an integer also as its digits, if `T` knows text only.
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
/// `N/A` are `None`, which is written as `""`. The word `market` is a value here, since order types
/// carry it.
pub mod text_opt {
    use std::fmt::Display;

    use serde::{Deserializer, Serializer, de::DeserializeOwned};

    /// Reads what `T` reads, or a spelling of no value; an integer also as its digits, if `T` knows
    /// text only. What `T` does not accept is `None` and noted.
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

/// A value of a type that reads itself, such as an enumeration or an id, or no value: like
/// [`text_opt`](super::text_opt), but written as `T` writes itself, `None` as `null`.
pub mod opt {
    use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};

    /// Reads what `T` reads, or a spelling of no value. What `T` does not accept, and every list and
    /// object, is `None` and noted.
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
    /// Writes what `T` writes, `null` for `None`.
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

/// The result of `T` for a value that it may reject.
type Verdict<T> = Result<T, ValueError>;

/// The outer result is an error for a scalar that cannot be text.
fn from_scalar<T: DeserializeOwned>(scalar: Scalar<'_>) -> Result<Verdict<T>, Reason> {
    Ok(match scalar {
        Scalar::Text(text) | Scalar::Number(text) => T::deserialize(text.into_deserializer()),
        Scalar::Unsigned(value) => {
            T::deserialize(value.into_deserializer()).or_else(|error| by_digits(&value, error))
        }
        Scalar::Signed(value) => {
            T::deserialize(value.into_deserializer()).or_else(|error| by_digits(&value, error))
        }
        Scalar::Null | Scalar::Bool(_) | Scalar::Float(_) => return Err(None),
    })
}

fn opt_from_scalar<T: DeserializeOwned>(scalar: Scalar<'_>) -> Result<Option<T>, Reason> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_blank(text) => Ok(None),
        // The reason of `T` is dropped.
        scalar => from_scalar(scalar)?.map(Some).map_err(|_: ValueError| None),
    }
}

/// A type that knows text only gets the digits of a number.
fn by_digits<T: DeserializeOwned>(number: &impl ToString, error: ValueError) -> Verdict<T> {
    T::deserialize(number.to_string().into_deserializer()).map_err(|_: ValueError| error)
}
