//! Members of a pagination's position that the library keeps private: read and changed in its JSON, which archives
//! contain.

use std::collections::BTreeSet;

use bitmart::rest::history::Cursor;
use serde_json::Value;

/// Ids of the rows on the pages that were read of the window at this position.
pub(super) fn ids_on_earlier_pages(cursor: &Cursor) -> BTreeSet<String> {
    let cursor = serde_json::to_value(cursor).unwrap_or_default();
    let ids = cursor["current"].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Whether a stored request was for an earlier page of the window at this position. `unit` is the resolution of time
/// ranges in milliseconds.
pub(super) fn is_for_earlier_page(cursor: &Cursor, request: &Value, unit: i64) -> bool {
    let number = |name: &str| request.get(name).and_then(Value::as_i64);
    // A window begins up to two units before its position, and the window before it earlier.
    let is_window = number("from").is_some_and(|from| from > cursor.next.as_millis() - 2 * unit);
    let position = serde_json::to_value(cursor).unwrap_or_default();
    is_window && number("page") < position["page"].as_i64()
}

/// Returns the cursor with more ids of rows in its members: `seen` are ids of rows that may be received again,
/// `current` those of rows on earlier pages of its window.
pub(super) fn with_ids(cursor: &Cursor, more: [(&str, Vec<String>); 2]) -> Option<Cursor> {
    let mut cursor = serde_json::to_value(cursor).ok()?;
    for (member, ids) in more {
        let known = cursor.get_mut(member)?.as_array_mut()?;
        known.extend(ids.into_iter().map(Value::from));
    }
    serde_json::from_value(cursor).ok()
}
