//! Tolerant decoding of JSON from the exchange: one bad value does not fail the whole response.
//!
//! [`from_str`] first decodes as fast as `serde_json`. Only if that fails, because a row of a list does
//! not decode or a member is repeated, it decodes a second time and tolerates more:
//!
//! * a row of [`Rows`](crate::Rows) that does not decode becomes one of its faults,
//! * of a repeated member the last value that is not `null` counts, and the current name of a member
//!   takes precedence over an alias,
//! * a number beyond the range of a double and a text with half a surrogate pair are `null`,
//! * the digits of a JSON number are read exactly.
//!
//! [`collect_notes`](crate::collect_notes) reports what was tolerated. Decoding with `serde_json` itself
//! tolerates bad rows too, but is slower.

mod fault;
mod path;
mod repair;

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::DeserializeOwned;

pub use fault::JsonFault;
pub use path::path_at;

use crate::codec::decimals;
use crate::notes;

/// Maximum number of repairs of one text, or of one row.
const MAX_REPAIRS: usize = 16;

/// How the helpers of this crate decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `serde_json` was called directly.
    Direct,
    /// First pass: a row that does not decode is an error.
    Fast,
    /// Second pass, over a text of `length` bytes. `exact` if a number has more digits than a double
    /// represents.
    Tolerant { length: usize, exact: bool },
    /// Like the second pass, and an absent list is an empty one.
    WithoutRows,
    /// Nothing is tolerated.
    Strict,
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Direct) };
}

pub(crate) fn mode() -> Mode {
    MODE.get()
}

/// Decodes JSON text from the exchange.
///
/// ```
/// use bitmart_types::{Rows, json};
///
/// let rows: Rows<u8> = json::from_str("[1, 2, 300, 4]")?;
/// assert_eq!(*rows, [1, 2, 4]);
/// assert_eq!(rows.faults()[0].index, 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When a value other than a row or an optional member does not decode. The error has the line and
/// column in `json`.
pub fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    if mode() == Mode::Strict {
        return serde_json::from_str(json);
    }
    let position = notes::position();
    with_mode(Mode::Fast, || serde_json::from_str(json)).or_else(|_| {
        notes::rewind(position);
        tolerant(json)
    })
}

/// Runs a decoder as the first pass of [`from_str`]: what the second pass would read is an error. The caller
/// continues with [`from_str`] after an error.
#[doc(hidden)]
pub fn first_pass<R>(decode: impl FnOnce() -> R) -> R {
    if mode() == Mode::Strict { decode() } else { with_mode(Mode::Fast, decode) }
}

/// Decodes trusted JSON text, such as the parameters of a request, without tolerance: an unreadable value
/// of an optional field is an error, and so is a row that does not decode.
///
/// # Errors
/// When anything does not decode.
pub fn from_str_strict<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    with_mode(Mode::Strict, || serde_json::from_str(json))
}

/// Decodes data that contains no rows: a list that is absent is an empty one.
///
/// ```
/// use bitmart_types::{Rows, json};
///
/// #[derive(serde::Deserialize)]
/// struct Page {
///     records: Rows<u8>,
/// }
///
/// assert!(json::from_str::<Page>("{}").is_err());
/// assert!(json::from_str_without_rows::<Page>("{}")?.records.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When a value other than a list is absent or does not decode.
pub fn from_str_without_rows<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    with_mode(Mode::WithoutRows, || serde_json::from_str(json))
}

/// Decodes in the second pass.
#[cold]
pub(crate) fn tolerant<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    let position = notes::position();
    let decode = |json: &str, exact| {
        notes::rewind(position);
        let mode = Mode::Tolerant { length: json.trim_ascii().len(), exact };
        with_mode(mode, || serde_json::from_str(json))
    };
    let (mut exact, mut text, mut repairs) = (false, Cow::Borrowed(json), Vec::new());
    let mut first = None;
    for _ in 0..MAX_REPAIRS {
        let error = match decode(&text, exact) {
            Ok(value) => {
                for repair in repairs {
                    notes::note(|| repair);
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        if !exact && decimals::needs_exact_digits(&error) {
            exact = true;
            continue;
        }
        let repaired = repair::repair(&text, &error);
        first = first.or(Some(error));
        let Some((repaired, note)) = repaired else {
            break;
        };
        text = Cow::Owned(repaired);
        repairs.extend(note);
    }
    notes::rewind(position);
    // `first` is empty only if every attempt requested exact digits.
    Err(first.unwrap_or_else(|| serde::de::Error::custom("too many repairs")))
}

fn with_mode<T>(mode: Mode, work: impl FnOnce() -> T) -> T {
    /// Restores the mode, also if `work` panics.
    struct Restore(Mode);
    impl Drop for Restore {
        fn drop(&mut self) {
            MODE.set(self.0);
        }
    }

    let _restore = Restore(MODE.replace(mode));
    work()
}
