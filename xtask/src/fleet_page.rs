//! The sections of `docs/fleet.md` that commands write.

use std::fs;

use crate::TaskResult;
use crate::machine;
use crate::run::{cargo, run_and_capture, workspace_root};

const FILE: &str = "docs/fleet.md";

/// What is between the marks of a section.
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

/// `cargo xtask fleet-figures`: runs the benches of `bitmart-fleet` and writes their tables.
pub(crate) fn figures() -> TaskResult {
    let mut text = String::new();
    for bench in ["budgets", "nats"] {
        let mut command = cargo();
        command.args(["bench", "--quiet", "--package", "bitmart-fleet", "--all-features"]);
        let printed = run_and_capture(command.args(["--bench", bench]))?;
        if printed.starts_with("skipped") {
            return Err(format!("{FILE} is not written: {}", printed.trim()));
        }
        text.push_str(&printed);
        text.push('\n');
    }
    write(Section::Figures, "cargo xtask fleet-figures", &text)
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
    fn the_page_has_both_sections_and_a_run_replaces_its_own() {
        let page = fs::read_to_string(workspace_root().join(FILE)).expect("a page");
        let once = replaced(&page, Section::Figures, "new figures\n").expect("marks");
        let twice = replaced(&once, Section::Kills, "new kills\n").expect("marks");
        assert!(twice.contains("new figures\n") && twice.contains("new kills\n"));
        assert_eq!(replaced(&twice, Section::Kills, "new kills\n"), Ok(twice.clone()));
        assert!(replaced("no marks", Section::Kills, "").is_err());
    }
}
