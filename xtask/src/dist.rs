//! `cargo xtask dist`: builds the release files into `target/dist`: an archive with the programs, their completions and
//! man pages, a Debian package, an SBOM of each program, and checksums.
//!
//! Builds are reproducible for a commit and compiler: programs contain no paths of the machine, and times are those of
//! the commit.

mod check;
mod package;
mod sbom;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::TaskResult;
use crate::run::{cargo, output, run as run_command, workspace_root};
use crate::step::seconds;

/// The programs and their packages.
const PROGRAMS: [(&str, &str); 2] =
    [("bitmart", "bitmart-cli"), ("bitmart-sandbox", "bitmart-sandbox")];

/// The profile in `Cargo.toml` for releases.
const PROFILE: &str = "dist";

struct Release {
    version: String,
    /// Such as `x86_64-unknown-linux-gnu`.
    target: String,
    /// Time of the commit in seconds since 1970.
    epoch: String,
    /// The target folder of cargo.
    build: PathBuf,
    /// The folder of the release files.
    out: PathBuf,
}

impl Release {
    fn new() -> Result<Self, String> {
        let root = workspace_root();
        let host = output(Command::new("rustc").arg("-vV"))?;
        let host = host.lines().find_map(|line| line.strip_prefix("host: "));
        let epoch =
            output(Command::new("git").current_dir(&root).args(["log", "-1", "--format=%ct"]))
                .unwrap_or_else(|_| "0".to_owned());
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: host.ok_or("rustc does not name its host")?.to_owned(),
            epoch: epoch.trim().to_owned(),
            build: root.join("target/dist-build"),
            out: root.join("target/dist"),
        })
    }

    /// `bitmart-0.1.0-x86_64-unknown-linux-gnu`.
    fn name(&self) -> String {
        format!("bitmart-{}-{}", self.version, self.target)
    }

    /// The folder of the built programs.
    fn programs(&self) -> PathBuf {
        self.build.join(PROFILE)
    }

    /// The folder of completions and man pages, where `cargo deb` expects them.
    fn stage(&self) -> PathBuf {
        self.programs().join("stage")
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs().join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Builds everything from scratch and checks it.
pub(crate) fn run() -> TaskResult {
    let begin = Instant::now();
    let release = Release::new()?;
    empty_folder(&release.out)?;
    build(&release)?;
    println!("built in {}", seconds(begin.elapsed()));
    stage(&release)?;
    check::programs(&release)?;
    sbom::write(&release)?;
    package::archive(&release)?;
    package::debian(&release)?;
    check::packages(&release)?;
    write_checksums(&release.out)?;
    for (path, bytes) in files(&release.out)? {
        println!("{bytes:>12} bytes  {path}");
    }
    println!("target/dist is done in {}", seconds(begin.elapsed()));
    Ok(())
}

/// Builds the programs without paths of this machine.
fn build(release: &Release) -> TaskResult {
    let mut flags = Vec::new();
    // The last one that matches is applied.
    for (from, to) in machine_paths().iter().rev() {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    let mut command = cargo();
    command.args(["build", "--locked", "--quiet", "--profile", PROFILE, "--target-dir"]);
    command.arg(&release.build).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command.env("SOURCE_DATE_EPOCH", &release.epoch);
    for (program, package) in PROGRAMS {
        command.args(["--package", package, "--bin", program]);
    }
    run_command(&mut command)
}

/// Folders of this machine that must not be in a program, the innermost first, and their replacements.
fn machine_paths() -> Vec<(PathBuf, &'static str)> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = variable("HOME").or_else(|| variable("USERPROFILE"));
    let home = home.map(PathBuf::from).filter(|home| home.parent().is_some());
    let registry = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home.clone()?.join(".cargo")))
        .map(|home| home.join("registry/src"));
    let mut paths = vec![(workspace_root(), "bitmart")];
    paths.extend(registry.map(|registry| (registry, "crates")));
    paths.extend(home.map(|home| (home, "home")));
    paths
}

/// Lets the program write its completions and man pages.
fn stage(release: &Release) -> TaskResult {
    let stage = release.stage();
    empty_folder(&stage)?;
    let program = release.program("bitmart");
    let completions = stage.join("completions");
    create_folder(&completions)?;
    for (shell, name) in [
        ("bash", "bitmart"),
        ("zsh", "_bitmart"),
        ("fish", "bitmart.fish"),
        ("powershell", "bitmart.ps1"),
    ] {
        let text = output(Command::new(&program).args(["completions", shell]))?;
        write(&completions.join(name), text.as_bytes())?;
    }
    run_command(Command::new(&program).arg("man").arg(stage.join("man")))
}

/// Writes a line for each file, for `sha256sum --check`.
fn write_checksums(folder: &Path) -> TaskResult {
    let mut text = String::new();
    for (path, _) in files(folder)? {
        for byte in Sha256::digest(read(&folder.join(&path))?) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.extend(["  ", path.as_str(), "\n"]);
    }
    write(&folder.join("SHA256SUMS"), text.as_bytes())
}

/// Names and sizes of the files in a folder.
fn files(folder: &Path) -> Result<Vec<(String, u64)>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let size = entry.metadata().map_err(failed)?.len();
        files.push((entry.file_name().to_string_lossy().into_owned(), size));
    }
    files.sort();
    Ok(files)
}

/// Creates a folder, or removes everything in it.
fn empty_folder(folder: &Path) -> TaskResult {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    create_folder(folder)
}

fn create_folder(folder: &Path) -> TaskResult {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> TaskResult {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
