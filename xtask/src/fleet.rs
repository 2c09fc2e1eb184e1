//! Tests that need servers which a machine may lack.

use crate::install;
use crate::run::{cargo, run};
use crate::step::{Outcome, Part};

/// Runs the ignored tests of `bitmart-fleet` and of the commands that use it. They start their own servers.
pub(crate) fn parts() -> Vec<Part> {
    let redis = ["--package", "bitmart-fleet", "--features", "redis", "--test", "budgets"];
    let nats = ["--package", "bitmart-fleet", "--features", "nats", "--test", "nats"];
    let program = ["--package", "bitmart-cli", "--features", "fleet", "--test", "cli", "collect::"];
    // Each starts processes of its own and measures time.
    let two = ["--include-ignored", "--test-threads=2"];
    vec![
        server_tests("redis-store", "redis-server", &redis, &[&two[..], &["store::"]].concat()),
        server_tests("redis-limits", "redis-server", &redis, &[&two[..], &["limits::"]].concat()),
        server_tests("nats", "nats-server", &nats, &["--ignored", "--test-threads=4"]),
        server_tests("collect", "nats-server", &program, &["--ignored"]),
    ]
}

/// A part that is skipped if there is no such server on the machine.
fn server_tests(name: &str, server: &str, test: &[&str], arguments: &[&str]) -> Part {
    Part::run(name, || {
        if let Err(why) = install::program(server) {
            return Outcome::Skip(why);
        }
        run(cargo().arg("test").args(test).arg("--").args(arguments)).into()
    })
}
