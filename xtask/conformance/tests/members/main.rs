//! Removes and changes every member of every recorded response in turn. A member that is not essential must become
//! `None` alone; an essential one must fault its row alone; another spelling of a value must be read. A write that
//! the exchange confirmed is an error only without the id of its result. The cases come from the recordings and the
//! description, so that every model is covered; `required.rs` has the reason of each essential member.

mod forms;
mod required;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bitmart_rest::catalog::{EndpointEntry, FieldKind, find_route};
use bitmart_rest::endpoint::{Envelope, Method};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// How many rows of a list are corrupted.
const ROWS: usize = 2;

/// A recorded response that decodes.
struct Sample {
    entry: &'static EndpointEntry,
    response: Value,
    /// JSON pointer of the data.
    root: &'static str,
    /// The data as the model writes it, uncorrupted.
    base: Value,
}

/// A member, or a column of a row.
#[derive(Clone)]
struct Member {
    /// JSON pointer below the data.
    pointer: String,
    /// Path as in the description.
    path: String,
    is_column: bool,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/bitmart-rest/fixtures");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    files.iter().filter_map(|file| sample(file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

/// The response of a recording, if it is a success that decodes without losses.
fn sample(file: &Path) -> Option<Sample> {
    let mut recording: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let method = match recording["method"].as_str()? {
        "GET" => Method::Get,
        _ => Method::Post,
    };
    let entry = find_route(method, recording["path"].as_str()?)?;
    let response = recording["response"].take();
    let is_bare = entry.metadata.envelope == Envelope::None && response.get("code").is_none();
    let root = if is_bare { "" } else { "/data" };
    let mut sample = Sample { entry, response, root, base: Value::Null };
    sample.base = sample.recode(&sample.response)?;
    let has_faults = sample.base.to_string().contains("$fault");
    (!has_faults).then_some(sample)
}

impl Sample {
    fn recode(&self, response: &Value) -> Option<Value> {
        let body = Bytes::from(response.to_string());
        let text = self.entry.recode_response(StatusCode::OK, &body).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn members(&self) -> Vec<Member> {
        let mut members = Vec::new();
        let data = self.response.pointer(self.root).unwrap_or(&Value::Null);
        self.below(data, "", "", &mut members);
        members
    }

    fn below(&self, value: &Value, pointer: &str, path: &str, out: &mut Vec<Member>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let dot = if path.is_empty() { "" } else { "." };
                    let member = Member {
                        pointer: format!(
                            "{pointer}/{}",
                            name.replace('~', "~0").replace('/', "~1")
                        ),
                        path: format!("{path}{dot}{name}"),
                        is_column: false,
                    };
                    out.push(member.clone());
                    self.below(value, &member.pointer, &member.path, out);
                }
            }
            Value::Array(items) => {
                let first = format!("{path}[0]");
                let is_row = self.entry.fields.iter().any(|field| field.path.starts_with(&first));
                for (index, value) in items.iter().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    if is_row {
                        let path = format!("{path}[{index}]");
                        out.push(Member { pointer, path, is_column: true });
                    } else if index < ROWS {
                        self.below(value, &pointer, &format!("{path}[]"), out);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether it is an amount. A time as text is a decimal, too.
    fn is_amount(&self, member: &Member) -> bool {
        let mut fields = self.entry.fields.iter().filter(|field| field.path == member.path);
        fields.any(|field| field.kind == FieldKind::Decimal && field.form.contains("decimal"))
    }

    /// Recodes the response with other data, and perhaps another message.
    fn recode_data(&self, data: &Value, message: &str) -> Option<Value> {
        let mut response = self.response.clone();
        if self.root.is_empty() {
            response = data.clone();
        } else {
            response["data"] = data.clone();
            let name = if response.get("msg").is_some() { "msg" } else { "message" };
            response[name] = json!(message);
        }
        self.recode(&response)
    }

    fn data(&self) -> &Value {
        self.response.pointer(self.root).unwrap_or(&Value::Null)
    }

    fn is_essential(&self, path: &str) -> bool {
        self.entry.essential.contains(&path)
    }

    /// Whether the model has the member under this name.
    fn is_kept(&self, member: &Member) -> bool {
        self.base.pointer(&member.pointer).is_some()
    }

    /// Why the result of this `change` to `member` is wrong.
    fn check(&self, member: &Member, change: &Change) -> Option<String> {
        let mut response = self.response.clone();
        let data = response.pointer_mut(self.root).expect("data");
        put(data, &member.pointer, change.value.clone());
        let got = self.recode(&response);
        let was = self.response.pointer(&format!("{}{}", self.root, member.pointer));
        let is_list = was.is_some_and(Value::is_array);
        if change.effect == Expect::Same {
            let Some(got) = got else { return Some("does not decode".to_owned()) };
            let (is, was) = (got.pointer(&member.pointer), self.base.pointer(&member.pointer));
            let is_read = is.is_some_and(|value| !is_blank(value) && !is_fault(value))
                || was.is_some_and(is_blank);
            let is_same = is_read && same_without(&self.base, &got, &member.pointer);
            return (!is_same).then(|| format!("is not read: {got}"));
        }
        if !self.is_essential(&member.path) {
            let Some(got) = got else { return Some("does not decode".to_owned()) };
            if same_without(&self.base, &got, &member.pointer) {
                if change.effect == Expect::Any {
                    return None;
                }
                let value = got.pointer(&member.pointer);
                let is_none = value.is_none_or(|value| is_blank(value) || is_fault(value));
                // A member of any type holds every value.
                let is_kept = value == change.value.as_ref();
                return (!is_none && !is_kept).then(|| format!("is {value:?}"));
            }
            return Some(format!("changes something else: {got}"));
        }
        let row = row_of(&self.base, member);
        if change.effect == Expect::Any
            && got.as_ref().is_some_and(|got| same_without(&self.base, got, &member.pointer))
        {
            return None;
        }
        // An absent list becomes an empty one, even if it is essential.
        let is_absent_list = is_list && change.value.as_ref().is_none_or(is_no_value);
        let Some(got) = got else {
            return row.map(|row| format!("costs more than the row {row}"));
        };
        // It or one of its ancestors up to the row must be a fault, or be absent.
        let mut at = member.pointer.as_str();
        loop {
            let value = got.pointer(at);
            let is_kept = at == member.pointer && value.is_some() && value == change.value.as_ref();
            let is_lost = value.is_some_and(is_fault)
                || (is_absent_list && at == member.pointer && value.is_some_and(is_blank))
                || (at != member.pointer && value.is_none_or(is_blank));
            if (is_kept || is_lost) && same_without(&self.base, &got, at) {
                return None;
            }
            if row.as_deref() == Some(at) || at.is_empty() {
                return Some(format!("is essential and no fault: {got}"));
            }
            at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
}

/// A change to a member. Without a value, the member is removed.
struct Change {
    name: &'static str,
    value: Option<Value>,
    effect: Expect,
}

/// What becomes of a changed member that is not essential.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// It has no value.
    None,
    /// It is read, because the value only has another spelling.
    Same,
    /// It has a value or none.
    Any,
}

fn changes(value: &Value, member: &Member, is_amount: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    if !member.is_column {
        changes.push(Change { name: "removed", value: None, effect: Expect::None });
    }
    let other = match value {
        Value::Object(_) => [json!("x"), json!(7)],
        Value::Array(_) => [json!({"a": 1}), json!(7)],
        _ => [json!({"a": 1}), json!(["x", {"y": []}])],
    };
    let mut add = |name, value, effect| {
        changes.push(Change { name, value: Some(value), effect });
    };
    let values = [json!(null), json!(""), json!("-")].into_iter().chain(other);
    let names = ["null", "empty", "dash", "of another type", "of a third type"];
    for (name, value) in names.into_iter().zip(values) {
        add(name, value, Expect::None);
    }
    match value {
        Value::Array(_) | Value::Object(_) => {
            add("an empty list", json!([]), Expect::Any);
            add("an empty object", json!({}), Expect::Any);
            add("true", json!(true), Expect::Any);
        }
        _ => {
            add("true", json!(true), Expect::Any);
            add("false", json!(false), Expect::Any);
            add("an unknown word", json!("never_seen_before"), Expect::Any);
            add("a fraction", json!(0.125), Expect::Any);
        }
    }
    match value {
        Value::Number(number) => add("as text", json!(number.to_string()), Expect::Same),
        Value::String(text) => {
            let number = serde_json::from_str(text).ok().filter(Value::is_number);
            // `serde_json` reads a longer integer as a double.
            let is_exact = text.len() <= 15;
            if let Some(number) = number.filter(|_| is_exact) {
                add("as a number", number, Expect::Same);
            }
        }
        _ => {}
    }
    if is_amount {
        let places = "0.333333333333333333333333333333";
        add("with 30 places", json!(places), Expect::Same);
    }
    changes
}

/// Sets or removes the member at `pointer`.
fn put(data: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').expect("a member");
    let name = name.replace("~1", "/").replace("~0", "~");
    match (data.pointer_mut(parent), value) {
        (Some(Value::Object(members)), None) => drop(members.remove(&name)),
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(name, value)),
        (Some(Value::Array(items)), Some(value)) => {
            if let Some(place) = name.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                *place = value;
            }
        }
        _ => {}
    }
}

/// Whether both are the same but for the value at `pointer`.
fn same_without(one: &Value, other: &Value, pointer: &str) -> bool {
    if pointer.is_empty() {
        return true;
    }
    let without = |value: &Value| {
        let mut value = value.clone();
        if value.pointer(pointer).is_none() {
            put(&mut value, pointer, Some(Value::Null));
        }
        *value.pointer_mut(pointer).unwrap_or(&mut Value::Null) = Value::Null;
        value
    };
    without(one) == without(other)
}

/// The innermost row that the member is in, by its pointer.
fn row_of(data: &Value, member: &Member) -> Option<String> {
    let mut at = member.pointer.as_str();
    while let Some((parent, _)) = at.rsplit_once('/') {
        let is_item = data.pointer(parent).is_some_and(Value::is_array);
        if is_item && !(member.is_column && at == member.pointer) {
            return Some(at.to_owned());
        }
        at = parent;
    }
    None
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether this is a spelling of "no value".
fn is_no_value(value: &Value) -> bool {
    value.is_null() || matches!(value.as_str(), Some("" | "-"))
}

fn is_fault(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key("$fault"),
        // An invalid list.
        Value::Array(items) => items.first().is_some_and(is_fault),
        _ => false,
    }
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_corrupted_member_becomes_none_and_an_essential_one_faults_its_row() {
    let (mut cases, mut essential) = (0, 0);
    let mut faults = BTreeMap::new();
    let mut tried = BTreeSet::new();
    for sample in samples() {
        for member in sample.members().iter().filter(|member| sample.is_kept(member)) {
            let value = sample.response.pointer(&format!("{}{}", sample.root, member.pointer));
            for change in changes(value.expect("recorded"), member, sample.is_amount(member)) {
                cases += 1;
                essential += usize::from(sample.is_essential(&member.path));
                tried.insert((sample.entry.metadata.id, member.path.clone()));
                if let Some(fault) = sample.check(member, &change) {
                    let case =
                        format!("{} `{}` {}", sample.entry.metadata.id, member.path, change.name);
                    faults.entry(case).or_insert(fault);
                }
            }
        }
    }
    println!("{cases} cases, {essential} of essential members; {} members", tried.len());
    assert!(cases > 10_000, "only {cases} cases: were recordings found?");
    let shown: Vec<String> = faults
        .iter()
        .map(|(case, fault)| format!("{case}: {}", fault.chars().take(160).collect::<String>()))
        .collect();
    assert_none(&shown);
}
