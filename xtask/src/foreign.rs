//! `cargo xtask foreign`: BitMart's own SDKs for other languages, unchanged, against the sandbox.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::TaskResult;
use crate::run::{cargo, run as run_command, workspace_root};

/// How long a script may take; it takes about ten seconds.
const LIMIT: Duration = Duration::from_mins(3);
const SCRIPTS: &str = "crates/bitmart-sandbox/tests/foreign";
/// What is installed, to the last dependency, lies beside the scripts.
const PYTHON_PINS: &str = "requirements.txt";
const NODE_PINS: [&str; 2] = ["package.json", "package-lock.json"];

/// Runs it as a step of `cargo xtask test` if `BITMART_FOREIGN` is set: it needs Python, Node and, the
/// first time, a package index.
pub(crate) fn run_when_asked() -> TaskResult {
    if std::env::var_os("BITMART_FOREIGN").is_some() {
        return run();
    }
    println!("NOT RUN: `.ci/run` does, or BITMART_FOREIGN=1, or `cargo xtask foreign`.");
    Ok(())
}

/// Installs both SDKs where they are missing and runs their scripts, each against a sandbox of its own.
pub(crate) fn run() -> TaskResult {
    for program in ["python3", "node", "npm"] {
        require(program)?;
    }
    let folder = workspace_root().join("target/foreign");
    let python = install_python(&folder.join("python"))?;
    let modules = install_node(&folder.join("node"))?;
    run_command(cargo().args(["build", "--quiet", "--package", "bitmart-sandbox"]))?;
    let scripts = workspace_root().join(SCRIPTS);
    let mut in_python = Command::new(python);
    in_python.arg(scripts.join("python_day.py"));
    let mut in_node = Command::new("node");
    in_node.arg(scripts.join("node_day.js")).env("NODE_PATH", modules);
    // Both in any case: what one of them finds is no reason not to hear the other.
    let results = [
        day("python", &mut in_python, &folder.join("python.log")),
        day("node", &mut in_node, &folder.join("node.log")),
    ];
    let failed: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn require(program: &str) -> TaskResult {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!("cargo xtask foreign needs {program}, which does not run here"))
}

/// A virtual environment with the Python SDK; returns its interpreter.
fn install_python(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let pins = workspace_root().join(SCRIPTS).join(PYTHON_PINS);
    once(folder, &read(&pins)?, || {
        run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        run_command(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--no-deps", "--requirement"])
                .arg(&pins),
        )
    })?;
    Ok(python)
}

/// A folder of modules with the Node SDK in it.
fn install_node(folder: &Path) -> Result<PathBuf, String> {
    let scripts = workspace_root().join(SCRIPTS);
    let lock = read(&scripts.join(NODE_PINS[1]))?;
    once(folder, &lock, || {
        for name in NODE_PINS {
            fs::write(folder.join(name), read(&scripts.join(name))?)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        let words = ["ci", "--silent", "--no-audit", "--no-fund", "--prefix"];
        run_command(Command::new("npm").args(words).arg(folder))
    })?;
    Ok(folder.join("node_modules"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Installs into an empty folder unless a note there says that just this is installed.
fn once(folder: &Path, what: &str, install: impl FnOnce() -> TaskResult) -> TaskResult {
    let note = folder.join("installed");
    if fs::read_to_string(&note).is_ok_and(|text| text == what) {
        return Ok(());
    }
    println!("installing into {}", folder.display());
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    install()?;
    fs::write(&note, what).map_err(failed)
}

/// Runs a script against a sandbox of its own and prints what failed and its tally.
fn day(name: &str, script: &mut Command, log: &Path) -> TaskResult {
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let (_sandbox, ready) = Sandbox::start()?;
    let out = File::create(log).map_err(failed)?;
    script.env("BITMART_SANDBOX", ready).stdin(Stdio::null());
    script.stdout(out.try_clone().map_err(failed)?).stderr(out);
    let status = within(LIMIT, &mut script.spawn().map_err(failed)?);
    let text = fs::read_to_string(log).map_err(failed)?;
    text.lines().filter(|line| line.starts_with("FAIL ")).for_each(|line| println!("{line}"));
    let tally = text.lines().rfind(|line| line.ends_with(" failed")).unwrap_or("no tally");
    println!("{name}: {tally}");
    match status.map_err(failed)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{name} ended with {status}; see {}", log.display())),
        None => Err(format!("{name} took more than {LIMIT:?}; see {}", log.display())),
    }
}

/// Waits for a program; ends it when it takes longer.
fn within(limit: Duration, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// The sandbox program on free ports, until it is dropped.
struct Sandbox(Child);

impl Sandbox {
    /// Starts it and returns its ready line.
    fn start() -> Result<(Self, String), String> {
        let failed = |error: std::io::Error| format!("the sandbox: {error}");
        let mut command = cargo();
        command.args(["run", "--quiet", "--package", "bitmart-sandbox", "--", "--seed", "1"]);
        command.args(["--admin", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(failed)?;
        }
        let sandbox = Self(child);
        if line.is_empty() {
            Err("the sandbox did not start".to_owned())
        } else {
            Ok((sandbox, line))
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // On Unix `cargo run` has become the sandbox; elsewhere it takes the sandbox with it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let refused = require("no-such-program").expect_err("is not there");
        assert!(refused.contains("no-such-program"), "{refused}");
    }

    #[test]
    fn what_is_noted_as_installed_is_not_installed_again() {
        let folder = std::env::temp_dir().join(format!("bitmart-foreign-{}", std::process::id()));
        let mut runs = 0;
        for what in ["a==1", "a==1", "a==2"] {
            once(&folder, what, || {
                runs += 1;
                Ok(())
            })
            .expect("installs");
        }
        assert!(once(&folder, "a==3", || Err("offline".to_owned())).is_err());
        assert!(
            once(&folder, "a==3", || Err("offline".to_owned())).is_err(),
            "no note of a failure"
        );
        fs::remove_dir_all(&folder).expect("was made");
        assert_eq!(runs, 2);
    }
}
