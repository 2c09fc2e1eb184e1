//! `docs/rules.md`: the rules of the simulated exchange and their sources, from comments of its code.
//!
//! A rule is a comment that begins with `// Rule:` and ends with its sources, on as many lines as it needs:
//!
//! ```text
//! // Rule: A loan is at least 10 of the quote. Source: documented (endpoint margin_pairs);
//! // simplified (the same for every pair)
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::File;
use super::description::Section;

const CODE: &str = "crates/bitmart-sim/src";
const FIXTURES: &str = "crates/bitmart-rest";
const KINDS: [&str; 4] = ["documented", "captured", "simplified", "invented"];

/// Headings, and the files below [`CODE`] whose rules they hold: the first that fits counts.
const HEADINGS: [(&str, &[&str]); 11] = [
    ("Spot", &["spot", "rules/spot"]),
    ("Funding rate", &["futures/funding"]),
    ("Liquidation", &["futures/liquidation", "margin/liquidation"]),
    ("Futures", &["futures", "rules/futures", "position"]),
    ("Trigger orders", &["trigger"]),
    ("Isolated margin", &["margin"]),
    ("Savings", &["savings"]),
    ("Deposits, withdrawals and transfers", &["payment", "transfer", "rules/wallet"]),
    ("The operator", &["operator", "control"]),
    ("Market model and markets", &["market_maker", "order_flow", "markets", "tape"]),
    ("All markets", &[""]),
];

/// A rule, and one of its sources.
struct Rule {
    heading: usize,
    kind: usize,
    text: String,
    detail: String,
    place: String,
}

pub(crate) fn render(root: &Path, sections: &[Section]) -> Result<File, String> {
    let ids = sections.iter().flat_map(|section| &section.endpoints).map(|one| one.id.as_str());
    let ids: BTreeSet<&str> = ids.collect();
    let mut paths = Vec::new();
    collect(&root.join(CODE), &mut paths)?;
    paths.sort();
    let mut rules = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        rules.extend(read(&name, &text)?);
    }
    for rule in &rules {
        check(root, rule, &ids)?;
    }
    Ok(File { path: "docs/rules.md".into(), text: page(&rules) })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let explain = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(explain)? {
        let path = entry.map_err(explain)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The rules of a file, one for each of their sources.
fn read(name: &str, text: &str) -> Result<Vec<Rule>, String> {
    let file = name.strip_prefix(CODE).unwrap_or(name).trim_start_matches('/');
    let fits = |row: &(&str, &[&str])| row.1.iter().any(|start| file.starts_with(start));
    let heading = HEADINGS.iter().position(fits).unwrap_or(HEADINGS.len() - 1);
    let mut rules = Vec::new();
    let mut lines = text.lines().map(str::trim).zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let Some(start) = line.strip_prefix("// Rule: ") else { continue };
        let place = format!("{name}:{number}");
        let mut whole = start.to_owned();
        while !whole.ends_with(')') || !whole.contains(" Source: ") {
            let next = lines.next_if(|(line, _)| line.starts_with("// "));
            let Some((line, _)) = next else { break };
            whole = format!("{whole} {}", line.trim_start_matches("//").trim());
        }
        let (text, sources) =
            whole.split_once(" Source: ").ok_or(format!("{place}: the rule has no source"))?;
        for source in sources.split("); ") {
            let source = source.trim_end_matches(')');
            let (kind, detail) = source.split_once(" (").unwrap_or((source, ""));
            let kind = KINDS
                .iter()
                .position(|known| *known == kind)
                .filter(|_| !detail.is_empty())
                .ok_or(format!("{place}: a source is one of {KINDS:?}, with (why) behind it"))?;
            rules.push(Rule {
                heading,
                kind,
                text: text.to_owned(),
                detail: detail.to_owned(),
                place: place.clone(),
            });
        }
    }
    Ok(rules)
}

/// Endpoints and fixtures that a source names exist, and a capture names its file.
fn check(root: &Path, rule: &Rule, ids: &BTreeSet<&str>) -> Result<(), String> {
    let Rule { detail, place, .. } = rule;
    let words = || detail.split([' ', ',']);
    for (word, id) in words().zip(words().skip(1)) {
        if word == "endpoint" && !ids.contains(id) {
            return Err(format!("{place}: there is no endpoint `{id}`"));
        }
    }
    let files: Vec<_> = words().filter(|word| word.starts_with("fixtures/")).collect();
    for file in &files {
        if !root.join(FIXTURES).join(file).exists() {
            return Err(format!("{place}: there is no {FIXTURES}/{file}"));
        }
    }
    let names_none = KINDS[rule.kind] == "captured" && files.is_empty();
    if names_none { Err(format!("{place}: a capture names its file")) } else { Ok(()) }
}

fn page(rules: &[Rule]) -> String {
    let mut text = format!(
        "<!-- @generated by `cargo xtask codegen` from {CODE}. Do not edit. -->\n\n\
         # Rules of the simulated exchange\n\n\
         Every rule of [`bitmart-sim`](../{CODE}/lib.rs) with its source. Documented: the exchange's \
         documentation or one of its samples. Captured: a recorded response. Simplified: known in part, \
         or the common practice. Invented: no source says anything. A rule with two sources is listed \
         twice.\n"
    );
    for (at, (heading, _)) in HEADINGS.iter().enumerate() {
        let mut kinds: BTreeMap<usize, Vec<&Rule>> = BTreeMap::new();
        for rule in rules.iter().filter(|rule| rule.heading == at) {
            kinds.entry(rule.kind).or_default().push(rule);
        }
        if kinds.is_empty() {
            continue;
        }
        let _ = write!(text, "\n## {heading}\n");
        for (kind, rules) in kinds {
            let name = KINDS[kind];
            let _ = write!(text, "\n### {heading}: {name}\n\n");
            for rule in rules {
                let (path, _) = rule.place.rsplit_once(':').unwrap_or((&rule.place, ""));
                let file = path.trim_start_matches(CODE).trim_start_matches('/');
                let _ = writeln!(text, "- {} [{file}](../{path}): {}.", rule.text, rule.detail);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CODE, HEADINGS, check, page, read};

    fn file(name: &str) -> String {
        format!("{CODE}/{name}")
    }

    #[test]
    fn a_rule_has_a_line_for_each_of_its_sources() {
        let code = "/// Doc.\n// Rule: A loan is small. Source: documented (endpoint a_b);\n\
                    //  simplified (why,\n// indeed)\n// Not of it.\nfn f() {}\n";
        let rules = read(&file("margin.rs"), code).expect("a rule");
        assert_eq!(rules.len(), 2);
        assert_eq!(HEADINGS[rules[0].heading].0, "Isolated margin");
        let text = page(&rules);
        assert!(text.contains("### Isolated margin: documented\n\n- A loan is small."), "{text}");
        assert!(text.contains("): why, indeed.\n"), "{text}");
    }

    #[test]
    fn a_rule_without_a_known_source_is_a_fault() {
        for code in
            ["// Rule: A.", "// Rule: A. Source: guessed (why)", "// Rule: A. Source: invented"]
        {
            assert!(read(&file("spot.rs"), code).is_err(), "{code}");
        }
    }

    #[test]
    fn endpoints_and_captures_that_do_not_exist_are_faults() {
        let ids = BTreeSet::from(["known"]);
        for (source, is_fine) in [
            ("documented (endpoint known)", true),
            ("documented (endpoint unknown)", false),
            ("captured (seen)", false),
            ("captured (fixtures/captured/nothing.json)", false),
            ("captured (fixtures/captured/spot-order-market-buy-partially_canceled.json)", true),
        ] {
            let rules = read(&file("spot.rs"), &format!("// Rule: A. Source: {source}"));
            let rule = &rules.expect("a rule")[0];
            assert_eq!(
                check(&crate::run::workspace_root(), rule, &ids).is_ok(),
                is_fine,
                "{source}"
            );
        }
    }
}
