//! Request types, their `Endpoint` implementations and the methods of the client's groups.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::description::{
    Auth, Bound, Effect, Endpoint, Envelope, Limit, Method, Param, Presence, Section,
};
use super::models::Models;
use super::sdk::SdkNames;
use super::types::{self, Form};
use super::{File, prose};

mod conversions;
mod group;

pub(super) use conversions::{Conversions, Source};

/// Names of bitmart-rest that a generated file may import.
const IMPORTS: [&str; 10] = [
    "Auth",
    "Effect",
    "EncodeError",
    "Endpoint",
    "Envelope",
    "Host",
    "LimitScope",
    "Metadata",
    "Method",
    "Payload",
];

/// The generated files of one section: one for each request, and one that exports them and has the methods of
/// the group.
pub(crate) fn render(
    section: &Section,
    models: &Models,
    sdks: &SdkNames,
) -> Result<Vec<File>, String> {
    let folder = format!("crates/bitmart-rest/src/api/{}", section.module.replace("::", "/"));
    let source = format!("crates/bitmart-rest/api/{}", section.file);
    let mut files = Vec::new();
    let (mut modules, mut exports) = (String::new(), String::new());
    for endpoint in &section.endpoints {
        let name = types::snake_case(&endpoint.request);
        let _ = writeln!(modules, "mod {name};");
        if !endpoint.custom {
            let _ = writeln!(exports, "pub use {name}::{};", endpoint.request);
        }
        let path = format!("{folder}/generated/{name}.rs");
        files.push(File::rust(path, &source, &request_file(section, endpoint))?);
    }
    let mut text = format!("{modules}\n{exports}\n");
    group::render(&mut text, section, models, sdks);
    files.push(File::rust(format!("{folder}/generated.rs"), &source, &text)?);
    Ok(files)
}

/// The file of one request.
fn request_file(section: &Section, endpoint: &Endpoint) -> String {
    let mut body = String::new();
    if !endpoint.custom {
        request(&mut body, endpoint, section.docs(endpoint));
        Conversions::new(endpoint).render(&mut body, endpoint);
    }
    implementation(&mut body, section, endpoint);

    let imports: Vec<&str> = IMPORTS.into_iter().filter(|name| uses(&body, name)).collect();
    let mut text = String::new();
    if uses(&body, "Duration") {
        text.push_str("use std::time::Duration;\n\n");
    }
    let (mut types, mut modules) = (BTreeSet::new(), BTreeSet::new());
    if !endpoint.custom {
        for param in &endpoint.params {
            if types::path(&param.rust).starts_with("bitmart_types::") {
                types.insert(param.rust.as_str());
            }
            // A type of an endpoint's own module is qualified with the module: `futures::KlineStep`.
            modules.extend(param.rust.split_once("::").map(|(module, _)| module));
        }
    }
    if body.contains("codec::") {
        types.insert("codec");
    }
    if !types.is_empty() {
        let types: Vec<&str> = types.into_iter().collect();
        let _ = writeln!(text, "use bitmart_types::{{{}}};", types.join(", "));
    }
    if !endpoint.custom {
        text.push_str("use serde::{Deserialize, Serialize};\n");
    }
    text.push('\n');
    for module in modules {
        let _ = writeln!(text, "use crate::api::{module};");
    }
    let _ = writeln!(text, "use crate::endpoint::{{{}}};", imports.join(", "));
    if uses(&body, "ValidationError") {
        text.push_str("use crate::ValidationError;\n");
    }
    text + "\n" + &body
}

/// The request type, seen from a generated file.
fn path(section: &Section, endpoint: &Endpoint) -> String {
    if endpoint.custom {
        format!("crate::api::{}::{}", section.public_module(), endpoint.request)
    } else {
        endpoint.request.clone()
    }
}

fn uses(body: &str, name: &str) -> bool {
    body.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
}

/// The struct of a request, its constructor and setters.
fn request(out: &mut String, endpoint: &Endpoint, docs: &str) {
    let name = &endpoint.request;
    let has_required = endpoint.required().next().is_some();
    let default = if has_required { "" } else { "Default, " };
    let _ = writeln!(
        out,
        "/// {}.\n///\n{}#[doc(alias = {:?})]\n#[derive(Clone, Debug, {default}PartialEq, Serialize, Deserialize)]\n\
         #[must_use = \"a request does nothing until it is sent\"]\n#[non_exhaustive]\npub struct {name} {{",
        prose::request_title(endpoint),
        prose::facts(endpoint, docs),
        endpoint.path,
    );
    for param in &endpoint.params {
        let optional = param.presence != Presence::Required;
        let mut serde = vec![];
        if param.field() != param.name {
            serde.push(format!("rename = {:?}", param.name));
        }
        if optional {
            serde.push("default, skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if let Some(helper) = helper(param) {
            serde.push(helper);
        }
        let rust = if optional { format!("Option<{}>", param.rust) } else { param.rust.clone() };
        if !serde.is_empty() {
            let _ = writeln!(out, "#[serde({})]", serde.join(", "));
        }
        let _ = writeln!(out, "pub(crate) {}: {rust},", param.field());
    }
    let _ = writeln!(out, "}}\n\nimpl {name} {{");
    constructor(out, endpoint);
    for param in endpoint.params.iter().filter(|param| param.presence != Presence::Required) {
        let field = param.field();
        let (argument, value) = argument(param);
        let _ = writeln!(
            out,
            "{}pub fn {field}(mut self, {argument}) -> Self {{ self.{field} = Some({value}); self }}",
            prose::setter_doc(param)
        );
    }
    out.push_str("}\n\n");
}

fn constructor(out: &mut String, endpoint: &Endpoint) {
    let required: Vec<&Param> = endpoint.required().collect();
    if required.is_empty() {
        out.push_str("/// Creates the request without any parameter.\npub fn new() -> Self { Self::default() }\n");
        return;
    }
    out.push_str("/// Creates the request from its required parameters.\n///\n");
    let mut arguments = vec![];
    let mut fields = vec![];
    for param in &endpoint.params {
        if param.presence == Presence::Required {
            let (argument, value) = argument(param);
            let _ = writeln!(
                out,
                "/// * `{}`: {}",
                param.field(),
                prose::lower_first(&prose::details(param))
            );
            arguments.push(argument);
            fields.push(if value == param.field() {
                value
            } else {
                format!("{}: {value}", param.field())
            });
        } else {
            fields.push(format!("{}: None", param.field()));
        }
    }
    let _ = writeln!(
        out,
        "pub fn new({}) -> Self {{ Self {{ {} }} }}",
        arguments.join(", "),
        fields.join(", ")
    );
}

/// Returns the argument of a function for the parameter, and the expression of its value.
fn argument(param: &Param) -> (String, String) {
    let field = param.field();
    if types::takes_text(&param.rust) {
        (format!("{field}: impl Into<{}>", param.rust), format!("{field}.into()"))
    } else {
        (format!("{field}: {}", param.rust), field)
    }
}

/// The `serde` attribute of a parameter whose type alone does not have the wire form.
fn helper(param: &Param) -> Option<String> {
    let optional = param.presence != Presence::Required;
    if param.rust == "Duration" {
        let suffix = if optional { "_opt" } else { "" };
        return Some(format!("with = \"crate::protocol::duration::millis{suffix}\""));
    }
    let module = match (types::form(param), time_unit(param)) {
        (_, Some("s")) => "seconds",
        (_, Some(_)) => "millis",
        (Form::Decimal, _) => "decimal",
        (Form::Flag, _) => "boolean",
        (Form::Integer, _) if types::is_copy(&param.rust) => "number",
        (Form::Integer, _) if optional => {
            // Numbered enumerations serialize as numbers.
            return Some("deserialize_with = \"codec::text_opt::deserialize\"".to_owned());
        }
        (Form::Text, _) if optional => "text",
        _ => return None,
    };
    let suffix = if optional { "_opt" } else { "" };
    Some(format!("with = \"codec::{module}{suffix}\""))
}

/// The unit of a time, `None` for other types.
fn time_unit(param: &Param) -> Option<&str> {
    (param.rust == "Timestamp").then_some(param.unit.as_deref()?)
}

fn implementation(out: &mut String, section: &Section, endpoint: &Endpoint) {
    let name = path(section, endpoint);
    let mut metadata = format!(
        "Metadata::new({:?}, Method::{:?}, Host::{:?}, {:?})",
        endpoint.id, endpoint.method, endpoint.host, endpoint.path
    );
    if endpoint.auth != Auth::None {
        let _ = write!(metadata, ".auth(Auth::{:?})", endpoint.auth);
    }
    if endpoint.effect != Effect::Read {
        let _ = write!(metadata, ".effect(Effect::{:?})", endpoint.effect);
    }
    if let Limit::Known { count, seconds, scope } = &endpoint.limit {
        let _ = write!(metadata, ".limit({count}, {seconds}, LimitScope::{scope:?})");
    }
    if endpoint.envelope != Envelope::Standard {
        let _ = write!(metadata, ".envelope(Envelope::{:?})", endpoint.envelope);
    }
    let _ = writeln!(
        out,
        "impl Endpoint for {name} {{\ntype Response = {};\n\nconst METADATA: Metadata = {metadata};\n",
        types::path(&endpoint.response)
    );
    let rules: Vec<String> = if endpoint.custom {
        vec!["self.check()".to_owned()]
    } else {
        endpoint.params.iter().filter_map(rule).collect()
    };
    if let Some((last, first)) = rules.split_last() {
        out.push_str("fn validate(&self) -> Result<(), ValidationError> {\n");
        for rule in first {
            let _ = writeln!(out, "{rule}?;");
        }
        let _ = writeln!(out, "{last}\n}}\n");
    }
    if endpoint.params.iter().any(|param| param.name == "recvWindow") {
        out.push_str("fn default_recv_window(&mut self, window: Duration) {\nself.recv_window.get_or_insert(window);\n}\n\n");
    }
    let body = match endpoint.method {
        Method::Post => "payload.json(self)".to_owned(),
        Method::Get => endpoint.params.iter().map(query).collect::<String>() + "Ok(())",
    };
    let payload = if endpoint.method == Method::Get && endpoint.params.is_empty() {
        "_payload"
    } else {
        "payload"
    };
    let _ = writeln!(
        out,
        "fn encode(&self, {payload}: &mut Payload) -> Result<(), EncodeError> {{\n{body}\n}}\n}}\n"
    );
}

/// The check of a parameter's published range.
fn rule(param: &Param) -> Option<String> {
    let field = param.field();
    if types::is_text(&param.rust) && param.rust != "String" {
        return Some(if param.presence == Presence::Required {
            format!("crate::protocol::validate::identifier({:?}, Some(&self.{field}))", param.name)
        } else {
            format!(
                "crate::protocol::validate::identifier({:?}, self.{field}.as_ref())",
                param.name
            )
        });
    }
    let is_decimal = param.rust == "Decimal";
    let bound = |bound: &Option<Bound>| match bound {
        Some(Bound::Whole(bound)) if is_decimal => format!("Some(Decimal::from({bound}))"),
        Some(bound) if is_decimal => format!("Some(bitmart_types::dec!({bound}))"),
        Some(bound) if param.rust == "Duration" => match bound.to_string().strip_suffix("000") {
            Some(seconds) if !seconds.is_empty() => format!("Some(Duration::from_secs({seconds}))"),
            _ => format!("Some(Duration::from_millis({bound}))"),
        },
        Some(bound) => format!("Some({bound})"),
        None => "None".to_owned(),
    };
    if is_decimal && param.min.is_none() && param.max.is_none() {
        // Prices and amounts in requests are above zero.
        return Some(format!(
            "crate::protocol::validate::positive({:?}, self.{field})",
            param.name
        ));
    }
    (param.min.is_some() || param.max.is_some()).then(|| {
        let check = if param.rust == "Duration" { "duration" } else { "range" };
        format!(
            "crate::protocol::validate::{check}({:?}, self.{field}, {}, {})",
            param.name,
            bound(&param.min),
            bound(&param.max)
        )
    })
}

/// The statement that writes a parameter into the query.
fn query(param: &Param) -> String {
    let (name, field) = (&param.name, param.field());
    let value = |place: &str, reference: &str| match time_unit(param) {
        Some("s") => format!("{place}.as_secs()"),
        Some(_) => format!("{place}.as_millis()"),
        None if param.rust == "Duration" => format!("{place}.as_millis()"),
        None => format!("{reference}{place}"),
    };
    let borrow = if types::is_copy(&param.rust) { "" } else { "&" };
    if param.presence == Presence::Required {
        return format!("payload.query({name:?}, {});\n", value(&format!("self.{field}"), borrow));
    }
    format!(
        "if let Some(value) = {borrow}self.{field} {{ payload.query({name:?}, {}); }}\n",
        value("value", "")
    )
}
