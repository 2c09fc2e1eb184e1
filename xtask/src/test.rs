//! `cargo xtask test [STEP…]`: everything that continuous integration checks, step by step.

use std::process::Command;
use std::time::Instant;

use crate::run::{cargo, run, workspace_root};
use crate::step::{self, Part, seconds};
use crate::{
    TaskResult, budget, codegen, contract, deny, foreign, fuzz, lint, parquet, report, soak, specs,
};

struct Step {
    name: &'static str,
    about: &'static str,
    run: Run,
}

enum Run {
    /// Needs nothing but Rust.
    Check(fn() -> TaskResult),
    /// Needs what a machine may not have; says of each part whether it ran.
    Parts(fn() -> Vec<Part>),
}

const fn check(name: &'static str, about: &'static str, run: fn() -> TaskResult) -> Step {
    Step { name, about, run: Run::Check(run) }
}

const fn parts(name: &'static str, about: &'static str, run: fn() -> Vec<Part>) -> Step {
    Step { name, about, run: Run::Parts(run) }
}

const STEPS: &[Step] = &[
    check("format", "rustfmt has nothing to change", format),
    check("codegen", "generated files match the API description", generated),
    parts("openapi", "an independent validator accepts it", specs::validate_openapi),
    parts("asyncapi", "an independent validator accepts it", specs::validate_asyncapi),
    check("lint", "sizes, words and features that clippy cannot see", lint::run),
    check("clippy", "no warning in any target", clippy),
    check("features", "the cores build without runtime and HTTP stack", features),
    check("tests", "unit, integration and doc tests", tests),
    check("soak", "an account is followed for a minute while everything goes wrong", soak::short),
    check("conformance", "official samples against the models", conformance),
    check("docs", "documentation builds without a warning", docs),
    check("examples", "every example runs against the sandbox", examples),
    parts("foreign", "clients in other languages trade on the sandbox", foreign::parts),
    parts("report", "pages of an archive open in a browser, for everybody", report::parts),
    parts("schemathesis", "the sandbox does as docs/openapi.json says", contract::schemathesis),
    parts("postman", "the Postman collection works on the sandbox", contract::postman),
    parts("parquet", "another implementation reads what export writes", parquet::parts),
    parts("deny", "licences, sources and known faults of the dependencies", deny::parts),
    parts("fuzz", "each target for 20 s from its committed corpus", fuzz::parts),
    check("budget", "number of crates in the dependency trees", budget::run),
];

/// Runs the named steps, or all of them, and reports each with its time.
pub(crate) fn run_steps(names: &[&str]) -> TaskResult {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step is called {unknown}; the steps are {}", known.join(", ")));
    }
    let begin = Instant::now();
    let mut all = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n==> {}: {}", step.name, step.about);
        match step.run {
            Run::Check(check) => all.push(Part::run(step.name, || check().into())),
            Run::Parts(parts) => all.extend(
                parts()
                    .into_iter()
                    .map(|part| Part { name: format!("{}/{}", step.name, part.name), ..part }),
            ),
        }
    }
    println!("\ntotal {:>30}", seconds(begin.elapsed()));
    println!("{}", step::report(&all));
    step::verdict(&all)
}

fn format() -> TaskResult {
    run(cargo().args(["fmt", "--all", "--check"]))
}

fn generated() -> TaskResult {
    codegen::run(&["--check"])?;
    specs::run("openapi", &["--check"])?;
    specs::run("asyncapi", &["--check"])?;
    specs::run("postman", &["--check"])
}

fn clippy() -> TaskResult {
    run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

fn features() -> TaskResult {
    for package in ["bitmart-net", "bitmart-rest", "bitmart-ws"] {
        run(cargo()
            .args(["clippy", "--quiet", "--package", package, "--no-default-features"])
            .args(["--", "-D", "warnings"]))?;
    }
    // What is for tests must not need what only the whole workspace switches on.
    for (package, features) in
        [("bitmart-rest", "tower"), ("bitmart-rest", "testing"), ("bitmart-ws", "testing")]
    {
        run(cargo()
            .args(["check", "--quiet", "--package", package, "--no-default-features"])
            .args(["--features", features]))?;
    }
    for features in ["rest", "ws", "rest,sandbox", "rest,ws,testing"] {
        run(cargo()
            .args(["check", "--quiet", "--package", "bitmart", "--no-default-features"])
            .args(["--features", features]))?;
    }
    Ok(())
}

fn tests() -> TaskResult {
    run(cargo().args(["test", "--workspace", "--all-features", "--quiet"]))
}

/// The test of the export, as large as an account can be.
pub(crate) fn long_export() -> TaskResult {
    run(&mut long_export_command())
}

pub(crate) fn long_export_command() -> Command {
    let words = ["test", "--release", "--package", "bitmart-cli", "--test", "long_export"];
    let mut command = cargo();
    command.args(words).args(["--", "--nocapture"]).env("EXPORT_TEST_ORDERS", "100000");
    command
}

fn conformance() -> TaskResult {
    for fixtures in ["crates/bitmart-rest/fixtures", "crates/bitmart-ws/fixtures"] {
        let folder = workspace_root().join(fixtures);
        crate::conformance::run(&[&folder.to_string_lossy()])?;
    }
    Ok(())
}

fn docs() -> TaskResult {
    run(cargo()
        .args([
            "doc",
            "--workspace",
            "--no-deps",
            "--all-features",
            "--quiet",
            "--exclude",
            "xtask",
        ])
        .args(["--exclude", "examples"])
        .env("RUSTDOCFLAGS", "-D warnings"))
}

fn examples() -> TaskResult {
    for name in lint::example_names()? {
        println!("--> {name}");
        run(cargo().args(["run", "--quiet", "--example", &name]))?;
    }
    Ok(())
}
