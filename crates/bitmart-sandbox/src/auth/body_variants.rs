//! Variants of a request body. A client that serializes its parameters twice may sign one variant and send another.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// The variants of a body that a client may have signed by mistake, each with a description.
pub(super) fn variants_of(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let mut variants = vec![
        (Vec::new(), "an empty body"),
        (b"{}".to_vec(), "the body {}"),
        (b"null".to_vec(), "the body null"),
        (b"undefined".to_vec(), "the body undefined"),
        (b"[object Object]".to_vec(), "an object that was converted to text without JSON"),
    ];
    let Ok(text) = std::str::from_utf8(body) else { return variants };
    if let Ok(members) = serde_json::from_str::<Members>(text) {
        let compact = with_separators(text, ",", ":");
        let wide = with_separators(text, ", ", ": ");
        let repr = python_repr(&wide);
        let sorted = serde_json::from_str::<Value>(text).unwrap_or_default();
        let pretty = |indent| pretty(&compact, indent).into_bytes();
        let query = |members: &Members| members.query().into_bytes();
        variants.extend([
            (
                with_separators(&sorted.to_string(), ", ", ": ").into_bytes(),
                "its members sorted, with spaces",
            ),
            (sorted.to_string().into_bytes(), "its members sorted by name"),
            (query(&members.sorted()), "a query string (a=1&b=2), sorted, in place of the JSON"),
            (query(&members), "a query string (a=1&b=2) in place of the JSON"),
            (
                repr.into_bytes(),
                "a Python dict converted with str(body) in place of json.dumps(body)",
            ),
            (pretty(2), "the JSON with line breaks"),
            (pretty(4), "the JSON with line breaks"),
            (wide.into_bytes(), "the JSON with spaces after , and :"),
            (compact.into_bytes(), "the JSON without spaces"),
        ]);
    } else if let Some(object) = form_to_json(text) {
        variants
            .push((with_separators(&object, ", ", ": ").into_bytes(), "JSON, but a form was sent"));
        variants.push((object.into_bytes(), "JSON, but a form was sent"));
    }
    variants
        .push((text.trim_end().as_bytes().to_vec(), "the body without the line break at its end"));
    variants.push(([body, b"\n"].concat(), "the body with a line break at its end"));
    variants.retain(|(variant, _)| variant != body);
    variants
}

/// The members of an object in the order in which they were sent.
struct Members(Vec<(String, Value)>);

impl Members {
    fn sorted(&self) -> Self {
        let mut members = self.0.clone();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        Self(members)
    }

    fn query(&self) -> String {
        let value = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let pairs: Vec<_> =
            self.0.iter().map(|(name, it)| format!("{name}={}", value(it))).collect();
        pairs.join("&")
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
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

/// A URL-encoded form as a JSON object with string values.
fn form_to_json(text: &str) -> Option<String> {
    let pairs: Option<Vec<_>> = text.split('&').map(|pair| pair.split_once('=')).collect();
    let member = |(name, value)| format!("{}:{}", Value::from(name), Value::from(value));
    let members: Vec<String> = pairs?.into_iter().map(member).collect();
    Some(format!("{{{}}}", members.join(",")))
}

/// Replaces the whitespace of JSON. Strings and the spelling of numbers do not change.
fn with_separators(json: &str, comma: &str, colon: &str) -> String {
    rewrite(json, |outside, result| match outside {
        ',' => result.push_str(comma),
        ':' => result.push_str(colon),
        space if space.is_ascii_whitespace() => {}
        other => result.push(other),
    })
}

/// JSON with one member per line.
fn pretty(compact: &str, indent: usize) -> String {
    let mut depth = 0_usize;
    let mut opened = false;
    let line = |result: &mut String, depth: usize| {
        result.push('\n');
        result.extend(std::iter::repeat_n(' ', depth * indent));
    };
    let mut result = String::new();
    let mut string = StringTracker::default();
    for letter in compact.chars() {
        let outside = !string.advance(letter);
        if outside && matches!(letter, '}' | ']') {
            depth = depth.saturating_sub(1);
            if !opened {
                line(&mut result, depth);
            }
        } else if opened {
            line(&mut result, depth);
        }
        opened = false;
        result.push(letter);
        match letter {
            '{' | '[' if outside => {
                depth += 1;
                opened = true;
            }
            ',' if outside => line(&mut result, depth),
            ':' if outside => result.push(' '),
            _ => {}
        }
    }
    result
}

/// JSON in the form of a Python dict literal.
fn python_repr(json: &str) -> String {
    let mut result = String::new();
    let mut string = StringTracker::default();
    for letter in json.chars() {
        string.advance(letter);
        result.push(if letter == '"' { '\'' } else { letter });
    }
    // Escapes within strings are not converted: BitMart's samples have none.
    result.replace(": true", ": True").replace(": false", ": False").replace(": null", ": None")
}

fn rewrite(json: &str, mut outside: impl FnMut(char, &mut String)) -> String {
    let mut result = String::with_capacity(json.len());
    let mut string = StringTracker::default();
    for letter in json.chars() {
        if string.advance(letter) { result.push(letter) } else { outside(letter, &mut result) }
    }
    result
}

/// Tracks whether a position in JSON is inside a string.
#[derive(Default)]
struct StringTracker {
    inside: bool,
    escaped: bool,
}

impl StringTracker {
    /// Advances by one character. Returns whether it belongs to a string, including the quotes.
    fn advance(&mut self, letter: char) -> bool {
        if !self.inside {
            self.inside = letter == '"';
            return self.inside;
        }
        match letter {
            _ if self.escaped => self.escaped = false,
            '\\' => self.escaped = true,
            '"' => self.inside = false,
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants(body: &str) -> Vec<(String, &'static str)> {
        let text = |variant: Vec<u8>| String::from_utf8(variant).expect("text");
        variants_of(body.as_bytes())
            .into_iter()
            .map(|(variant, description)| (text(variant), description))
            .collect()
    }

    #[test]
    fn a_body_has_the_variants_that_clients_sign() {
        let sent = r#"{"size":"1, 2: 3","b\"":[1.50,true],"a":null}"#;
        let all = variants(sent);
        for variant in [
            "",
            r#"{"size": "1, 2: 3", "b\"": [1.50, true], "a": null}"#,
            r#"{"a":null,"b\"":[1.5,true],"size":"1, 2: 3"}"#,
            "size=1, 2: 3&b\"=[1.5,true]&a=null",
            "a=null&b\"=[1.5,true]&size=1, 2: 3",
            "{\n  \"size\": \"1, 2: 3\",\n  \"b\\\"\": [\n    1.50,\n    true\n  ],\n  \"a\": null\n}",
        ] {
            assert!(all.iter().any(|(text, _)| text == variant), "{variant} is not in {all:?}");
        }
        assert!(all.iter().all(|(text, _)| text != sent), "the body itself is not a variant");
        let repr = "{'symbol': 'BTC_USDT', 'hidden': True}";
        assert!(
            variants(r#"{"symbol":"BTC_USDT","hidden":true}"#)
                .iter()
                .any(|variant| variant.0 == repr)
        );
        assert!(variants("a=1&b=x").iter().any(|variant| variant.0 == r#"{"a":"1","b":"x"}"#));
    }

    #[test]
    fn no_variant_equals_the_body_even_if_it_is_malformed() {
        for body in [&b""[..], b"{", b"[]", b"\xff\xfe", b"\"", b"{}", b"a", b"{\"a\":{}}", b"&=&"]
        {
            assert!(variants_of(body).iter().all(|(variant, _)| variant != body), "{body:?}");
        }
    }
}
