//! Tests that need servers which a machine may lack.

use crate::install::{self, has};
use crate::run::{cargo, run};
use crate::step::{Outcome, Part};

/// Runs the ignored tests of `bitmart-fleet` and of the commands that use it.
pub(crate) fn parts() -> Vec<Part> {
    install::programs();
    let mut parts = Vec::new();
    parts.extend(nats());
    parts
}

/// Collectors and readers over NATS. The tests start their own servers.
fn nats() -> [Part; 2] {
    let library = ["--package", "bitmart-fleet", "--features", "nats", "--test", "nats"];
    let program = ["--package", "bitmart-cli", "--features", "fleet", "--test", "cli", "collect::"];
    [
        server_tests("nats", "nats-server", &library, &["--ignored", "--test-threads=4"]),
        server_tests("collect", "nats-server", &program, &["--ignored"]),
    ]
}

/// A part that is skipped if there is no such server on the machine.
fn server_tests(name: &str, server: &str, test: &[&str], arguments: &[&str]) -> Part {
    Part::run(name, || {
        if !has(server) {
            return Outcome::Skip(format!("{server} is not installed"));
        }
        run(cargo().arg("test").args(test).arg("--").args(arguments)).into()
    })
}
