//! Parsing of numbers: an optional minus, digits, at most one point with digits after it, and for decimals an optional
//! exponent. Other spellings that Rust's parsers accept (`1_000`, `+1`) are rejected.

use rust_decimal::Decimal;

/// Maximum length of a number: more digits than any number of the exchange has.
const MAX_LENGTH: usize = 64;

/// Parses a decimal number; `None` if it is malformed or out of range.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let bare = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    match exponent {
        None => Decimal::from_str_exact(text).ok(),
        Some(exponent) => {
            let bare = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if !is_digits(bare) {
                return None;
            }
            Decimal::from_scientific(text).ok()
        }
    }
}

/// Parses a whole number; `None` if it is malformed or out of range.
pub(crate) fn integer(text: &str) -> Option<i64> {
    is_digits(text.strip_prefix('-').unwrap_or(text)).then(|| text.parse().ok()).flatten()
}

/// Parses a whole number without a sign, such as an id or time; `None` if it is malformed or out of range.
pub(crate) fn unsigned(text: &str) -> Option<u64> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn well_formed_decimals_are_parsed() {
        for (text, value) in [
            ("0", "0"),
            ("-1.50", "-1.50"),
            ("007", "7"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("25e-1", "2.5"),
            ("-1.5E-3", "-0.0015"),
        ] {
            assert_eq!(decimal(text), value.parse().ok(), "{text}");
        }
    }

    #[test]
    fn other_spellings_that_rust_parsers_accept_are_rejected() {
        for text in [
            "1_000",
            "0.0_1",
            "_1",
            "1_",
            "+1",
            "--1",
            "-",
            "",
            ".",
            ".5",
            "5.",
            "1.2.3",
            "1,5",
            "1e",
            "e1",
            "1e1e1",
            "1e1.5",
            "1e--1",
            "1e_1",
            "0x10",
            "NaN",
            "nan",
            "inf",
            "Infinity",
            " 1",
            "1 ",
            "1 000",
            "١",
            "１",
            "1\u{0}",
            "1e99999999999999999999",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
            assert_eq!(integer(text), None, "{text:?}");
            assert_eq!(unsigned(text), None, "{text:?}");
        }
        assert_eq!((integer("-5"), integer("5"), integer("5.0")), (Some(-5), Some(5), None));
        assert_eq!((unsigned("5"), unsigned("-5")), (Some(5), None));
        assert_eq!(decimal(&"9".repeat(MAX_LENGTH + 1)), None);
    }

    proptest! {
        /// Every accepted text follows the grammar.
        #[test]
        fn only_the_grammar_is_accepted(text in "[-+0-9._eE ]{0,12}") {
            if decimal(&text).is_some() {
                let allowed = |byte: u8| byte.is_ascii_digit() || b"-+.eE".contains(&byte);
                prop_assert!(text.bytes().all(allowed), "{text:?}");
                prop_assert!(!text.starts_with('+') && !text.starts_with('.'), "{text:?}");
                prop_assert!(text.matches('.').count() <= 1, "{text:?}");
            }
        }

        #[test]
        fn every_printed_number_is_parsed(units in any::<i64>(), scale in 0_u32..19) {
            let number = Decimal::new(units, scale);
            prop_assert_eq!(decimal(&number.to_string()), Some(number));
            prop_assert_eq!(integer(&units.to_string()), Some(units));
        }
    }
}
