//! `cargo xtask openapi [--check]`, which lives in a program of its own, and its validation.

use std::path::PathBuf;
use std::process::Command;

use crate::TaskResult;
use crate::run::{cargo, run as run_command, workspace_root};

/// Names the validator's program; `.ci/run` installs it.
const VALIDATOR: &str = "BITMART_OPENAPI_VALIDATOR";

/// Where `.ci/run` installs the validator, below the workspace root.
const INSTALLED: &str = "target/validator/bin/openapi-spec-validator";

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    run_command(cargo().args(["run", "--quiet", "--package", "openapi", "--"]).args(arguments))
}

/// Gives the document to a validator that shares no code with this project.
pub(crate) fn validate() -> TaskResult {
    let named = std::env::var_os(VALIDATOR).map(PathBuf::from);
    let installed = Some(workspace_root().join(INSTALLED)).filter(|path| path.exists());
    let Some(program) = named.or(installed) else {
        println!(
            "NOT VALIDATED: no openapi-spec-validator. `.ci/run` installs it; or name one in {VALIDATOR}."
        );
        return Ok(());
    };
    run_command(Command::new(program).current_dir(workspace_root()).arg("docs/openapi.json"))
}
