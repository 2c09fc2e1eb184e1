//! When a comparison measures, and what its report says.

use std::cell::Cell;

use super::{Comparison, Report, is_test_mode, median};

fn arguments(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

#[test]
fn measures_only_under_cargo_bench() {
    assert!(!is_test_mode(arguments("sign --bench")));
    assert!(is_test_mode(arguments("sign --bench --test")));
    assert!(is_test_mode(arguments("sign")));
}

#[test]
fn test_mode_runs_each_candidate_once() {
    let (first, second) = (Cell::new(0), Cell::new(0));
    let mut comparison = Comparison::new("test", "first", || first.set(first.get() + 1))
        .candidate("second", || second.set(second.get() + 1));
    comparison.test_mode = true;
    comparison.measure();
    assert_eq!((first.get(), second.get()), (1, 1));
}

#[test]
fn the_median_ignores_outliers() {
    assert_eq!(median(&mut [9_000, 3, 1, 2, 4]), 3);
    assert_eq!(median(&mut []), 0);
}

#[test]
fn ratios_are_relative_to_the_baseline() {
    let report = Report {
        title: "ratios".to_owned(),
        medians: vec![("base".to_owned(), 200_000), ("other".to_owned(), 260_000)],
    };
    assert_eq!(report.ratio_percent("other"), 130);
    assert_eq!(report.ratio_percent("absent"), 0);
    assert!(report.to_string().contains("260.0 ns      1.30 x"));
}
