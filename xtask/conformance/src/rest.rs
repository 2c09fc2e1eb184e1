//! REST recordings.

use std::collections::BTreeMap;

use bitmart_rest::catalog::{EndpointEntry, RecodeError, find_route};
use bitmart_rest::{Envelope, Error, ErrorKind, Method};
use bitmart_types::{Note, collect_notes};
use bytes::Bytes;
use http::StatusCode;
use serde_json::value::RawValue;

use crate::compare::{Blank, Comparison, Found};
use crate::node::Node;
use crate::{Expected, Fault, OtherUnit, Recording, Verdict};

/// The code of success.
const SUCCESS: &str = "1000";

pub(crate) fn judge(
    method: &str,
    path: &str,
    recording: &Recording<'_>,
    expected: &Expected,
) -> Verdict {
    let unknown = || {
        let got = format!("{method} {path}");
        Verdict::Unknown(Fault::new("path", "a described endpoint", got))
    };
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => return unknown(),
    };
    let Some(entry) = find_route(method, path) else {
        return unknown();
    };
    let (place, parameters, other) = match method {
        Method::Get => ("query", recording.query, recording.body),
        _ => ("body", recording.body, recording.query),
    };
    let mut faults = Vec::new();
    let mut units: Vec<OtherUnit> = Vec::new();
    let other = other.map(|other| Node::read(other.get()));
    if let Some(Ok(Node::Object(members))) = &other
        && !members.is_empty()
    {
        let wrong = if place == "query" { "body" } else { "query" };
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        faults.push(Fault::new(wrong, format!("parameters in the {place}"), names.join(", ")));
    }
    if let Some(parameters) = parameters {
        request(entry, place, parameters, &mut faults);
    }
    if let Some(response) = recording.response {
        let mut found = Found::default();
        answer(entry, recording.status.unwrap_or(200), response, expected, &mut found);
        faults.extend(found.faults);
        faults.extend(expected.missing(&found.lost));
        units = found.units;
    }
    if faults.is_empty() && parameters.is_none() && recording.response.is_none() {
        return Verdict::Skipped;
    }
    Verdict::of(faults, units)
}

fn request(entry: &EndpointEntry, place: &str, parameters: &RawValue, faults: &mut Vec<Fault>) {
    let recorded = match Node::read(parameters.get()) {
        Ok(Node::Object(members)) => members,
        Ok(other) => {
            faults.push(Fault::new(place, "an object", other.to_string()));
            return;
        }
        Err(error) => {
            faults.push(Fault::new(place, "JSON", error));
            return;
        }
    };
    let is_ignored = |path: &str| {
        let path = format!("{place}.{path}");
        entry.ignores.iter().any(|ignore| ignore.path == path)
    };
    for (key, value) in &recorded {
        let described = entry.parameters.iter().any(|parameter| parameter.name == key);
        if !described && !is_ignored(key) {
            let path = format!("{place}.{key}");
            faults.push(Fault::new(path, "a described parameter", value.to_string()));
        }
    }
    match entry.recode_request(parameters.get()).map(|text| Node::read(&text)) {
        Ok(Ok(got)) => {
            let comparison = Comparison {
                is_ignored: &is_ignored,
                own_name: &|_| None,
                is_time: &|_| false,
                expected: &Expected::default(),
                blank: Blank::MayGo,
                root: place,
            };
            let mut found = comparison.find(&Node::Object(recorded), &got).faults;
            // A parameter that is not described has been reported above.
            found.retain(|fault| !faults.iter().any(|known| known.path == fault.path));
            faults.extend(found);
        }
        Ok(Err(error)) => faults.push(Fault::new(place, "JSON", error)),
        // It lacks a required parameter, and the description says why that is accepted.
        Err(RecodeError::Parameters { .. })
            if entry
                .parameters
                .iter()
                .map(|parameter| parameter.name)
                .any(|key| !recorded.contains_key(key) && is_ignored(key)) => {}
        Err(RecodeError::Parameters { path, error }) => {
            let path = format!("{place}.{path}");
            let path = path.trim_end_matches('.');
            faults.push(Fault::new(path, "the typed request", error.to_string()));
        }
        Err(error) => faults.push(Fault::new(place, "the typed request", chain(&error))),
    }
}

fn answer(
    entry: &EndpointEntry,
    status: u16,
    response: &RawValue,
    expected: &Expected,
    found: &mut Found,
) {
    let faults = &mut found.faults;
    let Ok(status) = StatusCode::from_u16(status) else {
        faults.push(Fault::new("status", "an HTTP status", status.to_string()));
        return;
    };
    let recorded = match Node::read(response.get()) {
        Ok(Node::Object(members)) => members,
        Ok(other) => {
            faults.push(Fault::new("response", "an envelope", other.to_string()));
            return;
        }
        Err(error) => {
            faults.push(Fault::new("response", "JSON", error));
            return;
        }
    };
    let code = match recorded.get("code") {
        Some(Node::Number(code) | Node::Text(code)) => Some(code.clone()),
        _ => None,
    };
    let is_bare = entry.metadata.envelope == Envelope::None && code.is_none();
    if !is_bare {
        envelope(entry.metadata.envelope, &recorded, faults);
    }
    let body = Bytes::copy_from_slice(response.get().as_bytes());
    let (recoded, notes) = collect_notes(|| entry.recode_response(status, &body));
    match recoded {
        Ok(text) => match (entry.metadata.envelope, code.as_deref()) {
            (Envelope::None, None) => {
                data(entry, &Node::Object(recorded), &text, expected, found);
                counted(&notes, found);
            }
            (Envelope::Standard | Envelope::None, Some(code)) if code != SUCCESS => {
                let fault = Fault::new("response.code", format!("the error {code}"), "data");
                found.faults.push(fault);
            }
            _ => {
                data(entry, recorded.get("data").unwrap_or(&Node::Null), &text, expected, found);
                counted(&notes, found);
            }
        },
        Err(RecodeError::Response(error)) => {
            let is_that_error =
                code.is_some() && error.code().map(|decoded| decoded.to_string()) == code;
            if !is_that_error {
                let fault = Fault::new(place_of(&error), "the typed answer", chain(&error));
                found.faults.push(fault);
            }
        }
        Err(error) => {
            let fault = Fault::new("response.data", "the typed answer", chain(&error));
            found.faults.push(fault);
        }
    }
}

/// Checks what stands around the data: members that nobody reads are as lost as those of the data.
fn envelope(envelope: Envelope, recorded: &BTreeMap<String, Node>, faults: &mut Vec<Fault>) {
    for (key, value) in recorded {
        let is_read = match (key.as_str(), envelope) {
            ("data", _) => true,
            ("code", _) | ("errno", Envelope::Errno) => {
                matches!(value, Node::Number(_) | Node::Text(_) | Node::Null)
            }
            ("message" | "msg" | "trace", _) => matches!(value, Node::Text(_) | Node::Null),
            ("success", Envelope::Errno | Envelope::AccountInfo) => {
                matches!(value, Node::Bool(_) | Node::Null)
            }
            // Described as always empty.
            ("errorData", Envelope::AccountInfo) => *value == Node::Null,
            _ => false,
        };
        if !is_read {
            faults.push(Fault::new(format!("response.{key}"), value.to_string(), "nothing"));
        }
    }
}

/// Checks that the members that cannot be read are those that a drift counter hears of.
fn counted(notes: &[Note], found: &mut Found) {
    let noted = notes.iter().filter(|note| matches!(note, Note::Unreadable { .. })).count();
    if noted != found.unreadable {
        found.faults.push(Fault::new(
            "response.data",
            format!("{} unreadable members", found.unreadable),
            format!("{noted} that are counted"),
        ));
    }
}

fn data(entry: &EndpointEntry, recorded: &Node, got: &str, expected: &Expected, found: &mut Found) {
    let got = match Node::read(got) {
        Ok(got) => got,
        Err(error) => {
            found.faults.push(Fault::new("response.data", "JSON", error));
            return;
        }
    };
    let is_ignored = |path: &str| entry.ignores.iter().any(|ignore| ignore.path == path);
    let own_name = |path: &str| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let is_it = |own: &str| own.rsplit_once('.').unwrap_or(("", own)).0 == parent;
        let alias = entry.aliases.iter().find(|alias| alias.was == name && is_it(alias.path))?;
        Some(alias.path.rsplit('.').next().unwrap_or(alias.path))
    };
    let is_time = |path: &str| {
        // Columns of rows keep their index in the description.
        entry.fields.iter().any(|field| {
            let pattern = field.path.split('[').enumerate().map(|(at, part)| match at {
                0 => part.to_owned(),
                _ => format!("[{}", part.trim_start_matches(|c: char| c.is_ascii_digit())),
            });
            pattern.collect::<String>() == path && field.time.is_some()
        })
    };
    let comparison = Comparison {
        is_ignored: &is_ignored,
        own_name: &own_name,
        is_time: &is_time,
        expected,
        blank: Blank::MustStay,
        root: "response.data",
    };
    // An answer without data may become an empty object.
    if *recorded == Node::Null && got == Node::Object(BTreeMap::default()) {
        return;
    }
    let compared = comparison.find(recorded, &got);
    found.faults.extend(compared.faults);
    found.lost.extend(compared.lost);
    found.units.extend(compared.units);
    found.unreadable += compared.unreadable;
}

/// Where in the recording an answer stopped making sense.
fn place_of(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Decode(error) => format!("response.{}", error.path),
        _ => "response".to_owned(),
    }
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.replace('\n', " ")
}
