//! What the description says of a model's members beyond their form: which are essential, and which
//! have other spellings.

use serde::Deserialize;

/// Another spelling of a field, and where it was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alias {
    /// Path of the field: `[].mark_price`.
    pub(crate) path: String,
    /// Its other name: `fair_price`.
    pub(crate) was: String,
    pub(crate) source: String,
}

/// Refuses paths that are not among the fields.
pub(crate) fn check(
    essential: &[String],
    aliases: &[Alias],
    fields: &[String],
) -> Result<(), String> {
    let paths =
        || fields.iter().map(|field| field.split_once(": ").map_or(&**field, |(path, _)| path));
    // Also an object or a list may be essential: there are fields below it.
    let is_below = |rest: &str| matches!(rest.bytes().next(), None | Some(b'.' | b'['));
    let is_there = |path: &str| paths().any(|field| field.strip_prefix(path).is_some_and(is_below));
    for path in essential {
        if !is_there(path) {
            return Err(format!("`{path}` is essential and not among the fields"));
        }
    }
    for Alias { path, was, .. } in aliases {
        if !is_there(path) {
            return Err(format!("`{path}` is also called `{was}` and not among the fields"));
        }
    }
    Ok(())
}
