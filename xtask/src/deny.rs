//! `cargo xtask deny`: `cargo deny` with the rules of `deny.toml`, for the workspace and for `fuzz/`.

use std::path::Path;
use std::process::Command;

use crate::TaskResult;
use crate::install::{self, Missing};
use crate::run::{run as run_command, workspace_root};
use crate::step::{self, Outcome, Part};

/// Runs all checks. Installs the tool if it is missing, which takes minutes.
pub(crate) fn run() -> TaskResult {
    let parts = run_checks(Missing::Install);
    println!();
    step::finish(&parts)
}

/// Runs all checks as parts of `cargo xtask test`; skips them if the tool is missing.
pub(crate) fn parts() -> Vec<Part> {
    run_checks(Missing::Skip)
}

fn run_checks(missing: Missing) -> Vec<Part> {
    let tool = install::cargo_deny(missing);
    let part = |name: &str, check: &dyn Fn(&Path) -> Outcome| {
        Part::run(name, || match &tool {
            Ok(tool) => check(tool),
            Err(why) => Outcome::Skip(why.clone()),
        })
    };
    let rules = |tool: &Path| check(tool, "Cargo.toml", &["bans", "licenses", "sources"]).into();
    let fuzz =
        |tool: &Path| check(tool, "fuzz/Cargo.toml", &["bans", "licenses", "sources"]).into();
    vec![part("rules", &rules), part("rules-of-fuzz", &fuzz), part("advisories", &advisories)]
}

fn deny(tool: &Path, manifest: &str) -> Command {
    let root = workspace_root();
    let mut command = Command::new(tool);
    command.current_dir(&root).args(["--manifest-path"]).arg(root.join(manifest));
    command.args(["--log-level", "error"]);
    command
}

fn check(tool: &Path, manifest: &str, checks: &[&str]) -> TaskResult {
    let mut command = deny(tool, manifest);
    run_command(
        command.arg("--config").arg(workspace_root().join("deny.toml")).arg("check").args(checks),
    )
}

/// Known vulnerabilities of dependencies. Skipped if the database cannot be downloaded.
fn advisories(tool: &Path) -> Outcome {
    if run_command(deny(tool, "Cargo.toml").args(["fetch", "db"])).is_err() {
        return Outcome::Skip("the advisory database cannot be downloaded".to_owned());
    }
    check(tool, "Cargo.toml", &["advisories"]).into()
}
