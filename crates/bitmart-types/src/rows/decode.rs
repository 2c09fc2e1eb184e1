//! Reads lists row by row.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{RowFault, Rows};
use crate::codec::is_blank;
use crate::json::{self, Mode};
use crate::notes::{self, Note};

/// Maximum number of faults of one list. A list with more is an error: its rows have another form, and
/// faults may take several times the memory of the text.
const MAX_FAULTS: usize = 4096;

const NULL_ROW: &str = "expected a row, got null";

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match json::mode() {
            Mode::Fast | Mode::Strict => deserializer.deserialize_any(List(PhantomData)),
            Mode::WithoutRows => deserializer.deserialize_option(Absent(PhantomData)),
            mode @ (Mode::Direct | Mode::Tolerant { .. }) => {
                let raw = Box::<RawValue>::deserialize(deserializer)?;
                let length = raw.get().len();
                let is_complete_text =
                    matches!(mode, Mode::Tolerant { length: text, .. } if text == length);
                read(raw.get(), is_complete_text).map_err(D::Error::custom)
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

/// Reads a list row by row. If it is the whole text, a value that is not a list is an error instead of a fault.
fn read<T: DeserializeOwned>(json: &str, is_complete_text: bool) -> Result<Rows<T>, String> {
    let mut list = Rows::new();
    if !json.starts_with('[') {
        let is_no_value =
            json == "null" || json.starts_with('"') && is_blank(json.trim_matches('"'));
        if is_no_value {
            return Ok(list);
        }
        if json.starts_with('{')
            && let Some(rows) = object(json, is_complete_text)?
        {
            return Ok(rows);
        }
        if is_complete_text {
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

/// Reads an object in place of a list: an empty one has no row. If it is the whole text, the list is its member `list`
/// or its only member, or the object is the only row. `None` if it is neither.
#[cold]
fn object<T: DeserializeOwned>(
    json: &str,
    is_complete_text: bool,
) -> Result<Option<Rows<T>>, String> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|error| error.to_string())?;
    if members.is_empty() {
        return Ok(Some(Rows::new()));
    }
    if !is_complete_text {
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
    let position = notes::position();
    let is_row = json::tolerant::<T>("{}").is_err();
    notes::rewind(position);
    let row = is_row.then(|| json::tolerant(json).inspect_err(|_| notes::rewind(position)).ok());
    Ok(row.flatten().map(|row| Rows::from(vec![row])))
}

/// Whether a member counts rows, and more than none.
fn counts_rows((name, value): (&String, &&RawValue)) -> bool {
    let name = name.to_ascii_lowercase();
    (name.contains("total") || name.contains("count"))
        && value.get().trim_matches('"').parse::<u64>().is_ok_and(|count| count > 0)
}
