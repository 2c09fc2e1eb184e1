//! Decoding JSON from the network so that what is odd in it costs no more than itself.
//!
//! [`from_str`] first decodes as fast as `serde_json` does. Only where that fails, which is where a
//! row of a list does not decode or a member is repeated, it decodes again, more carefully:
//!
//! * a row of [`Rows`](crate::Rows) that does not decode becomes one of its faults,
//! * of a repeated member the last value that is not `null` counts, and a member's present
//!   name counts before an alias,
//! * a number beyond the range of a double and a text with half a surrogate pair are no value,
//! * the digits of a JSON number are read exactly.
//!
//! Tolerated oddities are reported by [`collect_notes`](crate::collect_notes). Types that are decoded
//! with `serde_json` itself are as tolerant of rows, only slower.

mod fault;
mod path;
mod repair;

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::DeserializeOwned;

pub use fault::JsonFault;
pub use path::path_at;

use crate::notes;
use crate::wire::decimals;

/// Repairs of one text, or of one row, before it is given up.
const REPAIRS: usize = 16;

/// How the helpers decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// `serde_json` was called directly.
    None,
    /// The fast one: a row that does not decode ends it.
    First,
    /// The tolerant one, of a text of so many bytes; `exact` where a number has more digits than a
    /// double shows.
    Second { length: usize, exact: bool },
    /// Nothing is put up with.
    Strict,
}

thread_local! {
    static PASS: Cell<Pass> = const { Cell::new(Pass::None) };
}

pub(crate) fn pass() -> Pass {
    PASS.get()
}

/// Decodes JSON text of the exchange.
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
/// When something else than a row or an optional member does not decode. The error's line and
/// column are those of `json`.
pub fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    if pass() == Pass::Strict {
        return serde_json::from_str(json);
    }
    let mark = notes::mark();
    within(Pass::First, || serde_json::from_str(json)).or_else(|_| {
        notes::rewind(mark);
        tolerant(json)
    })
}

/// Decodes JSON text of one's own, such as the parameters of a request: a value that cannot be read
/// is an error also where the field may have none, and so is every row that does not decode.
///
/// # Errors
/// When anything does not decode.
pub fn from_str_strict<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    within(Pass::Strict, || serde_json::from_str(json))
}

/// The second pass.
#[cold]
pub(crate) fn tolerant<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    let mark = notes::mark();
    let decode = |json: &str, exact| {
        notes::rewind(mark);
        let pass = Pass::Second { length: json.trim_ascii().len(), exact };
        within(pass, || serde_json::from_str(json))
    };
    let (mut exact, mut text, mut made) = (false, Cow::Borrowed(json), Vec::new());
    let mut first = None;
    for _ in 0..REPAIRS {
        let error = match decode(&text, exact) {
            Ok(value) => {
                for made in made {
                    notes::note(|| made);
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        if !exact && decimals::is_long(&error) {
            exact = true;
            continue;
        }
        let repaired = repair::repair(&text, &error);
        first = first.or(Some(error));
        let Some((repaired, note)) = repaired else {
            break;
        };
        text = Cow::Owned(repaired);
        made.extend(note);
    }
    notes::rewind(mark);
    // Without an error there would have been a value, unless only the digits were read again.
    Err(first.unwrap_or_else(|| serde::de::Error::custom("too many repairs")))
}

fn within<T>(pass: Pass, work: impl FnOnce() -> T) -> T {
    /// Puts back what was before, also when the work panics.
    struct Outer(Pass);
    impl Drop for Outer {
        fn drop(&mut self) {
            PASS.set(self.0);
        }
    }

    let _outer = Outer(PASS.replace(pass));
    work()
}
