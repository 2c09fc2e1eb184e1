//! Rules of this repository that no other tool checks.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::TaskResult;
use crate::run::workspace_root;

/// Lines that a hand-written source file may have; above the first it is reported.
const HAND_WRITTEN: (usize, usize) = (400, 600);
/// Lines that a generated source file may have.
const GENERATED: usize = 1_000;
/// Marks of unfinished or machine-specific work. Written in halves, so that this file passes.
const BANNED: &[&str] = &[
    concat!("to", "do!("),
    concat!("un", "implemented!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("C:", "\\Users"),
];

/// Checks file sizes, banned words and the facade's features.
pub(crate) fn run() -> TaskResult {
    let root = workspace_root();
    let mut files = Vec::new();
    for folder in ["crates", "examples", "xtask", "docs", ".ci"] {
        collect(&root.join(folder), &mut files).map_err(|error| format!("{folder}: {error}"))?;
    }
    for name in ["README.md", "CHANGELOG.md", "SECURITY.md", "Cargo.toml", "deny.toml"] {
        files.push(root.join(name));
    }
    files.sort();
    let mut faults = Vec::new();
    let mut sizes = Vec::new();
    for path in &files {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        // The hashes in a lock file may spell anything.
        if !name.ends_with("package-lock.json") {
            check_words(&name, &text, &mut faults);
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            check_size(&name, &text, &mut faults, &mut sizes);
        }
    }
    report_sizes(&mut sizes);
    check_facade(&root, &mut faults)?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Names of the runnable examples, in order.
pub(crate) fn example_names() -> Result<Vec<String>, String> {
    let folder = workspace_root().join("examples/examples");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(String::from))
        .collect();
    names.sort();
    Ok(names)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn check_words(name: &str, text: &str, faults: &mut Vec<String>) {
    for (index, line) in text.lines().enumerate() {
        for word in BANNED.iter().filter(|word| line.contains(**word)) {
            faults.push(format!("{name}:{}: contains {word:?}", index + 1));
        }
    }
}

fn check_size(name: &str, text: &str, faults: &mut Vec<String>, sizes: &mut Vec<(usize, String)>) {
    let lines = text.lines().count();
    let generated = text.lines().next().is_some_and(|line| line.contains("@generated"));
    let limit = if generated { GENERATED } else { HAND_WRITTEN.1 };
    if lines > limit {
        faults.push(format!("{name}: {lines} lines, at most {limit} are allowed"));
    }
    if !generated {
        sizes.push((lines, name.to_owned()));
    }
}

fn report_sizes(sizes: &mut [(usize, String)]) {
    sizes.sort();
    let total: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let at = |percent: usize| sizes.get(sizes.len() * percent / 100).map_or(0, |(lines, _)| *lines);
    println!(
        "{} hand-written files, {total} lines, median {}, p90 {}",
        sizes.len(),
        at(50),
        at(90)
    );
    for (lines, name) in sizes.iter().rev().take_while(|(lines, _)| *lines > HAND_WRITTEN.0) {
        println!("  {lines:>4} lines  {name}");
    }
}

/// Every feature of a crate behind the facade can be switched on from the facade.
fn check_facade(root: &Path, faults: &mut Vec<String>) -> TaskResult {
    let facade = manifest(root, "bitmart")?;
    let switches: Vec<&str> =
        table(&facade, "features").flat_map(|(_, list)| words(list)).collect();
    for (name, dependency) in table(&facade, "dependencies") {
        if !name.starts_with("bitmart") {
            continue;
        }
        let always: Vec<&str> = dependency.get("features").map(words).unwrap_or_default();
        let sub_crate = manifest(root, name)?;
        for (feature, _) in table(&sub_crate, "features").filter(|(name, _)| *name != "default") {
            let switched = [format!("{name}/{feature}"), format!("{name}?/{feature}")]
                .iter()
                .any(|switch| switches.contains(&switch.as_str()));
            if !switched && !always.contains(&feature) {
                faults.push(format!("the facade cannot switch on {name}/{feature}"));
            }
        }
    }
    Ok(())
}

fn table<'a>(
    manifest: &'a toml::Table,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a toml::Value)> {
    let entries = manifest.get(name).and_then(toml::Value::as_table);
    entries.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn words(list: &toml::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn manifest(root: &Path, name: &str) -> Result<toml::Table, String> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}
