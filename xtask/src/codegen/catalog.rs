//! The endpoint catalogue of bitmart-rest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::description::{Endpoint, Param, Section, Unit};
use super::enums::Enums;
use super::essentials::Alias;
use super::facts::{Fact, facts};
use super::models::Models;
use super::{File, types};

const FOLDER: &str = "crates/bitmart-rest/src/api/catalog";
const SOURCE: &str = "crates/bitmart-rest/api/*.toml";
/// Longer texts are written in several pieces, so that rustfmt can format the lines around them.
const MAX_LITERAL: usize = 64;

/// One module per section with one module per endpoint, the list of all entries, the specifications of histories, and
/// the values of enumerations.
pub(crate) fn render(
    sections: &[Section],
    models: &Models,
    enums: &Enums,
) -> Result<Vec<File>, String> {
    let mut used = BTreeSet::new();
    let (mut files, mut modules, mut entries) = (Vec::new(), String::new(), String::new());
    for section in sections {
        let module = section.file.trim_end_matches(".toml").replace('-', "_");
        let _ = writeln!(modules, "mod {module};");
        let source = format!("crates/bitmart-rest/api/{}", section.file);
        let (mut endpoints, mut exports) = (String::new(), String::new());
        for endpoint in &section.endpoints {
            let (id, name) = (&endpoint.id, endpoint.id.to_uppercase());
            let entry = entry(section, endpoint, models, enums, &mut used)
                .map_err(|error| format!("{}: {id}: {error}", section.file))?;
            let text = format!(
                "use super::*;\n\npub(in super::super) const {name}: EndpointEntry = {entry};\n"
            );
            files.push(File::rust(format!("{FOLDER}/generated/{module}/{id}.rs"), &source, &text)?);
            let _ = writeln!(endpoints, "mod {id};");
            let _ = writeln!(exports, "pub(super) use {id}::{name};");
            let _ = write!(entries, "{module}::{name},");
        }
        let text = format!("use super::*;\n\n{endpoints}\n{exports}");
        files.push(File::rust(format!("{FOLDER}/generated/{module}.rs"), &source, &text)?);
    }
    let text = format!(
        "use super::Form::{{Decimal, Flag, Integer, List, Text}};\n\
         use super::Presence::{{Conditional, Optional, Required}};\n\
         use super::{{Alias, ContractAmount, EndpointEntry, Field, FieldKind, Ignore, Paging, Parameter, Role, \
         RowStates, TimeUnit, meanings}};\n\n\
         {modules}\n\
         /// Every described endpoint, in the order of the description.\n\
         pub static ENDPOINTS: &[EndpointEntry] = &[{entries}];\n"
    );
    files.push(File::rust(format!("{FOLDER}/generated.rs"), SOURCE, &text)?);
    files.push(history_specs(sections)?);
    files.push(meanings(enums, &used)?);
    Ok(files)
}

/// The entry of an endpoint.
fn entry(
    section: &Section,
    endpoint: &Endpoint,
    models: &Models,
    enums: &Enums,
    used: &mut BTreeSet<String>,
) -> Result<String, String> {
    let module = section.module.split("::").next().unwrap_or_default();
    let request = format!("crate::api::{module}::{}", endpoint.request);
    let mut out = format!("EndpointEntry::of::<{request}>({})", literal(&endpoint.title));
    let arguments = if endpoint.params.is_empty() { "" } else { ".." };
    let call = endpoint.method_name(&section.group);
    let _ = write!(out, ".group({:?})", section.group);
    let _ = write!(out, ".call(\"client.{}().{call}({arguments})\")", section.group);
    if let Some(permission) = &endpoint.permission {
        let _ = write!(out, ".permission({permission:?})");
    }
    if let Some(availability) = &endpoint.availability {
        let _ = write!(out, ".availability({})", literal(availability));
    }
    if let Some(role) = endpoint.role {
        let _ = write!(out, ".role(Role::{role:?})");
    }
    for (name, texts) in [("quirks", &endpoint.quirks), ("errors", &endpoint.errors)] {
        if !texts.is_empty() {
            let _ = write!(out, ".{name}({})", literals(texts));
        }
    }
    if !endpoint.params.is_empty() {
        let _ = write!(out, ".parameters({})", parameters(&endpoint.params));
    }
    if let Some(rows) = endpoint.row_path() {
        let _ = write!(out, ".rows({rows:?})");
    }
    if !endpoint.fields.is_empty() {
        let _ = write!(out, ".fields(&[{}])", fields(endpoint, models, enums, used)?);
    }
    if !endpoint.essential.is_empty() {
        let _ = write!(out, ".essential({})", literals(&endpoint.essential));
    }
    if !endpoint.aliases.is_empty() {
        out.push_str(".aliases(&[");
        for Alias { path, was, source } in &endpoint.aliases {
            let _ = write!(out, "Alias::new({path:?}, {was:?}, {}),", literal(source));
        }
        out.push_str("])");
    }
    if endpoint.is_unverified() {
        out.push_str(".unverified()");
    }
    if endpoint.history.is_some() {
        let _ = write!(out, ".history::<{request}>()");
    }
    if let Some(states) = &endpoint.states {
        let (rule, values) = if states.pending.is_empty() {
            ("with_final", &states.finals)
        } else {
            ("with_pending", &states.pending)
        };
        let _ = write!(out, ".states(RowStates::{rule}({:?}, {}))", states.field, literals(values));
    }
    if let Some(paging) = &endpoint.paging {
        let _ = write!(
            out,
            ".paging(Paging::new({:?}, {}, {:?}))",
            paging.size, paging.max, paging.page
        );
    }
    if !endpoint.contract_amounts.is_empty() {
        out.push_str(".contract_amounts(&[");
        for amount in &endpoint.contract_amounts {
            let _ = write!(
                out,
                "ContractAmount::new({:?}, {:?}, {:?}),",
                amount.name, amount.count, amount.price
            );
        }
        out.push_str("])");
    }
    if !endpoint.ignores.is_empty() {
        out.push_str(".ignores(&[");
        for ignore in &endpoint.ignores {
            let _ = write!(out, "Ignore::new({:?}, {}),", ignore.path, literal(&ignore.reason));
        }
        out.push_str("])");
    }
    Ok(out)
}

/// The fields of an endpoint, with the documentation of models and enumerations.
fn fields(
    endpoint: &Endpoint,
    models: &Models,
    enums: &Enums,
    used: &mut BTreeSet<String>,
) -> Result<String, String> {
    let mut out = String::new();
    let facts = facts(models, &endpoint.response, &endpoint.fields)?;
    for field in &endpoint.fields {
        let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
        let (column, form) = column(path, form);
        let parts: Vec<&str> = form.split(", ").collect();
        let kind = kind(parts[0]);
        let unit = if kind == "Text" && parts[0] != "text" {
            form
        } else {
            form[parts[0].len()..].trim_start_matches(", ")
        };
        let _ = write!(out, "Field::new({path:?}, FieldKind::{kind}, {})", literal(form));
        if !column.is_empty() {
            let _ = write!(out, ".column({column:?})");
        }
        if !unit.is_empty() {
            let _ = write!(out, ".unit({})", literal(unit));
        }
        let time = parts.iter().find_map(|part| match *part {
            "s" | "seconds" => Some("Seconds"),
            "ms" | "milliseconds" => Some("Millis"),
            _ => None,
        });
        if let Some(time) = time {
            let _ = write!(out, ".time(TimeUnit::{time})");
        }
        if let Some(Fact { doc, rust, module }) = facts.get(path) {
            if !doc.is_empty() {
                let _ = write!(out, ".doc({})", literal(doc));
            }
            if let Some(enumeration) = enums.find(module, rust) {
                let _ = write!(out, ".values(meanings::{})", constant(enumeration));
                used.insert(enumeration.to_owned());
            }
            if rust.ends_with("Id") {
                out.push_str(".id()");
            }
            if rust == "Timestamp" && time.is_none() {
                return Err(format!("`{path}` is a time, and its unit is not among its form"));
            }
        }
        out.push(',');
    }
    Ok(out)
}

/// The name of a column of positional rows, with which its form begins, and the rest of the form.
pub(super) fn column<'a>(path: &str, form: &'a str) -> (&'a str, &'a str) {
    let is_positional =
        path.strip_suffix(']').and_then(|path| path.rsplit_once('[')).is_some_and(|(_, index)| {
            !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
        });
    match form.split_once(", ") {
        Some(parts) if is_positional => parts,
        None if is_positional => (form, "text"),
        _ => ("", form),
    }
}

/// The kind of a field, by the first part of its form.
fn kind(form: &str) -> &'static str {
    match form {
        "integer text" => "Decimal",
        "true or false" | "boolean" | "flag" => "Flag",
        _ if form.starts_with("decimal") => "Decimal",
        _ if form.starts_with("integer") => "Integer",
        _ => "Text",
    }
}

/// The specifications of all histories, for their implementations.
fn history_specs(sections: &[Section]) -> Result<File, String> {
    let mut out = "use super::history::spec;\nuse crate::history::HistorySpec;\n\n".to_owned();
    for endpoint in sections.iter().flat_map(|section| &section.endpoints) {
        let Some(history) = &endpoint.history else { continue };
        let unit = match history.unit {
            Unit::Millis => 1,
            Unit::Seconds => 1_000,
        };
        let _ = writeln!(
            out,
            "pub(crate) const {}: HistorySpec = spec({}, {}, {unit}, {}, {:?});",
            endpoint.id.to_uppercase(),
            history.window_days,
            digits(history.page_size.into()),
            history.numbered,
            history.empty_code.map(Digits),
        );
    }
    File::rust(format!("{FOLDER}/history_specs.rs"), SOURCE, &out)
}

/// A number with underscores, as clippy wants them.
struct Digits(i64);

impl std::fmt::Debug for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&digits(self.0))
    }
}

fn digits(number: i64) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{}_{:03}", number / 1_000, number % 1_000)
    }
}

/// What the values of the used enumerations mean.
fn meanings(enums: &Enums, used: &BTreeSet<String>) -> Result<File, String> {
    let mut out = "use super::Meaning;\n\n".to_owned();
    for (path, values) in enums.iter().filter(|(path, _)| used.contains(*path)) {
        let _ = writeln!(out, "pub(super) const {}: &[Meaning] = &[", constant(path));
        for value in values {
            let doc = literal(&value.doc);
            let _ = writeln!(out, "Meaning::new({:?}, {:?}, {doc}),", value.wire, value.name);
        }
        out.push_str("];\n\n");
    }
    File::rust(
        format!("{FOLDER}/meanings.rs"),
        "the enumerations of bitmart-types and bitmart-rest",
        &out,
    )
}

/// `futures::OrderType` as `FUTURES_ORDER_TYPE`.
fn constant(path: &str) -> String {
    let parts: Vec<String> = path.split("::").map(types::snake_case).collect();
    parts.join("_").to_uppercase()
}

/// A text as a literal, or as several if it is long.
pub(super) fn literal(text: &str) -> String {
    if text.len() <= MAX_LITERAL {
        return format!("{text:?}");
    }
    let mut pieces = vec![String::new()];
    for part in text.split_inclusive(' ') {
        match pieces.last_mut() {
            Some(last) if last.len() + part.len() <= MAX_LITERAL => last.push_str(part),
            _ => pieces.push(part.to_owned()),
        }
    }
    let pieces: Vec<String> =
        pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| format!("{piece:?}")).collect();
    format!("concat!({})", pieces.join(", "))
}

fn literals(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
    format!("&[{}]", texts.join(", "))
}

fn parameters(params: &[Param]) -> String {
    let rows: Vec<String> = params.iter().map(parameter).collect();
    format!("&[{}]", rows.join(","))
}

/// One parameter: facts that are not known keep their default.
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
            let _ = write!(out, "{name}: {}, ", literal(&text));
        }
    }
    if !param.values.is_empty() {
        let _ = write!(out, "values: {}, ", literals(&param.values));
    }
    if !param.items.is_empty() {
        let _ = write!(out, "items: {}, ", parameters(&param.items));
    }
    let _ = write!(out, "..Parameter::new({:?}) }}", param.name);
    out
}
