//! Installs what the steps need and a machine may lack: programs, and packages for Python and Node.
//!
//! Packages are installed once, below `target/tools`, in the versions that are pinned beside their scripts. An error
//! is the reason to skip a step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::TaskResult;
use crate::run::{cargo, run, workspace_root};

/// Programs, and the Debian packages that contain them.
const PROGRAMS: [(&str, &[&str]); 8] = [
    ("curl", &["curl"]),
    ("ruby", &["ruby"]),
    ("php", &["php-cli", "php-curl"]),
    ("go", &["golang-go"]),
    ("chromium", &["chromium"]),
    ("nats-server", &["nats-server"]),
    ("curl-config", &["libcurl4-openssl-dev", "libssl-dev", "g++"]),
    ("redis-server", &["redis-server"]),
];

/// The file that records what is installed in a folder.
const RECORD: &str = "installed";

/// Whether a program can be started.
pub(crate) fn has(program: &str) -> bool {
    // Not every program knows `--version`; only whether it starts matters.
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// A browser that can run headless.
pub(crate) fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| has(name))
}

/// Installs missing programs, if this is root on a machine with `apt-get`. A failure only leads to skipped steps.
pub(crate) fn programs() {
    install_programs(|_| true);
}

/// Installs one of the programs, if it is missing and can be installed. An error is the reason to skip a step.
pub(crate) fn program(name: &str) -> Result<(), String> {
    install_programs(|program| program == name);
    if has(name) { Ok(()) } else { Err(format!("{name} is not installed")) }
}

fn install_programs(wanted: impl Fn(&str) -> bool) {
    let missing: Vec<_> =
        PROGRAMS.iter().filter(|(program, _)| wanted(program) && !has(program)).collect();
    if missing.is_empty() || !has("apt-get") || !is_root() {
        return;
    }
    let mut update = apt();
    if run(update.args(["update"])).is_err() {
        println!("the package lists could not be updated");
    }
    for (program, packages) in missing {
        println!("installing {program}");
        let mut install = apt();
        install.args(["install", "--yes", "--no-install-recommends"]).args(*packages);
        if let Err(error) = run(&mut install) {
            println!("{program} stays missing: {error}");
        }
    }
}

/// A quiet `apt-get` with short timeouts.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
    command.args(["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]);
    command.args(["-o", "DPkg::Lock::Timeout=60"]);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs the `requirements.txt` of a folder of the repository into a virtual environment. Returns the folder of
/// its programs.
pub(crate) fn python(pins: &str) -> Result<PathBuf, String> {
    let pins = workspace_root().join(pins).join("requirements.txt");
    if !has("python3") {
        return Err("python3 is not installed".to_owned());
    }
    let folder = folder_for(&pins);
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    install_once(&folder, &read(&pins)?, || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--retries", "1", "--timeout", "20", "--no-deps", "--requirement"])
            .arg(&pins))
    })
    .map_err(|error| format!("its Python packages cannot be installed: {error}"))?;
    Ok(programs)
}

/// Installs the `package-lock.json` of a folder of the repository. Returns the folder of its modules.
pub(crate) fn node(pins: &str) -> Result<PathBuf, String> {
    if !has("node") || !has("npm") {
        return Err("node or npm is not installed".to_owned());
    }
    let pins = workspace_root().join(pins);
    let lock = read(&pins.join("package-lock.json"))?;
    let folder = folder_for(&pins.join("package-lock.json"));
    install_once(&folder, &lock, || {
        for name in ["package.json", "package-lock.json"] {
            fs::write(folder.join(name), read(&pins.join(name))?)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        run(Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund", "--fetch-retries=1"])
            .args(["--fetch-timeout=20000", "--prefix"])
            .arg(&folder))
    })
    .map_err(|error| format!("its Node packages cannot be installed: {error}"))?;
    Ok(folder.join("node_modules"))
}

/// What to do if a tool is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Build it below `target/tools`, which takes minutes.
    Install,
    Skip,
}

/// The program of `cargo fuzz`.
pub(crate) fn cargo_fuzz(missing: Missing) -> Result<PathBuf, String> {
    cargo_tool("cargo-fuzz", "0.13.2", "cargo xtask fuzz", missing)
}

/// The program of `cargo deny`.
pub(crate) fn cargo_deny(missing: Missing) -> Result<PathBuf, String> {
    cargo_tool("cargo-deny", "0.20.2", "cargo xtask deny", missing)
}

/// The program of `cargo deb`.
pub(crate) fn cargo_deb(missing: Missing) -> Result<PathBuf, String> {
    cargo_tool("cargo-deb", "3.8.0", "cargo xtask dist", missing)
}

/// The program of `cargo cyclonedx`.
pub(crate) fn cargo_cyclonedx(missing: Missing) -> Result<PathBuf, String> {
    cargo_tool("cargo-cyclonedx", "0.5.9", "cargo xtask dist", missing)
}

/// A tool of cargo: the installed one, or else a pinned version below `target/tools`, which `task` builds.
fn cargo_tool(name: &str, version: &str, task: &str, missing: Missing) -> Result<PathBuf, String> {
    if has(name) {
        return Ok(PathBuf::from(name));
    }
    let folder = workspace_root().join("target/tools").join(name);
    let what = format!("{name} {version}");
    if missing == Missing::Skip && !is_installed(&folder, &what) {
        return Err(format!("{name} is not installed; `{task}` builds it"));
    }
    install_once(&folder, &what, || {
        run(cargo()
            .args(["install", "--quiet", "--locked", "--version", version, "--root"])
            .arg(&folder)
            .arg(name))
    })
    .map_err(|error| format!("{name} cannot be installed: {error}"))?;
    Ok(folder.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// `target/tools/NAME-KIND`, for pins in a folder NAME.
fn folder_for(pins: &Path) -> PathBuf {
    let name = pins.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let kind = if pins.extension().is_some_and(|kind| kind == "txt") { "python" } else { "node" };
    workspace_root().join("target/tools").join(format!("{name}-{kind}"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Installs into an empty folder, unless its record says that exactly this is installed.
fn install_once(folder: &Path, what: &str, install: impl FnOnce() -> TaskResult) -> TaskResult {
    if is_installed(folder, what) {
        return Ok(());
    }
    println!("installing into {}", folder.display());
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    install()?;
    fs::write(folder.join(RECORD), what).map_err(failed)
}

fn is_installed(folder: &Path, what: &str) -> bool {
    fs::read_to_string(folder.join(RECORD)).is_ok_and(|text| text == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_not_found() {
        assert!(!has("no-such-program"));
    }

    #[test]
    fn python_and_node_tools_have_different_folders() {
        let [python, node] = ["a/foreign/requirements.txt", "a/foreign/package-lock.json"]
            .map(|path| folder_for(Path::new(path)));
        assert!(python.ends_with("foreign-python"), "{}", python.display());
        assert!(node.ends_with("foreign-node"), "{}", node.display());
    }

    #[test]
    fn installs_again_only_if_the_pins_change() {
        let folder = std::env::temp_dir().join(format!("bitmart-install-{}", std::process::id()));
        let mut runs = 0;
        for what in ["a==1", "a==1", "a==2"] {
            install_once(&folder, what, || {
                runs += 1;
                Ok(())
            })
            .expect("installs");
        }
        let offline = || Err("offline".to_owned());
        assert!(install_once(&folder, "a==3", offline).is_err());
        assert!(install_once(&folder, "a==3", offline).is_err(), "a failure is not recorded");
        fs::remove_dir_all(&folder).expect("was made");
        assert_eq!(runs, 2);
    }
}
