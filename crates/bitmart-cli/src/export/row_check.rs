//! Compares the rows of a dataset with its responses. To bound the memory, the rows of a large dataset are divided into
//! shards by their digests, and both files are read once per shard.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::Losses;
use bitmart::rest::history::RowKey;

use super::ambiguous::WindowPages;
use super::history_rows::{self, Read};
use super::index::{Digest, digest};
use super::manifest::for_each_line_within;
use super::pages::with_snapshot_time;
use super::row_versions::{Added, RowVersions};
use super::snapshot::{entry, snapshot_lines};
use super::spans;
use super::store::{State, StoredResponse, raw_path, rows_path, versions_path};
use crate::failure::Failure;

/// Rows of a shard, which take about 64 MB.
const SHARD_ROWS: u64 = 500_000;

/// How often each row must be among the rows and among the replaced rows, by the responses.
#[derive(Debug, Default)]
struct Expected {
    rows: HashMap<Digest, i64>,
    versions: HashMap<Digest, i64>,
}

/// Checks that the rows are those of the responses, each once: the newest version of a row that changed, and its
/// older versions among the replaced rows.
pub(super) fn check(
    folder: &Path,
    name: &str,
    state: &State,
    faults: &mut Vec<String>,
) -> Result<(), Failure> {
    let shards = state.rows / SHARD_ROWS + 1;
    let (mut all_rows, mut missing_rows, mut missing_versions) = (0, 0, 0);
    for shard in 0..shards {
        // Faults of the file as a whole are reported once.
        let mut ignored = Vec::new();
        let reported = if shard == 0 { &mut *faults } else { &mut ignored };
        let mut expected = expected(folder, name, state, (shard, shards), reported)?;
        all_rows += expected.rows.values().sum::<i64>();
        compare_files(folder, name, state, (shard, shards), &mut expected, reported)?;
        if shard > 0 {
            faults.extend(ignored.into_iter().filter(|fault| fault.contains("is there twice")));
        }
        let left =
            |counts: &HashMap<Digest, i64>| counts.values().map(|left| (*left).max(0)).sum::<i64>();
        missing_rows += left(&expected.rows);
        missing_versions += left(&expected.versions);
    }
    if missing_rows > 0 {
        faults.push(format!("{missing_rows} of {all_rows} rows of the responses are missing"));
    }
    if missing_versions > 0 {
        faults.push(format!("{missing_versions} rows that later ones replaced are missing"));
    }
    Ok(())
}

/// Reads the responses, and returns the rows of a shard that they contain.
fn expected(
    folder: &Path,
    name: &str,
    state: &State,
    shard: (u64, u64),
    faults: &mut Vec<String>,
) -> Result<Expected, Failure> {
    let mut expected = Expected::default();
    let mut newest = RowVersions::default();
    let mut responses = 0;
    let mut lacking = Lacking::default();
    for_each_line_within(&raw_path(folder, name), state.raw_bytes, |_, line| {
        responses += 1;
        match decode(&state.endpoint, line) {
            Err(why) => faults.push(format!("response {responses} does not decode: {why}")),
            Ok(Decoded { response, rows, history, losses }) => {
                lacking.add(state, &response, history.as_ref(), losses);
                let mut with_id = Vec::new();
                for (id, row) in rows {
                    let row = digest(&row);
                    match id {
                        Some(id) => {
                            // All rows with an id are in one shard.
                            let (plain, _) = RowKey::split_number(&id);
                            if is_of(shard, digest(plain.as_bytes())) {
                                with_id.push((id, row));
                            }
                        }
                        // Rows without an id may repeat.
                        None if is_of(shard, row) => {
                            *expected.rows.entry(row).or_default() += 1;
                        }
                        None => {}
                    }
                }
                for added in newest.add(&with_id, response.pagination, responses) {
                    if let Added::Replaces(known, _) = added {
                        *expected.versions.entry(known).or_default() += 1;
                    }
                }
            }
        }
        Ok(())
    })?;
    for row in newest.lines() {
        *expected.rows.entry(row).or_default() += 1;
    }
    if responses != state.responses {
        faults.push(format!("has {responses} responses, not {}", state.responses));
    }
    lacking.compare(state, faults);
    Ok(expected)
}

/// Reads rows and replaced rows, and takes each off the expected ones.
fn compare_files(
    folder: &Path,
    name: &str,
    state: &State,
    shard: (u64, u64),
    expected: &mut Expected,
    faults: &mut Vec<String>,
) -> Result<(), Failure> {
    let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
    let id = |line: &[u8]| match history_rows::key(&state.endpoint, line) {
        Some(RowKey { id, .. }) if state.snapshot.is_some() => {
            let row = serde_json::from_slice(line).unwrap_or_default();
            digest(id_in_snapshot(spans::snapshot_time(&row), &id).as_bytes())
        }
        Some(RowKey { id, .. }) => digest(id.as_bytes()),
        None => digest(line),
    };
    let mut rows = 0;
    for_each_line_within(&rows_path(folder, name), state.bytes, |at, line| {
        rows += 1;
        if !is_of(shard, id(line)) {
            return Ok(());
        }
        let counts =
            if replaced.contains(&at) { &mut expected.versions } else { &mut expected.rows };
        if !take_expected(counts, line) {
            faults.push(match serde_json::from_slice::<serde_json::Value>(line) {
                Ok(_) => format!("line {rows} is there twice, or in no response"),
                Err(_) => format!("line {rows} is no JSON"),
            });
        }
        Ok(())
    })?;
    if rows != state.rows {
        faults.push(format!("has {rows} rows, not {}", state.rows));
    }
    if state.versions == 0 {
        return Ok(());
    }
    let mut versions = 0;
    for_each_line_within(&versions_path(folder, name), state.version_bytes, |_, line| {
        versions += 1;
        if is_of(shard, id(line)) && !take_expected(&mut expected.versions, line) {
            faults.push(format!("replaced row {versions} is there twice, or in no response"));
        }
        Ok(())
    })?;
    if versions != state.versions {
        faults.push(format!("has {versions} replaced rows, not {}", state.versions));
    }
    Ok(())
}

/// Whether a row with this digest is in the shard, which is given by its number and the number of all shards.
fn is_of((shard, shards): (u64, u64), digest: Digest) -> bool {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first) % shards == shard
}

/// Takes a row off the expected ones; `false` if it is not expected, or not so often.
fn take_expected(counts: &mut HashMap<Digest, i64>, line: &[u8]) -> bool {
    match counts.get_mut(&digest(line)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

/// Returns the id of a row within a dataset: the same row may be in every snapshot.
pub(super) fn id_in_snapshot(taken: Option<i64>, id: &str) -> String {
    taken.map_or(id.to_owned(), |taken| format!("{taken} {id}"))
}

/// What the rows lack although every response decodes, by the responses: the state must have counted it, since the
/// dataset would count as complete otherwise.
#[derive(Debug, Default)]
struct Lacking {
    pages: WindowPages,
    ambiguous: BTreeSet<String>,
    unreadable: u64,
    cut: u64,
}

impl Lacking {
    /// Adds a response. Of snapshots the newest counts.
    fn add(
        &mut self,
        state: &State,
        response: &StoredResponse,
        history: Option<&Read>,
        losses: Losses,
    ) {
        if state.snapshot.is_some_and(|newest| Some(newest.taken) != response.taken) {
            return;
        }
        if let Some(read) = history {
            self.ambiguous.extend(self.pages.add(response, read));
        }
        self.unreadable += losses.unreadable as u64;
        self.cut += losses.truncated_decimals as u64;
    }

    fn compare(&self, state: &State, faults: &mut Vec<String>) {
        for (count, counted, what) in [
            (self.ambiguous.len() as u64, state.ambiguous, "ambiguous rows"),
            (self.unreadable, state.unreadable, "values that are not understood"),
            (self.cut, state.cut, "amounts that are cut off"),
        ] {
            if count > counted {
                faults.push(format!(
                    "the responses have {count} {what}, of which {counted} are counted: \
                     `bitmart export --reread` counts them"
                ));
            }
        }
    }
}

/// A stored response.
struct Decoded {
    response: StoredResponse,
    /// Its rows, each with its id. Rows of a snapshot have none.
    rows: Vec<(Option<String>, Vec<u8>)>,
    /// `None` if the endpoint is no history. Its rows are in `rows`.
    history: Option<Read>,
    losses: Losses,
}

fn decode(endpoint: &str, line: &[u8]) -> Result<Decoded, String> {
    let mut response: StoredResponse =
        serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if response.body.is_empty() {
        // The exchange reports an empty window as an error.
        let (rows, history) = (Vec::new(), None);
        return Ok(Decoded { response, rows, history, losses: Losses::default() });
    }
    let body = Bytes::from(std::mem::take(&mut response.body));
    let taken = response.taken;
    if let Some(read) = history_rows::read(endpoint, &body) {
        let read = read?;
        let rows = read.rows.iter().map(|(key, row)| {
            (Some(id_in_snapshot(taken, &key.id)), with_snapshot_time(row.clone(), taken))
        });
        let mut losses = Losses::default();
        (losses.unreadable, losses.truncated_decimals) = (read.unreadable, read.truncated_decimals);
        return Ok(Decoded { response, rows: rows.collect(), losses, history: Some(read) });
    }
    let entry = entry(endpoint).map_err(|failure| failure.to_string())?;
    let read = snapshot_lines(entry, &body)?;
    let rows = read.lines.into_iter().map(|row| (None, with_snapshot_time(row, taken)));
    Ok(Decoded { response, rows: rows.collect(), history: None, losses: read.losses })
}
