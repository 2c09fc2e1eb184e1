//! Checks the fixtures of this project.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bitmart_rest::catalog::{ENDPOINTS, EndpointEntry};
use serde_json::Value;

#[test]
fn published_samples_conform() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let folders = ["bitmart-rest/fixtures", "bitmart-ws/fixtures"].map(|name| crates.join(name));
    let report = conformance::check(&folders, false).expect("the folders exist");
    assert_eq!(report.failed, 0, "{report}");
    assert!(report.passed >= 60, "{report}");
    // Times in a unit that differs from the description: see `docs/contradictions.md`.
    let units = report.units.iter().map(|(file, unit)| {
        let folder = file.parent().and_then(Path::file_name).expect("a folder");
        (folder.to_string_lossy().into_owned(), unit.path.as_str())
    });
    assert_eq!(
        units.collect::<BTreeSet<_>>(),
        [
            ("futures_position_risk", "response.data[0].update_time"),
            ("margin_borrow_records", "response.data.records[0].create_time"),
            ("margin_repay_records", "response.data.records[0].repay_time"),
        ]
        .map(|(folder, path)| (folder.to_owned(), path))
        .into()
    );
}

/// Each declares its losses, so that [`published_samples_conform`] checks them completely.
#[test]
fn captured_responses_are_complete() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/bitmart-rest/fixtures");
    let files = fs::read_dir(folder.join("captured")).expect("the folder exists");
    let is_json = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    let count = files.filter(|file| is_json(&file.as_ref().expect("readable").path())).count();
    assert!(count >= 42, "{count}");
}

#[test]
fn every_endpoint_has_a_fixture_folder_of_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/bitmart-rest/fixtures");
    // There are no samples of undocumented responses.
    for entry in ENDPOINTS.iter().filter(|entry| !entry.is_unverified) {
        let id = entry.metadata.id;
        assert!(folder.join(id).is_dir(), "{id} has no fixtures");
    }
}

/// The description and the model list the same fields, as far as the samples cover them: models write all of their
/// fields.
#[test]
fn described_fields_are_those_of_the_model() {
    for entry in ENDPOINTS.iter().filter(|entry| !entry.is_unverified) {
        let mut modelled = BTreeSet::new();
        for response in responses(entry) {
            let text = entry.recode_response(http::StatusCode::OK, &response.to_string().into());
            let text = text.unwrap_or_else(|error| panic!("{}: {error}", entry.metadata.id));
            leaves("", &serde_json::from_str(&text).expect("JSON"), &mut modelled);
        }
        // Published samples lack fields that only a third party describes or only captures contain.
        let fields = entry.fields.iter();
        let described: BTreeSet<String> = fields
            .filter(|field| {
                let is_published = !field.form.contains("by a third party only")
                    && !field.form.contains("in captures only");
                modelled.contains(field.path) || is_published
            })
            .map(|field| field.path.to_owned())
            .collect();
        assert_eq!(modelled, described, "{}", entry.metadata.id);
    }
}

/// The recorded responses of an endpoint.
fn responses(entry: &EndpointEntry) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../crates/bitmart-rest/fixtures")
        .join(entry.metadata.id);
    fs::read_dir(folder)
        .expect("the folder exists")
        .map(|file| fs::read_to_string(file.expect("readable").path()).expect("readable"))
        .map(|text| serde_json::from_str::<Value>(&text).expect("JSON")["response"].take())
        .filter(|response| !response.is_null())
        .collect()
}

/// The paths of the scalars in `value`. Columns of a row have their index.
fn leaves(path: &str, value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(&format!("{path}{dot}{key}"), value, out);
            }
        }
        Value::Array(items) => {
            let is_row = path.ends_with("[]");
            for (index, value) in items.iter().enumerate() {
                let index = if is_row { index.to_string() } else { String::new() };
                leaves(&format!("{path}[{index}]"), value, out);
            }
        }
        _ => {
            out.insert(path.to_owned());
        }
    }
}
