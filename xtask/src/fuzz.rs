//! `cargo xtask fuzz [TARGET --minutes N]`: runs libFuzzer on the targets in `fuzz/`, from the committed corpora.
//!
//! Without a sanitizer, since our code has no `unsafe`: so the pinned stable toolchain is enough, and it is twice as
//! fast.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::TaskResult;
use crate::command::unknown;
use crate::install::{self, Missing};
use crate::run::workspace_root;
use crate::stats::grouped;
use crate::step::{self, Outcome, Part};

/// How long each target runs if none is named.
const SHORT_SECONDS: u64 = 20;
/// The longest run, a week.
const MAX_MINUTES: u64 = 7 * 24 * 60;
/// The file that counts executions.
const COUNTS: &str = "fuzz/README.md";

const USAGE: &str = "usage: cargo xtask fuzz [TARGET --minutes N]";

/// Runs one target for some minutes and counts its executions, or all targets for a short time.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    match arguments {
        [] => {
            let parts = all(&install::cargo_fuzz(Missing::Install));
            println!();
            step::finish(&parts)
        }
        [target, "--minutes", minutes] => {
            let minutes: u64 = minutes.parse().map_err(|_| USAGE.to_owned())?;
            if !(1..=MAX_MINUTES).contains(&minutes) {
                return Err(format!("--minutes is from 1 to {MAX_MINUTES}"));
            }
            long(target, minutes)
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// Runs all targets as parts of `cargo xtask test`; skips them if the tool is missing.
pub(crate) fn parts() -> Vec<Part> {
    all(&install::cargo_fuzz(Missing::Skip))
}

fn all(tool: &Result<PathBuf, String>) -> Vec<Part> {
    match targets() {
        // A target uses one core, so that two run at once.
        Ok(targets) => thread::scope(|scope| {
            let run = |target| Part::run(target, || short(tool, target));
            let pairs = targets.chunks(2).flat_map(|pair| {
                let threads = pair.iter().map(|target| scope.spawn(move || run(target)));
                threads.collect::<Vec<_>>().into_iter().zip(pair).map(|(thread, target)| {
                    let panicked = || Outcome::Fail("its thread panicked".to_owned());
                    thread.join().unwrap_or_else(|_| Part::run(target, panicked))
                })
            });
            pairs.collect()
        }),
        Err(error) => vec![Part::run("targets", || Outcome::Fail(error))],
    }
}

fn short(tool: &Result<PathBuf, String>, target: &str) -> Outcome {
    let tool = match tool {
        Ok(tool) => tool,
        Err(why) => return Outcome::Skip(why.clone()),
    };
    match fuzz(tool, target, SHORT_SECONDS) {
        Ok(executions) => {
            println!("{target}: {executions} executions");
            Outcome::Pass
        }
        Err(error) => Outcome::Fail(error),
    }
}

fn long(target: &str, minutes: u64) -> TaskResult {
    let targets = targets()?;
    if !targets.iter().any(|known| known == target) {
        return Err(unknown("target", target, targets.iter().map(String::as_str)));
    }
    let tool = install::cargo_fuzz(Missing::Install)?;
    let executions = fuzz(&tool, target, minutes * 60)?;
    let file = workspace_root().join(COUNTS);
    let failed = |error: std::io::Error| format!("{COUNTS}: {error}");
    let text = fs::read_to_string(&file).map_err(failed)?;
    fs::write(&file, add_executions(&text, target, executions)?).map_err(failed)?;
    println!("{target}: {executions} executions, added to {COUNTS}");
    Ok(())
}

/// The names of the targets, in order.
fn targets() -> Result<Vec<String>, String> {
    let folder = workspace_root().join("fuzz/fuzz_targets");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        names.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Runs a target, starting from the committed corpus. New inputs go into `fuzz/work`, failing ones into
/// `fuzz/artifacts`. Returns the number of executions.
fn fuzz(tool: &Path, target: &str, seconds: u64) -> Result<u64, String> {
    let folder = workspace_root().join("fuzz");
    let (work, corpus) = (folder.join("work").join(target), folder.join("corpus").join(target));
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let mut command = Command::new(tool);
    command.current_dir(workspace_root());
    // Cargo would pass `fuzz` as the first argument.
    command
        .args(["fuzz", "run", "--fuzz-dir", "fuzz", "--sanitizer", "none", target])
        .arg(&work)
        .arg(&corpus);
    command.args(["--", "-print_final_stats=1"]).arg(format!("-max_total_time={seconds}"));
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| format!("{}: {error}", tool.display());
    let mut child = command.spawn().map_err(failed)?;
    let mut last = Vec::new();
    let mut executions = None;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines() {
            let line = line.map_err(failed)?;
            executions = executions.or_else(|| parse_executions(&line));
            if last.len() == 20 {
                last.remove(0);
            }
            last.push(line);
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("{target} ended with {status}:\n{}", last.join("\n")));
    }
    executions.ok_or_else(|| format!("{target} printed no number of executions"))
}

/// The number of executions in a line that libFuzzer prints at its end.
fn parse_executions(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// Adds executions to the target's row and to the total.
fn add_executions(text: &str, target: &str, executions: u64) -> Result<String, String> {
    let mut found = 0;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let (Some(""), Some(name), Some(number), Some(""), None) =
                (cells.next(), cells.next(), cells.next(), cells.next(), cells.next())
            else {
                return line.to_owned();
            };
            let number: Result<u64, _> = number.replace(',', "").parse();
            match number {
                Ok(number) if name == format!("`{target}`") || name == "together" => {
                    found += 1;
                    format!("| {name} | {} |", grouped(number.saturating_add(executions)))
                }
                _ => line.to_owned(),
            }
        })
        .collect();
    if found != 2 {
        return Err(format!("{COUNTS} has no row for {target}, or none for the total"));
    }
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_executions_to_the_target_and_the_total_only() {
        let text = "# Fuzzing\n\n| Target | Input |\n|---|---|\n| `a` | bytes |\n\n\
                    | Target | Executions |\n|---|---|\n| `a` | 999,900 |\n| `b` | 7 |\n| together | 999,907 |\n";
        let after = add_executions(text, "a", 1_100).expect("two rows");
        assert_eq!(
            after,
            text.replace("| 999,900 |", "| 1,001,000 |").replace("| 999,907 |", "| 1,001,007 |")
        );
        assert!(add_executions(text, "c", 1).is_err());
        assert!(add_executions("", "a", 1).is_err());
    }

    #[test]
    fn every_target_has_a_corpus_and_a_row_with_its_executions() {
        let text = fs::read_to_string(workspace_root().join(COUNTS)).expect("is there");
        let targets = targets().expect("a folder");
        assert!(!targets.is_empty());
        for target in targets {
            assert!(workspace_root().join("fuzz/corpus").join(&target).is_dir(), "{target}");
            assert!(add_executions(&text, &target, 0).is_ok_and(|same| same == text), "{target}");
        }
    }

    #[test]
    fn reads_the_number_of_executions_from_the_output() {
        assert_eq!(parse_executions("stat::number_of_executed_units: 123"), Some(123));
        assert_eq!(parse_executions("#2\tINITED cov: 3 ft: 4"), None);
    }

    #[test]
    fn rejects_a_run_of_no_length_or_without_a_target() {
        for arguments in [&["ws_book"][..], &["ws_book", "--minutes", "0"], &["--minutes", "1"]] {
            assert!(run(arguments).is_err(), "{arguments:?}");
        }
    }
}
