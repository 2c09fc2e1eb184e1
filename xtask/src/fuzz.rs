//! `cargo xtask fuzz [TARGET --minutes N]`: libFuzzer on the targets in `fuzz/`, from the committed corpora.
//!
//! Our code has no `unsafe`, so no sanitizer is built in: without one the pinned toolchain can run it, and it
//! is twice as fast.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::TaskResult;
use crate::install::{self, Missing};
use crate::run::workspace_root;
use crate::step::{self, Outcome, Part};

/// How long each target runs where none is named.
const SHORT_SECONDS: u64 = 20;
/// Longest run that is taken for meant: a week.
const LONGEST_MINUTES: u64 = 7 * 24 * 60;
/// Where the executions are counted.
const COUNT: &str = "fuzz/README.md";

const USAGE: &str = "usage: cargo xtask fuzz [TARGET --minutes N]";

/// Runs one target for as long as is said and adds to the count, or all of them for a short time.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    match arguments {
        [] => {
            let parts = all(&install::cargo_fuzz(Missing::Install));
            println!("\n{}", step::report(&parts));
            step::verdict(&parts)
        }
        [target, "--minutes", minutes] => {
            let minutes: u64 = minutes.parse().map_err(|_| USAGE.to_owned())?;
            if !(1..=LONGEST_MINUTES).contains(&minutes) {
                return Err(format!("--minutes is from 1 to {LONGEST_MINUTES}"));
            }
            long(target, minutes)
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// The short runs as parts of `cargo xtask test`, where the tool is.
pub(crate) fn parts() -> Vec<Part> {
    all(&install::cargo_fuzz(Missing::Skip))
}

fn all(tool: &Result<PathBuf, String>) -> Vec<Part> {
    match targets() {
        Ok(targets) => {
            targets.iter().map(|target| Part::run(target, || short(tool, target))).collect()
        }
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
        return Err(format!("there is no target {target}; there is {}", targets.join(", ")));
    }
    let tool = install::cargo_fuzz(Missing::Install)?;
    let executions = fuzz(&tool, target, minutes * 60)?;
    let file = workspace_root().join(COUNT);
    let failed = |error: std::io::Error| format!("{COUNT}: {error}");
    let text = fs::read_to_string(&file).map_err(failed)?;
    fs::write(&file, counted(&text, target, executions)?).map_err(failed)?;
    println!("{target}: {executions} executions, added to {COUNT}");
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

/// Runs a target from the committed corpus on. What it finds goes into `fuzz/work`, and an input that fails
/// into `fuzz/artifacts`. Gives the number of executions.
fn fuzz(tool: &Path, target: &str, seconds: u64) -> Result<u64, String> {
    let folder = workspace_root().join("fuzz");
    let (work, corpus) = (folder.join("work").join(target), folder.join("corpus").join(target));
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let mut command = Command::new(tool);
    command.current_dir(workspace_root());
    // Called by cargo this is what tells the tool its name.
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
            executions = executions.or_else(|| executed(&line));
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
    executions.ok_or_else(|| format!("{target} did not say how many executions it had"))
}

/// The number that libFuzzer prints at its end.
fn executed(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// The text of the count with these executions added to the row of a target and to the last one.
fn counted(text: &str, target: &str, executions: u64) -> Result<String, String> {
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
        return Err(format!("{COUNT} has no row for {target}, or none for all together"));
    }
    Ok(lines.join("\n") + "\n")
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
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
    fn executions_are_added_where_they_belong_and_nowhere_else() {
        let text = "# Fuzzing\n\n| Target | Input |\n|---|---|\n| `a` | bytes |\n\n\
                    | Target | Executions |\n|---|---|\n| `a` | 999,900 |\n| `b` | 7 |\n| together | 999,907 |\n";
        let after = counted(text, "a", 1_100).expect("two rows");
        assert_eq!(
            after,
            text.replace("| 999,900 |", "| 1,001,000 |").replace("| 999,907 |", "| 1,001,007 |")
        );
        assert!(counted(text, "c", 1).is_err());
        assert!(counted("", "a", 1).is_err());
    }

    #[test]
    fn every_target_has_a_corpus_and_a_row_in_the_count() {
        let text = fs::read_to_string(workspace_root().join(COUNT)).expect("is there");
        let targets = targets().expect("a folder");
        assert!(!targets.is_empty());
        for target in targets {
            assert!(workspace_root().join("fuzz/corpus").join(&target).is_dir(), "{target}");
            assert!(counted(&text, &target, 0).is_ok_and(|same| same == text), "{target}");
        }
    }

    #[test]
    fn the_number_of_executions_is_what_libfuzzer_says_at_its_end() {
        assert_eq!(executed("stat::number_of_executed_units: 123"), Some(123));
        assert_eq!(executed("#2\tINITED cov: 3 ft: 4"), None);
    }

    #[test]
    fn a_run_of_no_length_or_without_a_target_is_refused() {
        for arguments in [&["ws_book"][..], &["ws_book", "--minutes", "0"], &["--minutes", "1"]] {
            assert!(run(arguments).is_err(), "{arguments:?}");
        }
    }
}
