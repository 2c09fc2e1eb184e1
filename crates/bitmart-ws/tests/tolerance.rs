//! What the venue omits, misspells or doubles costs no more than itself: every member of every frame
//! that is on hand, by the description of its channel.

use std::collections::BTreeMap;

use bitmart_ws::catalog::{self, Channel};
use bitmart_ws::event::Recoded;
use serde_json::{Value, json};

use common::{Fixture, fixtures};

mod common;

/// A step from a value to one in it.
#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// A scalar of an entry: its path as the description has it, and the way to it.
type Leaf = (String, Vec<Step>);

/// A value that a member may have instead of its own, and its name.
type Case = (&'static str, Option<Value>);

fn leaves(path: &str, way: &[Step], value: &Value, out: &mut Vec<Leaf>) {
    let step = |step| [way, &[step]].concat();
    match value {
        Value::Object(members) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in members {
                leaves(&format!("{path}{dot}{key}"), &step(Step::Key(key.clone())), value, out);
            }
        }
        Value::Array(items) => {
            let is_row = items.iter().any(|item| !item.is_array() && !item.is_object());
            for (index, value) in items.iter().enumerate() {
                let name = if is_row { index.to_string() } else { String::new() };
                leaves(&format!("{path}[{name}]"), &step(Step::Index(index)), value, out);
            }
        }
        _ => out.push((path.to_owned(), way.to_vec())),
    }
}

/// What may stand in the place of any member.
fn cases() -> Vec<Case> {
    vec![
        ("removed", None),
        ("null", Some(Value::Null)),
        ("empty", Some(json!(""))),
        ("dash", Some(json!("-"))),
        ("an object", Some(json!({"is": [1]}))),
        ("a list", Some(json!([[]]))),
        ("a boolean", Some(json!(true))),
        ("a word", Some(json!("NaN"))),
        ("a fraction", Some(json!(0.125))),
        ("too many digits", Some(json!("1234567890123456789012345678901"))),
    ]
}

/// Those of the cases that are no value for anything.
fn is_nothing_for_all(case: &str) -> bool {
    ["removed", "null", "empty", "dash", "an object", "a list"].contains(&case)
}

/// The entry with this value at this place. `None` when the case does not exist there: a column in
/// the middle of a row cannot be missing.
fn mutated(entry: &Value, way: &[Step], value: Option<&Value>) -> Option<Value> {
    let mut changed = entry.clone();
    let (last, way) = way.split_last()?;
    let parent = way.iter().try_fold(&mut changed, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })?;
    match (last, value) {
        (Step::Key(key), Some(value)) => parent[key] = value.clone(),
        (Step::Key(key), None) => drop(parent.as_object_mut()?.remove(key)?),
        (Step::Index(index), Some(value)) => parent[index] = value.clone(),
        (Step::Index(index), None) => {
            let row = parent.as_array_mut()?;
            row.pop().filter(|_| row.len() == *index)?;
        }
    }
    Some(changed)
}

/// Its place without this leaf, so that the rest can be compared.
fn without(entry: &Value, way: &[Step]) -> Value {
    mutated(entry, way, Some(&json!("…"))).unwrap_or_else(|| entry.clone())
}

impl Fixture {
    /// A frame of this channel with these entries, through the types and back.
    fn read(&self, entries: &str) -> Recoded {
        let key = if self.frame.get("table").is_some() { "table" } else { "group" };
        let name = &self.frame[key];
        let text = format!(r#"{{"data":{entries},"{key}":{name}}}"#);
        let recoded = catalog::recode(self.dialect, &text);
        recoded.unwrap_or_else(|error| panic!("{text}: {error}")).expect("a described channel")
    }

    fn among(&self, entry: &Value, middle: &Value) -> (Vec<Value>, Recoded) {
        let recoded = self.read(&json!([entry, middle, entry]).to_string());
        let mut frame: Value = serde_json::from_str(&recoded.text).expect("JSON");
        let Value::Array(entries) = frame["data"].take() else { panic!("{frame}") };
        assert_eq!(entries.len(), 3, "{}: {middle}", self.path.display());
        assert_eq!(entries[0], entries[2], "the neighbours are as ever");
        (entries, recoded)
    }
}

/// The names that a member goes by: the present one and others.
fn names<'a>(channel: &'a Channel, path: &'a str) -> Vec<&'a str> {
    let pairs = || channel.aliases.iter();
    let present = pairs().find(|(_, old)| *old == path).map_or(path, |(present, _)| present);
    let others = pairs().filter(|(new, _)| *new == present).map(|(_, old)| *old);
    [present].into_iter().chain(others).collect()
}

#[test]
fn a_member_costs_itself_and_an_essential_one_its_entry() {
    let (mut members, mut optional, mut essential) = (0, 0, 0);
    let mut by_channel: BTreeMap<&str, usize> = BTreeMap::new();
    let fixtures = fixtures();
    for fixture in &fixtures {
        let channel = fixture.channel();
        for entry in fixture.entries() {
            let (whole, recoded) = fixture.among(entry, entry);
            assert_eq!(recoded.faults, [], "{}", fixture.path.display());
            let mut found = Vec::new();
            leaves("", &[], entry, &mut found);
            for (path, way) in found {
                members += 1;
                let present = names(channel, &path)[0].to_owned();
                assert!(channel.fields.contains(&present.as_str()), "{path} is not described");
                let is_essential = channel.essential.contains(&present.as_str());
                // Where the typed events write it.
                let mut written = way.clone();
                if present != path {
                    written = vec![Step::Key(present)];
                }
                for (name, value) in cases() {
                    let Some(middle) = mutated(entry, &way, value.as_ref()) else { continue };
                    let context = format!("{}: {path} {name}", fixture.path.display());
                    let (read, recoded) = fixture.among(entry, &middle);
                    *by_channel.entry(channel.pattern).or_default() += 1;
                    assert_eq!(read[0], whole[0], "{context}");
                    if is_essential {
                        essential += 1;
                        // Other values are none of its concern: a word may be a name.
                        if is_nothing_for_all(name) {
                            lost(&context, &read[1], &recoded);
                        }
                        continue;
                    }
                    optional += 1;
                    assert_eq!(recoded.faults, [], "{context}");
                    assert_eq!(
                        without(&read[1], &written),
                        without(&whole[0], &written),
                        "{context}"
                    );
                }
            }
        }
    }
    println!(
        "tolerance: {} frames, {members} members, {optional} cases of optional and {essential} of \
         essential ones; by channel: {by_channel:#?}",
        fixtures.len()
    );
    assert!(
        members > 200 && optional > 1300 && essential > 1000,
        "{members} {optional} {essential}"
    );
}

/// Asserts that the entry in the middle, or one row of a list in it, is told as a fault.
fn lost(context: &str, middle: &Value, recoded: &Recoded) {
    let text = middle.to_string();
    assert_eq!(text.matches("$fault").count(), 1, "{context}: {text}");
    if middle.get("$fault").is_none() {
        // A row of a list: its entry goes on without it.
        assert_eq!(recoded.faults, [], "{context}");
        return;
    }
    let [fault] = &recoded.faults[..] else { panic!("{context}: {:?}", recoded.faults) };
    assert_eq!(fault.entry(), Some(1), "{context}");
    assert!(fault.path().starts_with("data[1]"), "{context}: {fault}");
    assert!(!fault.reason().is_empty() && !fault.raw().is_empty(), "{context}");
}

#[test]
fn a_member_that_comes_twice_is_read() {
    let mut cases = 0;
    for fixture in fixtures() {
        for entry in fixture.entries() {
            let Value::Object(members) = entry else { panic!("{entry}") };
            let single = fixture.read(&json!([entry]).to_string());
            for (key, value) in members {
                let (front, key) = (entry.to_string(), json!(key));
                let front = front.strip_suffix('}').expect("an object");
                let twice = fixture.read(&format!("[{front},{key}:{value}}}]"));
                assert_eq!(twice, single, "{}: {key}", fixture.path.display());
                cases += 1;
            }
        }
    }
    println!("doubled members: {cases} cases");
    assert!(cases > 150, "{cases}");
}

#[test]
fn another_name_of_a_member_is_read_alone_and_beside_the_present_one() {
    let mut cases = 0;
    for fixture in fixtures() {
        let aliases = fixture.channel().aliases;
        for (present, old) in aliases {
            for entry in fixture.entries().iter().filter(|entry| entry.get(present).is_some()) {
                let single = fixture.read(&json!([entry]).to_string());
                let mut other = entry.clone();
                let value = other.as_object_mut().expect("an object").remove(*present);
                other[old] = value.expect("seen above");
                let (alone, text) = (json!([other]).to_string(), entry.to_string());
                let inner = &text[1..text.len() - 1];
                let before = format!(r#"[{{"{old}":"7",{inner}}}]"#);
                let behind = format!(r#"[{{{inner},"{old}":"7"}}]"#);
                for text in [alone, before, behind] {
                    assert_eq!(fixture.read(&text), single, "{text}");
                    cases += 1;
                }
            }
        }
    }
    println!("other names: {cases} cases");
    assert!(cases >= 3, "{cases}");
}
