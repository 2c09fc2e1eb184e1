//! `cargo xtask load`: how many orders and frames per second the sandbox handles.

use std::process::Command;

use crate::TaskResult;
use crate::run::{cargo, run as run_command, target_folder};

/// Builds the sandbox and its load client, both optimized, and runs them.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    commands(arguments).iter_mut().try_for_each(run_command)
}

pub(crate) fn commands(arguments: &[&str]) -> [Command; 2] {
    let packages = ["--package", "bitmart-sandbox", "--package", "load"];
    let (mut build, mut client) = (cargo(), cargo());
    build.args(["build", "--quiet", "--release"]).args(packages);
    build.args(["--features", "bitmart-sandbox/console"]);
    let program = format!("release/bitmart-sandbox{}", std::env::consts::EXE_SUFFIX);
    let sandbox = target_folder().join(program);
    client.args(["run", "--quiet", "--release", "--package", "load", "--"]);
    client.args(arguments).arg(sandbox);
    [build, client]
}
