//! Reads the rows of a dataset, one at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::Value;

use super::manifest::for_each_line_within;
use super::store::{read_state, rows_path};
use crate::failure::Failure;

/// Longest first line that is read.
const MAX_LINE: u64 = 256 << 20;

/// Passes the rows of a dataset to `each`: the newest version of each row of a history, or the newest snapshot. A
/// dataset without a file has no rows.
pub(super) fn newest(folder: &Path, name: &str, each: impl FnMut(Value)) -> Result<(), Failure> {
    rows(folder, name, Part::Newest, each)
}

/// Passes the rows of all snapshots to `each`, oldest first; of a history the newest version of each row.
pub(super) fn all(folder: &Path, name: &str, each: impl FnMut(Value)) -> Result<(), Failure> {
    rows(folder, name, Part::All, each)
}

/// Which rows of a dataset are read.
#[derive(Clone, Copy)]
enum Part {
    Newest,
    All,
}

fn rows(folder: &Path, name: &str, part: Part, mut each: impl FnMut(Value)) -> Result<(), Failure> {
    let path = rows_path(folder, name);
    if !path.exists() {
        return Ok(());
    }
    // Without its state nobody knows which of the rows are valid. That is an error and no empty list.
    let state = read_state(folder, name)?;
    let (begin, end) = match part {
        Part::Newest => state.newest_rows(),
        Part::All => (0, state.bytes),
    };
    let replaced: BTreeSet<u64> = state.replaced.iter().map(|(at, _)| *at).collect();
    for_each_line_within(&path, end, |at, line| {
        if at >= begin && !replaced.contains(&at) {
            let row = serde_json::from_slice(line).map_err(|error| {
                Failure::io(format!("{}: byte {at} begins no row: {error}", path.display()))
            })?;
            each(row);
        }
        Ok(())
    })
}

/// Reads the first line of a file; empty if the file is missing.
pub(super) fn first_line(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let Ok(file) = File::open(path) else { return Ok(line) };
    BufReader::new(file.take(MAX_LINE))
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::io(format!("{}: {error}", path.display())))?;
    Ok(line)
}
