//! Runs scripts and programs in other languages, each against a sandbox of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::TaskResult;
use crate::run::{cargo_workspace, run, target_folder, workspace_root};
use crate::step::Outcome;

/// Builds the sandbox.
pub(crate) fn build_sandbox() -> TaskResult {
    build_programs(&["bitmart-sandbox"])
}

/// Builds programs of the workspace. The example lets cargo resolve the features of development dependencies:
/// the programs are then those that `cargo test` has built.
pub(crate) fn build_programs(names: &[&str]) -> TaskResult {
    let mut build = cargo_workspace("build");
    for name in names {
        build.args(["--bin", name]);
    }
    run(build.args(["--example", "quickstart"]))
}

/// The path of a program of the workspace, built with the `dev` profile.
pub(crate) fn program(name: &str) -> PathBuf {
    target_folder().join(format!("debug/{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The folder for the logs and builds of scripts.
pub(crate) fn scratch() -> Result<PathBuf, String> {
    let folder = workspace_root().join("target/foreign");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Runs a script against a sandbox that is started with `options`. Prints its failures and the last line of its
/// output, which must be `N passed, N failed`.
pub(crate) fn run_script(
    name: &str,
    options: &[&str],
    limit: Duration,
    script: &mut Command,
) -> Outcome {
    attempt(name, options, limit, script).into()
}

fn attempt(name: &str, options: &[&str], limit: Duration, script: &mut Command) -> TaskResult {
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let (_sandbox, ready) = Sandbox::start(&program("bitmart-sandbox"), options)?;
    let log = scratch()?.join(format!("{name}.log"));
    let out = File::create(&log).map_err(failed)?;
    set_environment(script, &ready, &scratch()?.join(format!("{name}.pem")))?;
    script.stdin(Stdio::null()).stderr(out.try_clone().map_err(failed)?).stdout(out);
    let mut child = script.spawn().map_err(failed)?;
    let status = wait_with_timeout(limit, &mut child).map_err(failed)?;
    // A program may print invalid UTF-8.
    let text = String::from_utf8_lossy(&fs::read(&log).map_err(failed)?).into_owned();
    let failures: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL ")).collect();
    let counts = text.lines().rfind(|line| line.ends_with(" failed"));
    println!("{name}: {}", counts.unwrap_or("no counts"));
    for line in &failures {
        println!("{line}");
    }
    match status {
        Some(status) if status.success() && counts.is_some() && failures.is_empty() => Ok(()),
        Some(status) => Err(format!("ended with {status}; see {}", shown(&log))),
        None => Err(format!("took more than {limit:?}; see {}", shown(&log))),
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(workspace_root()).unwrap_or(path).display().to_string()
}

/// Passes the ready line of the sandbox to a script, and its values in single variables for languages without a
/// JSON parser. With TLS, also writes the root certificate to `root` and passes its path.
fn set_environment(script: &mut Command, ready: &str, root: &Path) -> TaskResult {
    let values: Value =
        serde_json::from_str(ready).map_err(|error| format!("the ready line: {error}"))?;
    for (variable, path) in [
        ("BITMART_SPOT_REST", "/spot/rest"),
        ("BITMART_FUTURES_REST", "/futures/rest"),
        ("BITMART_API_KEY", "/credentials/key"),
        ("BITMART_API_SECRET", "/credentials/secret"),
        ("BITMART_API_MEMO", "/credentials/memo"),
    ] {
        let value = values.pointer(path).and_then(Value::as_str);
        script.env(variable, value.ok_or_else(|| format!("no {path} in the ready line"))?);
    }
    if let Some(certificate) = values.pointer("/root_certificate").and_then(Value::as_str) {
        fs::write(root, certificate).map_err(|error| format!("{}: {error}", root.display()))?;
        script.env("BITMART_ROOT", root);
    }
    script.env("BITMART_SANDBOX", ready);
    Ok(())
}

/// Waits for a program and kills it at the timeout; then there is no exit status.
fn wait_with_timeout(limit: Duration, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
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
pub(crate) struct Sandbox(Child);

impl Sandbox {
    /// Starts it and returns its ready line.
    pub(crate) fn start(program: &Path, options: &[&str]) -> Result<(Self, String), String> {
        let failed = |error: std::io::Error| format!("the sandbox: {error}");
        let mut command = Command::new(program);
        command.args(["--seed", "1", "--admin", "127.0.0.1:0"]).args(options);
        // The sandbox explains rejections on standard error, and scripts provoke some.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
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

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_addresses_and_credentials_in_variables() {
        let ready = r#"{"spot": {"rest": "http://a"}, "futures": {"rest": "http://b"},
            "credentials": {"key": "k", "secret": "s", "memo": "m"}}"#;
        let mut script = Command::new("program");
        let root = Path::new("no-such-folder/root.pem");
        set_environment(&mut script, ready, root).expect("complete, without a certificate");
        let values: Vec<_> = script.get_envs().filter_map(|(_, value)| value?.to_str()).collect();
        assert!(["http://a", "http://b", "k", "s", "m"].iter().all(|value| values.contains(value)));
        assert!(script.get_args().next().is_none(), "arguments are visible to other users");
        assert!(set_environment(&mut script, r#"{"spot": {}}"#, root).is_err());
    }
}
