//! `cargo xtask api [--check]`: the public API of each library, one sorted line per item, in `docs/api`; and the
//! foreign crates that appear in it, against a list with reasons.
//!
//! Both come from the JSON of rustdoc, which is unstable: it is read here in the format of the pinned toolchain.

mod dependencies;
mod json;
mod surface;

use std::process::{Command, ExitCode};
use std::{env, fs};

use similar::TextDiff;

use self::json::Crate;
use self::surface::Surface;
use crate::TaskResult;
use crate::run::{run as run_command, target_folder, workspace_root};
use crate::test::doc_command;

/// The libraries whose API is recorded.
const LIBRARIES: [&str; 8] = [
    "bitmart-types",
    "bitmart-auth",
    "bitmart-net",
    "bitmart-rest",
    "bitmart-ws",
    "bitmart-account",
    "bitmart",
    "bitmart-fleet",
];

const FOLDER: &str = "docs/api";

/// Set where this program runs in the place of rustdoc.
const AS_RUSTDOC: &str = "BITMART_XTASK_RUSTDOC";

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => return Err("usage: cargo xtask api [--check]".to_owned()),
    };
    document()?;
    let mut faults = Vec::new();
    let mut used = dependencies::Used::default();
    for library in LIBRARIES {
        let surface = surface(library)?;
        println!("{library}: {} public items", surface.lines.len());
        used.add(library, &surface.foreign);
        faults.extend(compare(library, &surface.text(), check)?);
    }
    faults.extend(used.check()?);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// The step of `cargo xtask test`.
pub(crate) fn check() -> TaskResult {
    run(&["--check"])
}

/// Writes the JSON of all libraries at once, so that their features are those of the other steps.
///
/// JSON needs `RUSTC_BOOTSTRAP`. In the environment of cargo it would reach build scripts and rebuild what depends on
/// them, so it is set for rustdoc alone, by letting cargo call this program as rustdoc.
fn document() -> TaskResult {
    let this = env::current_exe().map_err(|error| format!("own path: {error}"))?;
    run_command(
        doc_command(&["--lib"])
            .env("RUSTDOC", this)
            .env(AS_RUSTDOC, "1")
            .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow"),
    )
}

/// Whether cargo started this program as rustdoc.
pub(crate) fn is_rustdoc() -> bool {
    env::var_os(AS_RUSTDOC).is_some()
}

/// Runs rustdoc with the arguments of this program and unstable options enabled.
pub(crate) fn run_rustdoc() -> ExitCode {
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(AS_RUSTDOC);
    match rustdoc.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn surface(library: &str) -> Result<Surface, String> {
    let path = target_folder().join(format!("doc/{}.json", library.replace('-', "_")));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Surface::new(Crate::parse(&text)?))
}

/// Writes a snapshot; or compares it and returns the difference.
fn compare(library: &str, text: &str, check: bool) -> Result<Option<String>, String> {
    let name = format!("{FOLDER}/{library}.txt");
    let path = workspace_root().join(&name);
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    if recorded == text {
        return Ok(None);
    }
    if check {
        print!(
            "{}",
            TextDiff::from_lines(recorded.as_str(), text).unified_diff().header(&name, "built")
        );
        return Ok(Some(format!(
            "{name} differs from the public API. If the change is meant, run `cargo xtask api` and describe it in CHANGELOG.md"
        )));
    }
    fs::create_dir_all(workspace_root().join(FOLDER))
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| format!("{name}: {error}"))?;
    println!("wrote {name}");
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public API of `fixture.rs`.
    fn fixture() -> Surface {
        let root = workspace_root();
        let out = env::temp_dir().join(format!("bitmart-xtask-api-{}", std::process::id()));
        let status = Command::new("rustdoc")
            .args(["--edition", "2024", "--crate-name", "fixture", "--output-format", "json"])
            .args(["-Z", "unstable-options", "--out-dir"])
            .arg(&out)
            .arg(root.join("xtask/src/api/fixture.rs"))
            .env("RUSTC_BOOTSTRAP", "1")
            .status()
            .expect("rustdoc starts");
        assert!(status.success());
        let text = fs::read_to_string(out.join("fixture.json")).expect("written");
        fs::remove_dir_all(&out).expect("was made");
        Surface::new(Crate::parse(&text).expect("this format"))
    }

    #[test]
    fn a_snapshot_has_every_public_item_by_its_shortest_path_and_no_private_one() {
        let expected = fs::read_to_string(workspace_root().join("xtask/src/api/fixture.txt"));
        let text = fixture().text();
        let expected = expected.expect("is there");
        let diff = TextDiff::from_lines(&expected, &text);
        assert!(text == expected, "{}", diff.unified_diff());
    }

    #[test]
    fn another_format_is_rejected() {
        assert!(Crate::parse(r#"{"format_version": 1}"#).is_err());
    }
}
