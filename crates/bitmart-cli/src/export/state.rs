//! The state of a dataset: how far it is complete, and the paths of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::catalog;
use bitmart::rest::history::Cursor;
use serde::{Deserialize, Deserializer, Serialize};

use super::index::digest;
use super::manifest::sha256;
use crate::endpoint::former;
use crate::failure::Failure;

/// Maximum number of undecodable and of ambiguous rows of a dataset whose digests are stored.
pub(super) const MAX_DIGESTS: usize = 10_000;

/// Gaps that are this close are one.
const NEAR_MS: i64 = 3_000;

/// Maximum number of gaps that are described.
pub(super) const MAX_GAPS: usize = 1_000;

/// How rows are told apart. Before 1 by the exchange's id alone, which is not unique in every list.
pub(super) const IDENTITY: u32 = 1;

/// A span of time that is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    /// In milliseconds, as `to`.
    pub(super) from: i64,
    pub(super) to: i64,
    /// It was requested before: responses without new rows are not stored.
    #[serde(default)]
    pub(super) again: bool,
}

/// Where the newest snapshot begins in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// The exchange's time when it was taken, in milliseconds.
    pub(super) taken: i64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) raw_bytes: u64,
    #[serde(alias = "answers")]
    pub(super) responses: u64,
}

/// The last finished snapshot, while a newer one is not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Previous {
    /// Where its rows begin and end in the file.
    pub(super) rows: (u64, u64),
    /// The exchange's time when it was taken, in milliseconds.
    pub(super) taken: i64,
    pub(super) lacks: Option<String>,
}

/// Sizes that the files of rows and of replaced rows will have once replaced rows are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rewrite {
    pub(super) bytes: u64,
    pub(super) version_bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields this way")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn one() -> u32 {
    1
}

/// How far a dataset is complete. Members are named as in the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Id of its endpoint.
    #[serde(deserialize_with = "endpoint_id")]
    pub(super) endpoint: String,
    /// Where the pagination continues; `None` at its beginning.
    pub(super) cursor: Option<Cursor>,
    /// Valid bytes of the rows.
    pub(super) bytes: u64,
    pub(super) rows: u64,
    /// Valid bytes of the responses.
    pub(super) raw_bytes: u64,
    /// Number of responses.
    #[serde(alias = "answers")]
    pub(super) responses: u64,
    /// Times of the first and the last row, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    pub(super) done: bool,
    /// Why the rest is missing.
    #[serde(alias = "refused")]
    pub(super) rejected: Option<String>,
    /// The exchange rejected the list before it returned anything.
    #[serde(default)]
    pub(super) denied: bool,
    /// What the rows lack although the exchange responded.
    #[serde(default)]
    pub(super) lacks: Option<String>,
    /// The exchange's code of the rejection, since it is stored.
    #[serde(default)]
    pub(super) code: Option<i64>,
    /// How the program that wrote the rows told them apart: see [`IDENTITY`].
    #[serde(default)]
    pub(super) identity: u32,
    /// The members of a row, by which the rows were decoded: see [`model`]. `None` in files of older programs.
    #[serde(default)]
    pub(super) model: Option<String>,
    /// Rows that the exchange has and does not return: the time in milliseconds, and why. Never removed.
    #[serde(default)]
    pub(super) gaps: BTreeMap<i64, String>,
    /// Optional values that do not decode and are empty in the rows, by the stored responses.
    #[serde(default)]
    pub(super) unreadable: u64,
    /// Decimals that lack places in the rows, by the stored responses.
    #[serde(default)]
    pub(super) cut: u64,
    /// Number of [ambiguous rows](super::ambiguous), which are kept once. Of a history never reset, as gaps: not all
    /// responses of a span that is requested again are stored.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ambiguous: u64,
    /// Digests of their ids: a span that is requested again contains them again. At most [`MAX_DIGESTS`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) ambiguous_rows: BTreeSet<String>,
    /// Why there may be rows that the newest snapshot does not have, or has twice, although every response decodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unproven: Option<String>,
    /// Responses that do not decode.
    #[serde(default)]
    pub(super) unread: u64,
    /// Rows that do not decode, in responses that do.
    #[serde(default)]
    pub(super) faulty: u64,
    /// Their digests: the overlap contains them again.
    #[serde(default)]
    pub(super) faults: BTreeSet<String>,
    /// The run that requested it last; 0 before the first. Files of version 1 belong to run 1.
    #[serde(default = "one")]
    pub(super) run: u32,
    /// Number of the pagination, from 0: one for each span of each run.
    #[serde(default, rename = "walk")]
    pub(super) pagination: u32,
    /// Spans that this run still has to request; the first is in progress.
    #[serde(default)]
    pub(super) todo: Vec<Span>,
    /// Everything up to this time was requested, in milliseconds. `None` before the first run is done, in files of
    /// version 1, and for snapshots.
    #[serde(default)]
    pub(super) to: Option<i64>,
    /// Rows that are not final, such as pending withdrawals: id and time.
    #[serde(default)]
    pub(super) pending: BTreeMap<String, i64>,
    /// Offset and length of replaced rows that are still in the file of rows.
    #[serde(default)]
    pub(super) replaced: Vec<(u64, u64)>,
    #[serde(default)]
    pub(super) rewrite: Option<Rewrite>,
    /// Bytes and number of the replaced rows that were moved.
    #[serde(default)]
    pub(super) version_bytes: u64,
    #[serde(default)]
    pub(super) versions: u64,
    /// Rows that only a later run returned although their time had been requested before.
    #[serde(default)]
    pub(super) late: u64,
    /// The newest snapshot; `None` for histories.
    #[serde(default)]
    pub(super) snapshot: Option<Snapshot>,
    /// The finished snapshot before [`snapshot`](Self::snapshot), and what it lacks. It counts until the newest one is
    /// finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<Previous>,
    /// Number of finished snapshots.
    #[serde(default)]
    pub(super) snapshots: u64,
}

impl State {
    /// Remembers rows that the exchange does not return. Windows overlap, and find the same instant again.
    pub(super) fn add_gap(&mut self, at: i64, why: String) {
        let is_known = self.gaps.range(at - NEAR_MS..=at + NEAR_MS).next().is_some();
        if self.gaps.len() < MAX_GAPS && !is_known {
            self.gaps.insert(at, why);
        }
    }

    /// Counts an ambiguous row, unless it was counted before. Returns whether it is new.
    pub(super) fn add_ambiguous(&mut self, id: &str) -> bool {
        let digest = hex::encode(digest(id.as_bytes()));
        let known = &mut self.ambiguous_rows;
        let is_new = if known.len() >= MAX_DIGESTS {
            !known.contains(&digest)
        } else {
            known.insert(digest)
        };
        self.ambiguous += u64::from(is_new);
        is_new
    }

    /// What the rows lack although the exchange responded.
    pub(super) fn lacking(&self) -> Option<String> {
        let mut parts: Vec<_> = self.lacks.iter().chain(&self.unproven).cloned().collect();
        if self.unreadable > 0 {
            parts.push(format!(
                "{} values are not understood and missing in the rows; the responses have them",
                self.unreadable
            ));
        }
        if self.cut > 0 {
            parts.push(format!(
                "{} amounts have more decimal places than are kept and are cut off in the rows; the responses have \
                 them",
                self.cut
            ));
        }
        if self.ambiguous > 0 {
            parts.push(format!(
                "{} rows without an id equal one of an earlier page and are kept once: each was returned twice, or is \
                 another event that is missing in the rows; the responses have them",
                self.ambiguous
            ));
        }
        if let Some((_, first)) = self.gaps.first_key_value() {
            parts.push(format!(
                "the exchange does not return all rows of {} times; the first: {first}",
                self.gaps.len()
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Whether the rows were decoded by a program that tells rows apart, or decodes them, in another way.
    pub(super) fn is_of_older_program(&self) -> bool {
        self.identity < IDENTITY || self.model != model(&self.endpoint)
    }

    /// Bytes of the file that hold the newest finished snapshot. All of it for a history.
    pub(super) fn newest_rows(&self) -> (u64, u64) {
        match &self.previous {
            Some(previous) if !self.done => previous.rows,
            _ => (self.snapshot.map_or(0, |snapshot| snapshot.bytes), self.bytes),
        }
    }

    /// What an earlier run completed, if a later one was rejected: until when, and what it lacks.
    pub(super) fn completed_earlier(&self) -> Option<(i64, Option<String>)> {
        if self.done || self.rejected.is_none() {
            return None;
        }
        if self.snapshot.is_some() {
            return self.previous.as_ref().map(|previous| (previous.taken, previous.lacks.clone()));
        }
        self.to.map(|to| (to, self.lacking()))
    }

    /// Describes how much does not decode, with the last error.
    pub(super) fn not_understood(&self, error: &str) -> String {
        let counts = [(self.unread, "responses"), (self.faulty, "rows")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let counts = counts.join(" and ");
        format!("{counts} are not understood and kept as they came; the last: {error}")
    }
}

/// Reads the id of an endpoint. Older programs wrote a former one.
pub(super) fn endpoint_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    Ok(former::present(&id).to_owned())
}

/// Changes when decoding finds more, so that the responses of older archives are read again.
const DECODING: &str = "cut decimals and ambiguous rows are counted";

/// A fingerprint of the documented members of a response. Another one means that rows may be decoded in another way.
pub(super) fn model(endpoint: &str) -> Option<String> {
    let entry = catalog::find(endpoint)?;
    let members = entry.fields.iter().map(|field| format!("{} {:?}", field.path, field.kind));
    let members: Vec<_> = std::iter::once(DECODING.to_owned()).chain(members).collect();
    let mut text = sha256(members.join("\n").as_bytes());
    text.truncate(16);
    Some(text)
}

/// A stored response with its request. Members are named as in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredResponse {
    /// When it was received, in milliseconds.
    pub(super) at: i64,
    /// Parameters or window of the request.
    #[serde(rename = "asked")]
    pub(super) request: serde_json::Value,
    /// The unchanged body.
    pub(super) body: String,
    /// Number of its pagination.
    #[serde(default, rename = "walk", skip_serializing_if = "is_first")]
    pub(super) pagination: u32,
    /// Time of its snapshot, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) taken: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields this way")]
fn is_first(pagination: &u32) -> bool {
    *pagination == 0
}

impl StoredResponse {
    /// A response that was just received. Bytes that are not UTF-8 are replaced.
    pub(super) fn new(request: serde_json::Value, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        Self { at: Timestamp::now().as_millis(), request, body, pagination: 0, taken: None }
    }
}

/// Encodes a symbol as part of a file name: other characters are percent-encoded.
pub(super) fn file_name_part(symbol: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    symbol.bytes().map(letter).collect()
}

/// Path of a dataset's rows.
pub(super) fn rows_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Path of a dataset's responses.
pub(super) fn raw_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("raw").join(format!("{name}.ndjson"))
}

/// Path of a dataset's replaced rows.
pub(super) fn versions_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("versions").join(format!("{name}.jsonl"))
}

/// Folder of the states.
pub(super) fn state_folder(folder: &Path) -> PathBuf {
    folder.join("state")
}

pub(super) fn state_path(folder: &Path, name: &str) -> PathBuf {
    state_folder(folder).join(format!("{name}.json"))
}

/// Reads the state of a dataset.
pub(super) fn read_state(folder: &Path, name: &str) -> Result<State, Failure> {
    let path = state_path(folder, name);
    let to_failure =
        |error: &dyn std::error::Error| Failure::io(format!("{}: {error}", path.display()));
    let text = std::fs::read(&path).map_err(|error| to_failure(&error))?;
    serde_json::from_slice(&text).map_err(|error| to_failure(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_snapshot_is_the_last_one_that_was_finished() {
        let begin = Snapshot { taken: 2, bytes: 70, ..Snapshot::default() };
        let previous = Previous { rows: (30, 70), taken: 1, lacks: None };
        let mut state = State {
            bytes: 90,
            snapshot: Some(begin),
            previous: Some(previous),
            rejected: Some("closed".to_owned()),
            ..State::default()
        };
        assert_eq!(state.newest_rows(), (30, 70), "the newest one is not finished");
        assert_eq!(state.completed_earlier(), Some((1, None)));
        state.done = true;
        assert_eq!(state.newest_rows(), (70, 90));
        assert_eq!(state.completed_earlier(), None);
    }

    #[test]
    fn a_history_that_was_never_read_to_its_end_is_not_complete() {
        let rejected = Some("closed".to_owned());
        let state = State { rejected, ..State::default() };
        assert_eq!(state.completed_earlier(), None);
        assert_eq!(State { to: Some(5), ..state }.completed_earlier(), Some((5, None)));
    }
}
