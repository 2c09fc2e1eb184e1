//! Writes an SBOM of each program in the `CycloneDX` format, with `cargo cyclonedx`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{PROGRAMS, Release, write as write_file};
use crate::TaskResult;
use crate::install::{self, Missing};
use crate::run::{cargo, run, workspace_root};

/// The file name for the tool, which writes one beside each manifest of the workspace.
const NAME: &str = "dist-sbom";
/// An SBOM with fewer crates is incomplete.
const MIN_CRATES: usize = 50;

/// Writes `PROGRAM-VERSION-TARGET.cdx.json` for each program.
pub(super) fn write(release: &Release) -> TaskResult {
    let tool = install::cargo_cyclonedx(Missing::Install)?;
    let root = workspace_root();
    let mut command = Command::new(tool);
    command.current_dir(&root).env("SOURCE_DATE_EPOCH", &release.epoch);
    command.env("CARGO", cargo().get_program());
    command.args([
        "cyclonedx",
        "--format",
        "json",
        "--all",
        "--quiet",
        "--target",
        &release.target,
    ]);
    command.args(["--override-filename", NAME]);
    let result = run(&mut command).and_then(|()| collect(release, &root));
    for path in written_files(&root)? {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    result
}

fn collect(release: &Release, root: &Path) -> TaskResult {
    for (program, package) in PROGRAMS {
        let path = root.join("crates").join(package).join(format!("{NAME}.json"));
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        // Packages of the workspace are identified by their paths.
        let text = text.replace(&*root.to_string_lossy(), "/bitmart");
        let crates = check(&text).map_err(|why| format!("the SBOM of {program}: {why}"))?;
        println!("{program}: an SBOM of {crates} crates");
        let name = format!("{program}-{}-{}.cdx.json", release.version, release.target);
        write_file(&release.out.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// Returns the number of crates. Each must have a version, and depend only on crates in the SBOM.
fn check(text: &str) -> Result<usize, String> {
    let bom: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if bom["bomFormat"] != "CycloneDX" || bom["specVersion"].as_str().is_none() {
        return Err("the format is not CycloneDX".to_owned());
    }
    let components = bom["components"].as_array().map_or(&[][..], Vec::as_slice);
    let top = &bom["metadata"]["component"];
    let mut known = BTreeSet::new();
    for component in components.iter().chain([top]) {
        if component["version"].as_str().is_none() || component["name"].as_str().is_none() {
            return Err(format!("a component lacks its name or version: {component}"));
        }
        known.extend(component["bom-ref"].as_str());
    }
    for dependency in bom["dependencies"].as_array().into_iter().flatten() {
        let names = dependency["dependsOn"].as_array().into_iter().flatten();
        let mut names = names.chain([&dependency["ref"]]).filter_map(Value::as_str);
        if let Some(unknown) = names.find(|name| !known.contains(name)) {
            return Err(format!("the dependency {unknown} is missing"));
        }
    }
    if components.len() < MIN_CRATES {
        return Err(format!("it has only {} crates", components.len()));
    }
    Ok(components.len())
}

/// The files that the tool wrote.
fn written_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == format!("{NAME}.json") {
                found.push(path);
            } else if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bom(crates: usize, depends_on: &str) -> String {
        let components: Vec<_> = (0..crates)
            .map(|number| {
                serde_json::json!({"bom-ref": format!("c{number}"), "name": "c", "version": "1"})
            })
            .collect();
        serde_json::json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": {"bom-ref": "top", "name": "top", "version": "1"}},
            "components": components,
            "dependencies": [{"ref": "top", "dependsOn": [depends_on]}],
        })
        .to_string()
    }

    #[test]
    fn rejects_an_sbom_with_missing_crates() {
        assert_eq!(check(&bom(60, "c1")), Ok(60));
        assert!(check(&bom(60, "c60")).is_err());
        assert!(check(&bom(3, "c1")).is_err());
        assert!(check("{}").is_err());
    }
}
