//! Reads the Parquet files of an export with another implementation of the format.

use std::process::Command;
use std::time::Duration;

use crate::install;
use crate::run::workspace_root;
use crate::script::{build_programs, program, run_script};
use crate::step::{Outcome, Part};

/// Timeout of the script.
const LIMIT: Duration = Duration::from_secs(300);
const SCRIPT: &str = "xtask/tools/parquet";

/// Compares an export to Parquet with its JSON lines in pyarrow.
pub(crate) fn parts() -> Vec<Part> {
    vec![Part::run("pyarrow", || {
        let programs = match install::python(SCRIPT) {
            Ok(programs) => programs,
            Err(why) => return Outcome::Skip(why),
        };
        if let Err(text) = build_programs(&["bitmart-sandbox", "bitmart"]) {
            return Outcome::Fail(text);
        }
        let mut command = Command::new(programs.join("python"));
        command.arg(workspace_root().join(SCRIPT).join("run.py")).arg(program("bitmart"));
        run_script("parquet", &["--no-limits"], LIMIT, &mut command)
    })]
}
