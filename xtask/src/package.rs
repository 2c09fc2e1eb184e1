//! `cargo xtask package`: packs all crates that are published, as `cargo publish --workspace` would, and checks
//! what is in them. Nothing is built and no registry is needed; it takes seconds.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use crate::TaskResult;
use crate::run::{cargo, output, run as run_command, workspace_root};

/// The crates that are published, in the order in which one needs the other.
pub(crate) const PUBLISHED: [&str; 11] = [
    "bitmart-types",
    "bitmart-auth",
    "bitmart-net",
    "bitmart-rest",
    "bitmart-ws",
    "bitmart-account",
    "bitmart-sim",
    "bitmart-sandbox",
    "bitmart",
    "bitmart-fleet",
    "bitmart-cli",
];

/// Files that each package must contain.
const REQUIRED: [&str; 5] =
    ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/<lib or main>.rs"];

/// Folders that no package may contain: they are large, and `exclude` should name them.
const FORBIDDEN: [&str; 5] = ["benches", "examples", "fixtures", "proptest-regressions", "tests"];

/// The most bytes of a package, compressed.
const MAX_BYTES: u64 = 1_000_000;

pub(crate) fn run() -> TaskResult {
    let packages = PUBLISHED.map(|name| ["--package", name]);
    let target = workspace_root().join("target/package-check");
    run_command(
        cargo()
            .args(["package", "--no-verify", "--allow-dirty", "--offline", "--quiet"])
            .args(packages.as_flattened())
            .arg("--target-dir")
            .arg(&target),
    )?;
    let mut faults = Vec::new();
    for name in PUBLISHED {
        let list = output(cargo().args([
            "package",
            "--list",
            "--allow-dirty",
            "--offline",
            "--package",
            name,
        ]))?;
        let files: BTreeSet<&str> = list.lines().collect();
        let own = check_files(&files).into_iter().chain(check_includes(name, &files)?);
        faults.extend(own.map(|fault| format!("{name}: {fault}")));
        let version = env!("CARGO_PKG_VERSION");
        let packed = target.join(format!("package/{name}-{version}.crate"));
        let bytes =
            fs::metadata(&packed).map_err(|error| format!("{}: {error}", packed.display()))?.len();
        println!("{name:<16} {:>4} files {:>8} bytes", files.len(), bytes);
        if bytes > MAX_BYTES {
            faults.push(format!("{name}: {bytes} bytes, at most {MAX_BYTES} are allowed"));
        }
    }
    faults.extend(missing_packages()?);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Crates of the workspace that may be published and are not in [`PUBLISHED`].
fn missing_packages() -> Result<Vec<String>, String> {
    let folder = workspace_root().join("crates");
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut faults = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(manifest) = fs::read_to_string(path.join("Cargo.toml")) else { continue };
        let manifest: toml::Table = manifest.parse().map_err(|error| format!("{name}: {error}"))?;
        let publish = manifest["package"].get("publish").and_then(toml::Value::as_bool);
        if publish.unwrap_or(true) != PUBLISHED.contains(&name.as_str()) {
            faults.push(format!("{name}: its `publish` and the list in package.rs differ"));
        }
    }
    Ok(faults)
}

fn check_files(files: &BTreeSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    for name in REQUIRED {
        let is_there = match name.split_once('<') {
            Some(_) => files.contains("src/lib.rs") || files.contains("src/main.rs"),
            None => files.contains(name),
        };
        if !is_there {
            faults.push(format!("lacks {name}"));
        }
    }
    for folder in FORBIDDEN {
        let prefix = format!("{folder}/");
        if let Some(file) = files.iter().find(|file| file.starts_with(&prefix)) {
            faults.push(format!("contains {file}"));
        }
    }
    faults
}

/// Files that the sources include and the package lacks: it would not build.
fn check_includes(package: &str, files: &BTreeSet<&str>) -> Result<Vec<String>, String> {
    let root = workspace_root().join("crates").join(package);
    let mut faults = Vec::new();
    for file in files
        .iter()
        .filter(|file| Path::new(file).extension().is_some_and(|end| end == "rs") && !is_test(file))
    {
        let path = root.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        for included in includes(&text) {
            let target = Path::new(file).parent().unwrap_or(Path::new("")).join(included);
            let target = normal(&target);
            if !files.contains(&*target.to_string_lossy()) {
                faults.push(format!("{file} includes {included}, which is not packaged"));
            }
        }
    }
    Ok(faults)
}

/// Whether a source file is compiled for tests only, by its name.
fn is_test(file: &str) -> bool {
    let stem = file.trim_end_matches(".rs");
    file.contains("tests/") || stem.ends_with("tests") || stem.ends_with("properties")
}

/// The relative paths of `include_str!` and the like, outside of a test module at the end of the file.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    ["include_str!(\"", "include_bytes!(\"", "include!(\""]
        .into_iter()
        .flat_map(|opening| text.split(opening).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

/// Resolves `..` without a file system.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_missing_licenses_and_packaged_tests() {
        let files = BTreeSet::from(["Cargo.toml", "README.md", "src/lib.rs", "tests/a.rs"]);
        assert_eq!(
            check_files(&files),
            ["lacks LICENSE-APACHE", "lacks LICENSE-MIT", "contains tests/a.rs"]
        );
        let files = BTreeSet::from([
            "Cargo.toml",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "src/main.rs",
        ]);
        assert_eq!(check_files(&files), [""; 0]);
    }

    #[test]
    fn finds_included_files_outside_of_tests() {
        let text = "const A: &str = include_str!(\"../a.txt\");\n\
                    #[cfg(test)]\nmod tests {\n    const B: &str = include_str!(\"b.txt\");\n}\n";
        assert_eq!(includes(text).collect::<Vec<_>>(), ["../a.txt"]);
        assert_eq!(normal(Path::new("src/x/../../api/a.toml")), Path::new("api/a.toml"));
    }
}
