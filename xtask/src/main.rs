//! Project tasks: `cargo xtask test`, `codegen [--check]`, `openapi [--check]`, `asyncapi [--check]`,
//! `postman [--check]`, `lint`, `conformance DIR`, `foreign`, `export-test`, `load`, `soak`, `long`, `fuzz`,
//! `deny`, `dist`.

mod budget;
mod build_time;
mod codegen;
mod conformance;
mod contract;
mod deny;
mod dist;
mod foreign;
mod fuzz;
mod install;
mod lint;
mod load;
mod long;
mod parquet;
mod report;
mod run;
mod script;
mod soak;
mod specs;
mod step;
mod test;

use std::process::ExitCode;

/// What a task reports when it fails: the text is printed as it is, an empty one not at all.
type TaskResult = Result<(), String>;

const USAGE: &str = "\
usage: cargo xtask TASK

  test [STEP...]     everything that CI checks, or only the named steps
  codegen [--check]  writes the files derived from crates/*/api/*.toml, or compares them
  openapi [--check]  the same for docs/openapi.json alone
  asyncapi [--check] the same for docs/asyncapi.json alone
  postman [--check]  the same for docs/postman alone
  conformance DIR    checks recorded traffic in DIR against the models [--known-only]
  foreign            runs clients in other languages against the sandbox, as far as they are here
  export-test        exports 100,000 orders of three years with twenty kills on the way
  load [--seconds N] measures orders and frames a second of the sandbox, and its memory
  soak               follows an account while everything goes wrong [--orders N] [--minutes M]
  long [STEP...]     all that takes too long for every day; figures go into docs/long.md
  fuzz [TARGET --minutes N]
                     runs a fuzz target and adds to the count in fuzz/README.md, or all for 20 s each
  deny               checks licences, sources and advisories of the dependencies
  dist               builds what is released into target/dist: programs, packages, checksums, SBOM
  build-time         builds the programs of xtask/baseline from nothing and compares
  lint               checks sizes, words and features that clippy cannot
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", steps @ ..] => test::run_steps(steps),
        ["build-time"] => build_time::measure(),
        ["lint"] => lint::run(),
        ["foreign"] => foreign::run(),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["deny"] => deny::run(),
        ["dist"] => dist::run(),
        ["load", rest @ ..] => load::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["long", steps @ ..] => long::run(steps),
        ["export-test"] => test::long_export(),
        // All come from the same descriptions.
        ["codegen", rest @ ..] => codegen::run(rest)
            .and_then(|()| specs::run("openapi", rest))
            .and_then(|()| specs::run("asyncapi", rest))
            .and_then(|()| specs::run("postman", rest)),
        [name @ ("openapi" | "asyncapi" | "postman"), rest @ ..] => specs::run(name, rest),
        ["conformance", rest @ ..] => conformance::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            if !text.is_empty() {
                eprintln!("{text}");
            }
            ExitCode::FAILURE
        }
    }
}
