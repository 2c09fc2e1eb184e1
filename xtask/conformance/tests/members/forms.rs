//! Data in other forms than recorded: confirmations, empty lists, outages, lists in a member.

use bitmart_rest::catalog::EndpointEntry;
use bitmart_rest::endpoint::Effect;
use serde_json::{Value, json};

use crate::{Sample, assert_none, put, same_without, samples};

#[test]
fn another_member_changes_nothing() {
    let mut faults = Vec::new();
    let mut cases = 0;
    for sample in samples() {
        let objects = sample.members().into_iter().map(|member| member.pointer);
        for pointer in objects.chain([String::new()]) {
            let mut data = sample.data().clone();
            let Some(Value::Object(members)) = data.pointer_mut(&pointer) else { continue };
            members.insert("never_seen_before".to_owned(), json!({ "a": [1, null] }));
            cases += 1;
            let got = sample.recode_data(&data, "OK");
            // A member of any type keeps it.
            let is_same = got.as_ref().is_some_and(|got| same_without(&sample.base, got, &pointer));
            if !is_same {
                faults.push(format!("{} `{pointer}`: {got:?}", sample.entry.metadata.id));
            }
        }
    }
    assert!(cases > 150, "only {cases} cases");
    assert_none(&faults);
}

#[test]
fn a_confirmed_write_is_an_error_only_without_the_id_of_its_result() {
    let (mut faults, mut cases) = (Vec::new(), 0);
    let writes = |sample: &Sample| sample.entry.metadata.effect != Effect::Read;
    for sample in samples().into_iter().filter(writes) {
        let has_id = !sample.entry.essential.iter().all(|path| path.ends_with("[]"));
        let other = [json!({}), json!([]), json!(null), json!(""), json!(true), json!("-")];
        for data in other {
            cases += 1;
            if sample.recode_data(&data, "OK").is_some() == has_id {
                let outcome = if has_id { "is a success" } else { "is an error" };
                faults.push(format!("{} with {data} {outcome}", sample.entry.metadata.id));
            }
        }
        // Only the response to canceling an order has a flag of which this is a value.
        let denied = sample.recode_data(&json!(false), "OK").is_some();
        if denied != (sample.entry.metadata.id == "spot_cancel_order") {
            faults.push(format!("{} with false: {denied}", sample.entry.metadata.id));
        }
        for path in sample.entry.essential.iter().filter(|path| !path.contains("[]")) {
            for none in [json!(null), json!(""), json!(0), json!("0"), json!("-"), json!("000")] {
                let mut data = sample.data().clone();
                put(&mut data, &format!("/{}", path.replace('.', "/")), Some(none.clone()));
                cases += 1;
                if sample.recode_data(&data, "OK").is_some() {
                    let id = sample.entry.metadata.id;
                    faults.push(format!("{id} with {none} for `{path}` is a success"));
                }
            }
        }
    }
    assert!(cases > 200, "only {cases} cases");
    assert_none(&faults);
}

/// The names of the lists of a response that is an object: a response without rows may lack them.
fn lists(entry: &EndpointEntry) -> Vec<&'static str> {
    let is_list = |path: &&&str| {
        let rows = format!("{path}[]");
        !path.contains(['.', '[']) && entry.fields.iter().any(|field| field.path.starts_with(&rows))
    };
    entry.essential.iter().filter(is_list).copied().collect()
}

#[test]
fn an_empty_list_is_empty_unless_the_message_reports_an_outage() {
    let (mut faults, mut cases) = (Vec::new(), 0);
    let reads = |sample: &Sample| sample.entry.metadata.effect == Effect::Read;
    for sample in samples().into_iter().filter(reads).filter(|sample| !sample.root.is_empty()) {
        let (id, lists) = (sample.entry.metadata.id, lists(sample.entry));
        let is_bare = sample.data().is_array();
        // A book is not empty because it is absent.
        if (lists.is_empty() && !is_bare) || lists.contains(&"asks") {
            continue;
        }
        let mut empty = vec![json!({}), json!(null), json!("")];
        for none in [json!([]), json!(null), json!({}), json!("")] {
            let members = lists.iter().map(|name| ((*name).to_owned(), none.clone()));
            empty.push(if is_bare { none.clone() } else { members.clone().collect() });
            let count = ("total".to_owned(), json!(0));
            empty.push(if is_bare { none.clone() } else { members.chain([count]).collect() });
        }
        for data in empty {
            cases += 1;
            match sample.recode_data(&data, "OK") {
                None => faults.push(format!("{id} with {data} does not decode")),
                Some(got) if got.to_string().contains("$fault") => {
                    faults.push(format!("{id} with {data} has a fault: {got}"));
                }
                Some(_) => {}
            }
            if let Some(got) = sample.recode_data(&data, "This service is down") {
                faults.push(format!("{id} with an outage and {data} is {got}"));
            }
        }
        // Rows under another name are not absent.
        if !is_bare {
            for data in [json!({ "never_seen_before": [{ "a": 1 }] }), json!({ "total": 2 })] {
                cases += 1;
                if let Some(got) = sample.recode_data(&data, "OK") {
                    faults.push(format!("{id} with {data} is {got}"));
                }
            }
        }
    }
    assert!(cases > 300, "only {cases} cases");
    assert_none(&faults);
}

#[test]
fn a_list_may_be_in_a_member_or_a_single_row() {
    let (mut faults, mut cases) = (Vec::new(), 0);
    for sample in samples() {
        let (id, Value::Array(rows)) = (sample.entry.metadata.id, sample.data()) else { continue };
        if sample.entry.is_unverified {
            continue;
        }
        let mut forms = vec![json!({ "list": rows }), json!({ "rows": rows })];
        forms.push(json!({ "total": rows.len(), "list": rows }));
        for data in forms {
            cases += 1;
            if sample.recode_data(&data, "OK").as_ref() != Some(&sample.base) {
                faults.push(format!("{id} in {data}"));
            }
        }
        if let [row @ Value::Object(_), ..] = &rows[..] {
            cases += 1;
            let expected = json!([sample.base[0]]);
            if sample.recode_data(row, "OK") != Some(expected) {
                faults.push(format!("{id} with one row"));
            }
        }
    }
    assert!(cases > 50, "only {cases} cases");
    assert_none(&faults);
}
