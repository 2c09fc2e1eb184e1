//! Rendering of numbers and dates. The counterpart for numbers is [`parse_number`](super::parse_number).

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// A decimal with a fixed number of decimals, truncated, not rounded: `"60000.00"`.
pub(crate) fn fixed(value: Decimal, decimals: u32) -> String {
    let mut value = value.round_dp_with_strategy(decimals, RoundingStrategy::ToZero);
    value.rescale(decimals);
    without_sign_of_zero(value).to_string()
}

/// A decimal without trailing zeros: `"0.1"`.
pub(crate) fn plain(value: Decimal) -> String {
    without_sign_of_zero(value.normalize()).to_string()
}

/// A small negative value that is truncated to zero would otherwise be rendered as `-0.00`.
fn without_sign_of_zero(mut value: Decimal) -> Decimal {
    if value.is_zero() {
        value.set_sign_positive(true);
    }
    value
}

/// A computed price with at most 18 decimals. The exchange does not round such prices to the price step.
/// Source: the capture `ws-fut-position`, and the sample of a liquidation price in the documentation.
pub(crate) fn exact_price(value: Decimal) -> String {
    plain(value.round_dp_with_strategy(18, RoundingStrategy::ToZero))
}

/// A decimal as a JSON number.
pub(crate) fn json_number(value: Decimal) -> Value {
    serde_json::from_str(&plain(value)).unwrap_or_default()
}

/// The change from `open` to `last` as a ratio with 5 decimals; 0 if `open` is 0.
pub(crate) fn ratio(open: Decimal, last: Decimal) -> String {
    fixed((last - open).checked_div(open).unwrap_or_default(), 5)
}

/// A time in milliseconds since 1970 as RFC 3339 in UTC with nanoseconds, as in futures trades.
pub(crate) fn rfc3339(ms: u64) -> String {
    let (seconds, millis) = (ms / 1_000, ms % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date, counted in eras of 400 years that start in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}000000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_documented_format() {
        assert_eq!(fixed(Decimal::from(60_000), 2), "60000.00");
        assert_eq!(fixed(Decimal::new(19_999, 4), 2), "1.99");
        assert_eq!(fixed(Decimal::new(15, 1), 0), "1");
        assert_eq!(plain(Decimal::new(1_000, 4)), "0.1");
        assert_eq!(json_number(Decimal::new(57_162_048, 8)).to_string(), "0.57162048");
        assert_eq!(json_number(Decimal::new(-300, 2)).to_string(), "-3");
        assert_eq!(ratio(Decimal::from(100), Decimal::from(99)), "-0.01000");
        let thirds = Decimal::from(200) / Decimal::from(3);
        assert_eq!(exact_price(thirds), "66.666666666666666666");
    }

    #[test]
    fn zero_has_no_sign() {
        let tiny = Decimal::new(-1, 9);
        assert_eq!(fixed(tiny, 2), "0.00");
        assert_eq!(plain(tiny * Decimal::ZERO), "0");
        assert_eq!(json_number(Decimal::ZERO * tiny).to_string(), "0");
        assert_eq!(ratio(Decimal::from(60_000), Decimal::new(5_999_990, 2)), "0.00000");
    }

    #[test]
    fn dates_are_civil_dates() {
        assert_eq!(rfc3339(1_677_225_251_124), "2023-02-24T07:54:11.124000000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
    }
}
