//! Compares a response with the model decoded from it.

use bitmart_types::{Decimal, codec};
use serde_json::Value;

use super::DriftKind;
use super::schema::member;

/// Reports every place of `recorded` that is missing, a fault or a time of another unit in `decoded`,
/// the encoded model, in which faults have the positions of their rows. Returns whether there was any.
pub(super) fn compare(
    recorded: &Value,
    decoded: &Value,
    report: &mut impl FnMut(String, DriftKind),
) -> bool {
    let mut any = false;
    walk(recorded, decoded, "", &mut |place, kind| {
        any = true;
        report(place, kind);
    });
    any
}

fn walk(
    recorded: &Value,
    decoded: &Value,
    place: &str,
    report: &mut impl FnMut(String, DriftKind),
) {
    match (recorded, decoded) {
        (_, Value::Object(members)) if members.contains_key("$fault") => {
            report(place.to_owned(), DriftKind::FaultyRow);
        }
        (Value::Object(recorded), Value::Object(decoded)) => {
            for (name, value) in recorded {
                if let Some(decoded) = decoded.get(name) {
                    walk(value, decoded, &member(place, name), report);
                }
            }
        }
        (Value::Array(recorded), Value::Array(decoded)) => {
            // Null rows are dropped by the model.
            let is_short = recorded.len() > decoded.len();
            let recorded = recorded.iter().filter(|row| !is_short || !row.is_null());
            for (recorded, decoded) in recorded.zip(decoded) {
                walk(recorded, decoded, &format!("{place}[]"), report);
            }
        }
        // A value that is not a list becomes a single fault.
        (_, Value::Array(rows)) if rows.first().is_some_and(|row| row.get("$fault").is_some()) => {
            report(place.to_owned(), DriftKind::FaultyRow);
        }
        (recorded, decoded) if is_blank(decoded) && !is_blank(recorded) => {
            report(place.to_owned(), DriftKind::Unreadable);
        }
        (recorded, decoded) => {
            if let (Some(recorded), Some(decoded)) = (number(recorded), number(decoded))
                && recorded != decoded
            {
                report(place.to_owned(), DriftKind::OtherUnit);
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
