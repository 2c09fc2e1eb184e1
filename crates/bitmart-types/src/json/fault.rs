//! Decoding errors without the text that did not decode.

use std::fmt;

use serde_json::error::Category;

/// Maximum length of a reason, in characters.
const MAX_REASON: usize = 160;

/// A decoding error that is safe to log. The decoder's own error may quote whole strings of the response,
/// which may contain account data and be megabytes long.
#[derive(Clone, Debug)]
pub struct JsonFault {
    line: usize,
    column: usize,
    /// `None` if the decoder's message may quote the response.
    reason: Option<String>,
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
        let reason = match error.classify() {
            Category::Data => expectation(text),
            // Their messages are fixed texts.
            Category::Io | Category::Syntax | Category::Eof => Some(text),
        };
        let reason = reason.map(|reason| reason.chars().take(MAX_REASON).collect());
        Self { line, column, reason }
    }
}

/// Returns the part of a decoder's message that is about the expected type, without the response's text.
fn expectation(text: &str) -> Option<&str> {
    const QUOTES_THE_VALUE: [&str; 5] = [
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
    // Messages of the decoders in this workspace.
    if text.starts_with("expected ") {
        return text.split_once(", got ").map(|(expected, _)| expected);
    }
    if !QUOTES_THE_VALUE.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    // The last occurrence: the value, which comes first, may contain the same text.
    text.rfind(", expected ").map(|at| &text[at + 2..])
}

impl JsonFault {
    /// What was expected, or what is wrong with the JSON; never a value of the response.
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
    use crate::{Decimal, codec};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoding is of interest")]
    struct Row {
        id: u64,
        #[serde(with = "codec::decimal", default)]
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

    /// Quotes the value in its error.
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
    fn a_fault_names_the_expected_type_but_not_the_value() {
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
    fn a_fault_is_short_for_any_value() {
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(1_000_000));
        assert!(fault(&long).len() < 100);
    }
}
