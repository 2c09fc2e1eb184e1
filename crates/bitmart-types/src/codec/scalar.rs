//! The visitor for scalars, which the helpers convert.

use std::fmt;

use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::codec::decimals;
use crate::json::{self, Mode};
use crate::notes;

/// Maximum length of a value in an error message, in characters.
const VALUE_SHOWN: usize = 40;

/// The key under which `serde_json` passes numbers as text if its feature `arbitrary_precision` is
/// enabled by any crate in the build.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Whether `text` is a spelling of "no value" for any field: blank, `-`, `NA`, `N/A`.
pub fn is_blank(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || text == "-"
        || text.eq_ignore_ascii_case("na")
        || text.eq_ignore_ascii_case("n/a")
}

/// Whether `text` is a spelling of "no value" for a number: those of [`is_blank`], and `market`
/// and `market price`, which replace the price of a market order. Ignores case.
pub fn is_no_value(text: &str) -> bool {
    is_blank(text) || {
        let text = text.trim();
        text.eq_ignore_ascii_case("market") || text.eq_ignore_ascii_case("market price")
    }
}

/// A JSON value that is neither a list nor an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    /// A JSON number with a fraction, or an integer beyond 64 bits.
    Float(f64),
    /// The digits of a JSON number, with the feature `arbitrary_precision` of `serde_json`.
    Number(&'a str),
    Text(&'a str),
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:e}"),
            Self::Number(digits) => f.write_str(shortened(digits)),
            Self::Text(text) => {
                let shown = shortened(text);
                let more = if shown.len() < text.len() { "…" } else { "" };
                write!(f, "{shown:?}{more}")
            }
        }
    }
}

/// The beginning of `text`, cut at a character boundary.
pub(crate) fn shortened(text: &str) -> &str {
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Why a scalar does not fit; `None` if it is of the wrong kind.
pub(crate) type Mismatch = Option<&'static str>;

/// Reads a scalar and converts it with `make`. `expected` completes "expected …" in the error.
pub(crate) fn read<'de, D, T, F>(
    deserializer: D,
    expected: &'static str,
    make: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: FnOnce(Scalar<'_>) -> Result<T, Mismatch>,
{
    deserializer.deserialize_any(ScalarVisitor { expected, make, default: None })
}

/// Like [`read`], for an optional field: an unreadable value is the default of `T`, with a note.
pub(crate) fn read_opt<'de, D, T, F>(
    deserializer: D,
    expected: &'static str,
    make: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default,
    F: FnOnce(Scalar<'_>) -> Result<T, Mismatch>,
{
    deserializer.deserialize_any(ScalarVisitor { expected, make, default: Some(T::default()) })
}

struct ScalarVisitor<T, F> {
    expected: &'static str,
    make: F,
    /// Replaces an unreadable value; `None` if that is an error.
    default: Option<T>,
}

impl<T, F> ScalarVisitor<T, F>
where
    F: FnOnce(Scalar<'_>) -> Result<T, Mismatch>,
{
    #[inline]
    fn finish<E: serde::de::Error>(self, scalar: Scalar<'_>) -> Result<T, E> {
        let Self { expected, make, default } = self;
        make(scalar).or_else(|reason| default_or_error(default, expected, &scalar, reason))
    }
    /// The result for a value that is not a scalar.
    fn not_a_scalar<E: serde::de::Error>(self, got: &str) -> Result<T, E> {
        default_or_error(self.default, self.expected, &got, None)
    }
}

/// Returns `default` and records a note, or returns an error, for an unreadable value.
#[cold]
pub(crate) fn default_or_error<T, E: serde::de::Error>(
    default: Option<T>,
    expected: &'static str,
    got: &dyn fmt::Display,
    reason: Mismatch,
) -> Result<T, E> {
    match default {
        Some(default) if json::mode() != Mode::Strict && !decimals::is_retried_exactly(reason) => {
            notes::unreadable(expected);
            Ok(default)
        }
        _ => Err(match reason {
            None => E::custom(format_args!("expected {expected}, got {got}")),
            Some(reason) => E::custom(format_args!("expected {expected}, got {got}: {reason}")),
        }),
    }
}

impl<'de, T, F> Visitor<'de> for ScalarVisitor<T, F>
where
    F: FnOnce(Scalar<'_>) -> Result<T, Mismatch>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<T, E> {
        self.finish(Scalar::Bool(value))
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        self.finish(Scalar::Signed(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        self.finish(Scalar::Unsigned(value))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<T, E> {
        self.finish(Scalar::Float(value))
    }
    #[inline]
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<T, E> {
        self.finish(Scalar::Text(value))
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        self.finish(Scalar::Null)
    }
    fn visit_none<E: serde::de::Error>(self) -> Result<T, E> {
        self.finish(Scalar::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        // Reads to the end of the value, so that decoding can continue with the default.
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.not_a_scalar("a list")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        match map.next_key::<String>()? {
            Some(key) if key == NUMBER_TOKEN => {
                let digits = map.next_value::<String>()?;
                self.finish(Scalar::Number(&digits))
            }
            Some(_) => {
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.not_a_scalar("an object")
            }
            None => self.not_a_scalar("an empty object"),
        }
    }
}
