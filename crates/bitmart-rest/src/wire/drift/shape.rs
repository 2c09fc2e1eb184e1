//! The described form of an endpoint's data, as a tree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DriftKind, shown};
use crate::catalog::Field;

const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const FLAG: u8 = 4;
/// The words of the description name no form.
const ANY: u8 = TEXT | NUMBER | FLAG;

/// What is described of one place: a value, or what is in it. Nothing means that anything may come.
#[derive(Default)]
pub(super) struct Shape {
    value: u8,
    members: BTreeMap<&'static str, Shape>,
    /// Of members whose names are values: `{date}`.
    any_member: Option<Box<Shape>>,
    item: Option<Box<Shape>>,
    columns: BTreeMap<usize, Shape>,
}

impl Shape {
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
            at.value |= form(field.form);
        }
        root
    }

    /// Reports every place where `data` differs.
    pub(super) fn compare(&self, data: &Value, found: &mut impl FnMut(String, DriftKind)) {
        // Many endpoints have no data to tell.
        if !data.is_null() {
            self.walk(data, "", found);
        }
    }

    fn walk(&self, value: &Value, place: &str, found: &mut impl FnMut(String, DriftKind)) {
        let is_object = !self.members.is_empty() || self.any_member.is_some();
        let is_list = self.item.is_some() || !self.columns.is_empty();
        match value {
            _ if !is_object && !is_list && self.value == 0 => {}
            Value::Null if is_object || is_list => found(place.to_owned(), DriftKind::NoValue),
            // The exchange says "no value" in many ways, and null is one of them.
            Value::Null => {}
            Value::Object(members) if is_object => {
                for (name, value) in members {
                    let shape = self.members.get(name.as_str()).or(self.any_member.as_deref());
                    match shape {
                        Some(shape) => {
                            // A name that is a value would make every answer a new finding.
                            let is_known = self.members.contains_key(name.as_str());
                            let name = if is_known { name.as_str() } else { "*" };
                            shape.walk(value, &member(place, name), found);
                        }
                        None => found(member(place, shown(name)), DriftKind::UnknownMember),
                    }
                }
            }
            Value::Array(items) if is_list => {
                for (index, value) in items.iter().enumerate() {
                    match (&self.item, self.columns.get(&index)) {
                        (Some(shape), _) => shape.walk(value, &format!("{place}[]"), found),
                        (None, Some(shape)) => {
                            shape.walk(value, &format!("{place}[{index}]"), found);
                        }
                        // However long the row is, its rest is one finding.
                        (None, None) => {
                            found(format!("{place}[..]"), DriftKind::UnknownMember);
                            break;
                        }
                    }
                }
            }
            _ if self.value & kind(value) == 0 => found(place.to_owned(), DriftKind::OtherForm),
            _ => {}
        }
    }
}

pub(super) fn member(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::String(_) => TEXT,
        Value::Number(_) => NUMBER,
        Value::Bool(_) => FLAG,
        _ => 0,
    }
}

/// The forms that the words of the description name. The first part that names one counts; what
/// stands before it is the name of a column.
fn form(words: &str) -> u8 {
    let known = |part: &str| match part {
        "text" | "currency code" | "decimal text" | "integer text" => Some(TEXT),
        "integer" | "decimal number" => Some(NUMBER),
        "boolean" | "true or false" => Some(FLAG),
        "integer or text" | "integer text or integer" => Some(TEXT | NUMBER),
        _ => None,
    };
    words.split(", ").find_map(known).unwrap_or(ANY)
}
