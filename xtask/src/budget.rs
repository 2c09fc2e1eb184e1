//! How many crates each part of the workspace brings along, against a limit.

use std::collections::BTreeSet;

use crate::TaskResult;
use crate::run::{cargo, output};

/// Package, extra arguments of `cargo tree`, and the most crates its tree may have, itself included.
const BUDGETS: &[(&str, &[&str], usize)] = &[
    ("bitmart", &[], 95),
    ("bitmart-rest", &[], 62),
    ("bitmart-rest", &["--no-default-features"], 32),
    ("bitmart-ws", &["--no-default-features"], 40),
    ("bitmart-auth", &[], 16),
    ("bitmart-types", &[], 24),
    ("bitmart-cli", &["--no-default-features"], 150),
    ("bitmart-cli", &[], 190),
];

/// What must never be in any tree: another TLS or C crypto stack.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];

/// What only the program may bring, and no library.
const PROGRAM_ONLY: &[&str] = &[
    "askama",
    "clap",
    "clap_complete",
    "clap_mangen",
    "comfy-table",
    "csv",
    "jiff",
    "keyring",
    "parquet",
    "plotters",
    "ratatui",
    "rustix",
    "toml_edit",
];

/// What the sandbox may bring as well: it asks the system whose its data folder is.
const SANDBOX_TOO: &[&str] = &["rustix"];

/// Counts and compares; prints a line for each tree.
pub(crate) fn run() -> TaskResult {
    let mut over = Vec::new();
    for (package, arguments, limit) in BUDGETS {
        let crates = tree(package, arguments)?;
        let what = format!("{package} {}", arguments.join(" "));
        println!("{:>3} of {limit:>3} crates  {what}", crates.len());
        if crates.len() > *limit {
            over.push(format!("{what} has {} crates, {limit} are allowed", crates.len()));
        }
    }
    let everything = tree("examples", &["--workspace"])?;
    for name in everything.iter().filter_map(|line| line.split(' ').next()) {
        if BANNED.contains(&name) {
            over.push(format!("{name} must not be in the tree"));
        }
    }
    let clients = tree("bitmart", &[])?;
    let with_sandbox = tree("bitmart", &["--all-features"])?;
    for (library, allowed) in [(clients, &[][..]), (with_sandbox, SANDBOX_TOO)] {
        for name in library.iter().filter_map(|line| line.split(' ').next()) {
            if PROGRAM_ONLY.contains(&name) && !allowed.contains(&name) {
                over.push(format!("{name} is for the program and must not reach a library"));
            }
        }
    }
    if over.is_empty() { Ok(()) } else { Err(over.join("\n")) }
}

/// Name and version of every crate that a normal or build dependency leads to.
fn tree(package: &str, arguments: &[&str]) -> Result<BTreeSet<String>, String> {
    let text = output(
        cargo()
            .args(["tree", "--package", package, "--edges", "no-dev", "--prefix", "none"])
            .args(["--format", "{p}", "--locked"])
            .args(arguments),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect())
}
