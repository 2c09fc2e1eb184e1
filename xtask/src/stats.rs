//! Medians, quartiles and ratios of samples, in integers.

/// The middle of a sample and what half of it lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    /// The first quartile.
    pub(crate) low: u64,
    pub(crate) median: u64,
    /// The third quartile.
    pub(crate) high: u64,
}

/// The quartiles of a sample; all are 0 if it is empty.
pub(crate) fn spread(sample: &[u64]) -> Spread {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable();
    let at = |quarter: usize| {
        let last = sorted.len().saturating_sub(1);
        sorted.get((last * quarter + 2) / 4).copied().unwrap_or_default()
    };
    Spread { low: at(1), median: at(2), high: at(3) }
}

/// The ratios of two samples that were taken in turns, pair by pair, in thousandths. A machine that is slow for a
/// while slows both sides of a pair down.
pub(crate) fn paired(sample: &[u64], base: &[u64]) -> Vec<u64> {
    let ratio = |(one, base): (&u64, &u64)| one.saturating_mul(1_000) / (*base).max(1);
    sample.iter().zip(base).map(ratio).collect()
}

/// Thousandths as a factor: `1.25`.
pub(crate) fn factor(thousandths: u64) -> String {
    let hundredths = (thousandths + 5) / 10;
    if hundredths >= 10_000 {
        return (hundredths / 100).to_string();
    }
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Nanoseconds in the unit that reads best.
pub(crate) fn time(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let tenths = (nanos * 10 + unit / 2) / unit;
    if tenths >= 1_000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_moves_neither_median_nor_quartiles() {
        let calm = spread(&[10, 11, 12, 13, 14]);
        assert_eq!(calm, Spread { low: 11, median: 12, high: 13 });
        assert_eq!(spread(&[10, 11, 12, 13, 9_000]), calm);
        assert_eq!(spread(&[]), Spread::default());
        assert_eq!(spread(&[7]), Spread { low: 7, median: 7, high: 7 });
    }

    #[test]
    fn a_slow_moment_of_the_machine_leaves_paired_ratios_alone() {
        assert_eq!(paired(&[200, 2_000, 210], &[100, 1_000, 105]), [2_000, 2_000, 2_000]);
        assert_eq!(paired(&[1], &[0]), [1_000], "nothing is divided by zero");
    }

    #[test]
    fn figures_are_rounded_and_have_their_unit() {
        assert_eq!(factor(1_254), "1.25");
        assert_eq!(factor(999), "1.00");
        assert_eq!(factor(123_456), "123");
        assert_eq!(time(999), "999 ns");
        assert_eq!(time(1_250), "1.3 µs");
        assert_eq!(time(123_456_000), "123 ms");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(7), "7");
    }
}
