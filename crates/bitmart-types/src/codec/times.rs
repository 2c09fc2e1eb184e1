//! Times in milliseconds, seconds and as dates.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    decimals,
    scalar::{Mismatch, Scalar, is_no_value, read, read_opt},
};
use crate::Timestamp;
use crate::notes::{self, Note};

const NO_TIME: Mismatch = Some("expected a time");
const OUT_OF_RANGE: Mismatch = Some("no time between 2015 and 2100 in any unit");

/// 2015-01-01 and 2100-01-01 in seconds. The exchange is younger than the first. Between them the
/// magnitude of a number determines its unit.
const EARLIEST_S: i64 = 1_420_070_400;
const LATEST_S: i64 = 4_102_444_800;

/// The zero time of Go.
const NO_DATE: &str = "0001-01-01T00:00:00";

const DATE: &str = "a date such as 2024-01-31T12:00:00Z";

/// The form of a time on the wire. The helpers write the documented form, and read all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
    Date,
}

impl Unit {
    /// The units of numbers, each with its number per second. Times in nanoseconds fit 64 bits.
    const OF_NUMBERS: [(Self, i64); 4] = [
        (Self::Seconds, 1),
        (Self::Millis, 1_000),
        (Self::Micros, 1_000_000),
        (Self::Nanos, 1_000_000_000),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
            Self::Date => "a date",
        }
    }
}

/// Reads a time as number, text, text with a fraction or date, in any unit. `None` for zero and the
/// spellings of no value. A unit other than the one described in the documentation is noted.
fn read_time(scalar: Scalar<'_>, described: Unit) -> Result<Option<Timestamp>, Mismatch> {
    let (time, found) = match scalar {
        Scalar::Null => return Ok(None),
        Scalar::Text(text) if is_no_value(text) => return Ok(None),
        Scalar::Text(text) if text.contains(['T', 't']) => {
            let text = text.trim();
            if text.starts_with(NO_DATE) {
                return Ok(None);
            }
            let time: Timestamp = text.parse().map_err(|_| None)?;
            if time == Timestamp::default() {
                return Ok(None);
            }
            if !(EARLIEST_S..LATEST_S).contains(&time.as_secs()) {
                return Err(OUT_OF_RANGE);
            }
            (time, Unit::Date)
        }
        scalar => match from_number(scalar)? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    if found != described {
        notes::note(|| Note::OtherUnit { described: described.name(), found: found.name() });
    }
    Ok(Some(time))
}

/// Returns the time of a number and its unit; digits beyond the millisecond are dropped.
fn from_number(scalar: Scalar<'_>) -> Result<Option<(Timestamp, Unit)>, Mismatch> {
    let (number, fraction) = match scalar {
        Scalar::Unsigned(number) => {
            (i64::try_from(number).map_err(|_| OUT_OF_RANGE)?, Decimal::ZERO)
        }
        Scalar::Signed(number) => (number, Decimal::ZERO),
        Scalar::Text(text) | Scalar::Number(text) => match text.trim().parse() {
            Ok(number) => (number, Decimal::ZERO),
            Err(_) => parts(scalar)?,
        },
        scalar => parts(scalar)?,
    };
    if number == 0 && fraction.is_zero() {
        return Ok(None);
    }
    let unit = Unit::OF_NUMBERS
        .into_iter()
        .find(|(_, per_second)| (EARLIEST_S * per_second..LATEST_S * per_second).contains(&number));
    let (unit, per_second) = unit.ok_or(OUT_OF_RANGE)?;
    let millis = if unit == Unit::Seconds {
        number * 1000 + whole_thousandths(fraction)
    } else {
        number / (per_second / 1000)
    };
    Ok(Some((Timestamp::from_millis(millis), unit)))
}

/// Returns the whole thousandths of a fraction. Most times have none, and decimal arithmetic is slow.
fn whole_thousandths(fraction: Decimal) -> i64 {
    if fraction.is_zero() {
        return 0;
    }
    (fraction * Decimal::ONE_THOUSAND).trunc().to_i64().unwrap_or_default()
}

/// Splits a number into its integer part and its fraction.
fn parts(scalar: Scalar<'_>) -> Result<(i64, Decimal), Mismatch> {
    let number = decimals::from_scalar(scalar)?;
    Ok((number.trunc().to_i64().ok_or(OUT_OF_RANGE)?, number.fract()))
}

fn required(scalar: Scalar<'_>, described: Unit) -> Result<Timestamp, Mismatch> {
    read_time(scalar, described)?.ok_or(NO_TIME)
}

/// Defines the helpers of one unit: as number and as text, required and optional.
macro_rules! unit {
    (
        $unit:literal, $described:ident,
        $as_number:ident: $number:ident $number_opt:ident $text:ident $text_opt:ident
    ) => {
        #[doc = concat!("A time in ", $unit, " as number or text; written as a number. Other units are recognized by their magnitude, with a note.")]
        pub mod $number {
            use serde::{Deserializer, Serializer};

            use crate::Timestamp;

            /// Reads a number or text.
            ///
            /// # Errors
            /// When the value is not a time between 2015 and 2100.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Timestamp, D::Error> {
                super::read(deserializer, concat!("a time in ", $unit), |scalar| {
                    super::required(scalar, super::Unit::$described)
                })
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

        #[doc = concat!("A time in ", $unit, " or no value (`0`, `\"\"`, `null`); written as a number, `None` as `0`.")]
        pub mod $number_opt {
            use serde::{Deserializer, Serializer};

            use crate::Timestamp;

            /// Reads a number, text or any spelling of no value; any other value than a time between
            /// 2015 and 2100 is `None`, with a note.
            ///
            /// # Errors
            /// When the text ends early.
            pub fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Timestamp>, D::Error> {
                super::read_opt(deserializer, concat!("a time in ", $unit), |scalar| {
                    super::read_time(scalar, super::Unit::$described)
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

        #[doc = concat!("A time in ", $unit, " as text or number; written as text.")]
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

        #[doc = concat!("A time in ", $unit, " or no value (`0`, `\"\"`, `null`); written as text, `None` as `\"\"`.")]
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

unit!("milliseconds", Millis, as_millis: millis millis_opt millis_text millis_text_opt);
unit!("seconds", Seconds, as_secs: seconds seconds_opt seconds_text seconds_text_opt);

/// A time as an RFC 3339 date in UTC; digits beyond the millisecond are dropped. Reads numbers as well,
/// which are documented for these fields.
pub mod rfc3339 {
    use serde::{Deserializer, Serializer};

    use crate::Timestamp;

    /// Reads a date, or a time as number or text.
    ///
    /// # Errors
    /// When the value is not a time between 2015 and 2100.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        super::read(deserializer, super::DATE, |scalar| super::required(scalar, super::Unit::Date))
    }
    /// Writes a date.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

/// Like [`rfc3339`](super::rfc3339), or no value; `None` is written as `""`.
pub mod rfc3339_opt {
    use serde::{Deserializer, Serializer};

    use crate::Timestamp;

    /// Reads a date, a time as number or text, or any spelling of no value; any other value than a time
    /// between 2015 and 2100 is `None`, with a note.
    ///
    /// # Errors
    /// When the text ends early.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        super::read_opt(deserializer, super::DATE, |scalar| {
            super::read_time(scalar, super::Unit::Date)
        })
    }
    /// Writes a date, `""` for `None`.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(
        value: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }
}
