//! `cargo xtask test [--quick | STEP...]`: the main job of continuous integration, step by step.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use crate::command::unknown;
use crate::run::{cargo, cargo_workspace, run as run_command, workspace_root};
use crate::script::{build_programs, program};
use crate::step::{self, Part, seconds};
use crate::{
    TaskResult, api, budget, codegen, console, contract, deny, fleet, foreign, fuzz, lint, package,
    parquet, report, soak, specs,
};

struct Step {
    name: &'static str,
    about: &'static str,
    /// Order of magnitude on two cores, in a tree where nothing is built.
    time: &'static str,
    run: Run,
}

#[derive(Clone, Copy)]
enum Run {
    /// Needs nothing but Rust.
    Check(fn() -> TaskResult),
    /// Needs programs that a machine may lack; reports each part.
    Parts(fn() -> Vec<Part>),
}

const fn check(
    name: &'static str,
    time: &'static str,
    about: &'static str,
    run: fn() -> TaskResult,
) -> Step {
    Step { name, about, time, run: Run::Check(run) }
}

const fn parts(
    name: &'static str,
    time: &'static str,
    about: &'static str,
    run: fn() -> Vec<Part>,
) -> Step {
    Step { name, about, time, run: Run::Parts(run) }
}

/// In this order: cheap checks first, and builds before the steps that use their artifacts.
const STEPS: &[Step] = &[
    check("format", "seconds", "rustfmt has nothing to change", format),
    check("codegen", "1 min", "generated files match the API description", generated),
    parts("openapi", "seconds", "an independent validator accepts it +", specs::validate_openapi),
    parts("asyncapi", "seconds", "an independent validator accepts it +", specs::validate_asyncapi),
    check("lint", "seconds", "sizes, words and features that clippy cannot check", lint_all),
    check("package", "seconds", "packages hold licenses and sources, and no tests", package::run),
    check("clippy", "5 min", "no warning in any target", clippy),
    check("features", "2 min", "the cores build without runtime and HTTP stack", features),
    check("tests", "15 min", "unit, integration and doc tests", tests),
    check("soak", "1 min", "an account is followed while everything misbehaves", soak::short),
    check("conformance", "seconds", "published samples against the models", conformance),
    check("docs", "2 min", "documentation builds without a warning", docs),
    check("api", "1 min", "public API and public dependencies are the recorded ones", api::check),
    check("examples", "1 min", "every example runs against the sandbox", examples),
    parts("foreign", "3 min", "clients in other languages trade on the sandbox ++", foreign::parts),
    parts("report", "1 min", "HTML reports open in a browser and are accessible +", report::parts),
    parts("console", "3 min", "the console of the sandbox is used in a browser +", console::parts),
    parts(
        "schemathesis",
        "2 min",
        "the sandbox conforms to docs/openapi.json +",
        contract::schemathesis,
    ),
    parts("postman", "1 min", "the Postman collection works on the sandbox +", contract::postman),
    parts("parquet", "1 min", "another implementation reads what export writes +", parquet::parts),
    parts(
        "fleet",
        "3 min",
        "processes share limits and market data through servers that die +++",
        fleet::parts,
    ),
    parts("deny", "seconds", "licenses, sources and advisories of the dependencies", deny::parts),
    parts("fuzz", "3 min", "each fuzz target runs 20 s from its committed corpus", fuzz::parts),
    check("budget", "seconds", "number of crates in the dependency trees", budget::run),
];

/// What `--quick` runs: whatever finds most mistakes per second. All of it is built by the full run, too.
const QUICK: &[Step] = &[
    check("format", "", "rustfmt has nothing to change", format),
    check("codegen", "", "generated files match the API description", generated),
    check("lint", "", "sizes, words and features that clippy cannot check", lint_all),
    check("package", "", "packages hold licenses and sources, and no tests", package::run),
    check("clippy-libs", "", "no warning in libraries, programs and examples", clippy_libs),
    check("unit", "", "unit tests of the libraries, published samples against models", unit_tests),
];

const QUICK_OMITS: &str = "\
left out: integration and doc tests, clippy of tests, other feature sets, docs, API snapshots, examples,
foreign clients, reports, contracts, fuzzing and dependency checks; `cargo xtask test` runs them";

/// How long all steps take together.
const TOTAL: &str = "about 25 minutes in total";

/// The part of the help about the steps.
pub(crate) fn help() -> String {
    let mut text =
        format!("steps of `cargo xtask test`, {TOTAL} on two cores in a clean tree:\n\n");
    for Step { name, about, time, .. } in STEPS {
        let _ = writeln!(text, "  {name:<13} {time:>8}  {about}");
    }
    text + "
  +   installs pinned Python or Node packages below target/tools (needs network, once)
  ++  the same; as root on Debian or Ubuntu also curl, ruby, php, go and chromium with apt-get
  +++ the same with redis-server and nats-server; the tests start servers of their own
  deny and fuzz use cargo-deny and cargo-fuzz if present; `cargo xtask deny` and `cargo xtask fuzz`
  build them below target/tools. A part whose tool is missing is reported as skipped.

`cargo xtask test --quick` answers in about two minutes in a warm tree. Its steps:
" + &QUICK.iter().map(|step| step.name).collect::<Vec<_>>().join(", ")
        + ".\n"
        + QUICK_OMITS
}

/// Runs the named steps, the quick ones, or all of them, and reports each with its time.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let steps: Vec<&Step> = match arguments {
        [] => STEPS.iter().collect(),
        ["--quick"] => QUICK.iter().collect(),
        names => selected(names)?,
    };
    let begin = Instant::now();
    let mut all = Vec::new();
    for step in steps {
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
    let result = step::finish(&all);
    if arguments == ["--quick"] {
        println!("{QUICK_OMITS}");
    }
    result
}

fn selected(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    let find = |name: &&str| {
        STEPS
            .iter()
            .find(|step| step.name == *name)
            .ok_or_else(|| unknown("step", name, STEPS.iter().map(|step| step.name)))
    };
    let mut steps = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    // In the order of the list, each once.
    steps.sort_by_key(|step| STEPS.iter().position(|other| other.name == step.name));
    steps.dedup_by_key(|step| step.name);
    Ok(steps)
}

/// The workspace, and the packages that are no members of it.
fn format() -> TaskResult {
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    for manifest in [
        "fuzz/Cargo.toml",
        "xtask/baseline/ours/Cargo.toml",
        "xtask/baseline/theirs/Cargo.toml",
        "xtask/peers/Cargo.toml",
    ] {
        run_command(cargo().args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(())
}

fn generated() -> TaskResult {
    codegen::run(&["--check"])?;
    specs::run("openapi", &["--check"])?;
    specs::run("asyncapi", &["--check"])?;
    specs::run("postman", &["--check"])
}

fn lint_all() -> TaskResult {
    lint::run(&[])
}

fn clippy() -> TaskResult {
    run_command(cargo_workspace("clippy").args(["--all-targets", "--", "-D", "warnings"]))
}

/// Without the test targets, which are many and large. `--examples` lets cargo resolve the features
/// of development dependencies, so that artifacts are shared with [`clippy`].
fn clippy_libs() -> TaskResult {
    let targets = ["--lib", "--bins", "--examples"];
    run_command(cargo_workspace("clippy").args(targets).args(["--", "-D", "warnings"]))
}

fn features() -> TaskResult {
    for package in ["bitmart-net", "bitmart-rest", "bitmart-ws"] {
        run_command(
            cargo()
                .args(["clippy", "--quiet", "--package", package, "--no-default-features"])
                .args(["--", "-D", "warnings"]),
        )?;
    }
    // Features for tests must not depend on what only the whole workspace enables.
    for (package, features) in
        [("bitmart-rest", "tower"), ("bitmart-rest", "testing"), ("bitmart-ws", "testing")]
    {
        run_command(
            cargo()
                .args(["check", "--quiet", "--package", package, "--no-default-features"])
                .args(["--features", features]),
        )?;
    }
    for features in ["rest", "ws", "rest,sandbox", "rest,ws,testing"] {
        run_command(
            cargo()
                .args(["check", "--quiet", "--package", "bitmart", "--no-default-features"])
                .args(["--features", features]),
        )?;
    }
    // As a user builds them. All other steps build with all features of the workspace.
    for package in ["bitmart-cli", "examples"] {
        let targets = ["--bins", "--examples"];
        run_command(cargo().args(["check", "--quiet", "--package", package]).args(targets))?;
    }
    Ok(())
}

fn tests() -> TaskResult {
    // A run takes minutes, so that one reports every failure.
    run_command(cargo_workspace("test").arg("--no-fail-fast"))
}

/// `fixtures` are the published samples of REST and WebSocket.
fn unit_tests() -> TaskResult {
    run_command(cargo_workspace("test").args(["--lib", "--test", "fixtures"]))
}

/// The export test with as many orders as an account may have.
pub(crate) fn long_export() -> TaskResult {
    run_command(&mut long_export_command())
}

pub(crate) fn long_export_command() -> Command {
    let words = ["test", "--release", "--package", "bitmart-cli", "--test", "cli"];
    let mut command = cargo();
    command
        .args(words)
        .args(["--", "--nocapture", "long_export::"])
        .env("EXPORT_TEST_ORDERS", "100000");
    command
}

fn conformance() -> TaskResult {
    build_programs(&["conformance"])?;
    for fixtures in ["crates/bitmart-rest/fixtures", "crates/bitmart-ws/fixtures"] {
        run_command(Command::new(program("conformance")).arg(workspace_root().join(fixtures)))?;
    }
    Ok(())
}

/// Builds the documentation of these targets. `--examples` documents none, since the only package that has some
/// is excluded, but lets cargo resolve the features of development dependencies, as for [`clippy`].
pub(crate) fn doc_command(targets: &[&str]) -> Command {
    let mut command = cargo_workspace("doc");
    command.args(["--no-deps", "--examples"]).args(targets);
    command.args(["--exclude", "xtask", "--exclude", "examples"]);
    command
}

fn docs() -> TaskResult {
    // The program and the library `bitmart` share a folder; the pages of the library are written last and stay.
    for targets in [["--bin", "bitmart"].as_slice(), &["--lib"]] {
        run_command(doc_command(targets).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

fn examples() -> TaskResult {
    run_command(cargo_workspace("build").arg("--examples"))?;
    for name in lint::example_names()? {
        println!("--> {name}");
        let mut example = Command::new(program(&format!("examples/{name}")));
        run_command(example.current_dir(workspace_root()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_their_order_and_a_misspelled_one_is_corrected() {
        let names: Vec<_> =
            selected(&["docs", "lint", "docs"]).expect("known").iter().map(|s| s.name).collect();
        assert_eq!(names, ["lint", "docs"]);
        let error = selected(&["lint", "cliipy"]).err();
        assert_eq!(error.as_deref(), Some("unknown step `cliipy`: did you mean `clippy`?"));
    }
}
