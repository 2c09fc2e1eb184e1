//! Tax tools import what `bitmart tax` writes. The test itself belongs to the program (`tests/cli/tax.rs`); this module
//! installs the tools and runs it.

use crate::install;
use crate::run::{cargo_workspace, run as run_command};
use crate::step::Outcome;

/// Pinned versions of the tools, and the script that calls them.
const PINS: &str = "crates/bitmart-cli/tests/tax_tools";

pub(super) fn run() -> Outcome {
    let python = match install::python(PINS) {
        Ok(programs) => programs.join("python"),
        Err(why) => return Outcome::Skip(why),
    };
    let mut test = cargo_workspace("test");
    test.args(["--test", "cli", "--", "--ignored", "tax::"]);
    run_command(test.env("BITMART_TAX_PYTHON", python)).into()
}
