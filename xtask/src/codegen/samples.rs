//! What the sandbox answers on a route without behaviour: the published sample, or a body made of
//! the described fields.

use std::path::Path;

use serde_json::{Value, json};

use super::description::{Endpoint, Section};

/// One line per endpoint: its id, whether the answer is published, and the data of the answer.
pub(crate) fn render(section: &Section, fixtures: &Path) -> String {
    let line = |endpoint: &Endpoint| {
        let published = published(&fixtures.join(&endpoint.id));
        let known = published.is_some();
        let data = published.unwrap_or_else(|| plausible(endpoint));
        format!("{:?}: {}", endpoint.id, json!({ "published": known, "data": data }))
    };
    let lines: Vec<_> = section.endpoints.iter().map(line).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The data of the first answer in the folder of an endpoint, by file name. Some samples were
/// published without what stands around the data. That fixtures are sound is tested elsewhere.
fn published(folder: &Path) -> Option<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    let mut responses = files.iter().filter_map(|file| {
        let text = std::fs::read_to_string(file.path()).ok()?;
        Some(serde_json::from_str::<Value>(&text).ok()?["response"].take())
    });
    let response = responses.find(|response| !response.is_null())?;
    let bare = response.get("code").is_none() && response.get("data").is_none();
    Some(if bare { response } else { response["data"].clone() })
}

fn plausible(endpoint: &Endpoint) -> Value {
    let mut data = if endpoint.response.contains("bool") { json!(true) } else { json!({}) };
    for field in &endpoint.fields {
        let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
        // `/list/0/name` for `list[].name`.
        let path = path.replace("[]", "/0").replace("{date}", "2026-11-22").replace('.', "/");
        let mut at = &mut data;
        for step in path.split('/').filter(|step| !step.is_empty()) {
            if step == "0" && !at.is_array() {
                *at = json!([null]);
            }
            at = if step == "0" { &mut at[0] } else { &mut at[step] };
        }
        *at = value(form);
    }
    data
}

/// A value of the form that the description gives in words.
fn value(form: &str) -> Value {
    let forms = [
        ("integer, ms", json!(1_700_000_000_000_u64)),
        ("integer text", json!("1")),
        ("integer", json!(1)),
        ("decimal number", json!(1.5)),
        ("decimal text", json!("1.5")),
        ("true or false", json!(true)),
        ("boolean", json!(true)),
    ];
    forms.into_iter().find(|row| form.contains(row.0)).map_or(json!("text"), |row| row.1)
}
