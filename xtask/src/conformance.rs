//! Checks recorded traffic against the models with the `conformance` package. This program does not link the models
//! itself, so that it can regenerate code that does not compile.

use std::path::absolute;

use crate::TaskResult;
use crate::run::{cargo, run as run_program};

/// Runs `cargo xtask conformance DIR... [--known-only]`.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "conformance", "--"]);
    for argument in arguments {
        if argument.starts_with("--") {
            command.arg(argument);
        } else {
            command.arg(absolute(argument).map_err(|error| format!("{argument}: {error}"))?);
        }
    }
    // The package has reported everything; its last line stays the last.
    run_program(&mut command).map_err(|_| String::new())
}
