//! `cargo xtask long [STEP…]`: measurements that take hours. Their results go into `docs/long.md`, those of the fleet
//! into `docs/fleet.md`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::command::unknown;
use crate::run::{cargo, run_and_capture, workspace_root};
use crate::step::{self, Outcome, Part};
use crate::{TaskResult, fleet_page, install, load, machine, soak};

/// The file with the results.
const FILE: &str = "docs/long.md";

const HEAD: &str = "\
# Long measurements

Written by `cargo xtask long`. Each line is the last run of a step on a machine, in an optimized build, with the
result as the program printed it. A failed step leaves no line. Results of the step `fleet` are in
[fleet.md](fleet.md#kills).

| date | machine | step | result |
|---|---|---|---|
";

/// A measurement that takes long.
struct Step {
    name: &'static str,
    about: &'static str,
    /// Preparations and the program itself. An error is the reason to skip the step.
    commands: Commands,
    /// How the lines with its results begin, each of which it has to print. If empty, its time is the result.
    results: &'static [&'static str],
}

/// To add a step, add a line here and a function with its commands.
const STEPS: &[Step] = &[
    step("soak", "100,000 orders with faults of every kind", || Ok(soak()), &["soak "]),
    step("proof", "1,000,000 cases of the account proofs", || Ok(proof()), &["proof: "]),
    step("kill", "500 kills of the sandbox lose nothing acknowledged", kill, &[]),
    step("export", "100,000 orders exported with 20 kills", || Ok(export()), &["exported "]),
    step(
        "load",
        "orders and frames per second of the sandbox",
        || Ok(load::commands(&[])),
        &["idle: ", "orders: ", "console: ", "frames: "],
    ),
    step(
        "page",
        "the console with an open page at 1,000 requests a second",
        || load::page_commands(&[]),
        &["page: "],
    ),
    step(
        "endurance",
        "10 minutes of attacks on streams",
        || Ok(endurance()),
        &["fills: ", "books: "],
    ),
    step(FLEET, "100 kills of collectors, 20 each of NATS and Redis", fleet, FLEET_RESULTS),
];

/// Its results are written elsewhere.
const FLEET: &str = "fleet";

/// One line of each of its tests.
const FLEET_RESULTS: &[&str] = &["fleet collectors: ", "fleet replicas: ", "fleet servers: "];

/// How often collectors and servers are killed. The environment may set other numbers, to try it.
const KILLS: [(&str, &str); 2] =
    [("BITMART_FLEET_KILLS", "100"), ("BITMART_FLEET_SERVER_KILLS", "20")];

type Commands = fn() -> Result<Vec<Command>, String>;

const fn step(
    name: &'static str,
    about: &'static str,
    commands: Commands,
    results: &'static [&'static str],
) -> Step {
    Step { name, about, commands, results }
}

fn soak() -> Vec<Command> {
    vec![soak::command(100_000, None)]
}

fn proof() -> Vec<Command> {
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--release", "--package", "bitmart-account", "--lib"])
        .args(["--", "--nocapture", "simulation_tests"])
        .env("BITMART_PROOF_CASES", "1000000");
    vec![command]
}

fn kill() -> Result<Vec<Command>, String> {
    if !cfg!(unix) {
        return Err("needs a Unix system".to_owned());
    }
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--release", "--package", "bitmart-sandbox", "--test", "kill"])
        .args(["--", "nothing_acknowledged_is_lost_by_kills"])
        .env("BITMART_SANDBOX_KILLS", "500");
    Ok(vec![command])
}

fn export() -> Vec<Command> {
    vec![crate::test::long_export_command()]
}

fn endurance() -> Vec<Command> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--example", "endurance", "--", "600"]);
    vec![command]
}

fn fleet() -> Result<Vec<Command>, String> {
    for server in ["redis-server", "nats-server"] {
        install::program(server)?;
    }
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--release", "--package", "bitmart-fleet", "--all-features"])
        .args(["--test", "nats", "--", "--ignored", "--nocapture", "--test-threads=1"])
        .args(["kills::", "trading::"]);
    for (name, default) in KILLS {
        if std::env::var_os(name).is_none() {
            command.env(name, default);
        }
    }
    Ok(vec![command])
}

/// Runs the named steps, or all of them, and saves their results.
pub(crate) fn run(names: &[&str]) -> TaskResult {
    let known = STEPS.iter().map(|step| step.name);
    if let Some(name) = names.iter().find(|name| known.clone().all(|step| step != **name)) {
        return Err(unknown("step", name, known));
    }
    let mut parts = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n==> {}: {}", step.name, step.about);
        let mut results = Vec::new();
        let part = Part::run(step.name, || measure(step, &mut results));
        if part.outcome == Outcome::Pass {
            if results.is_empty() {
                results.push(format!("passed in {}", step::seconds(part.time).trim()));
            }
            save(step, &results)?;
        }
        parts.push(part);
    }
    println!();
    step::finish(&parts)
}

fn measure(step: &Step, results: &mut Vec<String>) -> Outcome {
    let mut printed = String::new();
    let commands = match (step.commands)() {
        Ok(commands) => commands,
        Err(why) => return Outcome::Skip(why),
    };
    for mut command in commands {
        match run_and_capture(&mut command) {
            Ok(text) => printed.push_str(&text),
            Err(error) => return Outcome::Fail(error),
        }
    }
    match results_of(step.results, &printed) {
        Ok(lines) => {
            results.extend(lines);
            Outcome::Pass
        }
        Err(why) => Outcome::Fail(why),
    }
}

/// The lines that begin with one of these. An error if none begins with one of them: a part of the step did not run.
fn results_of(begins: &[&str], printed: &str) -> Result<Vec<String>, String> {
    // `cargo test --quiet` prints a `.` without a newline for each test that has passed.
    let lines = || printed.lines().map(|line| line.trim_start_matches('.'));
    let is_missing = |begin: &&&str| !lines().any(|line| line.starts_with(**begin));
    if let Some(missing) = begins.iter().find(is_missing) {
        return Err(format!("it printed no result `{}`", missing.trim_end()));
    }
    let is_result = |line: &&str| begins.iter().any(|begin| line.starts_with(begin));
    Ok(lines().filter(is_result).map(str::to_owned).collect())
}

/// Replaces the previous results of the step on this machine.
fn save(step: &Step, results: &[String]) -> TaskResult {
    if step.name == FLEET {
        if KILLS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
            println!("not written: a run with other numbers");
            return Ok(());
        }
        let rows =
            results.iter().map(|result| format!("- {}\n", result.trim_start_matches("fleet ")));
        return fleet_page::write(
            fleet_page::Section::Kills,
            "cargo xtask long fleet",
            &rows.collect::<String>(),
        );
    }
    let path = workspace_root().join(FILE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let text = merged(&old, &machine::today(), &machine::describe(), step.name, results);
    fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"))
}

fn merged(old: &str, date: &str, machine: &str, name: &str, results: &[String]) -> String {
    let mut rows: Vec<String> =
        old.lines().filter(|line| line.starts_with("| 2")).map(str::to_owned).collect();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.retain(|row| {
        let cells = cells(row);
        cells.get(2).is_none_or(|cell| cell != machine)
            || cells.get(3).is_none_or(|cell| cell != name)
    });
    for result in results {
        let result = result.replace('|', "/");
        rows.push(format!("| {date} | {machine} | {name} | {result} |"));
    }
    rows.sort_by_key(|row| {
        let name = cells(row).get(3).cloned().unwrap_or_default();
        STEPS.iter().position(|step| step.name == name).unwrap_or(STEPS.len())
    });
    rows.iter().fold(HEAD.to_owned(), |mut text, row| {
        let _ = writeln!(text, "{row}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_of_a_test_that_prints_dots_is_found() {
        // As `cargo test --quiet --nocapture` prints them.
        let printed =
            "running 3 tests\nfleet collectors: 1\n.fleet replicas: 2\n..fleet servers: 3\n.\n";
        let results = results_of(FLEET_RESULTS, printed).expect("all");
        assert_eq!(results, ["fleet collectors: 1", "fleet replicas: 2", "fleet servers: 3"]);
    }

    #[test]
    fn a_step_without_one_of_its_results_has_failed() {
        let printed = "running 2 tests\nfleet collectors: 1\n.fleet servers: 3\n.\n";
        let error = results_of(FLEET_RESULTS, printed).expect_err("one is missing");
        assert!(error.contains("fleet replicas"), "{error}");
        assert_eq!(results_of(&[], printed), Ok(Vec::new()), "its time is the result");
    }

    #[test]
    fn a_result_replaces_the_older_one_of_its_step_and_machine() {
        let one = |text: &str| vec![text.to_owned()];
        let text = merged("", "2026-11-01", "here", "kill", &one("old"));
        let text = merged(&text, "2026-11-02", "there", "kill", &one("stays"));
        let text = merged(&text, "2026-11-03", "here", "soak", &one("a | b"));
        let text = merged(&text, "2026-11-04", "here", "kill", &one("new"));
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| 2")).collect();
        assert_eq!(
            rows,
            [
                "| 2026-11-03 | here | soak | a / b |",
                "| 2026-11-02 | there | kill | stays |",
                "| 2026-11-04 | here | kill | new |",
            ]
        );
        assert!(text.starts_with(HEAD));
    }
}
