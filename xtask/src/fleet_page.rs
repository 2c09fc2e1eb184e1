//! The sections of `docs/fleet.md` that commands write.

use std::fmt::Write as _;
use std::fs;

use crate::TaskResult;
use crate::machine;
use crate::run::{cargo, run, run_and_append, workspace_root};

const FILE: &str = "docs/fleet.md";

/// The text between the marks of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// `cargo xtask fleet-figures`.
    Figures,
    /// `cargo xtask long fleet`.
    Kills,
}

impl Section {
    fn name(self) -> &'static str {
        match self {
            Self::Figures => "figures",
            Self::Kills => "kills",
        }
    }
}

/// `cargo xtask fleet-figures`: runs the benches of `bitmart-fleet` and writes their tables. What a bench did not
/// measure is said on the page, and an error after it is written.
pub(crate) fn figures() -> TaskResult {
    let benches = ["budgets", "nats"];
    let bench = |name| {
        let mut command = cargo();
        command.args(["bench", "--quiet", "--package", "bitmart-fleet", "--all-features"]);
        command.args(["--bench", name]);
        command
    };
    for name in benches {
        run(bench(name).arg("--no-run"))?;
    }
    let (mut text, mut failures) = (String::new(), Vec::new());
    for name in benches {
        let mut printed = String::new();
        let result = run_and_append(&mut bench(name), &mut printed);
        if printed.starts_with("skipped") {
            return Err(format!("{FILE} is not written: {}", printed.trim()));
        }
        text.push_str(&printed);
        if let Err(error) = result {
            let _ = writeln!(
                text,
                "\n**The bench `{name}` has failed: what is not above is not measured.**"
            );
            failures.push(error);
        }
        text.push('\n');
    }
    write(Section::Figures, "cargo xtask fleet-figures", &text)?;
    failures.extend(rows_without_figures(&text));
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// The rows that the benches could not measure, with the reasons.
fn rows_without_figures(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.contains("| not measured: ")).map(str::to_owned)
}

/// Replaces a section. Command, date and machine stand above the text.
pub(crate) fn write(section: Section, command: &str, text: &str) -> TaskResult {
    let path = workspace_root().join(FILE);
    let old = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
    let (date, machine) = (machine::today(), machine::describe());
    let text = format!("`{command}`, {date}, on {machine}.\n\n{}\n", text.trim());
    fs::write(&path, replaced(&old, section, &text)?)
        .map_err(|error| format!("{FILE}: {error}"))?;
    println!("{FILE} is written");
    Ok(())
}

fn replaced(old: &str, section: Section, text: &str) -> Result<String, String> {
    let name = section.name();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let parts = old.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("{FILE} has no marks of `{name}`"))?;
    Ok([before, &begin, text, &end, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_figures_are_found() {
        let text =
            "| 100 | 1 | 5 ms | 1 | 2 |\n| 2300 | 4 | not measured: after 60 s 7 of 2300 |\n";
        let rows: Vec<_> = rows_without_figures(text).collect();
        assert_eq!(rows, ["| 2300 | 4 | not measured: after 60 s 7 of 2300 |"]);
    }

    #[test]
    fn the_page_has_both_sections_and_a_run_replaces_its_own() {
        let page = fs::read_to_string(workspace_root().join(FILE)).expect("a page");
        let once = replaced(&page, Section::Figures, "new figures\n").expect("marks");
        let twice = replaced(&once, Section::Kills, "new kills\n").expect("marks");
        assert!(twice.contains("new figures\n") && twice.contains("new kills\n"));
        assert_eq!(replaced(&twice, Section::Kills, "new kills\n"), Ok(twice.clone()));
        assert!(replaced("no marks", Section::Kills, "").is_err());
    }
}
