//! What is known of a dataset: how far it has come, and where its files lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::history::Cursor;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Most faulty rows of a list that are told apart.
pub(super) const FAULTS: usize = 10_000;

/// A span of time that is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    /// In milliseconds, as `to`.
    pub(super) from: i64,
    pub(super) to: i64,
    /// It was requested before: responses that show nothing new are not kept.
    #[serde(default)]
    pub(super) again: bool,
}

/// Where the newest snapshot of a list of the moment begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// When it was taken, by the exchange's clock, in milliseconds.
    pub(super) taken: i64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) raw_bytes: u64,
    pub(super) answers: u64,
}

/// What the files hold once replaced rows are moved out of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rewrite {
    pub(super) bytes: u64,
    pub(super) version_bytes: u64,
}

fn one() -> u32 {
    1
}

/// How far a dataset has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Id of the endpoint that it comes from.
    pub(super) endpoint: String,
    /// Where the walk goes on; nothing at its begin.
    pub(super) cursor: Option<Cursor>,
    /// Bytes of the rows that count.
    pub(super) bytes: u64,
    pub(super) rows: u64,
    /// Bytes of the responses that count.
    pub(super) raw_bytes: u64,
    pub(super) answers: u64,
    /// Times of the first and the last row, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    pub(super) done: bool,
    /// Why the exchange did not give the rest.
    pub(super) refused: Option<String>,
    /// The exchange denied the list before it gave anything.
    #[serde(default)]
    pub(super) denied: bool,
    /// What is not among the rows although the exchange answered.
    #[serde(default)]
    pub(super) lacks: Option<String>,
    /// Answers that were not understood.
    #[serde(default)]
    pub(super) unread: u64,
    /// Rows that were not understood, in responses that otherwise were.
    #[serde(default)]
    pub(super) faulty: u64,
    /// Their digests: the overlap shows them again.
    #[serde(default)]
    pub(super) faults: BTreeSet<String>,
    /// The run that it was requested in last; 0 before the first. What version 1 wrote is of run 1.
    #[serde(default = "one")]
    pub(super) run: u32,
    /// Walks that were begun after the first one: a run makes several.
    #[serde(default)]
    pub(super) walk: u32,
    /// Spans that this run still has to request; the first is at hand.
    #[serde(default)]
    pub(super) todo: Vec<Span>,
    /// Everything up to here was requested, in milliseconds. Nothing before the first run is done, in what
    /// version 1 wrote, and of lists of the moment.
    #[serde(default)]
    pub(super) to: Option<i64>,
    /// Rows that are not final, such as withdrawals under way: id and time.
    #[serde(default)]
    pub(super) pending: BTreeMap<String, i64>,
    /// Begin and length of rows that later ones replace and that are still among the rows.
    #[serde(default)]
    pub(super) replaced: Vec<(u64, u64)>,
    #[serde(default)]
    pub(super) rewrite: Option<Rewrite>,
    /// Bytes and number of the replaced rows that were moved away.
    #[serde(default)]
    pub(super) version_bytes: u64,
    #[serde(default)]
    pub(super) versions: u64,
    /// Rows that came in a later run although their time was requested before.
    #[serde(default)]
    pub(super) late: u64,
    /// Of a list of the moment: its newest snapshot.
    #[serde(default)]
    pub(super) snapshot: Option<Snapshot>,
    /// How many snapshots there are.
    #[serde(default)]
    pub(super) snapshots: u64,
}

impl State {
    /// How much was not understood, and why the last of it.
    pub(super) fn not_understood(&self, why: &str) -> String {
        let counts = [(self.unread, "answers"), (self.faulty, "rows")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let counts = counts.join(" and ");
        format!("{counts} are not understood and kept as they came; the last: {why}")
    }
}

/// An response as it came, with what was asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// When it came, in milliseconds.
    pub(super) at: i64,
    pub(super) asked: serde_json::Value,
    /// The body, character by character.
    pub(super) body: String,
    /// The walk that it belongs to.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(super) walk: u32,
    /// The snapshot that it belongs to, by its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) taken: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields this way")]
fn is_first(walk: &u32) -> bool {
    *walk == 0
}

impl Answer {
    /// An response that has just come. The exchange writes UTF-8; anything else is marked in its place.
    pub(super) fn new(asked: serde_json::Value, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        Self { at: Timestamp::now().as_millis(), asked, body, walk: 0, taken: None }
    }
}

/// A symbol as a part of a name: letters that files cannot have are written as their bytes.
pub(super) fn part(symbol: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    symbol.bytes().map(letter).collect()
}

/// Where the rows of a dataset lie.
pub(super) fn rows_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Where the responses of a dataset lie.
pub(super) fn raw_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("raw").join(format!("{name}.ndjson"))
}

/// Where rows lie that later ones replaced.
pub(super) fn versions_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("versions").join(format!("{name}.jsonl"))
}

/// Where the states lie.
pub(super) fn states(folder: &Path) -> PathBuf {
    folder.join("state")
}

pub(super) fn state_path(folder: &Path, name: &str) -> PathBuf {
    states(folder).join(format!("{name}.json"))
}

/// The state of a dataset.
pub(super) fn state(folder: &Path, name: &str) -> Result<State, Failure> {
    let path = state_path(folder, name);
    let broken =
        |error: &dyn std::error::Error| Failure::machine(format!("{}: {error}", path.display()));
    let text = std::fs::read(&path).map_err(|error| broken(&error))?;
    serde_json::from_slice(&text).map_err(|error| broken(&error))
}
