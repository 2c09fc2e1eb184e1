//! When a comparison measures, and what its report says.

use std::cell::Cell;

use super::{Comparison, Report, asks_to_measure, median};

fn arguments(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

#[test]
fn measures_only_under_cargo_bench() {
    assert!(asks_to_measure(arguments("sign --bench")));
    assert!(!asks_to_measure(arguments("sign --bench --test")));
    assert!(!asks_to_measure(arguments("sign")));
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

fn report() -> Report {
    Report {
        title: "ratios".to_owned(),
        medians: vec![("base".to_owned(), 200_000), ("other".to_owned(), 260_000)],
    }
}

/// A ratio of 0 would pass every assertion of a bench.
#[test]
#[should_panic(expected = r#""ratios" compares ["base", "other"], not "absent""#)]
fn the_ratio_of_an_unknown_candidate_panics() {
    report().ratio_percent("absent");
}

#[test]
fn ratios_are_relative_to_the_baseline() {
    let report = report();
    assert_eq!(report.ratio_percent("other"), 130);
    assert!(report.to_string().contains("260.0 ns      1.30 x"));
}
