//! The lines of a snapshot: public items by their paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::json::{Crate, array, id, is, only_member, text};

/// Traits of impls that say nothing to users.
const HIDDEN_TRAITS: [&str; 3] = ["StructuralPartialEq", "Freeze", "UnsafeUnpin"];

/// The public API of a library.
pub(super) struct Surface {
    /// Path, which sorts them, and text.
    pub(super) lines: BTreeSet<(String, String)>,
    /// Foreign crates in it, each with the first item that names it.
    pub(super) foreign: BTreeMap<String, String>,
}

impl Surface {
    pub(super) fn new(mut json: Crate) -> Self {
        let mut paths = Paths::default();
        paths.module(&json, json.root(), "");
        json.public = paths.shortest();
        let surface = Self { lines: BTreeSet::new(), foreign: BTreeMap::new() };
        let mut builder = Builder { json: &json, plain_impls: BTreeMap::new(), surface };
        builder.all(&paths);
        builder.surface
    }

    /// A line for each item.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("# Public API, written by `cargo xtask api`.\n");
        for (_, line) in &self.lines {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// Where items can be reached, by their ids; and foreign items that are exported.
#[derive(Default)]
struct Paths {
    items: BTreeMap<u64, BTreeSet<String>>,
    /// Own path and what it is in its crate.
    exports: BTreeSet<(String, String)>,
    /// Modules on the way to where this is, so that an export of a parent ends.
    open: Vec<u64>,
}

impl Paths {
    fn module(&mut self, json: &Crate, module: u64, path: &str) {
        if self.open.contains(&module) {
            return;
        }
        let Some(item) = json.item(module) else { return };
        self.open.push(module);
        for child in array(&item["inner"]["module"]["items"]) {
            self.child(json, id(child), path);
        }
        self.open.pop();
    }

    fn child(&mut self, json: &Crate, child: u64, path: &str) {
        let Some(item) = json.item(child) else { return };
        let Some((kind, inner)) = only_member(&item["inner"]) else { return };
        if kind != "use" {
            self.add(json, child, join(path, text(&item["name"])));
            return;
        }
        let target = inner["id"].as_u64();
        let known = target.filter(|target| json.item(*target).is_some());
        match (known, is(inner, "is_glob")) {
            (Some(target), true) => {
                let members = json.item(target).map(|item| &item["inner"]);
                match members {
                    Some(inner) if inner["enum"].is_object() => {
                        for variant in array(&inner["enum"]["variants"]) {
                            self.child(json, id(variant), path);
                        }
                    }
                    _ => self.module(json, target, path),
                }
            }
            (Some(target), false) => self.add(json, target, join(path, text(&inner["name"]))),
            (None, is_glob) => {
                let name = if is_glob { "*" } else { text(&inner["name"]) };
                self.exports.insert((join(path, name), text(&inner["source"]).to_owned()));
            }
        }
    }

    fn add(&mut self, json: &Crate, item: u64, path: String) {
        if json.item(item).is_some_and(|item| item["inner"]["module"].is_object()) {
            self.module(json, item, &path);
        }
        self.items.entry(item).or_default().insert(path);
    }

    fn shortest(&self) -> BTreeMap<u64, String> {
        let shortest = |paths: &BTreeSet<String>| {
            paths.iter().min_by_key(|path| (path.matches("::").count(), (*path).clone())).cloned()
        };
        self.items.iter().filter_map(|(id, paths)| Some((*id, shortest(paths)?))).collect()
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

struct Builder<'a> {
    json: &'a Crate,
    /// Traits without parameters, by path and type: a line for each would fill half of the file.
    plain_impls: BTreeMap<(String, String), BTreeSet<String>>,
    surface: Surface,
}

impl Builder<'_> {
    fn all(&mut self, paths: &Paths) {
        for (item, paths) in &paths.items {
            let Some(own) = self.json.public.get(item).cloned() else { continue };
            for other in paths.iter().filter(|path| **path != own) {
                self.line(other, format!("pub use {other} = {own}"));
            }
            self.item(*item, &own);
        }
        for (path, source) in &paths.exports {
            self.json.note(source);
            self.line(path, format!("pub use {path} = {source}"));
        }
        for item in self.json.items() {
            if item["inner"]["impl"].is_object() {
                self.trait_impl(&item["inner"]["impl"]);
            }
        }
        for ((path, owner), traits) in std::mem::take(&mut self.plain_impls) {
            let traits = traits.into_iter().collect::<Vec<_>>().join(" + ");
            self.line(&path, format!("impl {traits} for {owner}"));
        }
    }

    fn line(&mut self, path: &str, text: String) {
        for name in self.json.foreign.take() {
            // Crates of this project are versioned together.
            if !name.starts_with("bitmart") {
                self.surface.foreign.entry(name).or_insert_with(|| text.clone());
            }
        }
        self.surface.lines.insert((path.to_owned(), text));
    }

    fn item(&mut self, item: u64, path: &str) {
        let json = self.json;
        let Some(item) = json.item(item) else { return };
        let Some((kind, inner)) = only_member(&item["inner"]) else { return };
        let prefix = if array(&item["attrs"]).iter().any(|attr| attr == "non_exhaustive") {
            "#[non_exhaustive] pub"
        } else {
            "pub"
        };
        let (params, clauses) = json.generics(&inner["generics"]);
        let text = match kind {
            "module" => format!("{prefix} mod {path}"),
            "struct" | "union" => {
                format!("{prefix} {kind} {path}{params}{}{clauses}", self.fields(inner, path))
            }
            "enum" => format!("{prefix} enum {path}{params}{clauses}"),
            "variant" => format!("{prefix} variant {path}{}", self.fields(inner, path)),
            "trait" => {
                let bounds = json.bounds(&inner["bounds"]);
                let bounds = if bounds.is_empty() { bounds } else { format!(": {bounds}") };
                let safe = if is(inner, "is_unsafe") { "unsafe " } else { "" };
                format!("{prefix} {safe}trait {path}{params}{bounds}{clauses}")
            }
            "function" => self.function(inner, path, ""),
            "type_alias" => {
                format!("{prefix} type {path}{params} = {}{clauses}", json.of_type(&inner["type"]))
            }
            "constant" => format!("{prefix} const {path}: {}", json.of_type(&inner["type"])),
            "static" => format!("{prefix} static {path}: {}", json.of_type(&inner["type"])),
            "macro" => format!("{prefix} macro {path}!"),
            "proc_macro" => format!("{prefix} proc-macro {path}"),
            other => format!("{prefix} {other} {path}"),
        };
        self.line(path, text);
        match kind {
            "enum" => {
                for variant in array(&inner["variants"]) {
                    let name = json.item(id(variant)).map_or("", |item| self::text(&item["name"]));
                    self.item(id(variant), &format!("{path}::{name}"));
                }
            }
            "trait" => {
                for member in array(&inner["items"]) {
                    self.member(id(member), path, "", true);
                }
            }
            _ => {}
        }
        for block in array(&inner["impls"]) {
            if let Some(block) = json.item(id(block)) {
                self.inherent_impl(&block["inner"]["impl"], path);
            }
        }
    }

    /// The form of a struct or variant: ` { .. }` where fields are private. Public fields have lines of their own.
    fn fields(&mut self, inner: &Value, path: &str) -> String {
        let json = self.json;
        let (fields, has_private) = match only_member(&inner["kind"]) {
            Some(("tuple", fields)) => {
                let types = array(fields).iter().map(|field| match json.item(id(field)) {
                    Some(field) => json.of_type(&field["inner"]["struct_field"]),
                    None => "_".to_owned(),
                });
                return format!("({})", types.collect::<Vec<_>>().join(", "));
            }
            Some((_, plain)) => (&plain["fields"], is(plain, "has_stripped_fields")),
            None if inner["fields"].is_array() => {
                (&inner["fields"], is(inner, "has_stripped_fields"))
            }
            None => return String::new(),
        };
        for field in array(fields).iter().filter_map(|field| json.item(id(field))) {
            let path = format!("{path}::{}", text(&field["name"]));
            let of_type = json.of_type(&field["inner"]["struct_field"]);
            self.line(&path, format!("pub field {path}: {of_type}"));
        }
        if has_private { " { .. }" } else { " {}" }.to_owned()
    }

    fn function(&self, inner: &Value, path: &str, more_clauses: &str) -> String {
        let (params, mut clauses) = self.json.generics(&inner["generics"]);
        if !more_clauses.is_empty() {
            clauses = match clauses.strip_prefix(" where ") {
                Some(own) => format!(" where {more_clauses}, {own}"),
                None => format!(" where {more_clauses}"),
            };
        }
        let header = &inner["header"];
        let mut qualifiers = String::new();
        for (member, word) in
            [("is_const", "const "), ("is_async", "async "), ("is_unsafe", "unsafe ")]
        {
            if is(header, member) {
                qualifiers.push_str(word);
            }
        }
        let signature = self.json.signature(&inner["sig"], true);
        format!("pub {qualifiers}fn {path}{params}{signature}{clauses}")
    }

    /// A member of a trait or of an inherent impl.
    fn member(&mut self, member: u64, owner: &str, clauses: &str, is_trait: bool) {
        let json = self.json;
        let Some(item) = json.item(member) else { return };
        if !is_trait && item["visibility"] != "public" {
            return;
        }
        let path = format!("{owner}::{}", text(&item["name"]));
        let text = match only_member(&item["inner"]) {
            Some(("function", inner)) => {
                let provided = if is_trait && is(inner, "has_body") { " { .. }" } else { "" };
                self.function(inner, &path, clauses) + provided
            }
            Some(("assoc_const", inner)) => {
                format!("pub const {path}: {}", json.of_type(&inner["type"]))
            }
            Some(("assoc_type", inner)) => {
                let bounds = json.bounds(&inner["bounds"]);
                if bounds.is_empty() {
                    format!("pub type {path}")
                } else {
                    format!("pub type {path}: {bounds}")
                }
            }
            _ => return,
        };
        self.line(&path, text);
    }

    fn inherent_impl(&mut self, block: &Value, owner: &str) {
        if !block["trait"].is_null() || !block.is_object() {
            return;
        }
        let params = array(&block["generics"]["params"]).iter();
        let bounded = params.filter_map(|param| {
            let bounds = self.json.bounds(&param["kind"]["type"]["bounds"]);
            (!bounds.is_empty()).then(|| format!("{}: {bounds}", text(&param["name"])))
        });
        let bounded: Vec<String> = bounded.collect();
        let (_, own) = self.json.generics(&block["generics"]);
        let own = own.strip_prefix(" where ").map(str::to_owned);
        let clauses = bounded.into_iter().chain(own).collect::<Vec<_>>().join(", ");
        for member in array(&block["items"]) {
            self.member(id(member), owner, &clauses, false);
        }
    }

    /// A trait of a type. Blanket impls are facts of the trait; of the automatic ones only what is missing counts.
    fn trait_impl(&mut self, block: &Value) {
        let json = self.json;
        let of_trait = &block["trait"];
        if of_trait.is_null() || !block["blanket_impl"].is_null() {
            return;
        }
        let name = text(&of_trait["path"]).rsplit("::").next().unwrap_or_default();
        let is_negative = is(block, "is_negative");
        let is_missing = is_negative && matches!(name, "Send" | "Sync");
        if HIDDEN_TRAITS.contains(&name) || (is(block, "is_synthetic") && !is_missing) {
            return;
        }
        if self.is_private(&block["for"]["resolved_path"]) || self.is_private(of_trait) {
            return;
        }
        let owner = &block["for"];
        let key = match owner["resolved_path"]["id"].as_u64().and_then(|id| json.public.get(&id)) {
            Some(path) => path.clone(),
            None => json.public.get(&id(&of_trait["id"])).cloned().unwrap_or_default(),
        };
        let (params, clauses) = json.generics(&block["generics"]);
        let not = if is_negative { "!" } else { "" };
        let (of_trait, owner) = (format!("{not}{}", json.path(of_trait)), json.of_type(owner));
        let types = array(&block["items"]).iter().filter_map(|member| json.item(id(member)));
        let types: Vec<String> = types
            .filter_map(|member| {
                let of_type = member["inner"]["assoc_type"].get("type")?;
                Some(format!("type {} = {}", text(&member["name"]), json.of_type(of_type)))
            })
            .collect();
        let is_plain = params.is_empty() && clauses.is_empty() && types.is_empty();
        if is_plain && json.foreign.borrow().is_empty() {
            self.plain_impls.entry((key, owner)).or_default().insert(of_trait);
            return;
        }
        let types =
            if types.is_empty() { String::new() } else { format!(" {{ {} }}", types.join("; ")) };
        self.line(&key, format!("impl{params} {of_trait} for {owner}{clauses}{types}"));
    }

    /// Whether a path names an own item that cannot be reached.
    fn is_private(&self, path: &Value) -> bool {
        let own = path["id"].as_u64().and_then(|id| Some((id, self.json.item(id)?)));
        own.is_some_and(|(id, item)| item["crate_id"] == 0 && !self.json.public.contains_key(&id))
    }
}
