//! `cargo xtask growth [--quick] [SUBJECT...]`: what a unit costs as its number grows. Writes its section of
//! `docs/performance.md`.

mod subjects;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::TaskResult;
use crate::command::unknown;
use crate::performance::{self, Section};
use crate::plot::{self, Line};
use crate::run::{cargo, output, run as run_command, target_folder};
use crate::stats::{factor, grouped, time};
use subjects::{Measurer, SUBJECTS, Subject};

/// The cost at one number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    /// How many things there are.
    size: u64,
    /// Nanoseconds of one step.
    time: u64,
    /// Bytes of one thing; of an export, of the program.
    memory: u64,
}

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let quick = arguments.first() == Some(&"--quick");
    let names = if quick { &arguments[1..] } else { arguments };
    let known = SUBJECTS.iter().map(|subject| subject.name);
    if let Some(name) = names.iter().find(|name| known.clone().all(|subject| subject != **name)) {
        return Err(unknown("subject", name, known));
    }
    build(names)?;
    let mut text = METHOD.to_owned();
    for subject in SUBJECTS.iter().filter(|one| names.is_empty() || names.contains(&one.name)) {
        let sizes = if quick { &subject.sizes[..subject.sizes.len() - 1] } else { subject.sizes };
        let points = measure(subject, sizes)?;
        println!("{}: {}", subject.title, outcome(&points));
        text.push_str(&table(subject, &points));
        if names.is_empty() {
            text.push_str(&plots(subject, &points)?);
        }
    }
    if !names.is_empty() {
        println!("\n{text}\nnot written: {NOT_WRITTEN}");
        return Ok(());
    }
    let command = if quick { "cargo xtask growth --quick" } else { "cargo xtask growth" };
    performance::write(Section::Growth, "Growth", command, &text)
}

const NOT_WRITTEN: &str = "only a run of all subjects replaces the page";

const METHOD: &str = "\
Each size runs in a process of its own. The time of a unit is the least of several tries, since other programs of the
machine can only add to it. A level line in a plot means a cost that does not depend on the number; *n log n* allows the
cost of a unit to grow with the logarithm of the number, with half of it as tolerance, from the first size of at least
100 on.
";

fn build(names: &[&str]) -> TaskResult {
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--package", "measure"]);
    run_command(&mut build)?;
    if names.is_empty() || names.contains(&"export") {
        let mut build = cargo();
        build.args(["build", "--quiet", "--release", "--package", "bitmart-cli"]);
        run_command(&mut build)?;
    }
    Ok(())
}

fn program(name: &str) -> PathBuf {
    target_folder().join(format!("release/{name}{}", std::env::consts::EXE_SUFFIX))
}

fn measure(subject: &Subject, sizes: &[u64]) -> Result<Vec<Point>, String> {
    if subject.measurer == Measurer::Engine {
        return engine(sizes);
    }
    let mut points = Vec::new();
    for size in sizes {
        let mut command = Command::new(program("measure"));
        command.args(["growth", subject.name]).arg(size.to_string());
        if subject.measurer == Measurer::Export {
            command.arg(program("bitmart"));
        }
        let line = output(&mut command)?;
        points.push(point(*size, &line)?);
    }
    Ok(points)
}

fn point(size: u64, line: &str) -> Result<Point, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
    let number = |field: &str| {
        value.get(field).and_then(Value::as_u64).ok_or_else(|| format!("no {field} in {line}"))
    };
    Ok(Point { size, time: number("time")?, memory: number("memory")? })
}

/// Runs the bench of the sandbox's engine, which measures this already.
fn engine(sizes: &[u64]) -> Result<Vec<Point>, String> {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "bitmart-sim", "--bench", "engine"]);
    command.args(["--", "book"]);
    command.args(sizes.iter().map(u64::to_string));
    rows(&output(&mut command)?, sizes.len())
}

/// The rows of the bench: open orders, wall time, processor time, commands a second, bytes of an order, a hash of the
/// ledger.
fn rows(text: &str, count: usize) -> Result<Vec<Point>, String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [size, _, time, _, memory, _] = cells[..] else { return None };
        let (size, time) = (size.parse().ok()?, time.parse().ok()?);
        Some(Point { size, time, memory: memory.parse().ok()? })
    };
    let points: Vec<Point> = text.lines().filter_map(row).collect();
    if points.len() == count {
        Ok(points)
    } else {
        Err(format!("the bench of the engine printed {} of {count} rows:\n{text}", points.len()))
    }
}

/// Whether the time of a step grows at most with the logarithm of the number of things, with half of it as tolerance.
fn is_at_most_n_log_n(points: &[Point]) -> bool {
    let (Some(first), Some(last)) = (points.iter().find(|point| point.size >= 100), points.last())
    else {
        return true;
    };
    let (small, large) = (u64::from(first.size.ilog2()), u64::from(last.size.ilog2()));
    last.time * small * 2 <= first.time * large * 3
}

fn outcome(points: &[Point]) -> String {
    let (Some(first), Some(last)) = (points.iter().find(|one| one.size >= 100), points.last())
    else {
        return "too few sizes".to_owned();
    };
    let (from, to) = (grouped(first.size), grouped(last.size));
    let ratio = factor(last.time * 1_000 / first.time.max(1));
    let word = if is_at_most_n_log_n(points) { "at most n log n" } else { "worse than n log n" };
    format!("{word}: from {from} to {to}, a unit takes {ratio} times as long")
}

fn table(subject: &Subject, points: &[Point]) -> String {
    let Subject { title, unit, about, time: times, memory, note, .. } = subject;
    let mut text =
        format!("\n### {title}\n\n{about}\n\n| {unit} | {times} | {memory} |\n|---:|---:|---:|\n");
    for Point { size, time: nanos, memory } in points {
        let _ = writeln!(text, "| {} | {} | {} |", grouped(*size), time(*nanos), bytes(*memory));
    }
    let _ = writeln!(text, "\nThe time is {}.{note}\n", outcome(points));
    text
}

/// Writes the plots of a subject and returns the Markdown that shows them.
fn plots(subject: &Subject, points: &[Point]) -> Result<String, String> {
    let Subject { name, title, unit, time: times, memory, .. } = subject;
    let values = |of: fn(&Point) -> u64| points.iter().map(|one| (one.size, of(one))).collect();
    let mut text = String::new();
    for (kind, about, points, shown) in [
        ("time", times, values(|one| one.time), time as fn(u64) -> String),
        ("memory", memory, values(|one| one.memory), bytes),
    ] {
        let title = format!("{title}: {about}");
        let svg = plot::lines(&title, unit, &[Line { name: String::new(), points }], shown);
        text.push_str(&performance::plot(&format!("growth-{name}-{kind}"), &title, &svg)?);
    }
    Ok(text)
}

/// A number of bytes in the unit that reads best.
fn bytes(count: u64) -> String {
    match count {
        0..10_240 => format!("{} B", grouped(count)),
        10_240..10_485_760 => format!("{} KiB", grouped(count / 1_024)),
        _ => format!("{} MiB", grouped(count / 1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(costs: &[(u64, u64)]) -> Vec<Point> {
        costs.iter().map(|(size, time)| Point { size: *size, time: *time, memory: 0 }).collect()
    }

    #[test]
    fn a_level_cost_and_a_logarithmic_one_pass_and_a_linear_one_does_not() {
        assert!(is_at_most_n_log_n(&points(&[(100, 50), (1_000, 50), (10_000, 55)])));
        assert!(is_at_most_n_log_n(&points(&[(100, 60), (1_000, 90), (10_000, 130)])));
        let linear = points(&[(100, 50), (1_000, 500), (10_000, 5_000)]);
        assert!(!is_at_most_n_log_n(&linear));
        assert!(outcome(&linear).starts_with("worse than n log n: from 100 to 10,000"));
    }

    #[test]
    fn what_one_unit_costs_alone_does_not_count() {
        assert!(is_at_most_n_log_n(&points(&[(1, 9_000), (100, 50), (1_000, 60)])));
        assert!(!is_at_most_n_log_n(&points(&[(1, 9_000), (100, 50), (1_000, 400)])));
    }

    #[test]
    fn a_bench_that_prints_fewer_rows_is_an_error() {
        let text = "    open   ns wall    ns cpu  commands/s (cpu)  bytes/order  ledger\n\
                    100       400       390           2564102          250  00ff\n";
        assert_eq!(rows(text, 1), Ok(vec![Point { size: 100, time: 390, memory: 250 }]));
        assert!(rows(text, 2).is_err());
    }

    #[test]
    fn sizes_grow_and_names_are_unique() {
        let mut names: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SUBJECTS.len());
        for subject in SUBJECTS {
            assert!(subject.sizes.is_sorted(), "{}", subject.name);
        }
    }
}
