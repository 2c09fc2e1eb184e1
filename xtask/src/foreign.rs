//! `cargo xtask foreign`: runs clients in other languages against the sandbox: BitMart's own SDKs, unmodified, and
//! programs that follow the samples of the exchange's quick start.

mod snippets;
mod tax;
mod tls;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::TaskResult;
use crate::install::{self, has};
use crate::run::{run as run_command, workspace_root};
use crate::script::{build_sandbox, run_script, scratch};
use crate::step::{self, Outcome, Part};

/// Timeout of a script; the longest takes about forty seconds.
const TIMEOUT: Duration = Duration::from_secs(120);
pub(crate) const SCRIPTS: &str = "crates/bitmart-sandbox/tests/foreign";

/// A PHP module that Debian packages separately.
const PHP_CURL: &str = "php-curl";

/// Runs all clients and reports each.
pub(crate) fn run() -> TaskResult {
    let parts = parts();
    println!();
    step::finish(&parts)
}

/// Runs all clients as parts of `cargo xtask test`, even if one fails.
pub(crate) fn parts() -> Vec<Part> {
    install::programs();
    let built = Part::run("sandbox", || build_sandbox().into());
    if built.outcome != Outcome::Pass {
        return vec![built];
    }
    let python = install::python(SCRIPTS).map(|programs| programs.join("python"));
    let modules = install::node(SCRIPTS);
    let (python, modules) = (python.as_ref(), modules.as_ref());
    let programs = [("go", build("go", go)), ("c++", build("g++", cpp))];
    thread::scope(|scope| {
        // Both are mostly idle: they wait for the next ping, and for sandboxes and programs to start.
        let pings = scope.spawn(|| vec![Part::run("python-pings", || in_python("pings", python))]);
        let others = scope.spawn(|| {
            tls::parts(python, modules, &programs)
                .into_iter()
                .chain(snippets::parts(python, modules))
                .collect()
        });
        let mut parts = vec![
            Part::run("python-sdk", || in_python("python_day", python)),
            Part::run("node-sdk", || in_node(modules)),
            Part::run("browser", browser),
            Part::run("reasons", reasons),
            Part::run("curl", || interpret(&["bash", "curl", "openssl"], "bash", "order.sh")),
            Part::run("ruby", || interpret(&["ruby"], "ruby", "order.rb")),
            Part::run("php", || interpret(&["php", PHP_CURL], "php", "order.php")),
            Part::run("java", || interpret(&["javac"], "java", "Order.java")),
        ];
        parts.extend(programs.iter().map(|(language, program)| {
            Part::run(language, || match program {
                Ok(program) => run_script(
                    &format!("order-{language}"),
                    &[],
                    TIMEOUT,
                    &mut Command::new(program),
                ),
                Err(outcome) => outcome.clone(),
            })
        }));
        // The only part that calls cargo, after everything else is built.
        parts.push(Part::run("tax", tax::run));
        for (name, thread) in [("tls and snippets", others), ("python-pings", pings)] {
            let panicked = || Outcome::Fail("its thread panicked".to_owned());
            parts.extend(thread.join().unwrap_or_else(|_| vec![Part::run(name, panicked)]));
        }
        parts
    })
}

fn script(name: &str) -> PathBuf {
    workspace_root().join(SCRIPTS).join(name)
}

fn in_python(name: &str, python: Result<&PathBuf, &String>) -> Outcome {
    match python {
        Ok(python) => {
            let mut command = Command::new(python);
            command.arg(script(&format!("{name}.py")));
            run_script(name, &[], TIMEOUT, &mut command)
        }
        Err(why) => Outcome::Skip(why.clone()),
    }
}

fn in_node(modules: Result<&PathBuf, &String>) -> Outcome {
    match modules {
        Ok(modules) => {
            let mut command = Command::new("node");
            command.arg(script("node_day.js")).env("NODE_PATH", modules);
            run_script("node_day", &[], TIMEOUT, &mut command)
        }
        Err(why) => Outcome::Skip(why.clone()),
    }
}

fn browser() -> Outcome {
    let Some(browser) = install::browser() else {
        return Outcome::Skip("chromium is not installed".to_owned());
    };
    if !has("python3") {
        return Outcome::Skip("python3, which serves the page, is not installed".to_owned());
    }
    let mut command = Command::new("python3");
    command.arg(script("browser.py")).arg(browser);
    run_script("browser", &[], TIMEOUT, &mut command)
}

/// Makes mistakes on purpose; the sandbox must explain each. Faster than the rate limits allow.
fn reasons() -> Outcome {
    if let Some(why) = missing(&["python3"]) {
        return Outcome::Skip(why);
    }
    let mut command = Command::new("python3");
    run_script("reasons", &["--no-limits"], TIMEOUT, command.arg(script("reasons.py")))
}

/// Runs a script with its interpreter, if everything it needs is installed.
fn interpret(needs: &[&str], interpreter: &str, name: &str) -> Outcome {
    if let Some(why) = missing(needs) {
        return Outcome::Skip(why);
    }
    let mut command = Command::new(interpreter);
    command.arg(script(name));
    run_script(name, &[], TIMEOUT, &mut command)
}

/// The first of these programs (or [`PHP_CURL`]) that is missing, as the reason for a skipped part.
fn missing(needs: &[&str]) -> Option<String> {
    let is_installed = |name: &str| if name == PHP_CURL { php_has_curl() } else { has(name) };
    let missing = needs.iter().find(|name| !is_installed(name))?;
    Some(format!("{missing} is not installed"))
}

fn php_has_curl() -> bool {
    let modules = Command::new("php").arg("-m").output();
    modules.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).lines().any(|module| module == "curl")
    })
}

/// Builds a program, if its compiler is installed.
fn build(compiler: &str, build: fn(&Path) -> Result<PathBuf, Outcome>) -> Result<PathBuf, Outcome> {
    if let Some(why) = missing(&[compiler]) {
        return Err(Outcome::Skip(why));
    }
    scratch().map_err(Outcome::Fail).and_then(|folder| build(&folder))
}

fn go(folder: &Path) -> Result<PathBuf, Outcome> {
    let program = folder.join("order-go");
    let mut command = Command::new("go");
    command.arg("build").arg("-o").arg(&program).arg(script("order.go"));
    command.env("GOCACHE", folder.join("go-cache")).env("GO111MODULE", "off");
    run_command(&mut command).map_err(Outcome::Fail)?;
    Ok(program)
}

fn cpp(folder: &Path) -> Result<PathBuf, Outcome> {
    let mut headers = Command::new("g++");
    headers.arg("-E").arg(script("order.cpp"));
    if !headers.output().is_ok_and(|output| output.status.success()) {
        return Err(Outcome::Skip(
            "the headers of libcurl or OpenSSL are not installed".to_owned(),
        ));
    }
    let program = folder.join("order-cpp");
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-o"]).arg(&program).arg(script("order.cpp"));
    command.args(["-lcurl", "-lcrypto"]);
    run_command(&mut command).map_err(Outcome::Fail)?;
    Ok(program)
}
