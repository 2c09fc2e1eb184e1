//! JSON numbers of request bodies that `serde_json` would round: it reads a fraction, and an integer of more than 64
//! bits, as a double. Amounts and ids may be sent as text or as number, so a number that would be rounded is turned
//! into text before it is read.

use std::borrow::Cow;

use serde_json::Number;

/// Number of decimal digits that a double always holds exactly.
const EXACT_DIGITS: usize = 15;

/// Returns the body with every number that would be rounded in quotes. Everything else stays as it is, so a body that
/// is not JSON remains invalid.
pub(crate) fn quoted(body: &[u8]) -> Cow<'_, [u8]> {
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
                if digits > EXACT_DIGITS && is_double(number) {
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

/// Whether `serde_json` reads a number as a double. What is no number stays as it is, too.
fn is_double(number: &[u8]) -> bool {
    serde_json::from_slice::<Number>(number).is_ok_and(|number| number.is_f64())
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
            (r"[-1234567890123456,18446744073709551615]", None),
            (r"[-92233720368547758080,1]", Some(r#"["-92233720368547758080",1]"#)),
            (r#"{"price":1234567890.123456e2}"#, Some(r#"{"price":"1234567890.123456e2"}"#)),
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
