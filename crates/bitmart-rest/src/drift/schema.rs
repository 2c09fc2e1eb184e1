//! The described schema of an endpoint's data, as a tree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DriftKind, shown};
use crate::catalog::Field;

/// The types of a value are bits, so that a place may have several.
const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const FLAG: u8 = 4;
/// The description names no type.
const ANY: u8 = TEXT | NUMBER | FLAG;

/// The description of one place: a value, or its contents. An empty one allows anything.
#[derive(Default)]
pub(super) struct Schema {
    /// The types of the value itself.
    value: u8,
    members: BTreeMap<&'static str, Schema>,
    /// Schema of members whose names are values, such as `{date}`.
    any_member: Option<Box<Schema>>,
    item: Option<Box<Schema>>,
    columns: BTreeMap<usize, Schema>,
}

impl Schema {
    pub(super) fn new(fields: &[Field]) -> Self {
        let mut root = Self::default();
        for field in fields {
            let mut at = &mut root;
            for part in field.path.split('.') {
                let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
                at = match name {
                    "" => at,
                    _ if name.starts_with('{') => at.any_member.get_or_insert_default(),
                    _ => at.members.entry(name).or_default(),
                };
                for index in brackets.split(']').filter_map(|index| index.strip_prefix('[')) {
                    at = match index.parse() {
                        Ok(index) => at.columns.entry(index).or_default(),
                        Err(_) => at.item.get_or_insert_default(),
                    };
                }
            }
            at.value |= types(field.form);
        }
        root
    }

    /// Reports every place where `data` differs from the schema.
    pub(super) fn compare(&self, data: &Value, report: &mut impl FnMut(String, DriftKind)) {
        // Many endpoints return no data.
        if !data.is_null() {
            self.walk(data, "", report);
        }
    }

    fn walk(&self, value: &Value, place: &str, report: &mut impl FnMut(String, DriftKind)) {
        let is_object = !self.members.is_empty() || self.any_member.is_some();
        let is_list = self.item.is_some() || !self.columns.is_empty();
        match value {
            _ if !is_object && !is_list && self.value == 0 => {}
            Value::Null if is_object || is_list => report(place.to_owned(), DriftKind::NoValue),
            // Null is one of the exchange's ways to express "no value".
            Value::Null => {}
            Value::Object(members) if is_object => {
                for (name, value) in members {
                    let schema = self.members.get(name.as_str()).or(self.any_member.as_deref());
                    match schema {
                        Some(schema) => {
                            // Otherwise every new name would be another finding.
                            let is_known = self.members.contains_key(name.as_str());
                            let name = if is_known { name.as_str() } else { "*" };
                            schema.walk(value, &member(place, name), report);
                        }
                        None => report(member(place, shown(name)), DriftKind::UnknownMember),
                    }
                }
            }
            Value::Array(items) if is_list => {
                for (index, value) in items.iter().enumerate() {
                    match (&self.item, self.columns.get(&index)) {
                        (Some(schema), _) => schema.walk(value, &format!("{place}[]"), report),
                        (None, Some(schema)) => {
                            schema.walk(value, &format!("{place}[{index}]"), report);
                        }
                        // All further columns of a row are one finding.
                        (None, None) => {
                            report(format!("{place}[..]"), DriftKind::UnknownMember);
                            break;
                        }
                    }
                }
            }
            _ if self.value & type_of(value) == 0 => report(place.to_owned(), DriftKind::OtherForm),
            _ => {}
        }
    }
}

pub(super) fn member(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn type_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => TEXT,
        Value::Number(_) => NUMBER,
        Value::Bool(_) => FLAG,
        _ => 0,
    }
}

/// The types named by a description. The first part that names a type counts; earlier parts are column
/// names.
fn types(words: &str) -> u8 {
    let known = |part: &str| match part {
        "text" | "currency code" | "decimal text" | "integer text" => Some(TEXT),
        "integer" | "decimal number" => Some(NUMBER),
        "boolean" | "true or false" => Some(FLAG),
        "integer or text" | "integer text or integer" => Some(TEXT | NUMBER),
        _ => None,
    };
    words.split(", ").find_map(known).unwrap_or(ANY)
}
