//! Tests of `bitmart-fleet` that need servers which a machine may lack.

use crate::install;
use crate::run::{cargo_workspace, run};
use crate::step::{Outcome, Part};

/// Name of the part, the server that its tests start, the test binary, and which of its tests.
const PARTS: &[(&str, &str, &str, &str)] = &[
    ("redis-store", "redis-server", "budgets", "store::"),
    ("redis-limits", "redis-server", "budgets", "limits::"),
];

pub(crate) fn parts() -> Vec<Part> {
    let part = |(name, server, binary, tests): &(&str, &str, &str, &str)| {
        Part::run(name, || {
            if let Err(why) = install::program(server) {
                return Outcome::Skip(why);
            }
            // Each starts processes of its own and measures time.
            let options = ["--include-ignored", "--test-threads=2", tests];
            run(cargo_workspace("test").args(["--test", binary, "--"]).args(options)).into()
        })
    };
    PARTS.iter().map(part).collect()
}
