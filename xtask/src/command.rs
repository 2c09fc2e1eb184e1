//! The commands of `cargo xtask`, their help, and what an unknown name probably meant.

use std::fmt::Write as _;

use crate::{
    TaskResult, api, bounds, build_time, codegen, conformance, deny, dist, fleet_page, foreign,
    fuzz, growth, lint, load, long, package, peers, perf, sandbox_page, soak, specs, test,
};

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[&str]) -> TaskResult,
}

const fn command(
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[&str]) -> TaskResult,
) -> Command {
    Command { name, arguments, about, run }
}

/// In the order of the help: what is used most comes first.
const COMMANDS: &[Command] = &[
    command(
        "test",
        "[--quick | STEP...]",
        "runs the main job of CI, the quick part of it, or single steps",
        test::run,
    ),
    command(
        "codegen",
        "[--check]",
        "writes the files generated from crates/*/api/*.toml, or compares them",
        generate,
    ),
    command("openapi", "[--check]", "the same for docs/openapi.json alone", |rest| {
        specs::run("openapi", rest)
    }),
    command("asyncapi", "[--check]", "the same for docs/asyncapi.json alone", |rest| {
        specs::run("asyncapi", rest)
    }),
    command("postman", "[--check]", "the same for docs/postman alone", |rest| {
        specs::run("postman", rest)
    }),
    command(
        "api",
        "[--check]",
        "writes the public API of each library into docs/api, or compares it",
        api::run,
    ),
    command(
        "lint",
        "[words [PATH...]]",
        "checks sizes, words and features that clippy cannot; or words alone",
        lint::run,
    ),
    command(
        "conformance",
        "DIR... [--known-only]",
        "checks recorded traffic in DIR against the models",
        conformance::run,
    ),
    command("package", "", "checks what `cargo publish` would upload", |rest| {
        without_arguments("package", rest, package::run)
    }),
    command("deny", "", "checks licenses, sources and advisories of the dependencies", |rest| {
        without_arguments("deny", rest, deny::run)
    }),
    command(
        "foreign",
        "",
        "runs clients in other languages against the sandbox, if installed",
        |rest| without_arguments("foreign", rest, foreign::run),
    ),
    command(
        "fuzz",
        "[TARGET --minutes N]",
        "runs a fuzz target and counts its executions, or each for 20 s",
        fuzz::run,
    ),
    command(
        "soak",
        "[--orders N] [--minutes M]",
        "follows an account while network, exchange and consumer misbehave",
        soak::run,
    ),
    command(
        "load",
        "[--page] [--seconds N]",
        "measures the load that the sandbox handles, or the cost of an open page",
        load::run,
    ),
    command("export-test", "", "exports 100,000 orders of three years with 20 kills", |rest| {
        without_arguments("export-test", rest, test::long_export)
    }),
    command(
        "long",
        "[STEP...]",
        "runs the measurements that take hours; writes docs/long.md, docs/fleet.md",
        long::run,
    ),
    command(
        "bounds",
        "[--quick]",
        "compares hot paths with what is possible; writes docs/performance.md",
        bounds::run,
    ),
    command(
        "peers",
        "[--quick]",
        "compares the SDK with other clients; writes docs/performance.md",
        peers::run,
    ),
    command(
        "growth",
        "[--quick] [SUBJECT...]",
        "measures what grows with numbers; writes docs/performance.md",
        growth::run,
    ),
    command(
        "fleet-figures",
        "",
        "measures permits, and market data over NATS; writes docs/fleet.md",
        |rest| without_arguments("fleet-figures", rest, fleet_page::figures),
    ),
    command(
        "sandbox-figures",
        "",
        "measures the sandbox and its engine; writes docs/performance.md",
        |rest| without_arguments("sandbox-figures", rest, sandbox_page::figures),
    ),
    command(
        "perf",
        "[--check [--base REVISION]]",
        "counts instructions of the hot paths, or compares them",
        perf::run,
    ),
    command("build-time", "", "compares the build time with that of the usual stack", |rest| {
        without_arguments("build-time", rest, build_time::measure)
    }),
    command(
        "dist",
        "",
        "builds programs, packages, checksums and SBOMs into target/dist",
        |rest| without_arguments("dist", rest, dist::run),
    ),
    command("help", "", "prints this text", |_| {
        println!("{}", help());
        Ok(())
    }),
];

/// Runs the command that `words` name.
pub(crate) fn run(words: &[&str]) -> TaskResult {
    let (name, rest) = match words {
        [] => return Err(help()),
        ["-h" | "--help", ..] => ("help", &[][..]),
        [name, rest @ ..] => (*name, rest),
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => Err(unknown("command", name, COMMANDS.iter().map(|command| command.name))),
    }
}

/// OpenAPI, AsyncAPI and Postman are generated from the same descriptions as the code.
fn generate(rest: &[&str]) -> TaskResult {
    codegen::run(rest)
        .and_then(|()| specs::run("openapi", rest))
        .and_then(|()| specs::run("asyncapi", rest))
        .and_then(|()| specs::run("postman", rest))
}

fn without_arguments(name: &str, rest: &[&str], run: fn() -> TaskResult) -> TaskResult {
    if rest.is_empty() { run() } else { Err(format!("usage: cargo xtask {name}")) }
}

fn help() -> String {
    let mut text = "usage: cargo xtask COMMAND\n\n".to_owned();
    for Command { name, arguments, about, .. } in COMMANDS {
        let call = format!("{name} {arguments}");
        let _ = writeln!(text, "  {call:<33}  {about}");
    }
    text + "\n" + &test::help()
}

/// An error for a name that is not known: the most similar name, or all of them.
pub(crate) fn unknown<'a>(
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let similar = known
        .clone()
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4);
    match similar {
        Some((_, similar)) => format!("unknown {kind} `{name}`: did you mean `{similar}`?"),
        None => {
            format!("unknown {kind} `{name}`: known are {}", known.collect::<Vec<_>>().join(", "))
        }
    }
}

/// How many letters must be inserted, removed or replaced to turn one text into the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("clipy", "clippy"), 1);
        assert_eq!(distance("tests", "test"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_misspelled_command_is_corrected_and_a_foreign_one_is_not() {
        assert_eq!(run(&["tset"]), Err("unknown command `tset`: did you mean `test`?".to_owned()));
        let error = run(&["frobnicate"]).expect_err("is unknown");
        assert!(error.contains("known are test, codegen"), "{error}");
    }

    #[test]
    fn help_lists_every_command_in_lines_that_fit_a_terminal() {
        let text = run(&[]).expect_err("nothing to do");
        for command in COMMANDS {
            assert!(text.contains(&format!("\n  {} ", command.name)), "{}", command.name);
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 110, "{line}");
        }
    }
}
