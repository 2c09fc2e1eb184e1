//! Compares a response with the model decoded from it.

use bitmart_types::{Decimal, codec};
use serde_json::Value;

use super::DriftKind;
use super::schema::member;

/// Reports every place of `recorded` that is missing, a fault or a time of another unit in `got`, the
/// encoded model, in which faults have the positions of their rows. Returns whether there was any.
pub(super) fn compare(
    recorded: &Value,
    got: &Value,
    found: &mut impl FnMut(String, DriftKind),
) -> bool {
    let mut any = false;
    walk(recorded, got, "", &mut |place, kind| {
        any = true;
        found(place, kind);
    });
    any
}

fn walk(recorded: &Value, got: &Value, place: &str, found: &mut impl FnMut(String, DriftKind)) {
    match (recorded, got) {
        (_, Value::Object(members)) if members.contains_key("$fault") => {
            found(place.to_owned(), DriftKind::FaultyRow);
        }
        (Value::Object(recorded), Value::Object(got)) => {
            for (name, value) in recorded {
                if let Some(got) = got.get(name) {
                    walk(value, got, &member(place, name), found);
                }
            }
        }
        (Value::Array(recorded), Value::Array(got)) => {
            // Null rows are dropped by the model.
            let is_short = recorded.len() > got.len();
            let recorded = recorded.iter().filter(|row| !is_short || !row.is_null());
            for (recorded, got) in recorded.zip(got) {
                walk(recorded, got, &format!("{place}[]"), found);
            }
        }
        // A value that is not a list becomes a single fault.
        (_, Value::Array(rows)) if rows.first().is_some_and(|row| row.get("$fault").is_some()) => {
            found(place.to_owned(), DriftKind::FaultyRow);
        }
        (recorded, got) if is_blank(got) && !is_blank(recorded) => {
            found(place.to_owned(), DriftKind::Unreadable);
        }
        (recorded, got) => {
            if let (Some(recorded), Some(got)) = (number(recorded), number(got))
                && recorded != got
            {
                found(place.to_owned(), DriftKind::OtherUnit);
            }
        }
    }
}

/// Whether the value means "no value" in the exchange's responses or in encoded models.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => codec::is_no_value(text),
        value => number(value).is_some_and(|number| number.is_zero()),
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(_) | Value::String(_) => codec::decimal::deserialize(value).ok(),
        _ => None,
    }
}
