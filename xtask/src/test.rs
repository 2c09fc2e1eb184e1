//! `cargo xtask test [STEP…]`: everything that continuous integration checks, step by step.

use std::time::{Duration, Instant};

use crate::run::{cargo, run, workspace_root};
use crate::{TaskResult, budget, codegen, foreign, lint, specs};

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> TaskResult,
}

const STEPS: &[Step] = &[
    Step { name: "format", about: "rustfmt has nothing to change", run: format },
    Step { name: "codegen", about: "generated files match the API description", run: generated },
    Step {
        name: "openapi",
        about: "an independent validator accepts it",
        run: specs::validate_openapi,
    },
    Step {
        name: "asyncapi",
        about: "an independent validator accepts it",
        run: specs::validate_asyncapi,
    },
    Step {
        name: "lint",
        about: "sizes, words and features that clippy cannot see",
        run: lint::run,
    },
    Step { name: "clippy", about: "no warning in any target", run: clippy },
    Step {
        name: "features",
        about: "the cores build without runtime and HTTP stack",
        run: features,
    },
    Step { name: "tests", about: "unit, integration and doc tests", run: tests },
    Step { name: "conformance", about: "official samples against the models", run: conformance },
    Step { name: "docs", about: "documentation builds without a warning", run: docs },
    Step { name: "examples", about: "every example runs against the sandbox", run: examples },
    Step {
        name: "foreign",
        about: "the official SDKs for Python and Node trade on the sandbox",
        run: foreign::run_when_asked,
    },
    Step { name: "budget", about: "number of crates in the dependency trees", run: budget::run },
];

/// Runs the named steps, or all of them, and reports each with its time.
pub(crate) fn run_steps(names: &[&str]) -> TaskResult {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step is called {unknown}; the steps are {}", known.join(", ")));
    }
    let begin = Instant::now();
    let mut report = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n==> {}: {}", step.name, step.about);
        let start = Instant::now();
        let result = (step.run)();
        if let Err(text) = &result {
            println!("{text}");
        }
        report.push((step.name, result.is_ok(), start.elapsed()));
    }
    println!();
    for (name, passed, time) in &report {
        println!("{} {name:<12} {}", if *passed { "pass" } else { "FAIL" }, seconds(*time));
    }
    let failed = report.iter().filter(|(_, passed, _)| !passed).count();
    println!("total {:>20}", seconds(begin.elapsed()));
    println!("{} passed, {failed} failed", report.len() - failed);
    if failed == 0 { Ok(()) } else { Err("the checks above did not pass".to_owned()) }
}

fn seconds(time: Duration) -> String {
    format!("{:>4}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

fn format() -> TaskResult {
    run(cargo().args(["fmt", "--all", "--check"]))
}

fn generated() -> TaskResult {
    codegen::run(&["--check"])?;
    specs::run("openapi", &["--check"])?;
    specs::run("asyncapi", &["--check"])
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
    for package in ["bitmart-rest", "bitmart-ws"] {
        run(cargo()
            .args(["clippy", "--quiet", "--package", package, "--no-default-features"])
            .args(["--", "-D", "warnings"]))?;
    }
    for features in ["rest", "ws", "rest,sandbox"] {
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
    let words = ["test", "--release", "--package", "bitmart-cli", "--test", "long_export"];
    run(cargo().args(words).args(["--", "--nocapture"]).env("EXPORT_TEST_ORDERS", "100000"))
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
