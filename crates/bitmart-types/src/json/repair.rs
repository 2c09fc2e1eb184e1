//! Removes the repeated member or unreadable scalar at which a decoder stopped.

use std::{collections::HashSet, fmt, ops::Range};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::path::{offset, string_end};
use crate::Note;

/// Returns the text without the cause of `error`, and a note if a value was lost. `None` if the cause is
/// neither a repeated member nor a scalar that no decoder reads.
pub(super) fn repair(json: &str, error: &serde_json::Error) -> Option<(String, Option<Note>)> {
    let message = error.to_string();
    let at = offset(json, error.line(), error.column());
    if let Some(rest) = message.strip_prefix("duplicate field `") {
        let name = rest.split('`').next()?;
        return without_repetition(json, at, name);
    }
    // These are valid JSON, but no Rust type can hold them.
    let is_scalar =
        ["number out of range", "lone leading surrogate", "unexpected end of hex escape"]
            .iter()
            .any(|start| message.starts_with(start));
    let token = is_scalar.then(|| token_at(json, at)).flatten()?;
    let text = format!("{}null{}", &json[..token.start], &json[token.end..]);
    Some((text, Some(Note::Unreadable { expected: "a number or text" })))
}

/// The members of an object in order, including repeated ones.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Rewrites the object at the offset `at` without the repeated field `name`. `at` is after the key of
/// the second occurrence.
fn without_repetition(json: &str, at: usize, name: &str) -> Option<(String, Option<Note>)> {
    let start = open_object(&json.as_bytes()[..at])?;
    let mut stream = serde_json::Deserializer::from_str(&json[start..]).into_iter();
    let Members(members) = stream.next()?.ok()?;
    let end = start + stream.byte_offset();

    let mut note = Some(Note::RepeatedMember);
    let mut remaining = without_repeated_keys(&members);
    if remaining.len() == members.len() {
        // The field has two names. The decoder stopped at the second one.
        let key_end = json[start..at].rfind('"')?;
        let key_start = json[start..start + key_end].rfind('"')?;
        let key = &json[start + key_start + 1..start + key_end];
        let name_index = remaining.iter().position(|(member, _)| member == name);
        match name_index {
            // The alias comes first, and its key is unknown. With the name moved to the front, the
            // next attempt stops at the alias.
            Some(name_index) if key == name => {
                remaining[..=name_index].rotate_right(1);
                note = None;
            }
            // A name without a value yields to an alias.
            Some(name_index) if remaining[name_index].1.get() == "null" => {
                remaining.remove(name_index);
            }
            // The name takes precedence over an alias, and the first of two aliases counts.
            _ => remaining.retain(|(member, _)| member != key),
        }
    }
    let mut object = String::from("{");
    for (index, (key, value)) in remaining.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let key = serde_json::to_string(key).ok()?;
        object.extend([comma, key.as_str(), ":", value.get()]);
    }
    object.push('}');
    Some((format!("{}{object}{}", &json[..start], &json[end..]), note))
}

/// Returns for each key the last value that is not `null`, at the position of its first occurrence.
fn without_repeated_keys<'a>(members: &[(String, &'a RawValue)]) -> Vec<(String, &'a RawValue)> {
    let mut values = std::collections::HashMap::new();
    for (key, value) in members {
        let place = values.entry(key.as_str()).or_insert(*value);
        if value.get() != "null" {
            *place = value;
        }
    }
    let mut seen = HashSet::new();
    let firsts = members.iter().filter(|(key, _)| seen.insert(key.as_str()));
    firsts.map(|(key, _)| (key.clone(), values[key.as_str()])).collect()
}

/// Returns the start of the innermost object that is open after `json`.
fn open_object(json: &[u8]) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at = string_end(json, at + 1),
            b'{' | b'[' => open.push(at),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
        at += 1;
    }
    open.pop().filter(|start| json[*start] == b'{')
}

/// Returns the range of the text or number that contains the byte before `at`.
fn token_at(json: &str, at: usize) -> Option<Range<usize>> {
    let bytes = json.as_bytes();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let mut start = 0;
    while start < at {
        let length = match bytes.get(start)? {
            b'"' => {
                let end = string_end(bytes, start + 1);
                // A text that is cut has no end, and no repair.
                bytes.get(end)?;
                end + 1 - start
            }
            b'0'..=b'9' | b'-' => bytes[start..].iter().take_while(|byte| is_digit(byte)).count(),
            _ => {
                start += 1;
                continue;
            }
        };
        if at <= start + length {
            return Some(start..start + length);
        }
        start += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::json;

    #[test]
    fn a_text_that_is_cut_in_half_a_surrogate_pair_is_an_error() {
        let whole = r#"{"a":"\udc00","b":"x\ud800y","c":1}"#;
        for end in 0..whole.len() {
            let cut = &whole[..end];
            assert!(json::from_str::<BTreeMap<String, String>>(cut).is_err(), "{cut}");
        }
    }
}
