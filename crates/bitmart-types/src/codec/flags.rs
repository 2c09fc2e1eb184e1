//! Booleans in their spellings.

use super::scalar::{Mismatch, Scalar, is_blank};

const EXPECTED: &str = "0, 1, true or false";

/// A boolean as `0`/`1`, `"0"`/`"1"`, `true`/`false` or those texts, or `on`/`off`; written as `0`/`1`.
pub mod flag {
    use serde::{Deserializer, Serializer};

    /// Reads any of the spellings.
    ///
    /// # Errors
    /// When the value is none of them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        super::super::scalar::read(deserializer, super::EXPECTED, super::from_scalar)
    }
    /// Writes `0` or `1`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(*value))
    }
}

/// Like [`flag`](super::flag), written as `"0"`/`"1"`.
pub mod flag_text {
    use serde::Serializer;

    pub use super::flag::deserialize;

    /// Writes `"0"` or `"1"`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *value { "1" } else { "0" })
    }
}

/// Like [`flag`](super::flag), written as `true`/`false`.
pub mod boolean {
    use serde::Serializer;

    pub use super::flag::deserialize;

    /// Writes `true` or `false`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value)
    }
}

/// Defines the optional helper of a flag.
macro_rules! flag_opt {
    ($(#[$doc:meta])* $name:ident, $none:literal, $value:ident, $serializer:ident, $some:expr, $without:expr) => {
        $(#[$doc])*
        pub mod $name {
            use serde::{Deserializer, Serializer};

            /// Reads any spelling of a boolean or of no value; an unreadable value is `None`, with
            /// a note.
            ///
            /// # Errors
            /// When the text ends early.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<bool>, D::Error> {
                super::super::scalar::read_opt(
                    deserializer,
                    super::EXPECTED,
                    super::opt_from_scalar,
                )
            }
            #[doc = concat!("Writes the flag, ", $none, " for `None`.")]
            ///
            /// # Errors
            /// When the serializer fails.
            pub fn serialize<S: Serializer>(
                value: &Option<bool>,
                $serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match *value {
                    Some($value) => $some,
                    None => $without,
                }
            }
        }
    };
}

flag_opt! {
    /// Like [`flag`](super::flag), or no value; `None` is written as `null`.
    flag_opt, "`null`", value, serializer,
    serializer.serialize_u8(u8::from(value)), serializer.serialize_none()
}
flag_opt! {
    /// Like [`flag_text`](super::flag_text), or no value; `None` is written as `""`.
    flag_text_opt, "`\"\"`", value, serializer,
    serializer.serialize_str(if value { "1" } else { "0" }), serializer.serialize_str("")
}
flag_opt! {
    /// Like [`boolean`](super::boolean), or no value; `None` is written as `null`.
    boolean_opt, "`null`", value, serializer,
    serializer.serialize_bool(value), serializer.serialize_none()
}

fn opt_from_scalar(scalar: Scalar<'_>) -> Result<Option<bool>, Mismatch> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_blank(text) => Ok(None),
        scalar => from_scalar(scalar).map(Some),
    }
}

fn from_scalar(scalar: Scalar<'_>) -> Result<bool, Mismatch> {
    match scalar {
        Scalar::Bool(value) => Ok(value),
        Scalar::Unsigned(0) | Scalar::Signed(0) => Ok(false),
        Scalar::Unsigned(1) | Scalar::Signed(1) => Ok(true),
        Scalar::Text(text) | Scalar::Number(text) => match text.trim() {
            "0" => Ok(false),
            "1" => Ok(true),
            text if is_one_of(text, ["false", "off"]) => Ok(false),
            text if is_one_of(text, ["true", "on"]) => Ok(true),
            _ => Err(None),
        },
        _ => Err(None),
    }
}

fn is_one_of(text: &str, words: [&str; 2]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}
