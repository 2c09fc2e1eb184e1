//! `cargo xtask openapi|asyncapi [--check]`, which live in a program of their own, and the validation
//! of what they write by programs that share no code with this project.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::TaskResult;
use crate::run::{cargo, run as run_command, workspace_root};

pub(crate) fn run(name: &str, arguments: &[&str]) -> TaskResult {
    run_command(cargo().args(["run", "--quiet", "--package", "specs", "--", name]).args(arguments))
}

/// Gives docs/openapi.json to a validator.
pub(crate) fn validate_openapi() -> TaskResult {
    let installed = "target/validator/bin/openapi-spec-validator";
    validate("BITMART_OPENAPI_VALIDATOR", installed, |program| {
        let mut command = Command::new(program);
        command.arg("docs/openapi.json");
        command
    })
}

/// Gives docs/asyncapi.json to the parser of the `AsyncAPI` initiative, which runs on node.
pub(crate) fn validate_asyncapi() -> TaskResult {
    validate("BITMART_ASYNCAPI_VALIDATOR", "target/asyncapi/node_modules", |modules| {
        let mut command = Command::new("node");
        command.arg("xtask/specs/validate.mjs").arg(modules).arg("docs/asyncapi.json");
        command
    })
}

/// Runs the validator that `variable` names, or the one that `.ci/run` has installed.
fn validate(
    variable: &str,
    installed: &str,
    command: impl FnOnce(PathBuf) -> Command,
) -> TaskResult {
    let root = workspace_root();
    match find(std::env::var_os(variable), &root.join(installed)) {
        Ok(Some(validator)) => run_command(command(validator).current_dir(root)),
        Ok(None) => {
            println!("NOT VALIDATED: `.ci/run` installs the validator; or name one in {variable}.");
            Ok(())
        }
        Err(missing) => Err(format!("{variable} names {missing}, which is not there")),
    }
}

/// A validator that was named must be there: its absence is no reason to pass.
fn find(named: Option<OsString>, installed: &Path) -> Result<Option<PathBuf>, String> {
    match named.map(PathBuf::from) {
        Some(named) if named.exists() => Ok(Some(named)),
        Some(named) => Err(named.display().to_string()),
        None => Ok(installed.exists().then(|| installed.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_validator_must_be_there() {
        let (here, gone) = (workspace_root(), workspace_root().join("gone"));
        assert_eq!(find(None, &gone), Ok(None));
        assert_eq!(find(None, &here), Ok(Some(here.clone())));
        assert_eq!(find(Some(here.clone().into()), &gone), Ok(Some(here.clone())));
        assert!(find(Some(gone.into()), &here).is_err());
    }
}
