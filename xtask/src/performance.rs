//! `docs/performance.md` and its plots. `bounds`, `peers`, `growth` and `sandbox-figures` each replace their
//! own section.

use std::fs;

use crate::TaskResult;
use crate::machine;
use crate::run::workspace_root;

const FILE: &str = "docs/performance.md";
const PLOTS: &str = "docs/performance";

const HEAD: &str = "\
# Performance

Written by `cargo xtask bounds`, `peers`, `growth` and `sandbox-figures`; `cargo xtask perf` counts instructions. Each
table says what is compared, and how. The figures of a section are from the machine below its title; ratios carry over
to other machines better than times do.
";

/// The sections, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// `cargo xtask bounds`: the hot paths against what is possible.
    Bounds,
    /// `cargo xtask peers`: this SDK against other clients.
    Peers,
    /// `cargo xtask growth`: what a unit costs as its number grows.
    Growth,
    Sandbox,
}

impl Section {
    const ALL: [Self; 4] = [Self::Bounds, Self::Peers, Self::Growth, Self::Sandbox];

    fn name(self) -> &'static str {
        match self {
            Self::Bounds => "bounds",
            Self::Peers => "peers",
            Self::Growth => "growth",
            Self::Sandbox => "sandbox",
        }
    }

    /// The comments around the section, which no reader of the page sees.
    fn marks(self) -> (String, String) {
        (format!("<!-- {} -->\n", self.name()), format!("<!-- end of {} -->\n", self.name()))
    }
}

/// Replaces a section. The command and the circumstances of the run stand below its title.
pub(crate) fn write(section: Section, title: &str, command: &str, text: &str) -> TaskResult {
    let path = workspace_root().join(FILE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let (date, machine) = (machine::today(), machine::describe());
    let text = format!("## {title}\n\n`{command}`, {date}, on {machine}.\n\n{}\n", text.trim());
    fs::write(&path, replaced(&old, section, &text)).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{FILE} is written");
    Ok(())
}

/// Writes a plot and returns the Markdown that shows it.
pub(crate) fn plot(name: &str, about: &str, svg: &str) -> Result<String, String> {
    let folder = workspace_root().join(PLOTS);
    let path = folder.join(format!("{name}.svg"));
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, svg))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("![{about}](performance/{name}.svg)\n"))
}

/// The page with a section replaced or added. The head is written again, and what is outside of sections is left out.
fn replaced(old: &str, section: Section, text: &str) -> String {
    let mut page = HEAD.to_owned();
    for each in Section::ALL {
        let (begin, end) = each.marks();
        let present = old
            .split_once(&begin)
            .and_then(|(_, rest)| rest.split_once(&end))
            .map(|(present, _)| present);
        let content = if each == section { Some(text) } else { present };
        if let Some(content) = content {
            page = page + "\n" + &begin + content + &end;
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_replaces_its_own_section_and_leaves_the_other_alone() {
        let page = replaced("", Section::Growth, "growth 1\n");
        let page = replaced(&page, Section::Peers, "peers 1\n");
        let page = replaced(&page, Section::Growth, "growth 2\n");
        assert!(page.starts_with(HEAD));
        assert!(page.contains("peers 1\n") && page.contains("growth 2\n"), "{page}");
        assert!(!page.contains("growth 1"), "{page}");
        assert!(page.find("peers 1") < page.find("growth 2"), "in the order of the page: {page}");
        assert_eq!(replaced(&page, Section::Peers, "peers 1\n"), page, "nothing else changes");
    }
}
