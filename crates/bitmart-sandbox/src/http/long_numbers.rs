//! JSON numbers of request bodies that a double cannot hold exactly. The exchange takes an amount or id as text or as
//! number; a number with many digits would reach the handlers rounded, so it is turned into text before it is read.

use std::borrow::Cow;

/// Digits that a double holds exactly.
const EXACT_DIGITS: usize = 15;

/// Returns the body with every number of more than 15 digits in quotes. Everything else stays as it is, so a body that
/// is not JSON remains invalid.
pub(super) fn quoted(body: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while at < body.len() {
        match body[at] {
            b'"' => at = end_of_text(body, at),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(body, at);
                let number = &body[at..end];
                let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
                if digits > EXACT_DIGITS && serde_json::from_slice::<f64>(number).is_ok() {
                    quoted.extend_from_slice(&body[copied..at]);
                    quoted.push(b'"');
                    quoted.extend_from_slice(number);
                    quoted.push(b'"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    quoted.extend_from_slice(&body[copied..]);
    Cow::Owned(quoted)
}

/// The position after the text that begins here with a quote.
fn end_of_text(body: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while at < body.len() {
        match body[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    body.len()
}

fn end_of_number(body: &[u8], begin: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    begin + body[begin..].iter().take_while(|byte| is_part(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_would_be_rounded_become_text() {
        for (body, expected) in [
            (r#"{"size":1.5,"id":123456789012345}"#, None),
            (r#"{"size":0.1234567890123456789}"#, Some(r#"{"size":"0.1234567890123456789"}"#)),
            (r#"[-1234567890123456,1]"#, Some(r#"["-1234567890123456",1]"#)),
            (r#"{"a":"1234567890123456789","b\"1234567890123456789":1}"#, None),
            (r#"{"a":01234567890123456}"#, None),
            (r#"{"a":1234567890123456.}"#, None),
            (r#"{"a":"1234567890123456789"#, None),
            (r#"{"a":"\"#, None),
        ] {
            let quoted = quoted(body.as_bytes());
            assert_eq!(quoted, expected.unwrap_or(body).as_bytes(), "{body}");
        }
    }
}
