//! Rows of files, sorted by time and id, without holding the rows: memory is 16 bytes per row, and the ids of rows
//! with equal times. Rows without a time come first.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use bitmart::Timestamp;
use bitmart::rest::history::RowKey;

use super::manifest::for_each_line_within;
use crate::failure::Failure;

/// Lower bits of a position, which are the offset of a row in its file. The bits above are the number of the file.
const OFFSET_BITS: u32 = 48;

/// A file of rows, one per line, and their sort key.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    /// Number of bytes that are read.
    pub(super) bytes: u64,
    pub(super) key: &'a dyn Fn(&[u8]) -> RowKey,
}

/// Passes each row and the position of its file in `sources` to `each`. Of equal times the rows of the first file
/// come first.
pub(super) fn for_each_sorted(
    sources: &[Source<'_>],
    mut each: impl FnMut(usize, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // The time and the position of each row.
    let mut keys: Vec<(i64, u64)> = Vec::new();
    for (file, source) in (0_u64..).zip(sources) {
        for_each_line_within(source.path, source.bytes, |offset, line| {
            let time = (source.key)(line).time.map_or(i64::MIN, Timestamp::as_millis);
            keys.push((time, file << OFFSET_BITS | offset));
            Ok(())
        })?;
    }
    keys.sort_unstable();
    let readers = sources.iter().map(|source| Reader::open(source.path));
    let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
    let mut line = Vec::new();
    for instant in keys.chunk_by_mut(|left, right| left.0 == right.0) {
        if instant.len() > 1 {
            let mut ids = Vec::with_capacity(instant.len());
            for (_, position) in instant.iter() {
                let file = file_of(*position);
                readers[file].line_at(*position, &mut line)?;
                ids.push((file, (sources[file].key)(&line), *position));
            }
            ids.sort_unstable();
            for (key, (_, _, position)) in instant.iter_mut().zip(ids) {
                key.1 = position;
            }
        }
        for (_, position) in instant.iter() {
            let file = file_of(*position);
            readers[file].line_at(*position, &mut line)?;
            each(file, &line)?;
        }
    }
    Ok(())
}

/// The number of the file of a position.
fn file_of(position: u64) -> usize {
    usize::try_from(position >> OFFSET_BITS).unwrap_or(usize::MAX)
}

/// Reads lines at any offset. Consecutive lines are read from its buffer.
struct Reader<'a> {
    path: &'a Path,
    file: BufReader<File>,
    at: u64,
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| to_failure(path, &error))?;
        Ok(Self { path, file: BufReader::new(file), at: 0 })
    }

    fn line_at(&mut self, position: u64, line: &mut Vec<u8>) -> Result<(), Failure> {
        let offset = position & ((1 << OFFSET_BITS) - 1);
        line.clear();
        let moved = self.file.seek_relative(offset.cast_signed() - self.at.cast_signed());
        let read = moved.and_then(|()| self.file.read_until(b'\n', line));
        self.at = offset + read.map_err(|error| to_failure(self.path, &error))? as u64;
        Ok(())
    }
}

fn to_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use bitmart::Timestamp;
    use bitmart::rest::history::RowKey;

    use super::{Source, for_each_sorted};

    /// Parses `time id`, or an id alone.
    fn key(line: &[u8]) -> RowKey {
        let text = std::str::from_utf8(line).expect("text").trim();
        let (time, id) = text.rsplit_once(' ').unwrap_or(("", text));
        let time = time.parse().ok().map(Timestamp::from_millis);
        RowKey { time, id: id.to_owned() }
    }

    #[test]
    fn orders_rows_of_equal_time_by_numeric_id() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = [folder.path().join("a"), folder.path().join("b")];
        std::fs::write(&paths[0], "7 10\n7 9\n5 3\n7 100\nx\n").expect("written");
        std::fs::write(&paths[1], "7 1\n6 2\n").expect("written");
        let sources = [0, 1].map(|at| Source { path: &paths[at], bytes: u64::MAX, key: &key });
        let mut sorted = Vec::new();
        for_each_sorted(&sources, |file, line| {
            sorted.push(format!("{file}: {}", String::from_utf8_lossy(line).trim()));
            Ok(())
        })
        .expect("rows");
        let wanted = ["0: x", "0: 5 3", "1: 6 2", "0: 7 9", "0: 7 10", "0: 7 100", "1: 7 1"];
        assert_eq!(sorted, wanted);
    }
}
