//! The committed counts.

use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;

use super::Platform;
use super::count::Counts;
use crate::TaskResult;
use crate::run::workspace_root;

pub(super) const FILE: &str = "xtask/measure/instructions.toml";

/// Counts of one build differ by less, since hash maps have random seeds.
const TOLERANCE_PERCENT: u64 = 2;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    toolchain: String,
    machine: String,
    pub(super) tolerance_percent: u64,
    pub(super) instructions: Counts,
}

impl Recorded {
    pub(super) fn new(platform: Platform, instructions: Counts) -> Self {
        let Platform { toolchain, machine } = platform;
        Self { toolchain, machine, tolerance_percent: TOLERANCE_PERCENT, instructions }
    }

    pub(super) fn platform(&self) -> Platform {
        Platform { toolchain: self.toolchain.clone(), machine: self.machine.clone() }
    }

    fn text(&self) -> String {
        let Self { toolchain, machine, tolerance_percent, instructions } = self;
        let mut text = format!(
            "# Instructions of the hot paths, counted by `cargo xtask perf`, compared with `--check`.\n\
             toolchain = {toolchain:?}\nmachine = {machine:?}\ntolerance_percent = {tolerance_percent}\n\n\
             [instructions]\n"
        );
        for (name, count) in instructions {
            let _ = writeln!(text, "{name} = {count}");
        }
        text
    }
}

pub(super) fn read() -> Result<Recorded, String> {
    let text = fs::read_to_string(workspace_root().join(FILE));
    parse(&text.map_err(|error| format!("{FILE}: {error}"))?)
}

fn parse(text: &str) -> Result<Recorded, String> {
    toml::from_str(text).map_err(|error| format!("{FILE}: {error}"))
}

pub(super) fn write(recorded: &Recorded) -> TaskResult {
    let text = recorded.text();
    fs::write(workspace_root().join(FILE), &text).map_err(|error| format!("{FILE}: {error}"))?;
    print!("{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let platform =
            Platform { toolchain: "rustc 1 (\"x\")".to_owned(), machine: "here".to_owned() };
        let counts = Counts::from([("sign".to_owned(), 7), ("decode".to_owned(), 9)]);
        let recorded = Recorded::new(platform.clone(), counts);
        let again = parse(&recorded.text()).expect("valid");
        assert_eq!(again, recorded);
        assert_eq!(again.platform(), platform);
        assert!(parse("toolchain = 1").is_err());
    }

    #[test]
    fn the_committed_file_is_valid_and_has_no_empty_count() {
        let recorded = read().expect("valid");
        assert!(!recorded.instructions.is_empty());
        assert!(recorded.instructions.values().all(|count| *count > 0));
    }
}
