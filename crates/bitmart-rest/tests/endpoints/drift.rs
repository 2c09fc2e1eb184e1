//! Responses that differ from their description decode, and the drift is counted.

use std::collections::BTreeMap;
use std::path::Path;

use bitmart_rest::catalog::{ENDPOINTS, EndpointEntry, find_route};
use bitmart_rest::drift::{Drift, DriftKind};
use bitmart_rest::endpoint::{Envelope, Method};
use bitmart_rest::spot;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

/// A name of a field, and a value, that no response contains.
const UNKNOWN: &str = "never_seen_before";

/// The published successful responses of an endpoint.
fn responses(entry: &EndpointEntry) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(entry.metadata.id);
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path| std::fs::read_to_string(path).unwrap();
    paths
        .into_iter()
        .map(|path| serde_json::from_str::<Value>(&read(path)).unwrap()["response"].take())
        .filter(|response| entry.recode_response(StatusCode::OK, &bytes(response)).is_ok())
        .collect()
}

fn bytes(response: &Value) -> Bytes {
    response.to_string().into()
}

/// The JSON pointer of the data in a response.
fn root(entry: &EndpointEntry, response: &Value) -> &'static str {
    let is_bare = entry.metadata.envelope == Envelope::None && response.get("code").is_none();
    if is_bare { "" } else { "/data" }
}

/// A place in the data: its JSON pointer, and its path as in the description.
struct Place {
    pointer: String,
    path: String,
}

/// Every place below the data. A list is represented by its first item; the columns of a row, which is a
/// list in a list or of scalars, are numbered.
fn places(entry: &EndpointEntry, response: &Value) -> Vec<Place> {
    let root = root(entry, response);
    let mut places = Vec::new();
    collect(entry, response.pointer(root).unwrap_or(&Value::Null), root, "", &mut places);
    places
}

fn collect(entry: &EndpointEntry, value: &Value, pointer: &str, path: &str, out: &mut Vec<Place>) {
    let children: Vec<(String, String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let dot = if path.is_empty() { "" } else { "." };
                (name.replace('~', "~0").replace('/', "~1"), format!("{path}{dot}{name}"), value)
            })
            .collect(),
        Value::Array(items) => {
            let row = format!("{path}[0]");
            let is_row = entry.fields.iter().any(|field| field.path.starts_with(&row));
            let most = if is_row { items.len() } else { 1 };
            let child = |(index, value)| {
                let step = if is_row { format!("[{index}]") } else { "[]".to_owned() };
                (format!("{index}"), format!("{path}{step}"), value)
            };
            items.iter().enumerate().take(most).map(child).collect()
        }
        _ => Vec::new(),
    };
    for (step, path, value) in children {
        let pointer = format!("{pointer}/{step}");
        out.push(Place { pointer: pointer.clone(), path: path.clone() });
        collect(entry, value, &pointer, &path, out);
    }
}

/// Changes every place of every published response, one at a time, and returns the places where the
/// response no longer decodes or the change was not counted. `change` returns `None` to skip a place.
fn faults(
    kind: DriftKind,
    change: impl Fn(&EndpointEntry, &Place, &Value) -> Option<Value>,
) -> Vec<String> {
    let mut found = BTreeMap::new();
    let mut changes = 0;
    for entry in ENDPOINTS {
        for response in responses(entry) {
            for place in places(entry, &response) {
                let mut changed = response.clone();
                let at = changed.pointer_mut(&place.pointer).unwrap();
                let Some(value) = change(entry, &place, at) else { continue };
                *at = value;
                changes += 1;
                let mut fault = |reason: String| {
                    found.entry(format!("{} {}", entry.metadata.id, place.path)).or_insert(reason);
                };
                let body = bytes(&changed);
                let drift = Drift::new();
                let decode = || entry.recode_response(StatusCode::OK, &body);
                if let Err(error) = drift.watch(&entry.metadata, &body, decode) {
                    fault(format!("does not decode: {error:?}"));
                }
                let is_described =
                    entry.fields.iter().any(|field| field.path.starts_with(&place.path));
                let is_counted = drift.report().findings.iter().any(|found| found.kind == kind);
                if is_described && kind != DriftKind::UnknownValue && !is_counted {
                    fault(format!("not counted in {}", drift.report()));
                }
            }
        }
    }
    assert!(changes > 0, "nothing was changed");
    found.into_iter().map(|(place, reason)| format!("{place}: {reason}")).collect()
}

#[track_caller]
fn assert_no_faults(faults: &[String]) {
    assert!(faults.is_empty(), "{} places:\n{}", faults.len(), faults.join("\n"));
}

fn form<'a>(entry: &'a EndpointEntry, place: &Place) -> &'a str {
    entry.fields.iter().find(|field| field.path == place.path).map_or("", |field| field.form)
}

fn is_form(entry: &EndpointEntry, place: &Place, form_wanted: &str) -> bool {
    form(entry, place).split(", ").any(|part| part == form_wanted)
}

#[test]
fn unknown_fields_decode_and_are_counted() {
    assert_no_faults(&faults(DriftKind::UnknownMember, |_, _, value| {
        let mut value = value.clone();
        value.as_object_mut()?.insert(UNKNOWN.to_owned(), json!({ "a": [1, null] }));
        Some(value)
    }));
}

#[test]
fn additional_columns_decode_and_are_counted() {
    assert_no_faults(&faults(DriftKind::UnknownMember, |entry, place, value| {
        let row = format!("{}[0]", place.path);
        entry.fields.iter().find(|field| field.path.starts_with(&row))?;
        let mut value = value.clone();
        value.as_array_mut()?.push(json!("more"));
        Some(value)
    }));
}

#[test]
fn null_for_an_object_or_a_list_decodes_and_is_counted() {
    assert_no_faults(&faults(DriftKind::NoValue, |_, place, value| {
        // Skips null rows of a response that is a list.
        if place.path == "[]" {
            return None;
        }
        (value.is_object() || value.is_array()).then_some(Value::Null)
    }));
}

#[test]
fn text_for_a_number_decodes_and_is_counted() {
    assert_no_faults(&faults(DriftKind::OtherForm, |entry, place, value| {
        // The description has text where only the samples of the documentation have a number.
        let takes_text =
            form(entry, place).split([' ', ',']).any(|word| word == "text" || word == "or");
        (value.is_number() && !takes_text).then(|| Value::from(value.to_string()))
    }));
}

#[test]
fn a_number_for_text_decodes_and_is_counted() {
    assert_no_faults(&faults(DriftKind::OtherForm, |entry, place, value| {
        let takes_both = form(entry, place).contains(" or ");
        let text = value.as_str()?;
        // A number with more digits is rejected instead of rounded.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number: Value =
            serde_json::from_str(text).ok().filter(|_| digits <= 15 || !text.contains('.'))?;
        (number.is_number() && !takes_both).then_some(number)
    }));
}

#[test]
fn unknown_values_decode() {
    assert_no_faults(&faults(DriftKind::UnknownValue, |entry, place, value| match value {
        Value::String(_) if is_form(entry, place, "text") => Some(json!(UNKNOWN)),
        // A fixed pair of values, not an enumeration.
        Value::Number(_) if place.path == "list[].verifyStatus" => None,
        // A timestamp.
        Value::Number(number) if number.as_i64().is_some_and(|time| time > 1_000_000_000) => {
            Some(json!(number.as_i64().unwrap() + 1))
        }
        Value::Number(_) if is_form(entry, place, "integer") => Some(json!(987_654)),
        _ => None,
    }));
}

#[test]
fn an_unknown_value_of_an_enumeration_is_counted_with_its_name() {
    let entry = find_route(Method::Get, "/contract/private/order").unwrap();
    let drift = Drift::new();
    for (state, times) in [("4", 1), ("77", 2)] {
        for _ in 0..times {
            let mut response = responses(entry).remove(0);
            response["data"]["state"] = serde_json::from_str(state).unwrap();
            let body = bytes(&response);
            let decode = || entry.recode_response(StatusCode::OK, &body);
            drift.watch(&entry.metadata, &body, decode).unwrap();
        }
    }
    let report = drift.report();
    let found = report.findings.iter().find(|found| found.kind == DriftKind::UnknownValue).unwrap();
    assert_eq!((found.endpoint, found.count), ("futures_order", 2));
    assert_eq!(found.place, "OrderState 77");
    assert_eq!(report.responses, 3);
}

#[test]
fn errors_of_the_exchange_are_not_counted() {
    let entry = find_route(Method::Get, "/contract/private/order").unwrap();
    let drift = Drift::new();
    let body = Bytes::from(r#"{"code":40035,"message":"no such order","data":[1]}"#);
    let decode = || entry.recode_response(StatusCode::OK, &body).unwrap_err();
    drift.watch(&entry.metadata, &body, decode);
    assert_eq!(drift.report(), Drift::new().report());
}

#[test]
fn findings_are_bounded_and_the_overflow_is_counted() {
    let entry = find_route(Method::Get, "/system/time").unwrap();
    let drift = Drift::new();
    let long = "x".repeat(10_000);
    // 300 differences with long names: 256 are listed.
    for number in 0..300 {
        let body = json!({ "code": 1000, "data": { format!("{number}{long}"): 1 } });
        drift.watch(&entry.metadata, &bytes(&body), || ());
    }
    let report = drift.report();
    assert_eq!((report.findings.len(), report.overflow), (256, 44));
    assert!(report.findings.iter().all(|found| found.place.len() <= 64));
}

#[test]
fn fields_described_by_third_parties_only_are_not_counted() {
    let drift = Drift::new();
    let rows = json!([{"cid": 7, "rebateTotal": "1", "accountAssetTotal": "2", "status": 1}]);
    let customers = json!({"code": 1000, "data": {"total": 1, "page": 1, "size": 1, "list": rows}});
    let wallet = json!({"code": 1000, "data": {"wallet": [{"currency": "USDT", "name": "USDT",
        "available": "1", "frozen": "0", "unAvailable": "0", "fundAvailable": "3", "fundFroze": "0"}]}});
    for (path, response) in [
        ("/contract/private/affiliate/rebate-inviteUser", customers),
        ("/account/v1/wallet", wallet),
    ] {
        let entry = find_route(Method::Get, path).unwrap();
        let decode = || entry.recode_response(StatusCode::OK, &bytes(&response)).unwrap();
        drift.watch(&entry.metadata, bytes(&response).as_ref(), decode);
    }
    assert_eq!(drift.report().findings, []);
}

#[test]
fn tolerated_values_are_counted_at_their_place() {
    let drift = Drift::new();
    let count = |path: &str, data: Value| {
        let entry = find_route(Method::Get, path).unwrap();
        let body = bytes(&json!({"code": 1000, "message": "OK", "trace": "t", "data": data}));
        drift.watch(&entry.metadata, &body, || {
            entry.recode_response(StatusCode::OK, &body).unwrap();
        });
        body
    };
    let mut ticker = json!({
        "symbol": "BTC_USDT", "last": "1", "v_24h": "1", "qv_24h": "1", "open_24h": "1",
        "high_24h": "1", "low_24h": "1", "fluctuation": "0", "bid_px": "--", "bid_sz": "1",
        "ask_px": {"px": 1}, "ask_sz": "", "ts": "1717737574",
    });
    count("/spot/quotation/v3/ticker", ticker.clone());
    ticker["ts"] = json!("1717737574061");
    let found = |kind| {
        let findings = drift.report().findings;
        let found = findings.into_iter().filter(|finding| finding.kind == kind);
        found.map(|finding| finding.place).collect::<Vec<_>>()
    };
    assert_eq!(found(DriftKind::Unreadable), ["ask_px", "bid_px"]);
    assert_eq!(found(DriftKind::OtherUnit), ["ts"]);
    let text = ticker.to_string().replacen('{', r#"{"last":"3","#, 1);
    let body = Bytes::from(format!(r#"{{"code":1000,"message":"OK","data":{text}}}"#));
    let entry = find_route(Method::Get, "/spot/quotation/v3/ticker").unwrap();
    drift.watch(&entry.metadata, &body, || entry.recode_response(StatusCode::OK, &body).unwrap());
    assert_eq!(found(DriftKind::RepeatedMember), [""]);
}

#[test]
fn differences_beyond_the_listed_notes_of_a_response_are_counted() {
    let watch = |row: &dyn Fn(usize) -> Value| {
        let rows: Vec<_> = (0..100).map(row).collect();
        let body = bytes(&json!({ "code": 1000, "message": "OK", "data": rows }));
        let drift = Drift::new();
        let read = drift.decode::<spot::ListOrderHistory>(StatusCode::OK, &HeaderMap::new(), &body);
        assert_eq!(read.expect("rows").len(), 100);
        drift.report()
    };
    // 100 rows, of which the notes of 64 are listed.
    let order = |state: String, filled: Value| {
        json!({
            "orderId": "1", "symbol": "BTC_USDT", "side": "buy", "state": state, "filledSize": filled,
        })
    };
    let report = watch(&|at| order(format!("odd{at}"), json!("0")));
    let found = report.findings.iter().filter(|one| one.kind == DriftKind::UnknownValue);
    assert_eq!((found.count(), report.overflow), (64, 36), "{report}");
    let report = watch(&|_| order("new".to_owned(), json!({ "odd": 1 })));
    let found = report.findings.iter().filter(|one| one.kind == DriftKind::Unreadable);
    let found: Vec<_> = found.map(|one| (one.place.as_str(), one.count)).collect();
    assert_eq!((&found[..], report.overflow), (&[("[].filledSize", 100)][..], 0), "{report}");
}
