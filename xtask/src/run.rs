//! Runs other programs.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::TaskResult;

/// The folder that holds the workspace's Cargo.toml.
pub(crate) fn workspace_root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}

/// The folder in which cargo builds.
pub(crate) fn target_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| workspace_root().join("target"))
}

/// The cargo that started this program, in the environment in which a user starts it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_root());
    for (name, _) in std::env::vars_os() {
        if is_of_this_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether cargo has set a variable for this program alone. The build script of `ring` asks to be run again when one of
/// them changes, and everything above it would be built a second time.
fn is_of_this_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Cargo on the whole workspace with all features. Cargo unifies the features of what it is called for, so
/// selecting a package would build dozens of crates a second time, with fewer features. Steps select targets
/// instead (`--bin`, `--test`) and so share what `cargo test --workspace` has built.
pub(crate) fn cargo_workspace(subcommand: &str) -> Command {
    let mut command = cargo();
    command.args([subcommand, "--quiet", "--workspace", "--all-features"]);
    command
}

/// Runs `command` with its output shown; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Runs `command` and returns its standard output; its standard error is shown.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", shown(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{} printed no UTF-8", shown(command)))
}

/// Runs `command` with its standard output shown line by line, and returns it.
pub(crate) fn run_and_capture(command: &mut Command) -> Result<String, String> {
    let mut printed = String::new();
    run_and_append(command, &mut printed).map(|()| printed)
}

/// Runs `command` with its standard output shown line by line, and appends it to `printed`, also if it fails.
pub(crate) fn run_and_append(command: &mut Command, printed: &mut String) -> TaskResult {
    let fail = |command: &Command, error: std::io::Error| format!("{}: {error}", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| fail(command, error))?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|error| fail(command, error))?;
            println!("{line}");
            printed.push_str(&line);
            printed.push('\n');
        }
    }
    let status = child.wait().map_err(|error| fail(command, error))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_a_program_printed_before_it_failed_is_returned() {
        let mut printed = "before\n".to_owned();
        let mut failing = Command::new("sh");
        let result = run_and_append(failing.args(["-c", "echo a row; exit 3"]), &mut printed);
        assert!(result.is_err());
        assert_eq!(printed, "before\na row\n");
    }

    #[test]
    fn cargo_does_not_see_the_variables_of_this_package() {
        // Set by the cargo that runs this test.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo();
        let mut removed = command.get_envs().filter(|(_, value)| value.is_none());
        assert!(removed.any(|(name, _)| name == "CARGO_PKG_NAME"));
    }
}
