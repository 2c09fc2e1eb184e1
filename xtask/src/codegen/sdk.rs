//! The names that the official SDKs give the endpoints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::description::{Endpoint, Section};

/// The names of `crates/bitmart-rest/api/sdk/names.toml`, by language.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct SdkNames(BTreeMap<String, Sdk>);

/// One SDK.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sdk {
    #[expect(dead_code, reason = "for readers of the file")]
    package: String,
    #[expect(dead_code, reason = "for readers of the file")]
    version: String,
    /// Functions by route: `GET /system/time`.
    names: BTreeMap<String, Vec<String>>,
}

impl SdkNames {
    pub(crate) fn load(file: &Path) -> Result<Self, String> {
        let explain = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| explain(&error))?;
        toml::from_str(&text).map_err(|error| explain(&error))
    }

    /// The names of one endpoint, each once.
    pub(crate) fn names(&self, endpoint: &Endpoint) -> Vec<&str> {
        let route = endpoint.route();
        let mut names: Vec<&str> = Vec::new();
        for name in self.0.values().filter_map(|sdk| sdk.names.get(&route)).flatten() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Rejects names of routes that are not described.
    pub(crate) fn check(&self, sections: &[Section]) -> Result<(), String> {
        let endpoints = sections.iter().flat_map(|section| &section.endpoints);
        let routes: Vec<String> = endpoints.map(Endpoint::route).collect();
        match self.0.values().flat_map(|sdk| sdk.names.keys()).find(|name| !routes.contains(name)) {
            Some(route) => Err(format!("sdk/names.toml: `{route}` is not described")),
            None => Ok(()),
        }
    }
}
