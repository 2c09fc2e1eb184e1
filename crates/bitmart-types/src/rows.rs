//! Lists in which a bad row does not affect the other rows.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    slice, vec,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
    ser::SerializeSeq as _,
};
use serde_json::value::RawValue;

use crate::json::{self, JsonFault, Mode, path_at};
use crate::notes::{self, Note};
use crate::wire::is_blank;

/// Maximum length of the raw text in a fault, in bytes.
const MAX_RAW: usize = 4096;

/// Maximum number of faults of one list. A list with more is an error: its rows have another form, and
/// faults may take several times the memory of the text.
const MAX_FAULTS: usize = 4096;

const NULL_ROW: &str = "expected a row, got null";

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

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match json::mode() {
            Mode::Fast | Mode::Strict => deserializer.deserialize_any(List(PhantomData)),
            Mode::WithoutRows => deserializer.deserialize_option(Absent(PhantomData)),
            mode @ (Mode::Direct | Mode::Tolerant { .. }) => {
                let raw = Box::<RawValue>::deserialize(deserializer)?;
                let length = raw.get().len();
                let is_all = matches!(mode, Mode::Tolerant { length: all, .. } if all == length);
                read(raw.get(), is_all).map_err(D::Error::custom)
            }
        }
    }
}

/// Reads a list in which every row decodes.
struct List<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Rows<T>, E> {
        Ok(Rows::new())
    }
    fn visit_none<E: serde::de::Error>(self) -> Result<Rows<T>, E> {
        Ok(Rows::new())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rows<T>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = items.next_element::<Option<T>>()? {
            rows.push(row.ok_or_else(|| A::Error::custom(NULL_ROW))?);
        }
        Ok(rows.into())
    }
}

/// Reads a list that may be absent.
struct Absent<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Absent<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_none<E: serde::de::Error>(self) -> Result<Rows<T>, E> {
        Ok(Rows::new())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rows<T>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        read(raw.get(), false).map_err(D::Error::custom)
    }
}

/// Reads a list row by row. If `is_all`, the list is the whole text, and a value that is not a list is
/// an error instead of a fault.
fn read<T: DeserializeOwned>(json: &str, is_all: bool) -> Result<Rows<T>, String> {
    let mut list = Rows::new();
    if !json.starts_with('[') {
        let is_no_value =
            json == "null" || json.starts_with('"') && is_blank(json.trim_matches('"'));
        if is_no_value {
            return Ok(list);
        }
        if json.starts_with('{')
            && let Some(rows) = object(json, is_all)?
        {
            return Ok(rows);
        }
        if is_all {
            return Err("expected a list, got another value".to_owned());
        }
        notes::note(|| Note::FaultyRow { index: 0 });
        list.faults.push(RowFault::with_reason(0, 0, json, "expected a list".to_owned()));
        return Ok(list);
    }
    let rows: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    for (index, row) in rows.into_iter().map(RawValue::get).enumerate() {
        let before = list.rows.len();
        let fault = if row == "null" {
            RowFault::with_reason(index, before, row, NULL_ROW.to_owned())
        } else {
            match json::tolerant(row) {
                Ok(row) => {
                    list.rows.push(row);
                    continue;
                }
                Err(error) => RowFault::new(index, before, row, error),
            }
        };
        if list.faults.len() == MAX_FAULTS {
            return Err(format!("expected rows, got more than {MAX_FAULTS} of another form"));
        }
        notes::note(|| Note::FaultyRow { index });
        list.faults.push(fault);
    }
    Ok(list)
}

/// Reads an object in place of a list: an empty one has no row. If `is_all`, the list is its member `list` or
/// its only member, or the object is the only row. `None` if it is neither.
#[cold]
fn object<T: DeserializeOwned>(json: &str, is_all: bool) -> Result<Option<Rows<T>>, String> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|error| error.to_string())?;
    if members.is_empty() {
        return Ok(Some(Rows::new()));
    }
    if !is_all {
        return Ok(None);
    }
    let named = members.get("list").map(|list| list.get());
    // An empty list of another name may be one of errors.
    let only = members.values().next().filter(|_| members.len() == 1).map(|list| list.get());
    let only =
        only.filter(|list| list.starts_with('[') && !list[1..].trim_start().starts_with(']'));
    if let Some(list) = named.filter(|list| list.starts_with('[') || *list == "null").or(only) {
        let rows = read(list, false)?;
        if rows.is_empty() && rows.faults.is_empty() && members.iter().any(counts_rows) {
            return Err("expected the rows that the object counts, got none".to_owned());
        }
        return Ok(Some(rows));
    }
    // If no member is required, any object would be a row.
    let mark = notes::mark();
    let is_row = json::tolerant::<T>("{}").is_err();
    notes::rewind(mark);
    let row = is_row.then(|| json::tolerant(json).inspect_err(|_| notes::rewind(mark)).ok());
    Ok(row.flatten().map(|row| Rows::from(vec![row])))
}

/// Whether a member counts rows, and more than none.
fn counts_rows((name, value): (&String, &&RawValue)) -> bool {
    let name = name.to_ascii_lowercase();
    (name.contains("total") || name.contains("count"))
        && value.get().trim_matches('"').parse::<u64>().is_ok_and(|count| count > 0)
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
