//! Rows held against the responses that they came from, with little memory: as many rows at once as fit, and both
//! files read as often as that takes.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use bitmart::rest::bytes::Bytes;

use super::index::{Digest, digest};
use super::manifest::for_lines_to;
use super::store::{Answer, State, raw_path, rows_path, versions_path};
use super::walk::{dated, entry, snapshot_lines};
use super::{again, histories};
use crate::failure::Failure;

/// Rows that are held at once: 64 MB or so.
const AT_ONCE: u64 = 500_000;

/// What the responses say: each row as often as it must be among the rows, and among the replaced ones.
#[derive(Debug, Default)]
struct Expected {
    rows: HashMap<Digest, i64>,
    versions: HashMap<Digest, i64>,
}

/// The rows must be those of the responses, each once: of a row that came otherwise in a later walk the newest, and
/// the others among the versions.
pub(super) fn check(
    folder: &Path,
    name: &str,
    state: &State,
    faults: &mut Vec<String>,
) -> Result<(), Failure> {
    let parts = state.rows / AT_ONCE + 1;
    let (mut known, mut missing, mut gone) = (0, 0, 0);
    for part in 0..parts {
        // What holds for the whole file is told once.
        let mut ignored = Vec::new();
        let told = if part == 0 { &mut *faults } else { &mut ignored };
        let mut expected = expected(folder, name, state, (part, parts), told)?;
        known += expected.rows.values().sum::<i64>();
        found(folder, name, state, (part, parts), &mut expected, told)?;
        if part > 0 {
            faults.extend(ignored.into_iter().filter(|fault| fault.contains("is there twice")));
        }
        let left =
            |counts: &HashMap<Digest, i64>| counts.values().map(|left| (*left).max(0)).sum::<i64>();
        missing += left(&expected.rows);
        gone += left(&expected.versions);
    }
    if missing > 0 {
        faults.push(format!("{missing} of {known} rows of the answers are missing"));
    }
    if gone > 0 {
        faults.push(format!("{gone} rows that later ones replaced are missing"));
    }
    Ok(())
}

/// Reads the responses.
fn expected(
    folder: &Path,
    name: &str,
    state: &State,
    part: (u64, u64),
    faults: &mut Vec<String>,
) -> Result<Expected, Failure> {
    let mut expected = Expected::default();
    let mut newest: HashMap<Digest, (Digest, u32)> = HashMap::new();
    let mut answers = 0;
    for_lines_to(&raw_path(folder, name), state.raw_bytes, |_, line| {
        answers += 1;
        match rows_of(&state.endpoint, line) {
            Err(why) => faults.push(format!("answer {answers} is not understood: {why}")),
            Ok((answer, rows)) => {
                for (id, row) in rows {
                    let row = digest(&row);
                    // Rows without an id come as often as they were there.
                    let Some(id) = id else {
                        if is_of(part, row) {
                            *expected.rows.entry(row).or_default() += 1;
                        }
                        continue;
                    };
                    let id = digest(id.as_bytes());
                    if !is_of(part, id) {
                        continue;
                    }
                    match newest.get_mut(&id) {
                        None => drop(newest.insert(id, (row, answer.walk))),
                        // Windows of a walk overlap: what came twice was kept as it came first.
                        Some((_, walk)) if *walk == answer.walk => {}
                        Some((known, walk)) => {
                            *walk = answer.walk;
                            if *known != row {
                                *expected.versions.entry(*known).or_default() += 1;
                                *known = row;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    })?;
    for (row, _) in newest.into_values() {
        *expected.rows.entry(row).or_default() += 1;
    }
    if answers != state.answers {
        faults.push(format!("has {answers} answers, not {}", state.answers));
    }
    Ok(expected)
}

/// Reads rows and versions.
fn found(
    folder: &Path,
    name: &str,
    state: &State,
    part: (u64, u64),
    expected: &mut Expected,
    faults: &mut Vec<String>,
) -> Result<(), Failure> {
    let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
    let id = |line: &[u8]| match histories::id_of(&state.endpoint, line) {
        Some(id) if state.snapshot.is_some() => {
            let row = serde_json::from_slice(line).unwrap_or_default();
            digest(id_in(again::taken(&row), &id).as_bytes())
        }
        Some(id) => digest(id.as_bytes()),
        None => digest(line),
    };
    let mut rows = 0;
    for_lines_to(&rows_path(folder, name), state.bytes, |at, line| {
        rows += 1;
        if !is_of(part, id(line)) {
            return Ok(());
        }
        let counts =
            if replaced.contains(&at) { &mut expected.versions } else { &mut expected.rows };
        if !take(counts, line) {
            faults.push(match serde_json::from_slice::<serde_json::Value>(line) {
                Ok(_) => format!("line {rows} is there twice, or in no answer"),
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
    for_lines_to(&versions_path(folder, name), state.version_bytes, |_, line| {
        versions += 1;
        if is_of(part, id(line)) && !take(&mut expected.versions, line) {
            faults.push(format!("replaced row {versions} is there twice, or in no answer"));
        }
        Ok(())
    })?;
    if versions != state.versions {
        faults.push(format!("has {versions} replaced rows, not {}", state.versions));
    }
    Ok(())
}

fn is_of((part, parts): (u64, u64), digest: Digest) -> bool {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first) % parts == part
}

fn take(counts: &mut HashMap<Digest, i64>, line: &[u8]) -> bool {
    match counts.get_mut(&digest(line)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

/// A row is itself once in each snapshot.
fn id_in(taken: Option<i64>, id: &str) -> String {
    taken.map_or(id.to_owned(), |taken| format!("{taken} {id}"))
}

/// The rows of a stored response, and what tells each from others: nothing in a list that is told at once.
type Rows = Vec<(Option<String>, Vec<u8>)>;

fn rows_of(endpoint: &str, line: &[u8]) -> Result<(Answer, Rows), String> {
    let mut answer: Answer = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if answer.body.is_empty() {
        // An empty window that the exchange responses with an error.
        return Ok((answer, Vec::new()));
    }
    let body = Bytes::from(std::mem::take(&mut answer.body));
    let taken = answer.taken;
    if let Some(rows) = histories::rows(endpoint, &body) {
        let rows = rows?.into_iter();
        let rows = rows.map(|(id, row)| (Some(id_in(taken, &id)), dated(row, taken)));
        return Ok((answer, rows.collect()));
    }
    let entry = entry(endpoint).map_err(|failure| failure.to_string())?;
    let (rows, _) = snapshot_lines(entry, &body)?;
    let rows = rows.into_iter().map(|row| (None, dated(row, taken)));
    Ok((answer, rows.collect()))
}
