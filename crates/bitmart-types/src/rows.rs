//! Lists in which a bad row does not affect the other rows.

mod decode;

use std::{
    cell::Cell,
    fmt,
    ops::{Deref, DerefMut},
    slice, vec,
};

use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use crate::json::{JsonFault, path_at};

/// Maximum length of the raw text in a fault, in bytes.
const MAX_RAW: usize = 4096;

/// A list of rows from the exchange. A row that does not decode is in [`faults`](Self::faults) instead
/// of the list; the other rows are not affected.
///
/// It dereferences to a slice, iterates and collects like a `Vec`, and converts with
/// [`into_vec`](Self::into_vec). Check [`is_complete`](Self::is_complete) where a missing row matters,
/// for example to find out whether an order exists.
///
/// `null`, `""` and the other spellings of no value are an empty list, and so is `{}`. A `null` in a list is
/// a fault, because it may stand for a row. Any other value that is not a list is one fault with index 0.
/// Faults are not serialized.
///
/// A list that is all there is may also be the member `list` or the only member of an object, and an object
/// that decodes as a row, if a row requires any member, is a list of one: the exchange has sent both.
///
/// ```
/// use bitmart_types::Rows;
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     id: u64,
/// }
///
/// let rows: Rows<Order> = serde_json::from_str(r#"[{"id":1},{"name":"?"},{"id":3}]"#)?;
/// assert_eq!(rows.iter().map(|order| order.id).collect::<Vec<_>>(), [1, 3]);
/// assert_eq!(rows.faults()[0].to_string(), "row 1: missing field `id`");
/// assert_eq!(rows.faults()[0].raw, r#"{"name":"?"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Rows<T> {
    rows: Vec<T>,
    faults: Vec<RowFault>,
}

/// A row that did not decode. `Debug` does not show the row, which may contain account data.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RowFault {
    /// Index in the received list, from 0.
    pub index: usize,
    /// Path within the row: `order.price`, or `[2]` for a column; empty for the row itself.
    pub path: String,
    /// Why it did not decode, without the value: `expected a decimal`.
    pub reason: String,
    /// The row's JSON text, cut after 4096 bytes.
    pub raw: String,
    /// Number of decoded rows before it.
    before: usize,
}

impl<T> Rows<T> {
    /// Creates an empty list.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), faults: Vec::new() }
    }
    /// The rows that did not decode, in order.
    pub fn faults(&self) -> &[RowFault] {
        &self.faults
    }
    /// Whether every row decoded.
    pub fn is_complete(&self) -> bool {
        self.faults.is_empty()
    }
    /// Returns the rows that decoded.
    pub fn into_vec(self) -> Vec<T> {
        self.rows
    }
    /// Creates a list from rows and faults, such as those of [`into_parts`](Self::into_parts).
    pub fn from_parts(rows: Vec<T>, faults: Vec<RowFault>) -> Self {
        Self { rows, faults }
    }
    /// Returns the rows that decoded, and those that did not.
    pub fn into_parts(self) -> (Vec<T>, Vec<RowFault>) {
        (self.rows, self.faults)
    }
}

/// A row that is identified by a text, such as its symbol. [`Rows::find`] looks it up.
pub trait Keyed {
    /// The text; `None` if the exchange did not send it.
    fn key(&self) -> Option<&str>;
}

impl<T: Keyed> Rows<T> {
    /// The first row with this key; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, key: &str) -> Option<&T> {
        self.rows.iter().find(|row| row.key() == Some(key))
    }
}

impl RowFault {
    fn new(index: usize, before: usize, raw: &str, error: serde_json::Error) -> Self {
        let path = path_at("", raw, error.line(), error.column());
        let reason = JsonFault::from(error).reason().to_owned();
        Self {
            path: path.trim_start_matches('.').to_owned(),
            ..Self::with_reason(index, before, raw, reason)
        }
    }

    fn with_reason(index: usize, before: usize, raw: &str, reason: String) -> Self {
        let end = (0..=MAX_RAW.min(raw.len())).rev().find(|&end| raw.is_char_boundary(end));
        let raw = raw[..end.unwrap_or_default()].to_owned();
        Self { index, path: String::new(), reason, raw, before }
    }
}

thread_local! {
    static SHOW_FAULTS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with faults serialized in place of their rows, as objects with the single member
/// `$fault`. For comparing the decoded rows with the received ones.
///
/// ```
/// use bitmart_types::{Rows, json, show_faults};
///
/// let rows: Rows<u8> = json::from_str("[1, 300, 2]")?;
/// assert_eq!(serde_json::to_string(&rows)?, "[1,2]");
/// let shown = show_faults(|| serde_json::to_value(&rows))?;
/// assert!(shown[1]["$fault"].is_string());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn show_faults<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SHOW_FAULTS.set(self.0);
        }
    }

    let _restore = Restore(SHOW_FAULTS.replace(true));
    work()
}

/// A fault, serialized in place of its row.
#[derive(Serialize)]
struct Shown {
    #[serde(rename = "$fault")]
    fault: String,
}

impl<T: Serialize> Serialize for Rows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.faults.is_empty() || !SHOW_FAULTS.get() {
            return self.rows.serialize(serializer);
        }
        let mut list = serializer.serialize_seq(Some(self.rows.len() + self.faults.len()))?;
        let mut faults = self.faults.iter().peekable();
        for (index, row) in self.rows.iter().enumerate() {
            while let Some(fault) = faults.next_if(|fault| fault.before <= index) {
                list.serialize_element(&Shown { fault: fault.to_string() })?;
            }
            list.serialize_element(row)?;
        }
        for fault in faults {
            list.serialize_element(&Shown { fault: fault.to_string() })?;
        }
        list.end()
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, path, reason, .. } = self;
        match path.as_str() {
            "" => write!(f, "row {index}: {reason}"),
            path => write!(f, "row {index}, `{path}`: {reason}"),
        }
    }
}

impl fmt::Debug for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowFault")
            .field("index", &self.index)
            .field("path", &self.path)
            .field("reason", &self.reason)
            .field("raw_bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Shows the list, and its faults if there are any.
impl<T: fmt::Debug> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() {
            return self.rows.fmt(f);
        }
        f.debug_struct("Rows").field("rows", &self.rows).field("faults", &self.faults).finish()
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self::new()
    }
}
impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}
impl<T> DerefMut for Rows<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }
}
impl<T> AsRef<[T]> for Rows<T> {
    fn as_ref(&self) -> &[T] {
        &self.rows
    }
}
impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, faults: Vec::new() }
    }
}
impl<T> From<Rows<T>> for Vec<T> {
    fn from(list: Rows<T>) -> Self {
        list.rows
    }
}
impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Vec::from_iter(rows).into()
    }
}
impl<T> IntoIterator for Rows<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}
impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}
impl<'a, T> IntoIterator for &'a mut Rows<T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter_mut()
    }
}
impl<T: PartialEq<U>, U> PartialEq<[U]> for Rows<T> {
    fn eq(&self, other: &[U]) -> bool {
        self.is_complete() && self.rows == other
    }
}
impl<T: PartialEq<U>, U> PartialEq<Vec<U>> for Rows<T> {
    fn eq(&self, other: &Vec<U>) -> bool {
        self.is_complete() && self.rows == *other
    }
}
impl<T: PartialEq<U>, U, const N: usize> PartialEq<[U; N]> for Rows<T> {
    fn eq(&self, other: &[U; N]) -> bool {
        self.is_complete() && self.rows == *other
    }
}
