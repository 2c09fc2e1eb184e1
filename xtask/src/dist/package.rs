//! The archive with the programs, and the Debian package.

use std::fs;
use std::process::Command;

use super::{PROFILE, PROGRAMS, Release, create_folder, empty_folder};
use crate::TaskResult;
use crate::install::{self, Missing};
use crate::run::{cargo, run, workspace_root};

/// Path of a program in the archive, as `Cargo.toml` of the program declares it for `cargo binstall`.
pub(super) const BINSTALL: &str = "bitmart-{ version }-{ target }/{ bin }{ binary-ext }";

/// Extension of a Debian package.
pub(super) const DEB: &str = ".deb";

/// Writes `NAME.tar.gz` with a folder `NAME`. Needs GNU tar, which can omit the owners of files.
pub(super) fn archive(release: &Release) -> TaskResult {
    let name = release.name();
    let folder = release.build.join("archive");
    empty_folder(&folder)?;
    let inside = folder.join(&name);
    create_folder(&inside)?;
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
    };
    for (program, _) in PROGRAMS {
        let path = release.program(program);
        let name = path.file_name().ok_or("a program has no name")?;
        copy(&path, &inside.join(name))?;
    }
    let root = workspace_root();
    for text in ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"] {
        copy(&root.join(text), &inside.join(text))?;
    }
    copy(&root.join("crates/bitmart-cli/README.md"), &inside.join("README.md"))?;
    for part in ["completions", "man"] {
        create_folder(&inside.join(part))?;
        for (file, _) in super::files(&release.stage().join(part))? {
            copy(&release.stage().join(part).join(&file), &inside.join(part).join(&file))?;
        }
    }
    let tar = release.build.join(format!("{name}.tar"));
    run(Command::new("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"])
        .arg("--mode=go-w")
        .arg(format!("--mtime=@{}", release.epoch))
        .arg("-C")
        .arg(&folder)
        .arg("-cf")
        .arg(&tar)
        .arg(&name))?;
    run(Command::new("gzip").args(["--no-name", "--best", "--force"]).arg(&tar))?;
    let packed = release.build.join(format!("{name}.tar.gz"));
    let to = release.out.join(format!("{name}.tar.gz"));
    fs::rename(&packed, &to).map_err(|error| format!("{}: {error}", to.display()))
}

/// Writes `bitmart_VERSION_ARCHITECTURE.deb`, if `dpkg-deb` is installed.
pub(super) fn debian(release: &Release) -> TaskResult {
    if !install::has("dpkg-deb") {
        println!("skipped: a Debian package, since dpkg-deb is not installed");
        return Ok(());
    }
    let tool = install::cargo_deb(Missing::Install)?;
    let mut command = Command::new(tool);
    command.current_dir(workspace_root()).env("CARGO_TARGET_DIR", &release.build);
    command.env("SOURCE_DATE_EPOCH", &release.epoch);
    command.args([
        "deb",
        "--package",
        "bitmart-cli",
        "--profile",
        PROFILE,
        "--no-build",
        "--no-strip",
    ]);
    command.args(["--locked", "--deb-revision", "", "--output"]).arg(&release.out);
    // The tool calls cargo.
    command.env("CARGO", cargo().get_program());
    run(&mut command)
}

/// `bin-dir` of the program's manifest.
#[cfg(test)]
pub(super) fn binstall() -> Result<String, String> {
    let path = workspace_root().join("crates/bitmart-cli/Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let path = manifest["package"]["metadata"]["binstall"]["bin-dir"].as_str();
    path.map(str::to_owned).ok_or_else(|| "no bin-dir".to_owned())
}
