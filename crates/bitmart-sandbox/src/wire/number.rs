//! How numbers are written: an optional minus, digits, at most one point with digits after it, and for
//! decimals an optional exponent. What parsers of Rust take beyond that (`1_000`, `+1`) is no number here.

use rust_decimal::Decimal;

/// Longest text that is read as a number: more digits than any number of the exchange has.
const LONGEST: usize = 64;

/// A decimal number; none when it is written otherwise or does not fit.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    if text.len() > LONGEST {
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

/// A whole number; none when it is written otherwise or does not fit.
pub(crate) fn whole(text: &str) -> Option<i64> {
    is_digits(text.strip_prefix('-').unwrap_or(text)).then(|| text.parse().ok()).flatten()
}

/// A whole number without a sign, as ids and times are; none when it is written otherwise or does not fit.
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
    fn decimals_are_read_as_they_are_written() {
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
    fn what_only_a_parser_of_rust_takes_is_no_number() {
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
            assert_eq!(whole(text), None, "{text:?}");
            assert_eq!(unsigned(text), None, "{text:?}");
        }
        assert_eq!((whole("-5"), whole("5"), whole("5.0")), (Some(-5), Some(5), None));
        assert_eq!((unsigned("5"), unsigned("-5")), (Some(5), None));
        assert_eq!(decimal(&"9".repeat(LONGEST + 1)), None);
    }

    proptest! {
        /// Whatever is read is written in the grammar, and what a number prints is read.
        #[test]
        fn nothing_but_the_grammar_is_read(text in "[-+0-9._eE ]{0,12}") {
            if decimal(&text).is_some() {
                let allowed = |byte: u8| byte.is_ascii_digit() || b"-+.eE".contains(&byte);
                prop_assert!(text.bytes().all(allowed), "{text:?}");
                prop_assert!(!text.starts_with('+') && !text.starts_with('.'), "{text:?}");
                prop_assert!(text.matches('.').count() <= 1, "{text:?}");
            }
        }

        #[test]
        fn every_printed_number_is_read(units in any::<i64>(), scale in 0_u32..19) {
            let number = Decimal::new(units, scale);
            prop_assert_eq!(decimal(&number.to_string()), Some(number));
            prop_assert_eq!(whole(&units.to_string()), Some(units));
        }
    }
}
