//! The sandbox's route tables. Client and sandbox share these facts and no code.

use std::fmt::Write as _;

use super::File;
use super::description::{Bound, Effect, Limit, Param, Section};
use super::types;

const FOLDER: &str = "crates/bitmart-sandbox/src/generated";

/// One table per section, and the module that joins them.
pub(crate) fn render(sections: &[Section]) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    // The channel table is rendered by `ws`.
    let (mut modules, mut tables) = ("pub(crate) mod channels;\n".to_owned(), String::new());
    for section in sections {
        let module = section.file.trim_end_matches(".toml").replace('-', "_");
        let _ = writeln!(modules, "mod {module};");
        let _ = write!(tables, "{module}::ROUTES,");
        let source = format!("crates/bitmart-rest/api/{}", section.file);
        files.push(File::rust(format!("{FOLDER}/{module}.rs"), &source, &table(section))?);
    }
    let types = include_str!("templates/route_types.rs");
    let (intro, types) = types.split_once("\n\n").unwrap_or(("", types));
    let text =
        format!("{intro}\n\n{modules}\n{types}\nstatic SECTIONS: &[&[Route]] = &[{tables}];\n");
    files.push(File::rust(format!("{FOLDER}/mod.rs"), "crates/bitmart-rest/api/*.toml", &text)?);
    Ok(files)
}

fn table(section: &Section) -> String {
    let mut out = String::new();
    for endpoint in &section.endpoints {
        let limit = match &endpoint.limit {
            Limit::Unknown => "None".to_owned(),
            Limit::Known { count, seconds, scope } => {
                format!("Some(Limit::new({count}, {seconds}, Scope::{scope:?}))")
            }
        };
        let _ = writeln!(
            out,
            "Route {{ id: {:?}, method: Method::{:?}, path: {:?}, host: Host::{:?}, auth: Auth::{:?}, \
             permission: {:?}, changes: {}, limit: {limit}, envelope: Envelope::{:?}, params: {} }},",
            endpoint.id,
            endpoint.method,
            endpoint.path,
            endpoint.host,
            endpoint.auth,
            endpoint.permission,
            endpoint.effect != Effect::Read,
            endpoint.envelope,
            params(&endpoint.params),
        );
    }
    format!("use super::*;\n\npub(super) static ROUTES: &[Route] = &[\n{out}];\n")
}

fn params(params: &[Param]) -> String {
    let mut out = "&[".to_owned();
    for param in params {
        let _ = write!(
            out,
            "Param::new({:?}, Kind::{:?}, Presence::{:?})",
            param.name,
            types::form(param),
            param.presence,
        );
        if !param.values.is_empty() {
            let _ = write!(out, ".values(&{:?})", param.values);
        }
        if let Some(Bound::Whole(min)) = param.min {
            let _ = write!(out, ".min({min})");
        }
        if let Some(Bound::Whole(max)) = param.max {
            let _ = write!(out, ".max({max})");
        } else if let Some(max) = param.max_items {
            let _ = write!(out, ".max({max})");
        }
        if !param.items.is_empty() {
            let _ = write!(out, ".items({})", self::params(&param.items));
        }
        out.push(',');
    }
    out.push(']');
    out
}
