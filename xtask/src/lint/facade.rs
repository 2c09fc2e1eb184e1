//! Every feature of a crate behind the facade can be enabled from the facade.

use std::fs;
use std::path::Path;

use crate::run::workspace_root;

/// Reports the features that the facade does not forward.
pub(super) fn check() -> Result<Vec<String>, String> {
    let root = workspace_root();
    let facade = manifest(&root, "bitmart")?;
    let forwarded: Vec<&str> =
        table(&facade, "features").flat_map(|(_, list)| texts(list)).collect();
    let mut faults = Vec::new();
    for (name, dependency) in table(&facade, "dependencies") {
        if !name.starts_with("bitmart") {
            continue;
        }
        let always: Vec<&str> = dependency.get("features").map(texts).unwrap_or_default();
        let dependency = manifest(&root, name)?;
        for (feature, _) in table(&dependency, "features").filter(|(name, _)| *name != "default") {
            let is_forwarded = [format!("{name}/{feature}"), format!("{name}?/{feature}")]
                .iter()
                .any(|entry| forwarded.contains(&entry.as_str()));
            if !is_forwarded && !always.contains(&feature) {
                faults.push(format!("the facade cannot enable {name}/{feature}"));
            }
        }
    }
    Ok(faults)
}

fn table<'a>(
    manifest: &'a toml::Table,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a toml::Value)> {
    let entries = manifest.get(name).and_then(toml::Value::as_table);
    entries.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn texts(list: &toml::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn manifest(root: &Path, name: &str) -> Result<toml::Table, String> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}
