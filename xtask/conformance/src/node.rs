//! JSON as a tree in which numbers are text: a value must come back with the same digits, which a float would not keep.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A longer text is cut in reports, in characters.
const MAX_SHOWN: usize = 80;

/// The deepest nesting that is read: the reader is recursive, and recordings are nearly flat.
const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// The digits as they were written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// Reads one JSON value.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_at(text, 0)
    }

    fn parse_at(text: &str, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        // Only the whitespace of JSON.
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Object(
                parse::<Members<'_>>(text)?
                    .0
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::parse_at(value.get(), depth + 1)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Some(b'[') => Self::List(
                parse::<Vec<&RawValue>>(text)?
                    .into_iter()
                    .map(|value| Self::parse_at(value.get(), depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Some(b'"') => Self::Text(parse(text)?),
            Some(b't' | b'f') => Self::Bool(parse(text)?),
            Some(b'n') => parse(text).map(|()| Self::Null)?,
            _ => Self::Number(parse::<&RawValue>(text)?.get().to_owned()),
        })
    }
}

/// The members of an object, each value as its text. Of a duplicate member the last value that is not `null` counts, as
/// for the models.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: BTreeMap<String, &RawValue> = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    let place = members.entry(key).or_insert(value);
                    if value.get() != "null" {
                        *place = value;
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// For reports: lists and objects by their sizes only.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => match text.char_indices().nth(MAX_SHOWN) {
                Some((end, _)) => write!(f, "{:?}…", &text[..end]),
                None => write!(f, "{text:?}"),
            },
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Object(members) => write!(f, "an object of {}", members.len()),
        }
    }
}
