//! What a JSON decoder found wrong, without the text that it found.

use std::fmt;

use serde_json::error::Category;

/// Longest reason that is kept, in characters.
const REASON_KEPT: usize = 160;

/// An error of decoding, fit for logs: the decoder's own error may quote whole strings of the
/// response, which may be account data and megabytes long.
#[derive(Clone, Debug)]
pub struct JsonFault {
    line: usize,
    column: usize,
    /// `None` where the decoder's words may be those of the answer.
    reason: Option<String>,
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
        let reason = match error.classify() {
            Category::Data => wanted(text),
            // These have fixed texts.
            Category::Io | Category::Syntax | Category::Eof => Some(text),
        };
        let reason = reason.map(|reason| reason.chars().take(REASON_KEPT).collect());
        Self { line, column, reason }
    }
}

/// The part of the decoder's text that comes from the wanted type, not from the response.
fn wanted(text: &str) -> Option<&str> {
    const QUOTES_WHAT_IT_FOUND: [&str; 5] = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
        "unknown field ",
    ];

    if ["missing field `", "duplicate field `", "row has "].iter().any(|own| text.starts_with(own))
    {
        return Some(text);
    }
    // The wording of this workspace's own decoders.
    if text.starts_with("expected ") {
        return text.split_once(", got ").map(|(wanted, _)| wanted);
    }
    if !QUOTES_WHAT_IT_FOUND.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    // The last one: what was found, which comes first, may hold these words as well.
    text.rfind(", expected ").map(|at| &text[at + 2..])
}

impl JsonFault {
    /// What was wanted, or what is wrong with the text; nothing of what was found.
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or("data of another form")
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {} column {}", self.reason(), self.line, self.column)
    }
}

impl std::error::Error for JsonFault {}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::Error as _;

    use super::JsonFault;
    use crate::{Decimal, wire};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoding is of interest")]
    struct Row {
        id: u64,
        #[serde(with = "wire::decimal", default)]
        price: Decimal,
        kind: Option<Kind>,
        own: Option<Own>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Limit,
        Market,
    }

    /// Repeats what it finds.
    #[derive(Debug)]
    struct Own;

    impl<'de> Deserialize<'de> for Own {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(D::Error::custom(format_args!("not good, expected {text}")))
        }
    }

    fn fault(json: &str) -> String {
        let error = serde_json::from_str::<Row>(json).expect_err("must not decode");
        let fault = JsonFault::from(error);
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains("CANARY"), "{shown}");
        fault.to_string()
    }

    #[test]
    fn says_what_was_wanted_and_where_but_not_what_was_found() {
        for (json, expected) in [
            (r#"{"id":"CANARY"}"#, "expected u64, line 1 column "),
            (r#"{"id":"CANARY, expected CANARY"}"#, "expected u64, line 1 column "),
            (r#"{"id":"CANARY at line 7"}"#, "expected u64, line 1 column "),
            (r#"{"price":"1","x":"CANARY"}"#, "missing field `id`, line 1 column "),
            (r#"{"id":1,"kind":"CANARY"}"#, "expected `limit` or `market`, line 1 column "),
            (r#"{"id":1,"own":"CANARY"}"#, "data of another form, line 1 column "),
            (r#""CANARY""#, "expected struct Row, line 1 column "),
            (r#"{"id":1,"x":"CANARY"#, "EOF while parsing a string, line 1 column "),
        ] {
            assert!(fault(json).starts_with(expected), "{json}: {}", fault(json));
        }
        assert!(fault(r#"{"id":1,"price":"CANARY"}"#).starts_with("expected "));
    }

    #[test]
    fn is_short_whatever_was_found() {
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(1_000_000));
        assert!(fault(&long).len() < 100);
    }
}
