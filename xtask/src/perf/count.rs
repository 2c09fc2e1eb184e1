//! Counts instructions with callgrind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, output, run, target_folder};

/// Instructions of one run of each hot path.
pub(super) type Counts = BTreeMap<String, u64>;

/// Each path runs 50 and 550 times. The difference of both counts is without the cost of its preparation.
const RUNS: [u64; 2] = [50, 550];

/// Builds the program with the hot paths.
pub(super) fn build() -> Result<PathBuf, String> {
    run(cargo().args(["build", "--quiet", "--release", "--package", "measure"]))?;
    Ok(target_folder().join("release/measure"))
}

pub(super) fn all(program: &Path) -> Result<Counts, String> {
    let names = output(Command::new(program).arg("hot"))?;
    names.lines().map(|name| Ok((name.to_owned(), count(program, name)?))).collect()
}

fn count(program: &Path, name: &str) -> Result<u64, String> {
    let [few, many] = RUNS.map(|runs| instructions(program, name, runs));
    Ok(many?.saturating_sub(few?) / (RUNS[1] - RUNS[0]))
}

fn instructions(program: &Path, name: &str, runs: u64) -> Result<u64, String> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    command.args(["hot", name]).arg(runs.to_string());
    let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{name} ended with {}:\n{text}", output.status));
    }
    collected(&text).ok_or_else(|| format!("callgrind counted nothing for {name}:\n{text}"))
}

/// The number that callgrind prints at its end.
fn collected(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn reads_the_number_of_instructions_from_the_output() {
        let text = "==7== Callgrind, a call-graph generating cache profiler\n==7== \n\
                    ==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(collected(text), Some(123_456));
        assert_eq!(collected("==7== no numbers"), None);
    }
}
