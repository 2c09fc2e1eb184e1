//! Counts differences between responses and the API description.
//!
//! The exchange changes its responses without notice. Decoding tolerates that: unknown members are
//! skipped, unknown values of enumerations are kept, numbers and texts are accepted for each other. A
//! [`Drift`] counts where that happened, so that it is noticed before it matters. It decodes each response
//! a second time and is therefore off by default.
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

mod compare;
#[cfg(feature = "metrics")]
mod metrics;
mod schema;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitmart_types::{Note, collect_notes};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::Error;
use crate::catalog::{ENDPOINTS, EndpointEntry};
use crate::endpoint::{Endpoint, Envelope, Metadata, decode};
use crate::protocol::response::{SUCCESS, whole, without_padding};

use schema::Schema;

/// Maximum number of different findings; further ones are only counted.
const MAX_FINDINGS: usize = 256;

/// Maximum length of a text from a response in a finding, in characters.
const MAX_TEXT: usize = 64;

/// Counts differences between responses and the API description. Clones share the counts.
#[derive(Clone)]
pub struct Drift(Arc<Inner>);

struct Inner {
    /// A field and not the constant, so that programs without a counter do not link the catalogue.
    catalogue: &'static [EndpointEntry],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    responses: u64,
    overflow: u64,
    counts: BTreeMap<(&'static str, String, DriftKind), u64>,
    schemas: BTreeMap<&'static str, Arc<Schema>>,
}

/// The kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DriftKind {
    /// An undescribed member of an object or column of a row.
    UnknownMember,
    /// An unknown value of an enumeration.
    UnknownValue,
    /// A value of another type than described: a number for a text, an object for a list.
    OtherForm,
    /// `null` where an object or a list is described.
    NoValue,
    /// A value that cannot be read, in a member that became `None`.
    Unreadable,
    /// A row that does not decode, or a list that is none.
    FaultyRow,
    /// A time in another unit than described; it is read by its magnitude.
    OtherUnit,
    /// A decimal with more places than a [`Decimal`](bitmart_types::Decimal) holds; the last ones are lost.
    TruncatedDecimal,
    /// A repeated member, or one with two of its names.
    RepeatedMember,
}

/// One difference and its count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Id of the endpoint.
    pub endpoint: &'static str,
    /// Path within the data, such as `orders[].fee`; for an unknown value the enumeration and the value,
    /// such as `OrderState frozen`. Empty for the data itself, a decimal that was cut and a repeated member.
    /// For endpoints outside the catalogue, an unreadable value has its expected type here.
    pub place: String,
    /// The kind of difference.
    pub kind: DriftKind,
    /// Number of occurrences.
    pub count: u64,
}

/// The differences counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftReport {
    /// Responses that were read.
    pub responses: u64,
    /// The differences, by endpoint and place; the first 256.
    pub findings: Vec<Finding>,
    /// Number of further differences, which are not listed.
    pub overflow: u64,
}

impl Drift {
    /// A counter at zero.
    pub fn new() -> Self {
        Self(Arc::new(Inner { catalogue: ENDPOINTS, state: Mutex::default() }))
    }

    /// Like [`decode`], but also counts differences.
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

    /// Counts the differences in `body`, a response of the endpoint, and the unknown values found by
    /// `decode`, which decodes that response. Error responses are not counted.
    pub fn watch<R>(&self, endpoint: &Metadata, body: &[u8], decode: impl FnOnce() -> R) -> R {
        let (result, notes) = collect_notes(decode);
        let Some(data) = data(endpoint.envelope, body) else {
            return result;
        };
        let mut state = self.state();
        state.responses += 1;
        let entry = self.0.catalogue.iter().find(|entry| entry.metadata.id == endpoint.id);
        let with_place = notes.unreadable() + notes.faulty_rows() + notes.other_units();
        let is_located = with_place > 0
            && entry.is_some_and(|entry| {
                let body = Bytes::copy_from_slice(body);
                let decoded = entry.recode_response(StatusCode::OK, &body).ok();
                let decoded = decoded.and_then(|text| serde_json::from_str(&text).ok());
                let mut count = |place, kind| state.count(endpoint.id, place, kind);
                decoded.is_some_and(|decoded| compare::compare(&data, &decoded, &mut count))
            });
        for (place, kind) in
            notes.iter().filter(|note| !is_located || !has_place(note)).map(finding_without_place)
        {
            state.count(endpoint.id, place, kind);
        }
        let unlisted_with_place = with_place - notes.iter().filter(|note| has_place(note)).count();
        let located = if is_located { unlisted_with_place } else { 0 };
        state.overflow += (notes.left_out() - located) as u64;
        if let Some(schema) = self.schema(&mut state, endpoint.id) {
            schema.compare(&data, &mut |place, kind| state.count(endpoint.id, place, kind));
        }
        result
    }

    /// The differences counted so far.
    pub fn report(&self) -> DriftReport {
        let state = self.state();
        let findings = state.counts.iter().map(|((endpoint, place, kind), count)| Finding {
            endpoint,
            place: place.clone(),
            kind: *kind,
            count: *count,
        });
        DriftReport {
            responses: state.responses,
            findings: findings.collect(),
            overflow: state.overflow,
        }
    }

    /// The described schema of the endpoint's data; `None` outside the catalogue.
    fn schema(&self, state: &mut State, id: &'static str) -> Option<Arc<Schema>> {
        if let Some(schema) = state.schemas.get(id) {
            return Some(schema.clone());
        }
        let entry = self.0.catalogue.iter().find(|entry| entry.metadata.id == id)?;
        let schema = Arc::new(Schema::new(entry.fields));
        state.schemas.insert(id, schema.clone());
        Some(schema)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, endpoint: &'static str, place: String, kind: DriftKind) {
        #[cfg(feature = "metrics")]
        metrics::count(endpoint, kind);
        let is_full = self.counts.len() >= MAX_FINDINGS;
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

/// Whether the note's place is found by comparing the response with the decoded model.
fn has_place(note: &Note) -> bool {
    matches!(note, Note::Unreadable { .. } | Note::FaultyRow { .. } | Note::OtherUnit { .. })
}

/// The finding for a note whose place is unknown.
fn finding_without_place(note: &Note) -> (String, DriftKind) {
    match note {
        Note::UnknownValue { enumeration, value } => {
            (format!("{enumeration} {}", shown(value.as_str())), DriftKind::UnknownValue)
        }
        Note::Unreadable { expected } => ((*expected).to_owned(), DriftKind::Unreadable),
        Note::FaultyRow { .. } => ("[]".to_owned(), DriftKind::FaultyRow),
        Note::OtherUnit { described, .. } => ((*described).to_owned(), DriftKind::OtherUnit),
        Note::TruncatedDecimal => (String::new(), DriftKind::TruncatedDecimal),
        // `Note` is non-exhaustive.
        Note::RepeatedMember | _ => (String::new(), DriftKind::RepeatedMember),
    }
}

/// The data of a successful response.
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

/// A text from the network, cut to its maximum length.
fn shown(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(end, _)| &text[..end])
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
            .field("responses", &state.responses)
            .field("findings", &state.counts.len())
            .field("overflow", &state.overflow)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMember => "an undescribed member",
            Self::UnknownValue => "an unknown value",
            Self::OtherForm => "another type than described",
            Self::NoValue => "null for an object or a list",
            Self::Unreadable => "an unreadable value",
            Self::FaultyRow => "a row that could not be decoded",
            Self::OtherUnit => "a time in another unit than described",
            Self::TruncatedDecimal => "a decimal with more places than are kept",
            Self::RepeatedMember => "a repeated member",
        })
    }
}

/// One line per finding.
impl fmt::Display for DriftReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { endpoint, place, kind, count } in &self.findings {
            writeln!(f, "{endpoint} `{place}`: {kind}, {count} times")?;
        }
        write!(f, "{} responses, {} differences not listed", self.responses, self.overflow)
    }
}
