//! TOML floats that a double would round. An amount with many digits is turned into text before it is read.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Number of decimal digits that a double always holds exactly.
const EXACT_DIGITS: usize = 15;

/// Returns the TOML with every float of more than 15 digits as a string. Text that is no TOML stays as it is.
pub(super) fn quoted(toml: &str) -> Cow<'_, str> {
    let Ok(document) = DeTable::parse(toml) else { return toml.into() };
    let mut floats = Vec::new();
    for value in document.get_ref().values() {
        add_long_floats(value, &mut floats);
    }
    // From the last to the first, so that the positions of the others stay valid.
    floats.sort_unstable_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut quoted = Cow::Borrowed(toml);
    for (span, digits) in floats {
        quoted.to_mut().replace_range(span, &format!("\"{digits}\""));
    }
    quoted
}

/// Adds the floats of a value that have many digits: where each is in the text, and its digits.
fn add_long_floats(value: &Spanned<DeValue<'_>>, floats: &mut Vec<(Range<usize>, String)>) {
    match value.get_ref() {
        DeValue::Float(float) => {
            let digits = float.as_str();
            if digits.bytes().filter(u8::is_ascii_digit).count() > EXACT_DIGITS {
                floats.push((value.span(), digits.to_owned()));
            }
        }
        DeValue::Array(values) => values.iter().for_each(|value| add_long_floats(value, floats)),
        DeValue::Table(members) => {
            members.values().for_each(|value| add_long_floats(value, floats));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_floats_that_would_be_rounded_become_text() {
        for (toml, expected) in [
            ("a = 0.1\nb = 123456789012345678", None),
            ("a = 0.1234567890123456", Some("a = \"0.1234567890123456\"")),
            ("a = [1_234_567_890_123.456_7, 1.5]", Some("a = [\"1234567890123.4567\", 1.5]")),
            (
                "[[b]]\nc = { d = -0.1234567890123456 } # x",
                Some("[[b]]\nc = { d = \"-0.1234567890123456\" } # x"),
            ),
            ("a = \"0.1234567890123456\" # 0.1234567890123456", None),
            ("a = 0.1234567890123456 no TOML", None),
        ] {
            assert_eq!(quoted(toml), expected.unwrap_or(toml), "{toml}");
        }
    }
}
