//! Every feature of a crate behind the facade can be enabled from the facade.

use std::fs;
use std::path::Path;

use crate::run::workspace_root;

/// Reports the features that the facade does not forward.
pub(super) fn check() -> Result<Vec<String>, String> {
    let root = workspace_root();
    let facade = read_manifest(&root, "bitmart")?;
    let forwarded: Vec<&str> =
        entries(&facade, "features").flat_map(|(_, list)| strings(list)).collect();
    let mut faults = Vec::new();
    for (name, dependency) in entries(&facade, "dependencies") {
        if !name.starts_with("bitmart") {
            continue;
        }
        let always_enabled: Vec<&str> = dependency.get("features").map(strings).unwrap_or_default();
        let dependency = read_manifest(&root, name)?;
        for (feature, _) in entries(&dependency, "features").filter(|(name, _)| *name != "default")
        {
            let is_forwarded = [format!("{name}/{feature}"), format!("{name}?/{feature}")]
                .iter()
                .any(|entry| forwarded.contains(&entry.as_str()));
            if !is_forwarded && !always_enabled.contains(&feature) {
                faults.push(format!("the facade cannot enable {name}/{feature}"));
            }
        }
    }
    Ok(faults)
}

fn entries<'a>(
    manifest: &'a toml::Table,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a toml::Value)> {
    let table = manifest.get(name).and_then(toml::Value::as_table);
    table.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn strings(list: &toml::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn read_manifest(root: &Path, name: &str) -> Result<toml::Table, String> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}
