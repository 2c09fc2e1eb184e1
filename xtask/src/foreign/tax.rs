//! Tools for taxes import what `bitmart tax` writes. The test that holds what they say against the sandbox is one of
//! the program's; here is what it needs.

use crate::install;
use crate::run::{cargo, run as run_command};
use crate::step::Outcome;

/// Where the versions of the tools are pinned, beside the script that calls them.
const PINS: &str = "crates/bitmart-cli/tests/tax_tools";

pub(super) fn run() -> Outcome {
    let python = match install::python(PINS) {
        Ok(programs) => programs.join("python"),
        Err(why) => return Outcome::Skip(why),
    };
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "bitmart-cli", "--test", "tax", "--", "--ignored"]);
    run_command(test.env("BITMART_TAX_PYTHON", python)).into()
}
