//! Members that are given twice. Which of the two counts differs from parser to parser, so that one of them
//! would trade something else than meant.

use std::{collections::HashSet, fmt};

use percent_encoding::percent_decode_str;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// The first name that an object anywhere in a body has twice; none in what is no JSON.
pub(super) fn in_json(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Repeated>(body).ok()?.0
}

/// The first name that a query has twice.
pub(super) fn in_query(query: &str) -> Option<String> {
    let mut names = HashSet::new();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut all = pairs.map(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name).replace('+', " ");
        percent_decode_str(&name).decode_utf8_lossy().into_owned()
    });
    all.find(|name| !names.insert(name.clone()))
}

/// A value of which nothing is kept but a name that comes twice in it.
struct Repeated(Option<String>);

impl<'de> Deserialize<'de> for Repeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Search)
    }
}

struct Search;

impl<'de> Visitor<'de> for Search {
    type Value = Repeated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_unit<E>(self) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Repeated, A::Error> {
        let mut found = None;
        while let Some(Repeated(inner)) = rows.next_element()? {
            found = found.or(inner);
        }
        Ok(Repeated(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Repeated, A::Error> {
        let (mut names, mut found) = (HashSet::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            let Repeated(inner) = members.next_value()?;
            let twice = if names.contains(&name) { Some(name.clone()) } else { None };
            names.insert(name);
            found = found.or(inner).or(twice);
        }
        Ok(Repeated(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_found_wherever_it_is() {
        for (body, found) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}"#, None),
            (r#"{"size":"1","price":"2","size":"3"}"#, Some("size")),
            (r#"{"size":"1","si\u007ae":"1"}"#, Some("size")),
            (r#"{"orders":[{"side":"buy"},{"side":"buy","side":"sell"}]}"#, Some("side")),
            (r#"{"a":null,"a":null}"#, Some("a")),
            (r#"{"a":1,"A":2}"#, None),
            ("no JSON", None),
            ("[]", None),
        ] {
            assert_eq!(in_json(body.as_bytes()).as_deref(), found, "{body}");
        }
        for (query, found) in [
            ("", None),
            ("symbol=A&limit=1", None),
            ("symbol=A&symbol=B", Some("symbol")),
            ("symbol=A&&sy%6dbol", Some("symbol")),
        ] {
            assert_eq!(in_query(query).as_deref(), found, "{query}");
        }
    }
}
