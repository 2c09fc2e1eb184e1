//! `cargo xtask test fleet`: tests and examples that need servers which a machine may lack.

mod examples;

use std::process::Command;

use crate::install;
use crate::run::{cargo_workspace, run};
use crate::script::program;
use crate::step::{Outcome, Part};

const SERVERS: [&str; 2] = ["redis-server", "nats-server"];

/// Runs the ignored tests of `bitmart-fleet` and of the commands that use it. They start their own servers. Most of
/// their time is waiting, for windows, leases and whatever was killed, so they run at once.
pub(crate) fn parts() -> Vec<Part> {
    let tests = [
        tests("redis", &["redis-server"], "budgets", &["--test-threads=16"]),
        // Collectors and market makers need processors, too.
        tests("nats", &SERVERS, "nats", &["--test-threads=8"]),
        tests("collect", &["nats-server"], "cli", &["collect::"]),
    ];
    // Installed and built one after the other. These are the binaries of the step `tests`: other features would mean
    // another build.
    let ready = tests.each_ref().map(|tests| {
        install(tests.servers)?;
        let mut build = cargo_workspace("test");
        run(build.args(["--no-run", "--test", tests.binary])).map_err(Outcome::Fail)
    });
    let mut parts = std::thread::scope(|scope| {
        let running: Vec<_> = tests
            .iter()
            .zip(ready)
            .map(|(tests, ready)| (tests.name, scope.spawn(move || tests.run(ready))))
            .collect();
        let ended = running.into_iter().map(|(name, thread)| {
            let panicked = || Outcome::Fail("its thread panicked".to_owned());
            thread.join().unwrap_or_else(|_| Part::run(name, panicked))
        });
        ended.collect::<Vec<_>>()
    });
    parts.push(Part::run("example", example));
    parts.extend(examples::parts());
    parts
}

/// The ignored tests of a test binary.
struct Tests {
    name: &'static str,
    servers: &'static [&'static str],
    binary: &'static str,
    arguments: &'static [&'static str],
}

const fn tests(
    name: &'static str,
    servers: &'static [&'static str],
    binary: &'static str,
    arguments: &'static [&'static str],
) -> Tests {
    Tests { name, servers, binary, arguments }
}

impl Tests {
    /// Prints the output at the end, because others print as well.
    fn run(&self, ready: Result<(), Outcome>) -> Part {
        Part::run(self.name, || {
            if let Err(outcome) = ready {
                return outcome;
            }
            let mut command = cargo_workspace("test");
            command.args(["--test", self.binary, "--", "--ignored"]).args(self.arguments);
            let output = match command.output() {
                Ok(output) => output,
                Err(error) => return Outcome::Fail(format!("cargo: {error}")),
            };
            let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
            println!("--> {}\n{out}{err}", self.name);
            if output.status.success() {
                Outcome::Pass
            } else {
                Outcome::Fail(output.status.to_string())
            }
        })
    }
}

fn install(servers: &[&str]) -> Result<(), Outcome> {
    servers.iter().try_for_each(|server| install::program(server)).map_err(Outcome::Skip)
}

/// The example of a whole fleet. It fails if a limit is exceeded or a killed collector is not replaced.
fn example() -> Outcome {
    if let Err(outcome) = install(&SERVERS) {
        return outcome;
    }
    let built = run(cargo_workspace("build").args(["--example", "fleet"]));
    built.and_then(|()| run(&mut Command::new(program("examples/fleet")))).into()
}
