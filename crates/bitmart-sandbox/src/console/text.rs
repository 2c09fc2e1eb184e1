//! Bodies and frames as text.

use flate2::{Decompress, FlushDecompress};
use serde::de::IgnoredAny;

use crate::traffic::{Direction, FrameKind, FrameRecord};

/// Longest text of a frame in a list, in characters.
const MAX_SHOWN: usize = 4_000;
/// Longest decompressed text of a frame, in bytes. The rest is not shown.
const MAX_INFLATED: usize = 64 << 10;

/// A body or frame as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// In what the text differs from what was sent.
    pub(super) differences: Vec<&'static str>,
}

impl Shown {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let sent = String::from_utf8_lossy(bytes);
        let indented = indented(bytes);
        let text = visible(&indented);
        let mut differences = Vec::new();
        for (differs, difference) in [
            (indented != sent, "indented: it was sent with other spaces and line breaks"),
            (text != indented, "with symbols for control characters, such as ␀ for NUL"),
            (sent.as_bytes() != bytes, "with � for bytes that are no UTF-8"),
        ] {
            if differs {
                differences.push(difference);
            }
        }
        Self { text, differences }
    }
}

/// A text with symbols in place of control characters, which a browser leaves out or changes.
fn visible(text: &str) -> String {
    let symbol = |letter| match letter {
        '\n' | '\t' => letter,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or(letter),
        '\u{7f}' => '␡',
        _ => letter,
    };
    text.chars().map(symbol).collect()
}

/// A body as text; JSON is indented, and otherwise as it was sent.
fn indented(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if serde_json::from_str::<IgnoredAny>(&text).is_err() {
        return text.into_owned();
    }
    let mut lines = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    let mut letters = text.chars().filter(|letter| *letter != '\r').peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            lines.push(letter);
            in_text = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            '{' | '[' => {
                lines.push(letter);
                while letters.peek().is_some_and(char::is_ascii_whitespace) {
                    letters.next();
                }
                if matches!(letters.peek(), Some('}' | ']')) {
                    lines.extend(letters.next());
                } else {
                    depth += 1;
                    break_line(&mut lines, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut lines, depth);
                lines.push(letter);
            }
            ',' => {
                lines.push(letter);
                break_line(&mut lines, depth);
            }
            ':' => lines.push_str(": "),
            ' ' | '\t' | '\n' => {}
            _ => {
                in_text = letter == '"';
                lines.push(letter);
            }
        }
    }
    lines
}

fn break_line(lines: &mut String, depth: usize) {
    lines.push('\n');
    // A hostile body may be deep.
    lines.extend(std::iter::repeat_n("  ", depth.min(20)));
}

/// The content of a frame, decompressed, as far as it is kept.
pub(super) fn frame_text(frame: &FrameRecord) -> String {
    let payload = &frame.payload;
    let (mut text, is_complete) = match (frame.kind, frame.direction) {
        (FrameKind::Binary, Direction::Out) => match inflate(&payload.bytes) {
            Some(bytes) => {
                (String::from_utf8_lossy(&bytes).into_owned(), bytes.len() < MAX_INFLATED)
            }
            None => ("binary data that cannot be decompressed".to_owned(), true),
        },
        _ => (String::from_utf8_lossy(&payload.bytes).into_owned(), true),
    };
    if !is_complete || payload.is_truncated() && !payload.is_unread {
        text.push('…');
    }
    text
}

/// The start of a text for a list.
pub(super) fn shortened(text: &str) -> String {
    let mut text = visible(text);
    if let Some((end, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Decompresses a frame, as far as its bytes are kept.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(MAX_INFLATED);
    let mut inflater = Decompress::new(false);
    inflater.decompress_vec(bytes, &mut output, FlushDecompress::Sync).ok()?;
    (!output.is_empty()).then_some(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_its_values_stay_as_they_were_sent() {
        let body = br#"{"b":"x, {y}: \"z\"","a":[1.50,{}],"c":[ ]}"#;
        let text = "{\n  \"b\": \"x, {y}: \\\"z\\\"\",\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"c\": []\n}";
        assert_eq!(indented(body), text);
        assert_eq!(indented(b"{a: 1}"), "{a: 1}");
        assert_eq!(indented(b"<html>"), "<html>");
    }

    #[test]
    fn what_is_not_shown_as_it_was_sent_is_named() {
        let differences = |sent: &[u8]| Shown::of(sent).differences.len();
        for same in [&b"{\n  \"a\": 1\n}"[..], b"a=1&b=2", b"", "<p>\u{fc}\n\t".as_bytes()] {
            let shown = Shown::of(same);
            assert!(shown.text.as_bytes() == same && shown.differences.is_empty(), "{shown:?}");
        }
        assert!(Shown::of(b"{\"a\":1}").differences[0].starts_with("indented"));
        let nul = Shown::of(b"{\"a\":\0\x7f}\r\n");
        assert_eq!(nul.text, "{\"a\":␀␡}␍\n");
        assert!(nul.differences[0].contains("␀ for NUL"));
        assert!(Shown::of(b"a\xff").differences[0].contains("no UTF-8"));
        assert_eq!(differences(b"[\"\xff\"]\0"), 2, "JSON with a NUL after it is no JSON");
        assert_eq!(differences(b"[\"\xff\",1]"), 2, "indented, and no UTF-8");
    }

    #[test]
    fn deep_json_is_not_indented_without_bound() {
        let body = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(indented(body.as_bytes()).len() < 10_000);
    }
}
