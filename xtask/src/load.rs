//! `cargo xtask load`: how many orders and frames per second the sandbox handles, and what the console costs.

use std::process::Command;

use crate::TaskResult;
use crate::install;
use crate::report::TOOL;
use crate::run::{cargo, run as run_command, target_folder, workspace_root};

/// The option that measures the console with an open page.
const PAGE: &str = "--page";

/// Builds the sandbox and its load client, both optimized, and runs them.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let mut commands = if arguments.contains(&PAGE) {
        let others: Vec<_> = arguments.iter().copied().filter(|word| *word != PAGE).collect();
        page_commands(&others)?
    } else {
        commands(arguments)
    };
    commands.iter_mut().try_for_each(run_command)
}

pub(crate) fn commands(arguments: &[&str]) -> Vec<Command> {
    let packages = ["--package", "bitmart-sandbox", "--package", "load"];
    let (mut build, mut client) = (cargo(), cargo());
    build.args(["build", "--quiet", "--release"]).args(packages);
    build.args(["--features", "bitmart-sandbox/console"]);
    let program = format!("release/bitmart-sandbox{}", std::env::consts::EXE_SUFFIX);
    let sandbox = target_folder().join(program);
    client.args(["run", "--quiet", "--release", "--package", "load", "--"]);
    client.args(arguments).arg(sandbox);
    vec![build, client]
}

/// The commands that measure the console with an open page. An error is the reason to skip them.
pub(crate) fn page_commands(arguments: &[&str]) -> Result<Vec<Command>, String> {
    let browser = install::browser().ok_or("chromium is not installed")?;
    let modules = install::node(TOOL)?;
    let script = workspace_root().join("xtask/tools/console/follow.js");
    let script = script.to_str().ok_or("the path of the repository is no text")?;
    let mut commands = commands(&[&[PAGE, script, browser], arguments].concat());
    for command in &mut commands {
        command.env("NODE_PATH", &modules);
    }
    Ok(commands)
}
