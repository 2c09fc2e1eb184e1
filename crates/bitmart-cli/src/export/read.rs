//! Reading the rows of a dataset, one at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::Value;

use super::manifest::for_lines_to;
use super::store::{rows_path, state};
use crate::failure::Failure;

/// Longest first line that is read.
const FIRST: u64 = 256 << 20;

/// The rows of a dataset as they are: the newest version of each row of a history, the newest snapshot of a list
/// of the moment. None of a dataset that is not there.
pub(super) fn newest(folder: &Path, name: &str, each: impl FnMut(Value)) -> Result<(), Failure> {
    rows(folder, name, true, each)
}

/// The rows of all snapshots, oldest first; of a history the newest version of each.
pub(super) fn all(folder: &Path, name: &str, each: impl FnMut(Value)) -> Result<(), Failure> {
    rows(folder, name, false, each)
}

fn rows(
    folder: &Path,
    name: &str,
    newest: bool,
    mut each: impl FnMut(Value),
) -> Result<(), Failure> {
    let path = rows_path(folder, name);
    let Ok(state) = state(folder, name) else { return Ok(()) };
    if !path.exists() {
        return Ok(());
    }
    let begin = state.snapshot.filter(|_| newest).map_or(0, |snapshot| snapshot.bytes);
    let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
    for_lines_to(&path, state.bytes, |at, line| {
        if at >= begin && !replaced.contains(&at) {
            let row = serde_json::from_slice(line).map_err(|error| {
                Failure::machine(format!("{}: byte {at} begins no row: {error}", path.display()))
            })?;
            each(row);
        }
        Ok(())
    })
}

/// The first line of a file; nothing of one that is not there.
pub(super) fn first_line(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let Ok(file) = File::open(path) else { return Ok(line) };
    BufReader::new(file.take(FIRST))
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::machine(format!("{}: {error}", path.display())))?;
    Ok(line)
}
