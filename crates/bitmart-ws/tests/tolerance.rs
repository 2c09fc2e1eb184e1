//! A member that is missing, malformed or repeated affects nothing but itself. Checked for every member
//! of every fixture, by the description of its channel.

use std::collections::BTreeMap;

use bitmart_ws::catalog::{self, Channel};
use bitmart_ws::event::Recoded;
use serde_json::{Value, json};

use common::{Fixture, fixtures};

mod common;

/// A segment of a path in a JSON value.
#[derive(Clone)]
enum Segment {
    Key(String),
    Index(usize),
}

/// A scalar of an entry: its path in the description, and its path in the entry.
type Leaf = (String, Vec<Segment>);

/// A name, and the value that replaces a member. `None` removes it.
type Case = (&'static str, Option<Value>);

fn leaves(path: &str, place: &[Segment], value: &Value, out: &mut Vec<Leaf>) {
    let with = |segment| [place, &[segment]].concat();
    match value {
        Value::Object(members) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in members {
                leaves(&format!("{path}{dot}{key}"), &with(Segment::Key(key.clone())), value, out);
            }
        }
        Value::Array(items) => {
            let is_row = items.iter().any(|item| !item.is_array() && !item.is_object());
            for (index, value) in items.iter().enumerate() {
                let name = if is_row { index.to_string() } else { String::new() };
                leaves(&format!("{path}[{name}]"), &with(Segment::Index(index)), value, out);
            }
        }
        _ => out.push((path.to_owned(), place.to_vec())),
    }
}

/// Returns replacements for any member.
fn cases() -> Vec<Case> {
    vec![
        ("removed", None),
        ("null", Some(Value::Null)),
        ("empty", Some(json!(""))),
        ("dash", Some(json!("-"))),
        ("an object", Some(json!({"is": [1]}))),
        ("a list", Some(json!([[]]))),
        ("a boolean", Some(json!(true))),
        ("a text", Some(json!("NaN"))),
        ("a fraction", Some(json!(0.125))),
        ("too many digits", Some(json!("1234567890123456789012345678901"))),
    ]
}

/// Returns whether a case is an invalid value for any type.
fn is_always_invalid(case: &str) -> bool {
    ["removed", "null", "empty", "dash", "an object", "a list"].contains(&case)
}

/// Returns the entry with the member replaced. `None` if that is impossible: a column in the middle of
/// a row cannot be removed.
fn mutated(entry: &Value, place: &[Segment], value: Option<&Value>) -> Option<Value> {
    let mut changed = entry.clone();
    let (last, place) = place.split_last()?;
    let parent = place.iter().try_fold(&mut changed, |value, step| match step {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
    })?;
    match (last, value) {
        (Segment::Key(key), Some(value)) => parent[key] = value.clone(),
        (Segment::Key(key), None) => drop(parent.as_object_mut()?.remove(key)?),
        (Segment::Index(index), Some(value)) => parent[index] = value.clone(),
        (Segment::Index(index), None) => {
            let row = parent.as_array_mut()?;
            row.pop().filter(|_| row.len() == *index)?;
        }
    }
    Some(changed)
}

/// Returns the entry without the member, to compare the rest.
fn without(entry: &Value, place: &[Segment]) -> Value {
    mutated(entry, place, Some(&json!("…"))).unwrap_or_else(|| entry.clone())
}

impl Fixture {
    /// Decodes a frame of this channel with these entries and encodes it again.
    fn recode(&self, entries: &str) -> Recoded {
        let key = if self.frame.get("table").is_some() { "table" } else { "group" };
        let name = &self.frame[key];
        let text = format!(r#"{{"data":{entries},"{key}":{name}}}"#);
        let recoded = catalog::recode(self.dialect, &text);
        recoded.unwrap_or_else(|error| panic!("{text}: {error}")).expect("a described channel")
    }

    /// Recodes `middle` between two copies of `entry`.
    fn recode_between(&self, entry: &Value, middle: &Value) -> (Vec<Value>, Recoded) {
        let recoded = self.recode(&json!([entry, middle, entry]).to_string());
        let mut frame: Value = serde_json::from_str(&recoded.text).expect("JSON");
        let Value::Array(entries) = frame["data"].take() else { panic!("{frame}") };
        assert_eq!(entries.len(), 3, "{}: {middle}", self.path.display());
        assert_eq!(entries[0], entries[2], "the neighbors do not change");
        (entries, recoded)
    }
}

/// Returns the names of a member: the present one and others.
fn names<'a>(channel: &'a Channel, path: &'a str) -> Vec<&'a str> {
    let pairs = || channel.aliases.iter();
    let present = pairs().find(|(_, old)| *old == path).map_or(path, |(present, _)| present);
    let others = pairs().filter(|(new, _)| *new == present).map(|(_, old)| *old);
    [present].into_iter().chain(others).collect()
}

#[test]
fn an_invalid_member_affects_itself_only_and_an_essential_one_its_entry() {
    let (mut members, mut optional, mut essential) = (0, 0, 0);
    let mut by_channel: BTreeMap<&str, usize> = BTreeMap::new();
    let fixtures = fixtures();
    for fixture in &fixtures {
        let channel = fixture.channel();
        for entry in fixture.entries() {
            let (valid, recoded) = fixture.recode_between(entry, entry);
            assert_eq!(recoded.faults, [], "{}", fixture.path.display());
            let mut found = Vec::new();
            leaves("", &[], entry, &mut found);
            for (path, place) in found {
                members += 1;
                let present = names(channel, &path)[0].to_owned();
                assert!(channel.fields.contains(&present.as_str()), "{path} is not described");
                let is_essential = channel.essential.contains(&present.as_str());
                // Its path in the encoded event.
                let mut encoded = place.clone();
                if present != path {
                    encoded = vec![Segment::Key(present)];
                }
                for (name, value) in cases() {
                    let Some(middle) = mutated(entry, &place, value.as_ref()) else { continue };
                    let context = format!("{}: {path} {name}", fixture.path.display());
                    let (read, recoded) = fixture.recode_between(entry, &middle);
                    *by_channel.entry(channel.pattern).or_default() += 1;
                    assert_eq!(read[0], valid[0], "{context}");
                    if is_essential {
                        essential += 1;
                        // Other values may be valid: any text may be a name.
                        if is_always_invalid(name) {
                            assert_fault(&context, &read[1], &recoded);
                        }
                        continue;
                    }
                    optional += 1;
                    assert_eq!(recoded.faults, [], "{context}");
                    assert_eq!(
                        without(&read[1], &encoded),
                        without(&valid[0], &encoded),
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

/// Asserts that the entry in the middle, or one row of a list in it, is a fault.
fn assert_fault(context: &str, middle: &Value, recoded: &Recoded) {
    let text = middle.to_string();
    assert_eq!(text.matches("$fault").count(), 1, "{context}: {text}");
    if middle.get("$fault").is_none() {
        // The fault is a row of a list.
        assert_eq!(recoded.faults, [], "{context}");
        return;
    }
    let [fault] = &recoded.faults[..] else { panic!("{context}: {:?}", recoded.faults) };
    assert_eq!(fault.entry(), Some(1), "{context}");
    assert!(fault.path().starts_with("data[1]"), "{context}: {fault}");
    assert!(!fault.reason().is_empty() && !fault.raw().is_empty(), "{context}");
}

#[test]
fn a_repeated_member_is_accepted() {
    let mut cases = 0;
    for fixture in fixtures() {
        for entry in fixture.entries() {
            let Value::Object(members) = entry else { panic!("{entry}") };
            let single = fixture.recode(&json!([entry]).to_string());
            for (key, value) in members {
                let (front, key) = (entry.to_string(), json!(key));
                let front = front.strip_suffix('}').expect("an object");
                let twice = fixture.recode(&format!("[{front},{key}:{value}}}]"));
                assert_eq!(twice, single, "{}: {key}", fixture.path.display());
                cases += 1;
            }
        }
    }
    println!("repeated members: {cases} cases");
    assert!(cases > 150, "{cases}");
}

#[test]
fn another_name_of_a_member_is_accepted_alone_and_beside_the_present_one() {
    let mut cases = 0;
    for fixture in fixtures() {
        let aliases = fixture.channel().aliases;
        for (present, old) in aliases {
            for entry in fixture.entries().iter().filter(|entry| entry.get(present).is_some()) {
                let single = fixture.recode(&json!([entry]).to_string());
                let mut other = entry.clone();
                let value = other.as_object_mut().expect("an object").remove(*present);
                other[old] = value.expect("filtered above");
                let (alone, text) = (json!([other]).to_string(), entry.to_string());
                let inner = &text[1..text.len() - 1];
                let before = format!(r#"[{{"{old}":"7",{inner}}}]"#);
                let after = format!(r#"[{{{inner},"{old}":"7"}}]"#);
                for text in [alone, before, after] {
                    assert_eq!(fixture.recode(&text), single, "{text}");
                    cases += 1;
                }
            }
        }
    }
    println!("other names: {cases} cases");
    assert!(cases >= 3, "{cases}");
}
