//! The endpoint catalogue of bitmart-rest.

use std::fmt::Write as _;

use super::description::{Param, Section};
use super::essentials::Alias;
use super::{File, types};

pub(crate) fn render(sections: &[Section]) -> Result<File, String> {
    let mut out = "use super::Form::{Decimal, Flag, Integer, List, Text};\n\
         use super::Presence::{Conditional, Optional, Required};\n\
         use super::{EndpointEntry, Field, Ignore, Parameter};\n\n\
         /// Every described endpoint, in the order of the description.\n\
         pub static ENDPOINTS: &[EndpointEntry] = &[\n"
        .to_owned();
    for section in sections {
        let module = section.module.split("::").next().unwrap_or_default();
        for endpoint in &section.endpoints {
            let _ = write!(
                out,
                "EndpointEntry::of::<crate::{}::{}>({:?})",
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
                for field in &endpoint.fields {
                    let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
                    let _ = write!(out, "Field::new({path:?}, {form:?}),");
                }
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
    File::rust(
        "crates/bitmart-rest/src/catalog/generated.rs",
        "crates/bitmart-rest/api/*.toml",
        &out,
    )
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
