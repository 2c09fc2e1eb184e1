//! Access to the published and captured frames.

use std::fs;
use std::path::{Path, PathBuf};

use bitmart_ws::Dialect;
use bitmart_ws::catalog::{self, Channel};
use serde_json::Value;

pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) dialect: Dialect,
    pub(crate) frame: Value,
}

/// Returns all fixtures with a data frame.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("the folder exists");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let mut fixtures = Vec::new();
    let files = list(&root).into_iter().flat_map(|folder| list(&folder));
    for path in files.filter(|path| path.extension().is_some_and(|kind| kind == "json")) {
        let text = fs::read_to_string(&path).expect("readable");
        let mut fixture: Value = serde_json::from_str(&text).expect("JSON");
        assert!(fixture["source"].is_string(), "{}: no source", path.display());
        let dialect = match fixture["ws"].as_str() {
            Some("spot") => Dialect::Spot,
            Some("futures") => Dialect::Futures,
            other => panic!("{}: ws is {other:?}", path.display()),
        };
        let frame = fixture["frame"].take();
        if !frame.is_null() {
            fixtures.push(Fixture { path, dialect, frame });
        }
    }
    fixtures
}

impl Fixture {
    pub(crate) fn channel(&self) -> &'static Channel {
        let name = self.frame.get("table").or(self.frame.get("group")).and_then(Value::as_str);
        let name = name.expect("a data frame has a channel");
        catalog::channel(self.dialect, name).expect("a described channel")
    }

    /// Returns the entries of the frame, one or an array.
    pub(crate) fn entries(&self) -> &[Value] {
        match &self.frame["data"] {
            Value::Array(entries) => entries,
            entry => std::slice::from_ref(entry),
        }
    }
}
