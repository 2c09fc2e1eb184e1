//! The endpoint catalogue of bitmart-rest.

use std::fmt::Write as _;

use super::File;
use super::description::Section;

pub(crate) fn render(sections: &[Section]) -> Result<File, String> {
    let mut out = "use super::{EndpointEntry, Field, Ignore};\n\n\
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
            let parameters: Vec<&str> =
                endpoint.params.iter().map(|param| param.name.as_str()).collect();
            if !parameters.is_empty() {
                let _ = write!(out, ".parameters(&{parameters:?})");
            }
            if !endpoint.fields.is_empty() {
                out.push_str(".fields(&[");
                for field in &endpoint.fields {
                    let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
                    let _ = write!(out, "Field::new({path:?}, {form:?}),");
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
