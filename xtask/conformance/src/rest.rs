//! Checks recorded REST requests and responses.

use std::collections::BTreeMap;

use bitmart_rest::catalog::{EndpointEntry, RecodeError, find_route};
use bitmart_rest::endpoint::{Envelope, Method};
use bitmart_rest::{Error, ErrorKind};
use bitmart_types::{Notes, collect_notes};
use bytes::Bytes;
use http::StatusCode;
use serde_json::value::RawValue;

use crate::compare::{Comparison, EmptyMembers, Findings};
use crate::node::Node;
use crate::{Difference, Expected, OtherUnit, Outcome, Recording};

/// The code of success.
const SUCCESS: &str = "1000";

pub(crate) fn check(
    method: &str,
    path: &str,
    recording: &Recording<'_>,
    expected: &Expected,
) -> Outcome {
    let unknown = || {
        let got = format!("{method} {path}");
        Outcome::Unknown(Difference::new("path", "a described endpoint", got))
    };
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => return unknown(),
    };
    let Some(entry) = find_route(method, path) else {
        return unknown();
    };
    let (location, parameters, other) = match method {
        Method::Get => ("query", recording.query, recording.body),
        _ => ("body", recording.body, recording.query),
    };
    let mut differences = Vec::new();
    let mut units: Vec<OtherUnit> = Vec::new();
    let other = other.map(|other| Node::parse(other.get()));
    if let Some(Ok(Node::Object(members))) = &other
        && !members.is_empty()
    {
        let wrong = if location == "query" { "body" } else { "query" };
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        differences.push(Difference::new(
            wrong,
            format!("parameters in the {location}"),
            names.join(", "),
        ));
    }
    if let Some(parameters) = parameters {
        check_request(entry, location, parameters, &mut differences);
    }
    if let Some(response) = recording.response {
        let mut found = Findings::default();
        check_response(entry, recording.status.unwrap_or(200), response, expected, &mut found);
        differences.extend(found.differences);
        differences.extend(expected.not_lost(&found.lost));
        units = found.units;
    }
    if differences.is_empty() && parameters.is_none() && recording.response.is_none() {
        return Outcome::Skipped;
    }
    Outcome::new(differences, units)
}

fn check_request(
    entry: &EndpointEntry,
    location: &str,
    parameters: &RawValue,
    differences: &mut Vec<Difference>,
) {
    let recorded = match Node::parse(parameters.get()) {
        Ok(Node::Object(members)) => members,
        Ok(other) => {
            differences.push(Difference::new(location, "an object", other.to_string()));
            return;
        }
        Err(error) => {
            differences.push(Difference::new(location, "JSON", error));
            return;
        }
    };
    let is_ignored = |path: &str| {
        let path = format!("{location}.{path}");
        entry.ignores.iter().any(|ignore| ignore.path == path)
    };
    for (key, value) in &recorded {
        let described = entry.parameters.iter().any(|parameter| parameter.name == key);
        if !described && !is_ignored(key) {
            let path = format!("{location}.{key}");
            differences.push(Difference::new(path, "a described parameter", value.to_string()));
        }
    }
    match entry.recode_request(parameters.get()).map(|text| Node::parse(&text)) {
        Ok(Ok(got)) => {
            let comparison = Comparison {
                is_ignored: &is_ignored,
                own_name: &|_| None,
                is_time: &|_| false,
                expected: &Expected::default(),
                empty_members: EmptyMembers::MayBeOmitted,
                root: location,
            };
            let mut found = comparison.compare_roots(&Node::Object(recorded), &got).differences;
            // Parameters that are not described have been reported above.
            found.retain(|difference| {
                !differences.iter().any(|known| known.path == difference.path)
            });
            differences.extend(found);
        }
        Ok(Err(error)) => differences.push(Difference::new(location, "JSON", error)),
        // A required parameter is missing, and the description accepts that with a reason.
        Err(RecodeError::Parameters { .. })
            if entry
                .parameters
                .iter()
                .map(|parameter| parameter.name)
                .any(|key| !recorded.contains_key(key) && is_ignored(key)) => {}
        Err(RecodeError::Parameters { path, error }) => {
            let path = format!("{location}.{path}");
            let path = path.trim_end_matches('.');
            differences.push(Difference::new(path, "the typed request", error.to_string()));
        }
        Err(error) => {
            differences.push(Difference::new(location, "the typed request", chain(&error)));
        }
    }
}

fn check_response(
    entry: &EndpointEntry,
    status: u16,
    response: &RawValue,
    expected: &Expected,
    found: &mut Findings,
) {
    let differences = &mut found.differences;
    let Ok(status) = StatusCode::from_u16(status) else {
        differences.push(Difference::new("status", "an HTTP status", status.to_string()));
        return;
    };
    let recorded = match Node::parse(response.get()) {
        Ok(Node::Object(members)) => members,
        Ok(other) => {
            differences.push(Difference::new("response", "an envelope", other.to_string()));
            return;
        }
        Err(error) => {
            differences.push(Difference::new("response", "JSON", error));
            return;
        }
    };
    let code = match recorded.get("code") {
        Some(Node::Number(code) | Node::Text(code)) => Some(code.clone()),
        _ => None,
    };
    let is_bare = entry.metadata.envelope == Envelope::None && code.is_none();
    if !is_bare {
        check_envelope(entry.metadata.envelope, &recorded, differences);
    }
    let body = Bytes::copy_from_slice(response.get().as_bytes());
    let (recoded, notes) = collect_notes(|| entry.recode_response(status, &body));
    match recoded {
        Ok(text) => match (entry.metadata.envelope, code.as_deref()) {
            (Envelope::None, None) => {
                check_data(entry, &Node::Object(recorded), &text, expected, found);
                check_notes(&notes, found);
            }
            (Envelope::Standard | Envelope::None, Some(code)) if code != SUCCESS => {
                let difference =
                    Difference::new("response.code", format!("the error {code}"), "data");
                found.differences.push(difference);
            }
            _ => {
                check_data(
                    entry,
                    recorded.get("data").unwrap_or(&Node::Null),
                    &text,
                    expected,
                    found,
                );
                check_notes(&notes, found);
            }
        },
        Err(RecodeError::Response(error)) => {
            let is_that_error =
                code.is_some() && error.code().map(|decoded| decoded.to_string()) == code;
            if !is_that_error {
                let difference =
                    Difference::new(error_path(&error), "the typed response", chain(&error));
                found.differences.push(difference);
            }
        }
        Err(error) => {
            let difference = Difference::new("response.data", "the typed response", chain(&error));
            found.differences.push(difference);
        }
    }
}

/// Checks the envelope: a member that the client does not read is a difference, as in the data.
fn check_envelope(
    envelope: Envelope,
    recorded: &BTreeMap<String, Node>,
    differences: &mut Vec<Difference>,
) {
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
            differences.push(Difference::new(
                format!("response.{key}"),
                value.to_string(),
                "nothing",
            ));
        }
    }
}

/// Checks that the client reports exactly the unreadable members as drift.
fn check_notes(notes: &Notes, found: &mut Findings) {
    let noted = notes.unreadable();
    if noted != found.unreadable {
        found.differences.push(Difference::new(
            "response.data",
            format!("{} unreadable members", found.unreadable),
            format!("{noted} in the drift report"),
        ));
    }
}

fn check_data(
    entry: &EndpointEntry,
    recorded: &Node,
    got: &str,
    expected: &Expected,
    found: &mut Findings,
) {
    let got = match Node::parse(got) {
        Ok(got) => got,
        Err(error) => {
            found.differences.push(Difference::new("response.data", "JSON", error));
            return;
        }
    };
    let is_ignored = |path: &str| entry.ignores.iter().any(|ignore| ignore.path == path);
    let own_name = |path: &str| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let is_sibling = |own: &str| own.rsplit_once('.').unwrap_or(("", own)).0 == parent;
        let alias = entry
            .aliases
            .iter()
            .find(|alias| alias.other_name == name && is_sibling(alias.path))?;
        Some(alias.path.rsplit('.').next().unwrap_or(alias.path))
    };
    let is_time = |path: &str| {
        // Columns of rows have their index in the description.
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
        empty_members: EmptyMembers::MustBeKept,
        root: "response.data",
    };
    // A response without data may become an empty object.
    if *recorded == Node::Null && got == Node::Object(BTreeMap::default()) {
        return;
    }
    let compared = comparison.compare_roots(recorded, &got);
    found.differences.extend(compared.differences);
    found.lost.extend(compared.lost);
    found.units.extend(compared.units);
    found.unreadable += compared.unreadable;
}

/// The path in the recording at which a response does not decode.
fn error_path(error: &Error) -> String {
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
