//! The forms in which clients sign a body when it is not the one they send.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// What else may have been signed in place of the bytes that were sent, with its description.
pub(super) fn of_body(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let mut forms = vec![
        (Vec::new(), "an empty body"),
        (b"{}".to_vec(), "the body {}"),
        (b"null".to_vec(), "the body null"),
        (b"undefined".to_vec(), "the body undefined"),
        (b"[object Object]".to_vec(), "an object that was made a text without JSON"),
    ];
    let Ok(text) = std::str::from_utf8(body) else { return forms };
    if let Ok(members) = serde_json::from_str::<Members>(text) {
        let compact = spaced(text, ",", ":");
        let wide = spaced(text, ", ", ": ");
        let repr = python(&wide);
        let sorted = serde_json::from_str::<Value>(text).unwrap_or_default();
        let pretty = |indent| pretty(&compact, indent).into_bytes();
        let query = |members: &Members| members.query().into_bytes();
        forms.extend([
            (
                spaced(&sorted.to_string(), ", ", ": ").into_bytes(),
                "its members sorted, with spaces",
            ),
            (sorted.to_string().into_bytes(), "its members sorted by name"),
            (query(&members.sorted()), "a query string (a=1&b=2), sorted, in place of the JSON"),
            (query(&members), "a query string (a=1&b=2) in place of the JSON"),
            (
                repr.into_bytes(),
                "a Python dict made a text (str(body)) in place of json.dumps(body)",
            ),
            (pretty(2), "the JSON with line breaks"),
            (pretty(4), "the JSON with line breaks"),
            (wide.into_bytes(), "the JSON with spaces after , and :"),
            (compact.into_bytes(), "the JSON without spaces"),
        ]);
    } else if let Some(object) = form(text) {
        forms.push((spaced(&object, ", ", ": ").into_bytes(), "JSON, but a form was sent"));
        forms.push((object.into_bytes(), "JSON, but a form was sent"));
    }
    forms.push((text.trim_end().as_bytes().to_vec(), "the body without the line break at its end"));
    forms.push(([body, b"\n"].concat(), "the body with a line break at its end"));
    forms.retain(|(form, _)| form != body);
    forms
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

/// The object that a form stands for, with texts for values.
fn form(text: &str) -> Option<String> {
    let pairs: Option<Vec<_>> = text.split('&').map(|pair| pair.split_once('=')).collect();
    let member = |(name, value)| format!("{}:{}", Value::from(name), Value::from(value));
    let members: Vec<String> = pairs?.into_iter().map(member).collect();
    Some(format!("{{{}}}", members.join(",")))
}

/// JSON with other spaces: everything else, the digits of numbers too, stays as it is.
fn spaced(json: &str, comma: &str, colon: &str) -> String {
    rewrite(json, |outside, result| match outside {
        ',' => result.push_str(comma),
        ':' => result.push_str(colon),
        space if space.is_ascii_whitespace() => {}
        other => result.push(other),
    })
}

/// JSON with one member a line.
fn pretty(compact: &str, indent: usize) -> String {
    let mut depth = 0_usize;
    let mut opened = false;
    let line = |result: &mut String, depth: usize| {
        result.push('\n');
        result.extend(std::iter::repeat_n(' ', depth * indent));
    };
    let mut result = String::new();
    let mut in_text = Text::default();
    for letter in compact.chars() {
        let outside = !in_text.takes(letter);
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

/// JSON as Python shows a dict.
fn python(json: &str) -> String {
    let mut result = String::new();
    let mut in_text = Text::default();
    for letter in json.chars() {
        in_text.takes(letter);
        result.push(if letter == '"' { '\'' } else { letter });
    }
    // Escapes within texts do not matter: the samples have none.
    result.replace(": true", ": True").replace(": false", ": False").replace(": null", ": None")
}

fn rewrite(json: &str, mut outside: impl FnMut(char, &mut String)) -> String {
    let mut result = String::with_capacity(json.len());
    let mut in_text = Text::default();
    for letter in json.chars() {
        if in_text.takes(letter) { result.push(letter) } else { outside(letter, &mut result) }
    }
    result
}

/// Whether one is inside a text of JSON.
#[derive(Default)]
struct Text {
    inside: bool,
    escaped: bool,
}

impl Text {
    /// Whether a letter belongs to a text, its quotes included.
    fn takes(&mut self, letter: char) -> bool {
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

    fn forms(body: &str) -> Vec<(String, &'static str)> {
        let text = |form: Vec<u8>| String::from_utf8(form).expect("text");
        of_body(body.as_bytes())
            .into_iter()
            .map(|(form, description)| (text(form), description))
            .collect()
    }

    #[test]
    fn a_body_has_the_forms_that_clients_sign() {
        let sent = r#"{"size":"1, 2: 3","b\"":[1.50,true],"a":null}"#;
        let all = forms(sent);
        for form in [
            "",
            r#"{"size": "1, 2: 3", "b\"": [1.50, true], "a": null}"#,
            r#"{"a":null,"b\"":[1.5,true],"size":"1, 2: 3"}"#,
            "size=1, 2: 3&b\"=[1.5,true]&a=null",
            "a=null&b\"=[1.5,true]&size=1, 2: 3",
            "{\n  \"size\": \"1, 2: 3\",\n  \"b\\\"\": [\n    1.50,\n    true\n  ],\n  \"a\": null\n}",
        ] {
            assert!(all.iter().any(|(text, _)| text == form), "{form} is not in {all:?}");
        }
        assert!(all.iter().all(|(text, _)| text != sent), "what was sent is no other form");
        let repr = "{'symbol': 'BTC_USDT', 'hidden': True}";
        assert!(forms(r#"{"symbol":"BTC_USDT","hidden":true}"#).iter().any(|form| form.0 == repr));
        assert!(forms("a=1&b=x").iter().any(|form| form.0 == r#"{"a":"1","b":"x"}"#));
    }

    #[test]
    fn no_body_is_too_odd() {
        for body in [&b""[..], b"{", b"[]", b"\xff\xfe", b"\"", b"{}", b"a", b"{\"a\":{}}", b"&=&"]
        {
            assert!(of_body(body).iter().all(|(form, _)| form != body), "{body:?}");
        }
    }
}
