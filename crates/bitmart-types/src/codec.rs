//! Serde helpers for the formats on the wire, for `#[serde(with = "…")]`.
//!
//! BitMart writes the same kind of value in several forms: numbers as text, times in seconds or
//! milliseconds, text in place of a price. Each helper reads every observed form and writes the form
//! that is documented for the field, so that a change of the form does not break decoding.
//!
//! | On the wire | Helper | Rust type | Written as | Source |
//! |---|---|---|---|---|
//! | a decimal in text, `"0.10"`, sometimes a JSON number | [`decimal`] | `Decimal` | text | documented for nearly all prices and sizes |
//! | the same, or no value: `null`, `""`, `"-"`, `"NA"`, `"market price"` | [`decimal_opt`] | `Option<Decimal>` | text, `""` | published samples; `"-"` in futures order pushes |
//! | a decimal as a JSON number | [`decimal_exact`], [`decimal_exact_opt`] | `Decimal` | number | documented for affiliate amounts |
//! | an integer as a JSON number, sometimes text | [`number`], [`number_opt`] | any integer | number | documented; text has been observed |
//! | an integer in text, `"42"` | [`number_text`], [`number_text_opt`] | any integer | text | published samples |
//! | milliseconds, or any unit | [`millis`], [`millis_opt`] | [`Timestamp`](crate::Timestamp) | number, `0` | order and trade rows |
//! | milliseconds in text | [`millis_text`], [`millis_text_opt`] | `Timestamp` | text, `""` | transaction history, WebSocket order pushes |
//! | seconds | [`seconds`], [`seconds_opt`] | `Timestamp` | number, `0` | futures klines |
//! | seconds in text | [`seconds_text`], [`seconds_text_opt`] | `Timestamp` | text, `""` | spot klines |
//! | a date, `"2023-02-24T07:54:11.124940968Z"` | [`rfc3339`], [`rfc3339_opt`] | `Timestamp` | text, `""` | futures trade pushes |
//! | `0`/`1`, `"0"`/`"1"`, `true`/`false` | [`flag`], [`flag_opt`], [`flag_text`], [`flag_text_opt`] | `bool` | `0`/`1`, `"0"`/`"1"` | published samples |
//! | the same, documented as `true`/`false` | [`boolean`], [`boolean_opt`] | `bool` | `true`/`false` | published samples; text in queries |
//! | text that may be empty | [`text_opt`] | `Option<T>` | text, `""` | client ids, cancel sources, reference prices |
//! | an enumeration or an id, or no value | [`opt`] | `Option<T>` | as `T`, `null` | published samples |
//! | an object or a list, or no value | [`object_opt`] | `Option<T>` | as `T`, `null` | captures |
//! | any value as text | [`text`] | `T` | text | numbered states such as `"2"` |
//! | an id as a JSON number | [`id_number`] | an id | number | futures submit-order; text everywhere else |
//! | a row as an array, `["1","2"]` | [`positional!`](crate::positional) | a struct | an array | klines, trades, tickers, book levels |
//! | a list, or `null` in place of a list or an item | [`list`] | `Vec<T>` | an array | `null` for an empty list is common in Go servers |
//! | a list of rows, some of which may not decode | the type [`Rows`](crate::Rows) | `Rows<T>` | an array | captures |
//! | a text or number from a list that may grow | [`open_enum!`](crate::open_enum), [`open_int_enum!`](crate::open_int_enum) | an enum | the documented spelling | all enumerations |
//!
//! # No value
//!
//! The exchange has many spellings of "no value". The `_opt` helpers read all of them as `None`:
//! `null` and the texts of [`is_no_value`], and for times also `0`. They write `None` in the
//! documented form of the field: `""` for text, `0` for a time that is a number, `null` for other
//! numbers. A comparison of an encoded model with the received JSON must treat these spellings as
//! equal.
//!
//! For a field that may also be absent add `default`, and for requests
//! `skip_serializing_if = "Option::is_none"`.
//!
//! # Unreadable values
//!
//! An unreadable value of an `_opt` helper (`"NaN"`, `"--"`, `"1,234.5"`, an object in place of text)
//! becomes `None`, with a note: see [`collect_notes`](crate::collect_notes). The other helpers are for
//! members without which a row is meaningless: an unreadable value is an error of the row, see
//! [`Rows`](crate::Rows).
//!
//! # Times
//!
//! All helpers for times read seconds, milliseconds, microseconds, nanoseconds and dates, as number,
//! text or text with a fraction: between 2015 and 2100 the magnitude determines the unit. The helper's
//! own unit is the documented one. It is used for writing, and a time in another unit is noted. Zero,
//! `""` and `null` are no time; anything else is unreadable.
//!
//! # Exactness
//!
//! Text and JSON integers of 64 bits never pass through a float. Decimal places that a `Decimal` cannot hold
//! are cut off, with a note: the exchange writes quotients with 30 places. An integer part is never cut, no
//! value becomes zero, and trusted text, such as a request, is read exactly or not at all. [`decimal`],
//! for fields that are documented as text, reads a JSON number with a fraction from the shortest text
//! of the double, which is exact up to 15 significant digits; for longer ones
//! [`json::from_str`](crate::json::from_str) reads the digits in a second pass. Digits below the
//! precision of a double may be lost: `1.00000000000000001` reads as 1. [`decimal_exact`], for fields
//! that are documented as numbers, always reads the digits.
//!
//! The helpers use `deserialize_any`, so they work with JSON and other self-describing formats.

pub(crate) mod decimals;
mod flags;
mod integers;
mod lists;
mod objects;
pub(crate) mod scalar;
mod texts;
mod times;

pub use decimals::{decimal, decimal_exact, decimal_exact_opt, decimal_opt};
pub use flags::{boolean, boolean_opt, flag, flag_opt, flag_text, flag_text_opt};
pub use integers::{id_number, number, number_opt, number_text, number_text_opt};
pub use lists::list;
pub use objects::object_opt;
pub use scalar::{is_blank, is_no_value};
pub use texts::{opt, text, text_opt};
pub use times::{
    millis, millis_opt, millis_text, millis_text_opt, rfc3339, rfc3339_opt, seconds, seconds_opt,
    seconds_text, seconds_text_opt,
};
