//! The path of a byte offset in a JSON text: `data.orders[3].price`.
//!
//! Decoding errors have a line and a column only. Finding the path afterwards costs nothing while
//! decoding succeeds.

use std::fmt::Write as _;

/// Maximum length of a key in a path, in bytes. Keys come from the network.
const MAX_KEY: usize = 64;

enum Level {
    Object { key: String },
    Array { index: usize },
}

/// Returns the byte offset of `line` and `column`, both from 1 as `serde_json` counts.
pub(super) fn offset(json: &str, line: usize, column: usize) -> usize {
    let line_start: usize =
        json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (line_start + column).min(json.len())
}

/// Returns the path, starting with `root`, of the value at `line` and `column`, both from 1 as
/// `serde_json` counts.
pub fn path_at(root: &str, json: &str, line: usize, column: usize) -> String {
    let end = offset(json, line, column);
    let mut path = root.to_owned();
    for level in levels(&json.as_bytes()[..end]) {
        // Writing to a String does not fail.
        let _ = match level {
            Level::Object { key } if key.is_empty() => Ok(()),
            Level::Object { key } => write!(path, ".{key}"),
            Level::Array { index } => write!(path, "[{index}]"),
        };
    }
    path
}

/// Returns the objects and arrays that are open after `json`, outermost first.
fn levels(json: &[u8]) -> Vec<Level> {
    let mut levels = Vec::new();
    let mut expect_key = false;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = string_end(json, at);
                if let (true, Some(Level::Object { key })) = (expect_key, levels.last_mut()) {
                    let shown = &json[at..end.min(at + MAX_KEY)];
                    *key = String::from_utf8_lossy(shown).into_owned();
                    expect_key = false;
                }
                at = end + 1;
            }
            b'{' => {
                levels.push(Level::Object { key: String::new() });
                expect_key = true;
            }
            b'[' => {
                levels.push(Level::Array { index: 0 });
                expect_key = false;
            }
            b'}' | b']' => {
                levels.pop();
                expect_key = false;
            }
            b',' => match levels.last_mut() {
                Some(Level::Array { index }) => *index += 1,
                Some(Level::Object { .. }) => expect_key = true,
                None => {}
            },
            _ => {}
        }
    }
    levels
}

/// Returns the index of the quote that closes the string starting at `from`, or the end of the text.
pub(super) fn string_end(json: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::path_at;

    #[derive(Debug, Deserialize)]
    struct Row {
        #[allow(dead_code)]
        size: u32,
        #[allow(dead_code)]
        #[serde(default)]
        nested: Option<HashMap<String, Vec<u8>>>,
    }

    /// Decodes invalid `json` and returns the path of the error.
    fn failure(json: &str) -> String {
        let error = serde_json::from_str::<Vec<Row>>(json).expect_err("must not decode");
        path_at("data", json, error.line(), error.column())
    }

    #[test]
    fn names_the_value_that_does_not_decode() {
        for (json, expected) in [
            (r#"{"size":1}"#, "data"),
            (r#"[{"size":1},{"size":"2"}]"#, "data[1].size"),
            (r#"[{"size":1},{"size":true,"other":[1,2]}]"#, "data[1].size"),
            ("[\n {\"size\": 1},\n {\"size\":\n -2 }\n]", "data[1].size"),
            (r#"[{"a\"]b":[{"x":1}],"size":null}]"#, "data[0].size"),
            (r#"[{"size":1,"nested":{"a":[1],"b":[1,2,300,4]}}]"#, "data[0].nested.b[2]"),
        ] {
            assert_eq!(failure(json), expected, "{json}");
        }
    }

    #[test]
    fn a_missing_field_is_reported_at_its_object() {
        assert_eq!(failure(r#"[{"size":1},{"other":2}]"#), "data[1]");
    }

    #[test]
    fn truncated_text_is_reported_where_it_ends() {
        assert_eq!(failure(r#"[{"size":1},{"si"#), "data[1].si");
        assert_eq!(failure(r#"[{"size":1},{"a\"#), "data[1].a\\");
    }

    #[test]
    fn positions_beyond_the_text_do_not_panic() {
        assert_eq!(path_at("data", "", 7, 7), "data");
        assert_eq!(path_at("data", "[1,", 9, 900), "data[1]");
    }
}
