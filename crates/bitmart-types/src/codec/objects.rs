//! Objects and lists that may be absent.

use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::scalar::is_blank;
use crate::json::{self, Mode};
use crate::notes;

/// An object or a list, or no value; `None` is written as `null`. Works with `serde_json` only.
pub mod object_opt {
    pub use super::{deserialize, serialize};
}

/// Reads a `T` or a spelling of no value. A value that `T` does not accept is `None`, with a note.
///
/// # Errors
/// When the text ends early.
pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    if matches!(json::mode(), Mode::Fast | Mode::Strict) {
        return Option::deserialize(deserializer);
    }
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let raw = raw.get();
    if raw == "null" || raw.starts_with('"') && is_blank(raw.trim_matches('"')) {
        return Ok(None);
    }
    let position = notes::position();
    Ok(json::tolerant(raw)
        .map_err(|_| {
            notes::rewind(position);
            notes::unreadable("an object or a list");
        })
        .ok())
}

/// Writes the `T`, `null` for `None`.
///
/// # Errors
/// When the serializer fails.
pub fn serialize<S, T>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
{
    value.serialize(serializer)
}
