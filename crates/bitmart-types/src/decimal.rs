//! Decimal literals.

use rust_decimal::Decimal;

/// A [`Decimal`] literal, parsed at compile time: `dec!(0.001)`, `dec!(-60_000)`.
///
/// The macro of `rust_decimal` works only in crates that depend on `rust_decimal` themselves; this one
/// works through any re-export.
///
/// ```
/// use bitmart_types::{Decimal, dec};
///
/// assert_eq!(dec!(0.001), Decimal::new(1, 3));
/// assert_eq!(dec!(-60_000).to_string(), "-60000");
/// assert_eq!(dec!(1.50).to_string(), "1.50");
/// ```
///
/// Anything but a plain decimal does not compile:
///
/// ```compile_fail
/// let _ = bitmart_types::dec!(1e3);
/// ```
#[macro_export]
macro_rules! dec {
    ($value:expr) => {
        const { $crate::__private::decimal_literal(stringify!($value)) }
    };
}

/// Parses a literal for [`dec!`]. Not public API.
///
/// # Panics
/// When `text` is not a plain decimal of at most 28 digits. In the macro this is a compile error.
#[must_use]
pub const fn decimal_literal(text: &str) -> Decimal {
    let bytes = text.as_bytes();
    let mut mantissa: u128 = 0;
    let mut digits = 0;
    let mut scale = 0;
    let mut in_fraction = false;
    let mut is_negative = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'-' if at == 0 => is_negative = true,
            digit @ b'0'..=b'9' => {
                mantissa = mantissa * 10 + (digit - b'0') as u128;
                digits += 1;
                scale += in_fraction as u32;
                assert!(digits <= 28, "a decimal literal has at most 28 digits");
            }
            b'.' if !in_fraction && digits > 0 => in_fraction = true,
            b'_' | b' ' => {}
            _ => panic!("a decimal literal consists of digits and one point"),
        }
        at += 1;
    }
    assert!(digits > 0, "a decimal literal needs a digit");
    #[expect(clippy::cast_possible_truncation, reason = "splits the mantissa")]
    let (low, middle, high) = (mantissa as u32, (mantissa >> 32) as u32, (mantissa >> 64) as u32);
    Decimal::from_parts(low, middle, high, is_negative, scale)
}
