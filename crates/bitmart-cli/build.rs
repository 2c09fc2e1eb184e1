//! Tells the program what it was built from and for. Outside a git checkout, such as from a package,
//! it is built without a commit.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=BITMART_COMMIT={}", commit().unwrap_or_default());
    println!("cargo::rustc-env=BITMART_TARGET={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo::rustc-env=BITMART_RUSTC={}", rustc().unwrap_or_default());
}

/// The commit, with `+` where files differ from it.
fn commit() -> Option<String> {
    // Of this repository only: the sources may lie, unpacked, within another one.
    let prefix = git(&["rev-parse", "--show-prefix"])?;
    if prefix.trim_end_matches('/') != "crates/bitmart-cli" {
        return None;
    }
    for file in ["HEAD", "index"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", file])?);
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(format!("{commit}{}", if changed { "+" } else { "" }))
}

fn git(arguments: &[&str]) -> Option<String> {
    text(Command::new("git").args(arguments))
}

fn rustc() -> Option<String> {
    text(Command::new(std::env::var_os("RUSTC")?).arg("--version"))
}

fn text(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
