//! Lists that may be absent.

use serde::{Deserialize, Deserializer};

/// Reads a list; `null` is an empty list, and a `null` in a list is skipped. For
/// `#[serde(deserialize_with = "codec::list")]`.
///
/// ```
/// use bitmart_types::codec;
///
/// #[derive(serde::Deserialize)]
/// struct Page {
///     #[serde(deserialize_with = "codec::list")]
///     rows: Vec<u32>,
/// }
///
/// for (json, rows) in [("[1,null,2]", vec![1, 2]), ("null", vec![])] {
///     let page: Page = serde_json::from_str(&format!(r#"{{"rows":{json}}}"#))?;
///     assert_eq!(page.rows, rows);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When an item does not decode.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
    Ok(list.into_iter().flatten().flatten().collect())
}
