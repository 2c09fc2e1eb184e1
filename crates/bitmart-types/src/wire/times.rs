//! Moments in milliseconds, seconds and as dates.

use super::{
    integers::wide,
    scalar::{Reason, Scalar, is_no_value, read},
};
use crate::Timestamp;

const OUT_OF_RANGE: Reason = Some("out of the range of a timestamp");

/// The modules of one unit: as number and as text, required and optional.
macro_rules! unit {
    ($unit:literal, $make:path, $as_number:ident: $number:ident $number_opt:ident $text:ident $text_opt:ident) => {
        #[doc = concat!("A moment in ", $unit, " as number or text; written as a number.")]
        pub mod $number {
            use serde::{Deserializer, Serializer};

            use crate::Timestamp;

            /// Reads a number or text.
            ///
            /// # Errors
            /// When the value is neither, or out of range.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Timestamp, D::Error> {
                super::read(deserializer, concat!("a time in ", $unit), $make)
            }
            /// Writes a number.
            ///
            /// # Errors
            /// When the serializer fails.
            pub fn serialize<S: Serializer>(
                value: &Timestamp,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(value.$as_number())
            }
        }

        #[doc = concat!("A moment in ", $unit, " or no value (`0`, `\"\"`, `null`); written as a number, `None` as `0`.")]
        pub mod $number_opt {
            use serde::{Deserializer, Serializer};

            use crate::Timestamp;

            /// Reads a number, text or any spelling of no value.
            ///
            /// # Errors
            /// When the value is none of these, or out of range.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Timestamp>, D::Error> {
                super::read(deserializer, concat!("a time in ", $unit), |scalar| {
                    super::opt(scalar, $make)
                })
            }
            /// Writes a number, `0` for `None`.
            ///
            /// # Errors
            /// When the serializer fails.
            pub fn serialize<S: Serializer>(
                value: &Option<Timestamp>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(value.map_or(0, Timestamp::$as_number))
            }
        }

        #[doc = concat!("A moment in ", $unit, " as text or number; written as text.")]
        pub mod $text {
            use serde::Serializer;

            pub use super::$number::deserialize;
            use crate::Timestamp;

            /// Writes text.
            ///
            /// # Errors
            /// When the serializer fails.
            pub fn serialize<S: Serializer>(
                value: &Timestamp,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&value.$as_number())
            }
        }

        #[doc = concat!("A moment in ", $unit, " or no value (`0`, `\"\"`, `null`); written as text, `None` as `\"\"`.")]
        pub mod $text_opt {
            use serde::Serializer;

            pub use super::$number_opt::deserialize;
            use crate::Timestamp;

            /// Writes text, `""` for `None`.
            ///
            /// # Errors
            /// When the serializer fails.
            pub fn serialize<S: Serializer>(
                value: &Option<Timestamp>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match value {
                    Some(value) => serializer.collect_str(&value.$as_number()),
                    None => serializer.serialize_str(""),
                }
            }
        }
    };
}

unit!("milliseconds", super::from_millis, as_millis: millis millis_opt millis_text millis_text_opt);
unit!("seconds", super::from_seconds, as_secs: seconds seconds_opt seconds_text seconds_text_opt);

/// A moment as an RFC 3339 date in UTC; digits beyond the millisecond are dropped. Milliseconds,
/// which the documents promise for such a field, are read as well.
pub mod rfc3339 {
    use serde::{Deserializer, Serializer};

    use crate::Timestamp;

    /// Reads a date, or milliseconds as number or text.
    ///
    /// # Errors
    /// When the value is none of these.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        super::read(deserializer, "a date such as 2024-01-31T12:00:00Z", super::from_date)
    }
    /// Writes a date.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

fn from_millis(scalar: Scalar<'_>) -> Result<Timestamp, Reason> {
    let millis = i64::try_from(wide(scalar)?).map_err(|_| OUT_OF_RANGE)?;
    Ok(Timestamp::from_millis(millis))
}

fn from_seconds(scalar: Scalar<'_>) -> Result<Timestamp, Reason> {
    let millis = wide(scalar)?.checked_mul(1000).ok_or(OUT_OF_RANGE)?;
    let millis = i64::try_from(millis).map_err(|_| OUT_OF_RANGE)?;
    Ok(Timestamp::from_millis(millis))
}

fn from_date(scalar: Scalar<'_>) -> Result<Timestamp, Reason> {
    match scalar {
        Scalar::Text(text) if text.contains('T') => text.trim().parse().map_err(|_| None),
        scalar => from_millis(scalar),
    }
}

fn opt(
    scalar: Scalar<'_>,
    make: impl FnOnce(Scalar<'_>) -> Result<Timestamp, Reason>,
) -> Result<Option<Timestamp>, Reason> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if is_no_value(text) => Ok(None),
        scalar => make(scalar).map(|time| (time != Timestamp::default()).then_some(time)),
    }
}
