//! Rounding of prices and sizes to steps.

use bitmart_types::Decimal;

use crate::ValidationError;

/// Returns the greatest multiple of `step` that is not above `value`, without trailing zeros. A step of
/// zero or less does not round. Saturates at the range of a decimal.
pub(crate) fn round_down(value: Decimal, step: Decimal) -> Decimal {
    if step <= Decimal::ZERO {
        return value;
    }
    match value.checked_rem(step) {
        Some(rest) if rest < Decimal::ZERO => (value - rest).saturating_sub(step).normalize(),
        Some(rest) => (value - rest).normalize(),
        None => value,
    }
}

/// Returns the least multiple of `step` that is not below `value`. See [`round_down`].
pub(crate) fn round_up(value: Decimal, step: Decimal) -> Decimal {
    -round_down(-value, step)
}

/// Checks that `value` is a multiple of `step`.
pub(crate) fn check(
    field: &'static str,
    value: Decimal,
    step: Decimal,
) -> Result<(), ValidationError> {
    if round_down(value, step) == value {
        return Ok(());
    }
    Err(ValidationError::new(field, value, format!("must be a multiple of {step}")))
}

#[cfg(test)]
mod tests {
    use bitmart_types::dec;

    use super::*;

    #[test]
    fn values_are_rounded_to_multiples() {
        let rows = [
            (dec!(1.999), dec!(0.5), dec!(1.5), dec!(2)),
            (dec!(1.5), dec!(0.5), dec!(1.5), dec!(1.5)),
            (dec!(-1.6), dec!(0.5), dec!(-2), dec!(-1.5)),
            (dec!(12345), dec!(100), dec!(12300), dec!(12400)),
            (dec!(0.00000001), dec!(0.01), dec!(0), dec!(0.01)),
            (dec!(7.7), dec!(0), dec!(7.7), dec!(7.7)),
            (dec!(7.7), dec!(-1), dec!(7.7), dec!(7.7)),
        ];
        for (value, step, down, up) in rows {
            assert_eq!(round_down(value, step), down, "{value} by {step}");
            assert_eq!(round_up(value, step), up, "{value} by {step}");
        }
    }

    #[test]
    fn rounding_saturates_at_the_range_of_a_decimal() {
        for value in [Decimal::MAX, Decimal::MIN, Decimal::new(1, 28)] {
            for step in [Decimal::MAX, Decimal::new(1, 28), dec!(0.01), dec!(3)] {
                assert!(round_down(value, step) <= value);
                let _ = round_up(value, step);
            }
        }
    }
}
