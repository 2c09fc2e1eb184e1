//! Compares the cold build time of a small program on this SDK with that of the same program on the usual stack.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::TaskResult;
use crate::run::{cargo, output, run, workspace_root};
use crate::stats::{factor, spread};

pub(crate) const ROUNDS: usize = 3;

/// The times of both programs, built one after the other.
pub(crate) struct Round {
    ours: Duration,
    theirs: Duration,
}

impl Round {
    /// Our time as a part of theirs, in thousandths.
    pub(crate) fn ratio(&self) -> u64 {
        let ratio = self.ours.as_millis() * 1_000 / self.theirs.as_millis().max(1);
        u64::try_from(ratio).unwrap_or(u64::MAX)
    }
}

/// Builds both programs of `xtask/baseline` from scratch, in turn, and prints the medians.
pub(crate) fn measure() -> TaskResult {
    for package in ["ours", "theirs"] {
        println!("{package}: {} crates", crates(package)?);
    }
    let rounds = rounds()?;
    let ratios: Vec<u64> = rounds.iter().map(Round::ratio).collect();
    let (ours, theirs) = (
        median(rounds.iter().map(|round| round.ours)),
        median(rounds.iter().map(|round| round.theirs)),
    );
    let ratio = factor(spread(&ratios).median);
    println!("median: ours {ours:.1?}, theirs {theirs:.1?}, ratio {ratio}");
    Ok(())
}

/// Builds both programs from scratch, several times.
pub(crate) fn rounds() -> Result<Vec<Round>, String> {
    run(cargo().current_dir(folder()).args(["fetch", "--quiet"]))?;
    (1..=ROUNDS)
        .map(|round| {
            let (ours, theirs) = (build("ours")?, build("theirs")?);
            println!("round {round}: ours {ours:.1?}, theirs {theirs:.1?}");
            Ok(Round { ours, theirs })
        })
        .collect()
}

fn build(package: &str) -> Result<Duration, String> {
    let target = folder().join("target").join(package);
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    let start = Instant::now();
    run(cargo()
        .current_dir(folder())
        .args(["build", "--quiet", "--offline", "--package", package, "--target-dir"])
        .arg(&target))?;
    Ok(start.elapsed())
}

fn folder() -> PathBuf {
    workspace_root().join("xtask/baseline")
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn crates(package: &str) -> Result<usize, String> {
    let text = output(
        cargo()
            .current_dir(folder())
            .args(["tree", "--package", package, "--edges", "no-dev", "--prefix", "none"])
            .args(["--format", "{p}"]),
    )?;
    let mut lines: Vec<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.len())
}
