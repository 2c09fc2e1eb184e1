//! The Parquet files of an export, read with another implementation of the format.

use std::process::Command;
use std::time::Duration;

use crate::install;
use crate::run::{cargo, run, workspace_root};
use crate::script::{build_sandbox, program, run_script};
use crate::step::{Outcome, Part};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(300);
const SCRIPT: &str = "xtask/tools/parquet";

/// An export to Parquet, compared with its JSON lines in pyarrow.
pub(crate) fn parts() -> Vec<Part> {
    vec![Part::run("pyarrow", || {
        let programs = match install::python(SCRIPT) {
            Ok(programs) => programs,
            Err(why) => return Outcome::Skip(why),
        };
        let words = ["build", "--quiet", "--package", "bitmart-cli", "--features", "parquet"];
        if let Err(text) = build_sandbox().and_then(|()| run(cargo().args(words))) {
            return Outcome::Fail(text);
        }
        let mut command = Command::new(programs.join("python"));
        command.arg(workspace_root().join(SCRIPT).join("run.py")).arg(program("bitmart"));
        run_script("parquet", &["--no-limits"], LIMIT, &mut command)
    })]
}
