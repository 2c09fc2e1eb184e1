//! Counts how answers differ from what is described.
//!
//! The exchange changes its answers without notice. Decoding goes on: members that are not known
//! are skipped, values that an enumeration lacks are kept, numbers and texts stand in for each
//! other. A [`Drift`] counts where that happened, so that it can be seen before it matters. It
//! reads each answer a second time, which is why it has to be asked for.
//!
//! ```
//! use bitmart_rest::drift::{Drift, DriftKind};
//! use bitmart_rest::system;
//!
//! let drift = Drift::new();
//! let body = r#"{"code":1000,"data":{"server_time":1527777538000,"zone":"UTC"}}"#.into();
//! let time = drift.decode::<system::QueryTime>(http::StatusCode::OK, &http::HeaderMap::new(), &body)?;
//! assert_eq!(time.server_time.as_millis(), 1_527_777_538_000);
//!
//! let report = drift.report();
//! assert_eq!(report.findings[0].place, "zone");
//! assert_eq!(report.findings[0].kind, DriftKind::UnknownMember);
//! # Ok::<(), bitmart_rest::Error>(())
//! ```

mod lost;
mod shape;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitmart_types::{Note, collect_notes};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::catalog::{ENDPOINTS, EndpointEntry};
use crate::wire::response::{SUCCESS, whole, without_padding};
use crate::{Endpoint, Envelope, Error, Metadata, decode};

use shape::Shape;

/// Different findings that are kept; more are counted only.
const FINDINGS: usize = 256;

/// Longest text from an answer that a finding repeats, in characters.
const SHOWN: usize = 64;

/// A counter of differences between answers and their description. Clones count together.
#[derive(Clone)]
pub struct Drift(Arc<Inner>);

struct Inner {
    /// Held, not named where it is used: a program without a counter does not contain it.
    catalogue: &'static [EndpointEntry],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: u64,
    overflow: u64,
    counts: BTreeMap<(&'static str, String, DriftKind), u64>,
    shapes: BTreeMap<&'static str, Arc<Shape>>,
}

/// How an answer differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DriftKind {
    /// A member of an object, or a column of a row, that is not described.
    UnknownMember,
    /// A value that an enumeration lacks.
    UnknownValue,
    /// A value of another form than described: a number for a text, an object for a list.
    OtherForm,
    /// `null` where an object or a list is described.
    NoValue,
    /// A value that cannot be read, in a member that became `None`.
    Unreadable,
    /// A row that does not decode, or a list that is none.
    FaultyRow,
    /// A time in another unit than described; it is read by its magnitude.
    OtherUnit,
    /// A member that came twice, or under two of its names.
    RepeatedMember,
}

/// One difference, and how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Id of the endpoint.
    pub endpoint: &'static str,
    /// Path below the data, `orders[].fee`; of an unknown value the enumeration and the value,
    /// `OrderState frozen`. Empty for the data itself, and for a member that came twice. For an
    /// endpoint of your own what was expected stands for the path of what cannot be read.
    pub place: String,
    /// What is different.
    pub kind: DriftKind,
    /// How often.
    pub count: u64,
}

/// What was counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftReport {
    /// Answers that were read.
    pub answers: u64,
    /// The differences, by endpoint and place; the first 256.
    pub findings: Vec<Finding>,
    /// Differences seen after that for which there was no room.
    pub overflow: u64,
}

impl Drift {
    /// A counter at zero.
    pub fn new() -> Self {
        Self(Arc::new(Inner { catalogue: ENDPOINTS, state: Mutex::default() }))
    }

    /// Like [`decode`], and counts.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn decode<E: Endpoint>(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<E::Response, Error> {
        self.watch(const { &E::METADATA }, body, || decode::<E>(status, headers, body))
    }

    /// Counts the differences in `body`, an answer of the endpoint, and the unknown values that
    /// `decode` meets while it decodes that answer. Answers that report an error are not counted.
    pub fn watch<R>(&self, endpoint: &Metadata, body: &[u8], decode: impl FnOnce() -> R) -> R {
        let (result, notes) = collect_notes(decode);
        let Some(data) = data(endpoint.envelope, body) else {
            return result;
        };
        let mut state = self.state();
        state.answers += 1;
        let entry = self.0.catalogue.iter().find(|entry| entry.metadata.id == endpoint.id);
        let is_located = notes.iter().any(has_place)
            && entry.is_some_and(|entry| {
                let body = Bytes::copy_from_slice(body);
                let got = entry.recode_answer(StatusCode::OK, &body).ok();
                let got = got.and_then(|got| serde_json::from_str(&got).ok());
                let mut count = |place, kind| state.count(endpoint.id, place, kind);
                got.is_some_and(|got| lost::compare(&data, &got, &mut count))
            });
        for (place, kind) in notes.iter().filter(|note| !is_located || !has_place(note)).map(told) {
            state.count(endpoint.id, place, kind);
        }
        if let Some(shape) = self.shape(&mut state, endpoint.id) {
            shape.compare(&data, &mut |place, kind| state.count(endpoint.id, place, kind));
        }
        result
    }

    /// What was counted so far.
    pub fn report(&self) -> DriftReport {
        let state = self.state();
        let findings = state.counts.iter().map(|((endpoint, place, kind), count)| Finding {
            endpoint,
            place: place.clone(),
            kind: *kind,
            count: *count,
        });
        DriftReport {
            answers: state.answers,
            findings: findings.collect(),
            overflow: state.overflow,
        }
    }

    /// What is described of the endpoint's data; nothing for an endpoint of your own.
    fn shape(&self, state: &mut State, id: &'static str) -> Option<Arc<Shape>> {
        if let Some(shape) = state.shapes.get(id) {
            return Some(shape.clone());
        }
        let entry = self.0.catalogue.iter().find(|entry| entry.metadata.id == id)?;
        let shape = Arc::new(Shape::new(entry.fields));
        state.shapes.insert(id, shape.clone());
        Some(shape)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, endpoint: &'static str, place: String, kind: DriftKind) {
        crate::client::observe::drift(endpoint, kind);
        let is_full = self.counts.len() >= FINDINGS;
        let key = (endpoint, place, kind);
        match self.counts.get_mut(&key) {
            Some(count) => *count += 1,
            None if is_full => self.overflow += 1,
            None => {
                self.counts.insert(key, 1);
            }
        }
    }
}

/// Whether the place of the note is found by comparing the answer with what was decoded.
fn has_place(note: &Note) -> bool {
    matches!(note, Note::Unreadable { .. } | Note::FaultyRow { .. } | Note::OtherUnit { .. })
}

/// A note without a place.
fn told(note: &Note) -> (String, DriftKind) {
    match note {
        Note::UnknownValue { enumeration, value } => {
            (format!("{enumeration} {}", shown(value.as_str())), DriftKind::UnknownValue)
        }
        Note::Unreadable { expected } => ((*expected).to_owned(), DriftKind::Unreadable),
        Note::FaultyRow { .. } => ("[]".to_owned(), DriftKind::FaultyRow),
        Note::OtherUnit { described, .. } => ((*described).to_owned(), DriftKind::OtherUnit),
        // Notes of other kinds are not made yet.
        Note::RepeatedMember | _ => (String::new(), DriftKind::RepeatedMember),
    }
}

/// The data of an answer that reports success.
fn data(envelope: Envelope, body: &[u8]) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(without_padding(body)).ok()?;
    if body["success"] == Value::Bool(false) {
        return None;
    }
    let is_flagged = matches!(envelope, Envelope::Errno | Envelope::AccountInfo);
    match &body["code"] {
        Value::Null if envelope == Envelope::None => return Some(body),
        Value::Number(code) if !is_flagged && whole(&code.to_string()) != Some(SUCCESS) => {
            return None;
        }
        Value::String(code) if !is_flagged && whole(code) != Some(SUCCESS) => return None,
        _ => {}
    }
    body.get_mut("data").map(Value::take)
}

/// The beginning of a text from the network.
fn shown(text: &str) -> &str {
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end])
}

impl Default for Drift {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Drift")
            .field("answers", &state.answers)
            .field("findings", &state.counts.len())
            .field("overflow", &state.overflow)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMember => "a member that is not described",
            Self::UnknownValue => "a value that is not known",
            Self::OtherForm => "another form than described",
            Self::NoValue => "null for an object or a list",
            Self::Unreadable => "a value that cannot be read",
            Self::FaultyRow => "a row that does not decode",
            Self::OtherUnit => "a time in another unit than described",
            Self::RepeatedMember => "a member that came twice",
        })
    }
}

/// One line per finding.
impl fmt::Display for DriftReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { endpoint, place, kind, count } in &self.findings {
            writeln!(f, "{endpoint} `{place}`: {kind}, {count} times")?;
        }
        write!(f, "{} answers, {} differences not listed", self.answers, self.overflow)
    }
}
