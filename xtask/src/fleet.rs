//! Tests that need servers which a machine may lack.

use std::process::Command;

use crate::install;
use crate::run::{cargo_workspace, run};
use crate::script::program;
use crate::step::{Outcome, Part};

/// Runs the ignored tests of `bitmart-fleet` and of the commands that use it. They start their own servers.
pub(crate) fn parts() -> Vec<Part> {
    vec![
        server_tests("redis-store", "redis-server", "budgets", &["--test-threads=2", "store::"]),
        server_tests("redis-limits", "redis-server", "budgets", &["--test-threads=2", "limits::"]),
        server_tests("nats", "nats-server", "nats", &["--test-threads=4"]),
        server_tests("collect", "nats-server", "cli", &["collect::"]),
        Part::run("example", example),
    ]
}

/// The example of a whole fleet. It fails if a limit is exceeded or a killed collector is not replaced.
fn example() -> Outcome {
    for server in ["redis-server", "nats-server"] {
        if let Err(why) = install::program(server) {
            return Outcome::Skip(why);
        }
    }
    let built = run(cargo_workspace("build").args(["--example", "fleet"]));
    built.and_then(|()| run(&mut Command::new(program("examples/fleet")))).into()
}

/// The ignored tests of a test binary. Skipped if there is no such server on the machine.
fn server_tests(name: &str, server: &str, binary: &str, tests: &[&str]) -> Part {
    Part::run(name, || {
        if let Err(why) = install::program(server) {
            return Outcome::Skip(why);
        }
        // The binaries of the step `tests`: other features would mean another build.
        let mut command = cargo_workspace("test");
        run(command.args(["--test", binary, "--", "--ignored"]).args(tests)).into()
    })
}
