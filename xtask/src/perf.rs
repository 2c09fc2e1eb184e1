//! `cargo xtask perf [--check [--base REVISION]]`: instructions of the hot paths.
//!
//! Instructions are the same in every run, unlike times. `--check` compares them with the committed ones, which are
//! valid for one toolchain on one kind of machine. Elsewhere it builds another revision in a work tree of its own, and
//! compares the two on this machine.

mod base;
mod count;
mod file;

use crate::TaskResult;
use crate::install::has;
use crate::machine;
use crate::run::output;
use crate::stats::grouped;
use count::Counts;
use file::Recorded;

const USAGE: &str = "usage: cargo xtask perf [--check [--base REVISION]]";

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let (check, base) = match arguments {
        [] => (false, None),
        ["--check"] => (true, None),
        ["--check", "--base", revision] => (true, Some(*revision)),
        _ => return Err(USAGE.to_owned()),
    };
    if !has("valgrind") {
        if check {
            println!("skipped: valgrind, which counts instructions, is not installed");
            return Ok(());
        }
        return Err("valgrind, which counts instructions, is not installed".to_owned());
    }
    let here = Platform { toolchain: toolchain()?, machine: machine::describe() };
    let now = count::all(&count::build()?)?;
    if !check {
        return file::write(&Recorded::new(here, now));
    }
    let recorded = file::read()?;
    if base.is_none() && recorded.platform() == here {
        println!("compared with {}, for this toolchain and machine:", file::FILE);
        return compare(&recorded.instructions, &now, recorded.tolerance_percent);
    }
    let revision = if let Some(revision) = base {
        revision.to_owned()
    } else {
        println!("{} is of {}", file::FILE, recorded.platform());
        base::default_revision()?
    };
    println!("compared with revision {revision}, built and counted here:");
    if let Some(before) = base::count(&revision)? {
        return compare(&before, &now, recorded.tolerance_percent);
    }
    println!("skipped: that revision has no hot paths to count");
    Ok(())
}

/// The compiler, processor and libraries, on which instruction counts depend besides the code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Platform {
    toolchain: String,
    machine: String,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.toolchain, self.machine)
    }
}

fn toolchain() -> Result<String, String> {
    let text = output(std::process::Command::new("rustc").arg("--version"))?;
    Ok(text.trim().to_owned())
}

/// Prints each path; an error names those that need more instructions than the tolerance allows, or are gone.
fn compare(before: &Counts, now: &Counts, tolerance_percent: u64) -> TaskResult {
    let mut faults = Vec::new();
    for (name, before) in before {
        let Some(now) = now.get(name) else {
            faults.push(format!("{name} is not counted any more"));
            continue;
        };
        let tenths = (now.abs_diff(*before) * 1_000 + before / 2) / (*before).max(1);
        let sign = if now < before { '-' } else { '+' };
        let change = format!("{sign}{}.{} %", tenths / 10, tenths % 10);
        println!("  {name:<22} {:>12} {:>12} {change:>9}", grouped(*before), grouped(*now));
        if now * 100 > before * (100 + tolerance_percent) {
            faults.push(format!(
                "{name}: {change} instructions, at most +{tolerance_percent} % are tolerated"
            ));
        }
    }
    for (name, count) in now.iter().filter(|(name, _)| !before.contains_key(*name)) {
        println!("  {name:<22} {:>12} {:>12}", "new", grouped(*count));
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.push("a wanted change is recorded by `cargo xtask perf`".to_owned());
    Err(faults.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: &[(&str, u64)]) -> Counts {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn more_instructions_than_tolerated_fail_and_fewer_do_not() {
        let before = counts(&[("sign", 1_000), ("decode", 1_000)]);
        assert_eq!(compare(&before, &counts(&[("sign", 1_020), ("decode", 500)]), 2), Ok(()));
        let error = compare(&before, &counts(&[("sign", 1_021), ("decode", 1_000)]), 2);
        let error = error.expect_err("one path is slower");
        assert!(error.contains("sign: +2.1 %") && !error.contains("decode:"), "{error}");
    }

    #[test]
    fn a_path_that_disappears_fails_and_a_new_one_does_not() {
        let before = counts(&[("sign", 1_000)]);
        assert_eq!(compare(&before, &counts(&[("sign", 1_000), ("new", 1)]), 2), Ok(()));
        let error = compare(&before, &counts(&[("new", 1)]), 2).expect_err("it is gone");
        assert!(error.contains("sign is not counted any more"), "{error}");
    }
}
