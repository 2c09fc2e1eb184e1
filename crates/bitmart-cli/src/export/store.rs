//! The rows of one dataset on disk, and how far they have come.
//!
//! Rows are appended and synced first; then the state, which says how many bytes of them count, is put
//! in place in one step. Whatever happens in between, a program that goes on cuts the rows back to what
//! the state says and asks again from its cursor: nothing is missing and nothing comes twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bitmart::rest::history::Cursor;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::private;

/// How far a dataset has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Where the walk goes on; nothing at its begin.
    pub(super) cursor: Option<Cursor>,
    /// Bytes of the rows that count.
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) done: bool,
    /// Why the exchange did not give all of it.
    pub(super) refused: Option<String>,
}

#[derive(Debug)]
pub(super) struct Store {
    rows: File,
    state_path: PathBuf,
    pub(super) name: String,
    pub(super) state: State,
}

impl Store {
    /// Opens the dataset, and takes away rows that no state tells of.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let rows_path = rows_path(folder, name);
        let state_path = folder.join(format!("{name}.state.json"));
        let broken = |error: io::Error| Failure::machine(format!("{name}: {error}"));
        let state: State = match std::fs::read(&state_path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::machine(format!("{}: {error}", state_path.display()))
                    .with_advice("export into another folder")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(broken(error)),
        };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut rows = options.open(rows_path).map_err(broken)?;
        if rows.metadata().map_err(broken)?.len() < state.bytes {
            return Err(Failure::machine(format!("{name}: rows are missing at its end"))
                .with_advice("the folder was changed; export into another one"));
        }
        rows.set_len(state.bytes).map_err(broken)?;
        rows.seek(SeekFrom::End(0)).map_err(broken)?;
        Ok(Self { rows, state_path, name: name.to_owned(), state })
    }

    /// Keeps a page and where the walk then stands.
    pub(super) fn append(
        &mut self,
        lines: &[u8],
        rows: usize,
        cursor: &Cursor,
    ) -> Result<(), Failure> {
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", self.name));
        if !lines.is_empty() {
            self.rows.write_all(lines).map_err(broken)?;
            self.rows.sync_data().map_err(broken)?;
        }
        self.state.bytes += lines.len() as u64;
        self.state.rows += rows as u64;
        self.state.cursor = Some(cursor.clone());
        self.save()
    }

    /// Says that all is there, or why it never will be.
    pub(super) fn finish(&mut self, refused: Option<String>) -> Result<(), Failure> {
        self.state.done = refused.is_none();
        self.state.refused = refused;
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let broken = |error: &dyn std::error::Error| {
            Failure::machine(format!("{}: {error}", self.state_path.display()))
        };
        let bytes = serde_json::to_vec(&self.state).map_err(|error| broken(&error))?;
        private::write(&self.state_path, &bytes).map_err(|error| broken(&error))
    }
}

/// Where the rows of a dataset lie.
pub(super) fn rows_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::{Store, rows_path};

    #[test]
    fn rows_that_no_state_tells_of_are_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), "orders").expect("it opens");
        let cursor =
            serde_json::from_str(r#"{"next":1,"end":9,"span":5,"page":1,"seen":[],"current":[]}"#);
        store.append(b"{\"id\":1}\n", 1, &cursor.expect("a cursor")).expect("it is kept");
        drop(store);
        // As if the program had been killed between the rows of a page and its state.
        let path = rows_path(folder.path(), "orders");
        let kept = std::fs::read(&path).expect("rows");
        std::fs::write(&path, [&kept[..], b"{\"id\":2}\n{\"id"].concat()).expect("written");
        let store = Store::open(folder.path(), "orders").expect("it opens again");
        assert_eq!(std::fs::read(&path).expect("rows"), kept);
        assert_eq!((store.state.rows, store.state.bytes), (1, 9));
        // Rows that the state tells of must be there.
        std::fs::write(&path, b"{").expect("written");
        assert!(Store::open(folder.path(), "orders").is_err());
    }
}
