//! Duplicate parameters. Parsers differ in which of two values they use, so a duplicate may trade something else than
//! intended.

use std::{collections::HashSet, fmt};

use percent_encoding::percent_decode_str;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// The first duplicate member name of any object in a JSON body. `read` is what was read from exactly these bytes.
pub(super) fn in_json(body: &[u8], read: &Map<String, Value>) -> Option<String> {
    if has_all_texts(body, read) {
        return None;
    }
    serde_json::from_slice::<Duplicate>(body).ok()?.0
}

/// Whether `read` certainly contains every name and text of a body, and with them every member: of a duplicate member
/// it contains only the last. This holds for nearly all bodies, which need not be parsed again.
fn has_all_texts(body: &[u8], read: &Map<String, Value>) -> bool {
    let quotes = body.split(|byte| *byte == b'"').count() - 1;
    // A quote within a text has a backslash.
    !body.contains(&b'\\') && quotes == 2 * texts_of_members(read)
}

fn texts_of_members(members: &Map<String, Value>) -> usize {
    members.len() + members.values().map(texts).sum::<usize>()
}

/// The number of names and texts in a value.
fn texts(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(rows) => rows.iter().map(texts).sum(),
        Value::Object(members) => texts_of_members(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The first duplicate name in a query.
pub(super) fn in_query(query: &str) -> Option<String> {
    let mut names = HashSet::new();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut names_in_order = pairs.map(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name).replace('+', " ");
        percent_decode_str(&name).decode_utf8_lossy().into_owned()
    });
    names_in_order.find(|name| !names.insert(name.clone()))
}

/// A JSON value, reduced to the first duplicate name in it.
struct Duplicate(Option<String>);

impl<'de> Deserialize<'de> for Duplicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Search)
    }
}

struct Search;

impl<'de> Visitor<'de> for Search {
    type Value = Duplicate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_unit<E>(self) -> Result<Duplicate, E> {
        Ok(Duplicate(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Duplicate, A::Error> {
        let mut duplicate = None;
        while let Some(Duplicate(inner)) = rows.next_element()? {
            duplicate = duplicate.or(inner);
        }
        Ok(Duplicate(duplicate))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Duplicate, A::Error> {
        let (mut names, mut duplicate) = (HashSet::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            let Duplicate(inner) = members.next_value()?;
            let repeated = (!names.insert(name.clone())).then_some(name);
            duplicate = duplicate.or(inner).or(repeated);
        }
        Ok(Duplicate(duplicate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_names_are_found_at_any_depth() {
        for (body, duplicate) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}"#, None),
            (r#"{"size":"1","price":"2","size":"3"}"#, Some("size")),
            (r#"{"size":"1","si\u007ae":"1"}"#, Some("size")),
            (r#"{"orders":[{"side":"buy"},{"side":"buy","side":"sell"}]}"#, Some("side")),
            (r#"{"a":null,"a":null}"#, Some("a")),
            (r#"{"a":1,"A":2}"#, None),
            (r#"{"a":"\"b","c":1,"c":2}"#, Some("c")),
            (r#"{"a":"","a":{"b":[1]}}"#, Some("a")),
            ("no JSON", None),
            ("[]", None),
        ] {
            let read = serde_json::from_str(body).unwrap_or_default();
            assert_eq!(in_json(body.as_bytes(), &read).as_deref(), duplicate, "{body}");
        }
        for (query, duplicate) in [
            ("", None),
            ("symbol=A&limit=1", None),
            ("symbol=A&symbol=B", Some("symbol")),
            ("symbol=A&&sy%6dbol", Some("symbol")),
        ] {
            assert_eq!(in_query(query).as_deref(), duplicate, "{query}");
        }
    }
}
