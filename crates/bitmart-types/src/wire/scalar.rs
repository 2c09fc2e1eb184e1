//! One visitor for every scalar; the helpers convert it.

use std::fmt;

use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::json::{self, Pass};
use crate::notes::{self, Note};
use crate::wire::decimals;

/// Longest piece of the input that an error message repeats.
const SHOWN: usize = 40;

/// The key under which `serde_json` hands over numbers as text when some crate in the build has
/// switched on its `arbitrary_precision` feature.
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
/// and `market price`, which stand where a market order has no price. Capitals do not matter.
pub fn is_no_value(text: &str) -> bool {
    is_blank(text) || {
        let text = text.trim();
        text.eq_ignore_ascii_case("market") || text.eq_ignore_ascii_case("market price")
    }
}

/// What a field turned out to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    /// A JSON number with a fraction, or an integer beyond 64 bits.
    Float(f64),
    /// The digits of a JSON number, from a `serde_json` that keeps them.
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
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Why a scalar does not fit; `None` means that it is simply of the wrong kind.
pub(crate) type Reason = Option<&'static str>;

/// Reads one scalar and hands it to `make`. `expected` completes "expected …" in the error.
pub(crate) fn read<'de, D, T, F>(
    deserializer: D,
    expected: &'static str,
    make: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: FnOnce(Scalar<'_>) -> Result<T, Reason>,
{
    deserializer.deserialize_any(ScalarVisitor { expected, make, without: None })
}

/// Like [`read`], for a field that may have no value: whatever cannot be read is `T`'s default, and
/// noted.
pub(crate) fn read_opt<'de, D, T, F>(
    deserializer: D,
    expected: &'static str,
    make: F,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default,
    F: FnOnce(Scalar<'_>) -> Result<T, Reason>,
{
    deserializer.deserialize_any(ScalarVisitor { expected, make, without: Some(T::default()) })
}

struct ScalarVisitor<T, F> {
    expected: &'static str,
    make: F,
    /// The replacement of a value that cannot be read.
    without: Option<T>,
}

impl<T, F> ScalarVisitor<T, F>
where
    F: FnOnce(Scalar<'_>) -> Result<T, Reason>,
{
    #[inline]
    fn finish<E: serde::de::Error>(self, scalar: Scalar<'_>) -> Result<T, E> {
        let Self { expected, make, without } = self;
        make(scalar).or_else(|reason| give_up(without, expected, &scalar, reason))
    }
    /// The result for a value that is not a scalar.
    fn none<E: serde::de::Error>(self, got: &str) -> Result<T, E> {
        give_up(self.without, self.expected, &got, None)
    }
}

/// The result for a value that cannot be read: `without`, and a note, or an error.
#[cold]
pub(crate) fn give_up<T, E: serde::de::Error>(
    without: Option<T>,
    expected: &'static str,
    got: &dyn fmt::Display,
    reason: Reason,
) -> Result<T, E> {
    match without {
        Some(without) if json::pass() != Pass::Strict && !decimals::comes_back(reason) => {
            notes::note(|| Note::Unreadable { expected });
            Ok(without)
        }
        _ => Err(match reason {
            None => E::custom(format_args!("expected {expected}, got {got}")),
            Some(reason) => E::custom(format_args!("expected {expected}, got {got}: {reason}")),
        }),
    }
}

impl<'de, T, F> Visitor<'de> for ScalarVisitor<T, F>
where
    F: FnOnce(Scalar<'_>) -> Result<T, Reason>,
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
        // Leave the reader behind the value: an error keeps its position, and no value ends there.
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.none("a list")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        match map.next_key::<String>()? {
            // The form in which a `serde_json` with arbitrary precision passes a number.
            Some(key) if key == NUMBER_TOKEN => {
                let digits = map.next_value::<String>()?;
                self.finish(Scalar::Number(&digits))
            }
            Some(_) => {
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.none("an object")
            }
            None => self.none("an empty object"),
        }
    }
}
