//! The endpoint catalogue of bitmart-rest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::description::{Endpoint, Param, Section};
use super::enums::Enums;
use super::essentials::Alias;
use super::facts::{Fact, facts};
use super::models::Models;
use super::{File, types};

const SOURCE: &str = "crates/bitmart-rest/api/*.toml";

pub(crate) fn render(
    sections: &[Section],
    models: &Models,
    enums: &Enums,
) -> Result<[File; 2], String> {
    let mut used = BTreeSet::new();
    let mut out = "use super::Form::{Decimal, Flag, Integer, List, Text};\n\
         use super::Presence::{Conditional, Optional, Required};\n\
         use super::{EndpointEntry, Field, Ignore, Parameter, meanings};\n\n\
         /// Every described endpoint, in the order of the description.\n\
         pub static ENDPOINTS: &[EndpointEntry] = &[\n"
        .to_owned();
    for section in sections {
        let module = section.module.split("::").next().unwrap_or_default();
        for endpoint in &section.endpoints {
            let _ = write!(
                out,
                "EndpointEntry::of::<crate::api::{}::{}>({:?})",
                module, endpoint.request, endpoint.title
            );
            let _ = write!(out, ".group({:?})", section.group);
            if let Some(permission) = &endpoint.permission {
                let _ = write!(out, ".permission({permission:?})");
            }
            for (name, texts) in [("quirks", &endpoint.quirks), ("errors", &endpoint.errors)] {
                if !texts.is_empty() {
                    let _ = write!(out, ".{name}(&{texts:?})");
                }
            }
            if !endpoint.params.is_empty() {
                let _ = write!(out, ".parameters({})", parameters(&endpoint.params));
            }
            if !endpoint.fields.is_empty() {
                out.push_str(".fields(&[");
                fields(&mut out, endpoint, models, enums, &mut used)
                    .map_err(|error| format!("{}: {}: {error}", section.file, endpoint.id))?;
                out.push_str("])");
            }
            if !endpoint.essential.is_empty() {
                let _ = write!(out, ".essential(&{:?})", endpoint.essential);
            }
            if !endpoint.aliases.is_empty() {
                out.push_str(".aliases(&[");
                for Alias { path, was, source } in &endpoint.aliases {
                    let _ = write!(out, "super::Alias::new({path:?}, {was:?}, {source:?}),");
                }
                out.push_str("])");
            }
            if endpoint.is_unverified() {
                out.push_str(".unverified()");
            }
            if !endpoint.ignores.is_empty() {
                out.push_str(".ignores(&[");
                for ignore in &endpoint.ignores {
                    let _ = write!(out, "Ignore::new({:?}, {:?}),", ignore.path, ignore.reason);
                }
                out.push_str("])");
            }
            out.push_str(",\n");
        }
    }
    out.push_str("];\n");
    let catalog = File::rust("crates/bitmart-rest/src/api/catalog/generated.rs", SOURCE, &out)?;
    Ok([catalog, meanings(enums, &used)?])
}

/// The fields of an endpoint, with what the models and enumerations say of them.
fn fields(
    out: &mut String,
    endpoint: &Endpoint,
    models: &Models,
    enums: &Enums,
    used: &mut BTreeSet<String>,
) -> Result<(), String> {
    let facts = facts(models, &endpoint.response, &endpoint.fields)?;
    for field in &endpoint.fields {
        let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
        let _ = write!(out, "Field::new({path:?}, {form:?})");
        if let Some(Fact { doc, rust, module }) = facts.get(path) {
            if !doc.is_empty() {
                let _ = write!(out, ".doc({doc:?})");
            }
            if let Some(enumeration) = enums.find(module, rust) {
                let _ = write!(out, ".values(meanings::{})", constant(enumeration));
                used.insert(enumeration.to_owned());
            }
            if rust.ends_with("Id") {
                out.push_str(".id()");
            }
            if rust == "Timestamp" && !form.split(", ").any(|part| part == "ms" || part == "s") {
                return Err(format!("`{path}` is a time, and its unit is not among its form"));
            }
        }
        out.push(',');
    }
    Ok(())
}

/// What the values of the used enumerations mean.
fn meanings(enums: &Enums, used: &BTreeSet<String>) -> Result<File, String> {
    let mut out = "use super::Meaning;\n\n".to_owned();
    for (path, values) in enums.iter().filter(|(path, _)| used.contains(*path)) {
        let _ = writeln!(out, "pub(super) static {}: &[Meaning] = &[", constant(path));
        for value in values {
            let _ =
                writeln!(out, "Meaning::new({:?}, {:?}, {:?}),", value.wire, value.name, value.doc);
        }
        out.push_str("];\n\n");
    }
    let path = "crates/bitmart-rest/src/api/catalog/meanings.rs";
    File::rust(path, "the enumerations of bitmart-types and bitmart-rest", &out)
}

/// `futures::OrderType` as `FUTURES_ORDER_TYPE`.
fn constant(path: &str) -> String {
    let parts: Vec<String> = path.split("::").map(types::snake_case).collect();
    parts.join("_").to_uppercase()
}

fn parameters(params: &[Param]) -> String {
    let rows: Vec<String> = params.iter().map(parameter).collect();
    format!("&[{}]", rows.join(","))
}

/// One parameter: what is not known is left to its default.
fn parameter(param: &Param) -> String {
    let mut out = "Parameter { ".to_owned();
    let _ = write!(out, "form: {:?}, presence: {:?}, ", types::form(param), param.presence);
    let bound = |bound: &Option<_>| bound.as_ref().map(ToString::to_string);
    let texts = [
        ("doc", Some(param.doc.clone())),
        ("unit", param.unit.clone()),
        ("min", bound(&param.min)),
        ("max", bound(&param.max)),
        ("default", param.default.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            let _ = write!(out, "{name}: {text:?}, ");
        }
    }
    if !param.values.is_empty() {
        let _ = write!(out, "values: &{:?}, ", param.values);
    }
    if !param.items.is_empty() {
        let _ = write!(out, "items: {}, ", parameters(&param.items));
    }
    let _ = write!(out, "..Parameter::new({:?}) }}", param.name);
    out
}
