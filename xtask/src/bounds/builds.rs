//! Build times, and start and size of the program.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Limit, Row};
use crate::build_time::{self, ROUNDS};
use crate::run::{cargo, run, target_folder};

/// Starts of the program. Their median counts.
const STARTS: usize = 101;

pub(super) fn measure() -> Result<Vec<Row>, String> {
    let row = |work: &str, bound: &str, unit, figures, most| Row {
        work: work.to_owned(),
        bound: bound.to_owned(),
        unit,
        figures,
        limit: Limit::AtMost(most),
        why: "",
    };
    let (start, size) = program()?;
    Ok(vec![
        row("cold `cargo check -p bitmart-rest`", "–", "s", cold_checks()?, 12_000),
        row(
            "cold build of a small program",
            "the same on reqwest and tokio-tungstenite",
            "x",
            build_time::rounds()?.iter().map(build_time::Round::ratio).collect(),
            700,
        ),
        row("`bitmart --help`", "–", "ms", vec![start], 5_000),
        row("the program `bitmart` as released, with Parquet", "–", "MB", vec![size], 12_000),
    ])
}

/// Milliseconds.
fn cold_checks() -> Result<Vec<u64>, String> {
    let target = target_folder().join("bounds-check");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        remove(&target)?;
        let start = Instant::now();
        let mut check = cargo();
        check.args(["check", "--quiet", "--offline", "--package", "bitmart-rest", "--target-dir"]);
        run(check.arg(&target))?;
        times.push(milliseconds(start.elapsed()));
    }
    remove(&target)?;
    Ok(times)
}

/// The median time of `bitmart --help` in microseconds, and the size of the program in kilobytes.
fn program() -> Result<(u64, u64), String> {
    let target = target_folder().join("dist-build");
    let mut build = cargo();
    build.args(["build", "--quiet", "--profile", "dist", "--package", "bitmart-cli"]);
    run(build.arg("--target-dir").arg(&target))?;
    let program = target.join(format!("dist/bitmart{}", std::env::consts::EXE_SUFFIX));
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        Command::new(&program).arg("--help").stdout(Stdio::null()).status().map_err(failed)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let median = u64::try_from(times[STARTS / 2].as_micros()).unwrap_or(u64::MAX);
    let size = fs::metadata(&program).map_err(failed)?.len();
    Ok((median, size / 1_000))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn remove(folder: &std::path::Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(())
}
