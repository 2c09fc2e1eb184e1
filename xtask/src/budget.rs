//! Limits the number of crates in the dependency tree of each part of the workspace.

use std::collections::BTreeSet;

use crate::TaskResult;
use crate::run::{cargo, output};

/// Package, extra arguments of `cargo tree`, and the maximum number of crates in its tree, itself included.
const BUDGETS: &[(&str, &[&str], usize)] = &[
    ("bitmart", &[], 95),
    // Proxies: bitmart-net, and base64 and ipnet of hyper-util's `client-proxy`.
    ("bitmart-rest", &[], 65),
    ("bitmart-rest", &["--no-default-features"], 32),
    ("bitmart-ws", &["--no-default-features"], 40),
    ("bitmart-net", &[], 58),
    ("bitmart-auth", &[], 16),
    ("bitmart-types", &[], 24),
    ("bitmart-fleet", &["--features", "redis"], 110),
    ("bitmart-fleet", &["--features", "nats"], 140),
    ("bitmart-fleet", &["--features", "account"], 150),
    ("bitmart-cli", &["--no-default-features"], 150),
    ("bitmart-cli", &[], 215),
];

/// Crates that no tree may contain: another TLS or C crypto stack.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];

/// Crates that only the program may depend on.
const PROGRAM_ONLY: &[&str] = &[
    "askama",
    "async-nats",
    "bitmart-fleet",
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

/// Crates that the sandbox may depend on as well: it checks the owner of its data folder, and its console has pages and
/// plots.
const SANDBOX_TOO: &[&str] = &["askama", "plotters", "rustix"];

/// Crates that no client and no program may depend on: shared budgets are for programs of several machines.
const FLEET_ONLY: &[&str] = &["redis"];

/// Counts and compares. Prints a line for each tree.
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
    let program = tree("bitmart-cli", &["--all-features"])?;
    for name in with_sandbox.iter().chain(&program).filter_map(|line| line.split(' ').next()) {
        if FLEET_ONLY.contains(&name) {
            over.push(format!("{name} is for fleets and must not reach the clients"));
        }
    }
    for (library, allowed) in [(clients, &[][..]), (with_sandbox, SANDBOX_TOO)] {
        for name in library.iter().filter_map(|line| line.split(' ').next()) {
            if PROGRAM_ONLY.contains(&name) && !allowed.contains(&name) {
                over.push(format!("{name} is for the program and must not reach a library"));
            }
        }
    }
    if over.is_empty() { Ok(()) } else { Err(over.join("\n")) }
}

/// Name and version of every crate that normal or build dependencies reach.
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
