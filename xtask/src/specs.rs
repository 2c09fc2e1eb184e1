//! `cargo xtask openapi|asyncapi|postman [--check]`: runs the `specs` package. Validates its documents with programs
//! that share no code with this project.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{cargo, run as run_command, workspace_root};
use crate::step::{Outcome, Part};
use crate::{TaskResult, install};

pub(crate) fn run(name: &str, arguments: &[&str]) -> TaskResult {
    run_command(cargo().args(["run", "--quiet", "--package", "specs", "--", name]).args(arguments))
}

/// Validates docs/openapi.json.
pub(crate) fn validate_openapi() -> Vec<Part> {
    let validator = install::python("xtask/tools/openapi");
    vec![validate("openapi-spec-validator", validator, |programs| {
        let mut command = Command::new(programs.join("openapi-spec-validator"));
        command.arg("docs/openapi.json");
        command
    })]
}

/// Validates docs/asyncapi.json with the parser of the `AsyncAPI` initiative, which runs on Node.
pub(crate) fn validate_asyncapi() -> Vec<Part> {
    vec![validate("parser", install::node("xtask/tools/asyncapi"), |modules| {
        let mut command = Command::new("node");
        command.arg("xtask/specs/validate.mjs").arg(modules).arg("docs/asyncapi.json");
        command
    })]
}

fn validate(
    name: &str,
    validator: Result<PathBuf, String>,
    command: impl FnOnce(PathBuf) -> Command,
) -> Part {
    Part::run(name, || match validator {
        Ok(installed) => run_command(command(installed).current_dir(workspace_root())).into(),
        Err(why) => Outcome::Skip(why),
    })
}
