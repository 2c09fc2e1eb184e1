//! `cargo xtask long [STEP…]`: what takes too long for every day. The figures go into `docs/long.md`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::run::{cargo, run_and_keep, workspace_root};
use crate::step::{self, Outcome, Part};
use crate::{TaskResult, load, soak};

/// Where the figures are kept.
const FILE: &str = "docs/long.md";

const HEAD: &str = "\
# What runs for long

Written by `cargo xtask long`, which runs what takes too long for every day. Each line is the last
run of a step on a machine: the program printed the figure itself, in an optimised build. A step that
failed leaves no figure.

| date | machine | what | figure |
|---|---|---|---|
";

/// A program that runs for long and prints what it came to.
struct Step {
    name: &'static str,
    about: &'static str,
    /// What prepares it and what it is; an error says what is not here, and it is skipped.
    commands: Commands,
    /// The begins of the lines that are its figures. With none of them its time is the figure.
    figures: &'static [&'static str],
}

/// A step is added in a line here, with a function that gives its commands.
const STEPS: &[Step] = &[
    step("soak", "100,000 orders with every fault on every edge", || Ok(soak()), &["soak "]),
    step("proof", "1,000,000 cases of what is proven of an account", || Ok(proof()), &["proof: "]),
    step("kill", "500 kills of the sandbox lose nothing acknowledged", kill, &[]),
    step("export", "100,000 orders exported with 20 kills", || Ok(export()), &["exported "]),
    step(
        "load",
        "what the sandbox bears",
        || Ok(load::commands(&[])),
        &["idle: ", "orders: ", "frames: "],
    ),
    step(
        "endurance",
        "10 minutes of attacks on streams",
        || Ok(endurance()),
        &["fills: ", "books: "],
    ),
];

type Commands = fn() -> Result<Vec<Command>, String>;

const fn step(
    name: &'static str,
    about: &'static str,
    commands: Commands,
    figures: &'static [&'static str],
) -> Step {
    Step { name, about, commands, figures }
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

/// Runs the named steps, or all of them, and keeps their figures.
pub(crate) fn run(names: &[&str]) -> TaskResult {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step is called {unknown}; the steps are {}", known.join(", ")));
    }
    let mut parts = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n==> {}: {}", step.name, step.about);
        let mut figures = Vec::new();
        let part = Part::run(step.name, || measure(step, &mut figures));
        if part.outcome == Outcome::Pass {
            if figures.is_empty() {
                figures.push(format!("passed in {}", step::seconds(part.time).trim()));
            }
            keep(step, &figures)?;
        }
        parts.push(part);
    }
    println!("\n{}", step::report(&parts));
    step::verdict(&parts)
}

fn measure(step: &Step, figures: &mut Vec<String>) -> Outcome {
    let mut printed = String::new();
    let commands = match (step.commands)() {
        Ok(commands) => commands,
        Err(why) => return Outcome::Skip(why),
    };
    for mut command in commands {
        match run_and_keep(&mut command) {
            Ok(text) => printed.push_str(&text),
            Err(error) => return Outcome::Fail(error),
        }
    }
    let wanted = |line: &&str| step.figures.iter().any(|begin| line.starts_with(begin));
    figures.extend(printed.lines().filter(wanted).map(str::to_owned));
    if figures.is_empty() && !step.figures.is_empty() {
        return Outcome::Fail("it printed none of its figures".to_owned());
    }
    Outcome::Pass
}

/// Writes the figures in place of what the step came to on this machine before.
fn keep(step: &Step, figures: &[String]) -> TaskResult {
    let path = workspace_root().join(FILE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let text = merged(&old, &day(since), &machine(), step.name, figures);
    fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"))
}

fn merged(old: &str, date: &str, machine: &str, name: &str, figures: &[String]) -> String {
    let mut rows: Vec<String> =
        old.lines().filter(|line| line.starts_with("| 2")).map(str::to_owned).collect();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.retain(|row| {
        let cells = cells(row);
        cells.get(2).is_none_or(|cell| cell != machine)
            || cells.get(3).is_none_or(|cell| cell != name)
    });
    for figure in figures {
        let figure = figure.replace('|', "/");
        rows.push(format!("| {date} | {machine} | {name} | {figure} |"));
    }
    let place = |row: &String| {
        let name = cells(row).get(3).cloned().unwrap_or_default();
        STEPS.iter().position(|step| step.name == name).unwrap_or(STEPS.len())
    };
    rows.sort_by_key(place);
    rows.iter().fold(HEAD.to_owned(), |mut text, row| {
        let _ = writeln!(text, "{row}");
        text
    })
}

/// Cores, processor and system: what makes figures comparable, and nothing that names the machine.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{cores} cores, {model}, {}", std::env::consts::OS)
}

/// The date of a time in seconds since 1970, as `2026-11-29`.
fn day(seconds: u64) -> String {
    let mut days = seconds / 86_400;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let dates = [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_735_689_599, "2024-12-31"),
            (1_795_910_400, "2026-11-29"),
        ];
        for (seconds, date) in dates {
            assert_eq!(day(seconds), date);
        }
    }

    #[test]
    fn a_figure_takes_the_place_of_the_older_one_of_its_step_and_machine() {
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
