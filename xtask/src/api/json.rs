//! The JSON of rustdoc, and its types as text.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The format of the pinned toolchain. A newer one may be read as well, but has to be looked through first.
const FORMAT: u64 = 57;

/// Crates whose items are named without the crate.
const STANDARD: [&str; 4] = ["std", "core", "alloc", "proc_macro"];

/// A documented crate.
pub(super) struct Crate {
    json: Value,
    /// The shortest public path of each own item, below the crate.
    pub(super) public: BTreeMap<u64, String>,
    /// Foreign crates that were named since this was emptied.
    pub(super) foreign: RefCell<BTreeSet<String>>,
}

impl Crate {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let format = json["format_version"].as_u64();
        if format != Some(FORMAT) {
            return Err(format!(
                "rustdoc writes format {format:?}, and api/json.rs reads {FORMAT}: the toolchain has changed"
            ));
        }
        Ok(Self { json, public: BTreeMap::new(), foreign: RefCell::default() })
    }

    pub(super) fn root(&self) -> u64 {
        id(&self.json["root"])
    }

    /// An item of this crate, or a foreign one that is documented in it.
    pub(super) fn item(&self, id: u64) -> Option<&Value> {
        self.json["index"].get(id.to_string())
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Value> {
        self.json["index"].as_object().into_iter().flat_map(|items| items.values())
    }

    /// The crate of an item if it is a foreign one, and not of the standard library or this project.
    fn foreign_crate(&self, id: u64) -> Option<&str> {
        let crate_id = self.json["paths"].get(id.to_string())?["crate_id"].as_u64()?;
        let name = self.json["external_crates"].get(crate_id.to_string())?["name"].as_str()?;
        (!STANDARD.contains(&name)).then_some(name)
    }

    /// Notes a foreign crate by the beginning of a path in a `use`.
    pub(super) fn note(&self, source: &str) {
        let name = source.trim_start_matches("::").split("::").next().unwrap_or_default();
        if !STANDARD.contains(&name) && !name.is_empty() {
            self.foreign.borrow_mut().insert(name.to_owned());
        }
    }

    /// The name of an item: its public path if it is an own one, `crate::Name` if it is foreign. Of another crate of
    /// this workspace the whole path, where two items may have one name, such as the orders of both markets.
    pub(super) fn name(&self, id: u64, written: &str) -> String {
        if let Some(path) = self.public.get(&id) {
            return path.clone();
        }
        let last = written.rsplit("::").next().unwrap_or(written);
        let path = array(&self.json["paths"][id.to_string()]["path"]);
        let last = path.last().and_then(Value::as_str).unwrap_or(last);
        match self.foreign_crate(id) {
            Some(name) => {
                self.foreign.borrow_mut().insert(name.to_owned());
                if name.starts_with("bitmart") {
                    let path: Vec<_> = path.iter().filter_map(Value::as_str).collect();
                    return path.join("::");
                }
                format!("{name}::{last}")
            }
            None => last.to_owned(),
        }
    }

    /// A type as it is written in Rust.
    pub(super) fn of_type(&self, value: &Value) -> String {
        let Some((kind, inner)) = only_member(value) else {
            return value.as_str().unwrap_or("?").replace("infer", "_");
        };
        match kind {
            "primitive" if inner == "never" => "!".to_owned(),
            "primitive" | "generic" => text(inner).to_owned(),
            "resolved_path" => self.path(inner),
            "tuple" => {
                let types = self.list(inner, |value| self.of_type(value));
                if array(inner).len() == 1 { format!("({types},)") } else { format!("({types})") }
            }
            "slice" => format!("[{}]", self.of_type(inner)),
            "array" => format!("[{}; {}]", self.of_type(&inner["type"]), text(&inner["len"])),
            "raw_pointer" => {
                let kind = if is(inner, "is_mutable") { "mut" } else { "const" };
                format!("*{kind} {}", self.of_type(&inner["type"]))
            }
            "borrowed_ref" => {
                let lifetime =
                    inner["lifetime"].as_str().map_or_else(String::new, |l| format!("{l} "));
                let mutable = if is(inner, "is_mutable") { "mut " } else { "" };
                format!("&{lifetime}{mutable}{}", self.of_type(&inner["type"]))
            }
            "impl_trait" => format!("impl {}", self.bounds(inner)),
            "dyn_trait" => {
                let mut bounds = self.joined(&inner["traits"], " + ", |bound| {
                    format!(
                        "{}{}",
                        self.higher_ranked(&bound["generic_params"]),
                        self.path(&bound["trait"])
                    )
                });
                if let Some(lifetime) = inner["lifetime"].as_str() {
                    bounds = format!("{bounds} + {lifetime}");
                }
                format!("dyn {bounds}")
            }
            "function_pointer" => {
                let higher = self.higher_ranked(&inner["generic_params"]);
                format!("{higher}fn{}", self.signature(&inner["sig"], false))
            }
            "qualified_path" => {
                let this = self.of_type(&inner["self_type"]);
                let name = format!("{}{}", text(&inner["name"]), self.arguments(&inner["args"]));
                match inner["trait"].as_object() {
                    Some(_) if !text(&inner["trait"]["path"]).is_empty() && this != "Self" => {
                        format!("<{this} as {}>::{name}", self.path(&inner["trait"]))
                    }
                    _ => format!("{this}::{name}"),
                }
            }
            other => format!("<{other}>"),
        }
    }

    /// `Name<Arguments>` of a resolved path or a trait.
    pub(super) fn path(&self, value: &Value) -> String {
        self.name(id(&value["id"]), text(&value["path"])) + &self.arguments(&value["args"])
    }

    fn arguments(&self, value: &Value) -> String {
        match only_member(value) {
            Some(("parenthesized", inner)) => {
                let inputs = self.list(&inner["inputs"], |value| self.of_type(value));
                format!("({inputs}){}", self.returned(&inner["output"]))
            }
            Some((_, inner)) => {
                let mut all: Vec<String> =
                    array(&inner["args"]).iter().map(|value| self.argument(value)).collect();
                all.extend(array(&inner["constraints"]).iter().map(|value| self.constraint(value)));
                if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
            }
            None => String::new(),
        }
    }

    fn argument(&self, value: &Value) -> String {
        match only_member(value) {
            Some(("type", inner)) => self.of_type(inner),
            Some(("const", inner)) => text(&inner["expr"]).to_owned(),
            Some((_, inner)) => text(inner).to_owned(),
            None => "_".to_owned(),
        }
    }

    fn constraint(&self, value: &Value) -> String {
        let name = format!("{}{}", text(&value["name"]), self.arguments(&value["args"]));
        match only_member(&value["binding"]) {
            Some(("equality", term)) => format!("{name} = {}", self.term(term)),
            Some((_, bounds)) => format!("{name}: {}", self.bounds(bounds)),
            None => name,
        }
    }

    fn term(&self, term: &Value) -> String {
        match only_member(term) {
            Some(("type", inner)) => self.of_type(inner),
            Some((_, inner)) => text(&inner["expr"]).to_owned(),
            None => "_".to_owned(),
        }
    }

    /// `A + ?Sized + 'a`.
    pub(super) fn bounds(&self, value: &Value) -> String {
        self.joined(value, " + ", |bound| match only_member(bound) {
            Some(("trait_bound", inner)) => {
                let maybe = if inner["modifier"] == "maybe" { "?" } else { "" };
                let higher = self.higher_ranked(&inner["generic_params"]);
                format!("{maybe}{higher}{}", self.path(&inner["trait"]))
            }
            Some(("use", inner)) => {
                format!(
                    "use<{}>",
                    self.list(inner, |one| only_member(one)
                        .map_or("", |(_, name)| text(name))
                        .to_owned())
                )
            }
            Some((_, inner)) => text(inner).to_owned(),
            None => "?".to_owned(),
        })
    }

    fn higher_ranked(&self, params: &Value) -> String {
        if array(params).is_empty() {
            return String::new();
        }
        format!("for<{}> ", self.list(params, |param| text(&param["name"]).to_owned()))
    }

    /// `(a: A) -> B`, with names of parameters or without.
    pub(super) fn signature(&self, value: &Value, with_names: bool) -> String {
        let inputs = self.list(&value["inputs"], |input| {
            let (name, of_type) = (text(&input[0]), self.of_type(&input[1]));
            match (name, of_type.as_str()) {
                ("self", "Self") => "self".to_owned(),
                ("self", _) if of_type.starts_with('&') && of_type.ends_with("Self") => {
                    of_type.trim_end_matches("Self").to_owned() + "self"
                }
                _ if with_names => format!("{name}: {of_type}"),
                _ => of_type,
            }
        });
        format!("({inputs}){}", self.returned(&value["output"]))
    }

    fn returned(&self, output: &Value) -> String {
        if output.is_null() { String::new() } else { format!(" -> {}", self.of_type(output)) }
    }

    /// `<'a, T: Bound>` and ` where …`.
    pub(super) fn generics(&self, value: &Value) -> (String, String) {
        let params = array(&value["params"]).iter();
        let params: Vec<String> = params
            .filter(|param| !is(&param["kind"]["type"], "is_synthetic"))
            .map(|param| self.parameter(param))
            .collect();
        let params =
            if params.is_empty() { String::new() } else { format!("<{}>", params.join(", ")) };
        let clauses =
            self.list(&value["where_predicates"], |predicate| match only_member(predicate) {
                Some(("bound_predicate", inner)) => {
                    let higher = self.higher_ranked(&inner["generic_params"]);
                    format!(
                        "{higher}{}: {}",
                        self.of_type(&inner["type"]),
                        self.bounds(&inner["bounds"])
                    )
                }
                Some(("lifetime_predicate", inner)) => {
                    let outlives =
                        self.joined(&inner["outlives"], " + ", |one| text(one).to_owned());
                    format!("{}: {outlives}", text(&inner["lifetime"]))
                }
                Some((_, inner)) => {
                    format!("{} = {}", self.of_type(&inner["lhs"]), self.term(&inner["rhs"]))
                }
                None => "?".to_owned(),
            });
        let clauses = if clauses.is_empty() { clauses } else { format!(" where {clauses}") };
        (params, clauses)
    }

    fn parameter(&self, param: &Value) -> String {
        let mut name = text(&param["name"]).to_owned();
        match only_member(&param["kind"]) {
            Some(("type", inner)) => {
                let bounds = self.bounds(&inner["bounds"]);
                if !bounds.is_empty() {
                    name = format!("{name}: {bounds}");
                }
                if !inner["default"].is_null() {
                    name = format!("{name} = {}", self.of_type(&inner["default"]));
                }
            }
            Some(("const", inner)) => {
                name = format!("const {name}: {}", self.of_type(&inner["type"]));
            }
            Some((_, inner)) => {
                let outlives = self.joined(&inner["outlives"], " + ", |one| text(one).to_owned());
                if !outlives.is_empty() {
                    name = format!("{name}: {outlives}");
                }
            }
            None => {}
        }
        name
    }

    fn list(&self, value: &Value, one: impl Fn(&Value) -> String) -> String {
        self.joined(value, ", ", one)
    }

    #[expect(clippy::unused_self, reason = "reads like `list`")]
    fn joined(&self, value: &Value, separator: &str, one: impl Fn(&Value) -> String) -> String {
        array(value).iter().map(one).collect::<Vec<_>>().join(separator)
    }
}

/// The kind of an enum value and what it holds.
pub(super) fn only_member(value: &Value) -> Option<(&str, &Value)> {
    value.as_object()?.iter().next().map(|(kind, inner)| (kind.as_str(), inner))
}

pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn id(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

pub(super) fn is(value: &Value, member: &str) -> bool {
    value[member] == true
}
