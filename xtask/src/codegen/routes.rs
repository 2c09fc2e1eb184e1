//! The sandbox's route tables. Client and sandbox share these facts and no code.

use std::fmt::Write as _;

use super::File;
use super::description::{Bound, Effect, Endpoint, Limit, Param, Section};
use super::types;

const FOLDER: &str = "crates/bitmart-sandbox/src/generated";

/// One module of routes per section, and the module that joins them.
pub(crate) fn render(sections: &[Section]) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    // The channel table is rendered by `ws`.
    let mut modules = "pub(crate) mod channels;\n".to_owned();
    let (mut ids, mut names, mut routes) = (String::new(), String::new(), String::new());
    let mut groups = String::new();
    for section in sections {
        let module = module(section);
        let _ = writeln!(modules, "mod {module};");
        let _ = writeln!(groups, "/// `{}`\n{},", section.file, camel_case(&module));
        for endpoint in &section.endpoints {
            let id = camel_case(&endpoint.id);
            let _ = writeln!(ids, "/// `{}`\n{id},", endpoint.route());
            let _ = write!(names, "Self::{id},");
            let _ = writeln!(routes, "Self::{id} => &{module}::{},", constant(section, endpoint));
        }
        let source = format!("crates/bitmart-rest/api/{}", section.file);
        files.push(File::rust(format!("{FOLDER}/{module}.rs"), &source, &table(section))?);
    }
    let count = sections.iter().map(|section| section.endpoints.len()).sum::<usize>();
    let parts = [
        ("types", include_str!("templates/route_types.rs").to_owned()),
        (
            "group",
            format!(
                "/// The files of the description.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n\
                 pub(crate) enum Group {{\n{groups}}}\n"
            ),
        ),
        (
            "endpoint_id",
            format!(
                "/// Every described endpoint.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n\
                 pub(crate) enum EndpointId {{\n{ids}}}\n"
            ),
        ),
        (
            "endpoint_list",
            format!(
                "use super::*;\n\nimpl EndpointId {{\n/// All endpoints, in the order of the description.\n\
                 pub(crate) const ALL: [Self; {count}] = [{names}];\n}}\n"
            ),
        ),
        (
            "endpoint_routes",
            format!(
                "use super::*;\n\nimpl EndpointId {{\n/// The route of the endpoint.\n\
                 pub(crate) fn route(self) -> &'static Route {{\nmatch self {{\n{routes}}}\n}}\n}}\n"
            ),
        ),
    ];
    let source = "crates/bitmart-rest/api/*.toml";
    for (name, text) in parts {
        files.push(File::rust(format!("{FOLDER}/{name}.rs"), source, &text)?);
    }
    files.push(File::rust(format!("{FOLDER}.rs"), source, &joined(&modules))?);
    Ok(files)
}

/// The module that joins the tables, with the names of their modules.
fn joined(modules: &str) -> String {
    format!(
        "//! The routes of the API description, as plain data.\n\n{modules}\
         mod endpoint_id;\nmod endpoint_list;\nmod endpoint_routes;\nmod group;\nmod types;\n\n\
         pub(crate) use self::{{endpoint_id::EndpointId, group::Group, types::*}};\n\n\
         /// Every described route, in the order of the description.\n\
         pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {{\n\
         EndpointId::ALL.into_iter().map(EndpointId::route)\n}}\n"
    )
}

/// Name of the module with the routes of a file: `spot_market` for `spot-market.toml`.
fn module(section: &Section) -> String {
    section.file.trim_end_matches(".toml").replace('-', "_")
}

fn table(section: &Section) -> String {
    let mut out = String::new();
    let group = camel_case(&module(section));
    for endpoint in &section.endpoints {
        let limit = match &endpoint.limit {
            Limit::Unknown => "None".to_owned(),
            Limit::Known { count, seconds, scope } => {
                format!("Some(Limit::new({count}, {seconds}, Scope::{scope:?}))")
            }
        };
        let _ = writeln!(
            out,
            "\npub(super) static {}: Route = Route {{ id: EndpointId::{}, group: Group::{group}, method: Method::{:?}, \
             path: {:?}, host: Host::{:?}, other_host: {}, codes: Codes::{:?}, success: {:?}, auth: Auth::{:?}, \
             permission: {:?}, changes: {}, limit: {limit}, envelope: Envelope::{:?}, params: {}, \
             undocumented: &{:?} }};",
            constant(section, endpoint),
            camel_case(&endpoint.id),
            endpoint.method,
            endpoint.path,
            endpoint.host,
            endpoint.other_host,
            section.codes(endpoint),
            section.success(endpoint),
            endpoint.auth,
            endpoint.permission,
            endpoint.effect != Effect::Read,
            endpoint.envelope,
            params(&endpoint.params),
            endpoint.undocumented,
        );
    }
    format!("use super::*;\n{out}")
}

/// Name of the constant with the route of an endpoint: `KLINES` for `spot_klines`.
fn constant(section: &Section, endpoint: &Endpoint) -> String {
    endpoint.method_name(&section.group).to_uppercase()
}

/// `SpotKlines` for `spot_klines`.
pub(super) fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
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
