//! Reads the description of the REST API, as far as documents use it. `cargo xtask codegen` reads it completely and
//! rejects unknown members.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Section {
    /// File name without its extension.
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(rename = "endpoint")]
    pub(crate) endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) auth: String,
    pub(crate) permission: Option<String>,
    pub(crate) limit: String,
    pub(crate) effect: String,
    #[serde(default = "standard")]
    pub(crate) envelope: String,
    pub(crate) response: String,
    pub(crate) fields: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) checked: String,
    #[serde(default)]
    pub(crate) quirks: Vec<String>,
    #[serde(default)]
    pub(crate) decisions: Vec<String>,
    #[serde(default, rename = "param")]
    pub(crate) params: Vec<Param>,
}

#[derive(Deserialize)]
pub(crate) struct Param {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) rust: String,
    pub(crate) wire: Option<String>,
    #[serde(default)]
    pub(crate) presence: String,
    pub(crate) unit: Option<String>,
    /// A whole number, or a decimal as text.
    pub(crate) min: Option<Value>,
    pub(crate) max: Option<Value>,
    pub(crate) max_length: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) values: Vec<String>,
    pub(crate) doc: String,
    #[serde(default, rename = "item")]
    pub(crate) items: Vec<Param>,
}

fn standard() -> String {
    "standard".to_owned()
}

/// A published request, its response, or both.
#[derive(Deserialize)]
pub(crate) struct Fixture {
    /// File name without its extension.
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) query: Value,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default)]
    pub(crate) response: Value,
}

/// Reads every description in `folder`, sorted by file name.
pub(crate) fn sections(folder: &Path) -> Result<Vec<Section>, String> {
    read_all(folder, "toml", |name, text| {
        let mut section: Section = toml::from_str(text).map_err(|error| error.to_string())?;
        section.name = name;
        Ok(section)
    })
}

/// Reads the fixtures of an endpoint, sorted by file name. Some endpoints have none.
pub(crate) fn fixtures(folder: &Path) -> Result<Vec<Fixture>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    read_all(folder, "json", |name, text| {
        let mut fixture: Fixture = serde_json::from_str(text).map_err(|error| error.to_string())?;
        fixture.name = name;
        Ok(fixture)
    })
}

/// Reads the files of one kind in `folder`, sorted by name; `parse` gets the name without extension.
pub(crate) fn read_all<T>(
    folder: &Path,
    extension: &str,
    parse: impl Fn(String, &str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    let read = |path: &Path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        parse(name, &std::fs::read_to_string(path).map_err(|error| error.to_string())?)
    };
    files
        .iter()
        .map(|path| read(path).map_err(|error| format!("{}: {error}", path.display())))
        .collect()
}
