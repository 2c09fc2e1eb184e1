//! An index of a history's stored rows, to recognize rows that are requested again.
//!
//! It contains only the rows of the requested spans, so that memory depends on the overlap and not on the archive.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bitmart::rest::history::{History, RowKey, numbered_id};
use ring::digest;
use serde::de::DeserializeOwned;

use super::manifest::for_each_line_within;
use super::pages::EARLIEST_MS;
use super::row_versions::groups;
use super::store::{Span, State, rows_path};
use crate::failure::Failure;

/// Windows extend beyond their span by one time unit, at most a second, on both sides.
const MARGIN_MS: i64 = 2_000;

/// The first half of a SHA-256 hash, to tell rows and ids apart.
pub(super) type Digest = [u8; 16];

pub(super) fn digest(bytes: &[u8]) -> Digest {
    let mut half = Digest::default();
    half.copy_from_slice(&digest::digest(&digest::SHA256, bytes).as_ref()[..16]);
    half
}

/// A stored row.
#[derive(Clone, Copy, Debug)]
struct Known {
    line: Digest,
    /// Offset and length of the row in the file.
    at: u64,
    bytes: u64,
    /// The row is in a span that is requested again, and the exchange has not returned it yet.
    awaited: bool,
}

/// How a received row compares with the stored ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowStatus {
    New,
    Same,
    /// It replaces the row of this offset and length.
    Changed(u64, u64),
}

/// The stored rows that may be received again.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    spans: Vec<Span>,
    known: HashMap<Digest, Known>,
}

impl Index {
    /// Reads the rows of the spans that will be requested.
    pub(super) fn read<H: History<Row: DeserializeOwned>>(
        folder: &Path,
        name: &str,
        state: &State,
    ) -> Result<Self, Failure> {
        let spans = state.todo.clone();
        let mut index = Self { path: rows_path(folder, name), spans, known: HashMap::new() };
        let requested = index.spans.clone();
        index.load::<H>(state, |key| covers(&requested, key))?;
        Ok(index)
    }

    /// Adds the stored rows that are `wanted`.
    fn load<H: History<Row: DeserializeOwned>>(
        &mut self,
        state: &State,
        wanted: impl Fn(&RowKey) -> bool,
    ) -> Result<(), Failure> {
        let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
        let mut number = 0_u64;
        let path = self.path.clone();
        for_each_line_within(&path, state.bytes, |at, line| {
            number += 1;
            if replaced.contains(&at) {
                return Ok(());
            }
            let row: H::Row = serde_json::from_slice(line).map_err(|error| {
                Failure::io(format!(
                    "{}: line {number} is no row of this list: {error}; nothing was overwritten",
                    path.display()
                ))
                .with_advice(
                    "the file was changed or cut: put back a copy, or export into another folder",
                )
            })?;
            let key = H::key(&row);
            if wanted(&key) && !self.entries(&key.id).any(|(_, known)| known.at == at) {
                let awaited = key.time.is_some_and(|time| {
                    let within =
                        |span: &Span| span.from <= time.as_millis() && time.as_millis() < span.to;
                    self.spans.iter().any(|span| span.again && within(span))
                });
                let known = Known { line: digest(line), at, bytes: line.len() as u64, awaited };
                self.add(&key.id, known);
            }
            Ok(())
        })
    }

    /// The known rows with this id, which has no number.
    fn entries(&self, id: &str) -> impl Iterator<Item = (Digest, Known)> {
        (1..).map_while(move |number| {
            let slot = digest(numbered_id(id, number).as_bytes());
            Some((slot, *self.known.get(&slot)?))
        })
    }

    fn add(&mut self, id: &str, known: Known) {
        let slot = digest(numbered_id(id, self.entries(id).count() + 1).as_bytes());
        self.known.insert(slot, known);
    }

    /// Compares the rows of a page with the stored ones. Rows outside the requested spans are searched in the
    /// file.
    pub(super) fn compare<H: History<Row: DeserializeOwned>>(
        &mut self,
        state: &State,
        rows: &[(RowKey, Vec<u8>)],
    ) -> Result<Vec<RowStatus>, Failure> {
        let outside = rows.iter().filter(|(key, _)| !covers(&self.spans, key));
        let outside: BTreeSet<&str> = outside.map(|(key, _)| key.id_and_number().0).collect();
        if !outside.is_empty() {
            self.load::<H>(state, |key| outside.contains(key.id.as_str()))?;
        }
        let mut statuses = vec![RowStatus::New; rows.len()];
        for (id, group) in groups(rows.iter().map(|(key, _)| key.id.as_str())) {
            let mut entries: Vec<_> = self.entries(id).collect();
            // How many of the stored rows this page may contain: rows with lower numbers than on this page were on an
            // earlier one.
            let highest = group.iter().map(|(_, number)| *number).max().unwrap_or_default();
            let mut free = (entries.len() + group.len()).saturating_sub(highest);
            let mut changed = Vec::new();
            for (at, _) in group {
                let line = digest(&rows[at].1);
                let same = entries.iter().position(|(_, known)| known.line == line);
                if let Some(same) = same.filter(|_| free > 0) {
                    free -= 1;
                    // Keeps the order, by which the changed rows are paired below.
                    self.received(entries.remove(same).0);
                    statuses[at] = RowStatus::Same;
                } else {
                    changed.push(at);
                }
            }
            for (at, (slot, known)) in changed.into_iter().zip(entries).take(free) {
                self.received(slot);
                statuses[at] = RowStatus::Changed(known.at, known.bytes);
            }
        }
        Ok(statuses)
    }

    fn received(&mut self, slot: Digest) {
        if let Some(known) = self.known.get_mut(&slot) {
            known.awaited = false;
        }
    }

    /// Adds a row that was written at offset `at`. It takes the place of the row that it replaces.
    pub(super) fn insert(&mut self, key: &RowKey, line: &[u8], at: u64, status: RowStatus) {
        let known = Known { line: digest(line), at, bytes: line.len() as u64, awaited: false };
        let (id, _) = key.id_and_number();
        let replaced = self
            .entries(id)
            .find(|(_, old)| matches!(status, RowStatus::Changed(at, _) if at == old.at));
        match replaced {
            Some((slot, _)) => drop(self.known.insert(slot, known)),
            None => self.add(id, known),
        }
    }

    /// Number of rows in the requested spans that the exchange did not return again.
    pub(super) fn missing(&self) -> usize {
        self.known.values().filter(|known| known.awaited).count()
    }
}

/// Whether a row is within one of the spans, or has no usable time.
fn covers(spans: &[Span], key: &RowKey) -> bool {
    key.time.map(bitmart::Timestamp::as_millis).is_none_or(|time| {
        let within = |span: &Span| span.from - MARGIN_MS <= time && time <= span.to + MARGIN_MS;
        time < EARLIEST_MS || spans.iter().any(within)
    })
}

#[cfg(test)]
mod tests {
    use bitmart::Timestamp;
    use bitmart::rest::{account::ListFundingHistory, history::number_equal};

    use super::*;

    fn page(lines: &[&str]) -> Vec<(RowKey, Vec<u8>)> {
        let time = Some(Timestamp::from_millis(EARLIEST_MS));
        let mut keys = vec![RowKey { time, id: "7".to_owned() }; lines.len()];
        number_equal(&mut keys);
        keys.into_iter().zip(lines.iter().map(|line| line.as_bytes().to_vec())).collect()
    }

    #[test]
    fn of_rows_with_equal_ids_the_changed_one_is_replaced() {
        let span = Span { from: 0, to: EARLIEST_MS + 1, again: true };
        let mut index = Index { path: PathBuf::new(), spans: vec![span], known: HashMap::new() };
        for (at, (key, line)) in page(&["A", "B", "C"]).iter().enumerate() {
            index.insert(key, line, at as u64, RowStatus::New);
        }
        let rows = page(&["A", "B2"]);
        let found = index.compare::<ListFundingHistory>(&State::default(), &rows);
        assert_eq!(found.ok(), Some(vec![RowStatus::Same, RowStatus::Changed(1, 1)]));
    }
}
