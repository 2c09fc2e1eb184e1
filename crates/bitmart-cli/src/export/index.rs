//! Which rows of a history are there already, for a walk through what was requested before.
//!
//! Only the rows of the spans at hand are held, so that the memory goes by the overlap and not by the archive.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bitmart::rest::history::{History, RowKey};
use ring::digest;
use serde::de::DeserializeOwned;

use super::manifest::for_lines_to;
use super::store::{Span, State, rows_path};
use super::walk::EARLIEST;
use crate::failure::Failure;

/// Windows reach a little beyond their span: by a step of their unit, a second at most, on both sides.
const BEYOND_MS: i64 = 2_000;

/// The first half of a SHA-256.
pub(super) type Digest = [u8; 16];

pub(super) fn digest(bytes: &[u8]) -> Digest {
    let mut half = Digest::default();
    half.copy_from_slice(&digest::digest(&digest::SHA256, bytes).as_ref()[..16]);
    half
}

#[derive(Clone, Copy, Debug)]
struct Known {
    line: Digest,
    /// Where the row stands, and how long it is.
    at: u64,
    bytes: u64,
    /// The exchange has to give it again.
    awaited: bool,
}

/// What a row that comes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    New,
    /// It is there as it comes.
    Same,
    /// It takes the place of the row that begins here and is so long.
    Changed(u64, u64),
}

/// The rows that may come again.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    spans: Vec<Span>,
    known: HashMap<Digest, Known>,
}

impl Index {
    /// The rows of the spans that are to be requested.
    pub(super) fn read<H: History<Row: DeserializeOwned>>(
        folder: &Path,
        name: &str,
        state: &State,
    ) -> Result<Self, Failure> {
        let spans = state.todo.clone();
        let mut index = Self { path: rows_path(folder, name), spans, known: HashMap::new() };
        let covered: Vec<Span> = index.spans.clone();
        index.load::<H>(state, |key| covers(&covered, key))?;
        Ok(index)
    }

    /// Takes in the rows that are `wanted`.
    fn load<H: History<Row: DeserializeOwned>>(
        &mut self,
        state: &State,
        wanted: impl Fn(&RowKey) -> bool,
    ) -> Result<(), Failure> {
        let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
        let mut number = 0_u64;
        for_lines_to(&self.path, state.bytes, |at, line| {
            number += 1;
            if replaced.contains(&at) {
                return Ok(());
            }
            let row: H::Row = serde_json::from_slice(line).map_err(|error| {
                Failure::machine(format!(
                    "{}: line {number} is no row of this list: {error}; nothing was overwritten",
                    self.path.display()
                ))
                .with_advice(
                    "the file was changed or cut: put back a copy, or export into another folder",
                )
            })?;
            let key = H::key(&row);
            if wanted(&key) {
                let awaited = key.time.is_some_and(|time| {
                    let within =
                        |span: &Span| span.from <= time.as_millis() && time.as_millis() < span.to;
                    self.spans.iter().any(|span| span.again && within(span))
                });
                let known = Known { line: digest(line), at, bytes: line.len() as u64, awaited };
                self.known.insert(digest(key.id.as_bytes()), known);
            }
            Ok(())
        })
    }

    /// What the rows of a page are. A row of another time than was requested is looked up in the file.
    pub(super) fn look<H: History<Row: DeserializeOwned>>(
        &mut self,
        state: &State,
        rows: &[(RowKey, Vec<u8>)],
    ) -> Result<Vec<Found>, Failure> {
        let strangers = rows.iter().filter(|(key, _)| !covers(&self.spans, key));
        let strangers: BTreeSet<&str> = strangers.map(|(key, _)| key.id.as_str()).collect();
        if !strangers.is_empty() {
            self.load::<H>(state, |key| strangers.contains(key.id.as_str()))?;
        }
        let found =
            rows.iter().map(|(key, line)| match self.known.get_mut(&digest(key.id.as_bytes())) {
                None => Found::New,
                Some(known) => {
                    known.awaited = false;
                    if known.line == digest(line) {
                        Found::Same
                    } else {
                        Found::Changed(known.at, known.bytes)
                    }
                }
            });
        Ok(found.collect())
    }

    /// A row was written at `at`.
    pub(super) fn insert(&mut self, key: &RowKey, line: &[u8], at: u64) {
        let known = Known { line: digest(line), at, bytes: line.len() as u64, awaited: false };
        self.known.insert(digest(key.id.as_bytes()), known);
    }

    /// Rows of what was requested that did not come again.
    pub(super) fn awaited(&self) -> usize {
        self.known.values().filter(|known| known.awaited).count()
    }
}

/// Whether a row is of one of the spans, or of no time that could be compared.
fn covers(spans: &[Span], key: &RowKey) -> bool {
    key.time.map(bitmart::Timestamp::as_millis).is_none_or(|time| {
        let within = |span: &Span| span.from - BEYOND_MS <= time && time <= span.to + BEYOND_MS;
        time < EARLIEST || spans.iter().any(within)
    })
}
