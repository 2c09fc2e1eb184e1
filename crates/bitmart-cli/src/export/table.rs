//! The rows of a dataset as a table: its columns, then its sorted rows, one at a time.

use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::history::RowKey;

use super::column_stats::ColumnStats;
use super::columns::{Column, Kind, columns};
use super::manifest::for_each_line_within;
use super::snapshot::entry;
use super::sorted::{Source, for_each_sorted};
use super::store::{read_state, rows_path};
use super::{history_rows, spans};
use crate::failure::Failure;
use crate::output::{self, json::Json, rows::Rows};

/// The column with the time of a snapshot.
const TAKEN: &str = "taken";

/// A dataset as a table.
pub(super) struct Table {
    pub(super) name: String,
    path: PathBuf,
    /// Bytes of the file that are rows.
    bytes: u64,
    pub(super) entry: &'static EndpointEntry,
    /// Names of all columns: the documented ones, then those that only rows have.
    pub(super) names: Vec<String>,
    /// The documented columns, which are the first.
    pub(super) columns: Vec<Column>,
    /// The rows belong to snapshots, and contain their times.
    is_snapshot: bool,
    /// Statistics of the values of each column.
    pub(super) stats: Vec<ColumnStats>,
}

/// A row: a value for each column.
pub(super) type Cells = Vec<Json>;

impl Table {
    /// Opens a dataset, and reads all rows once to find their columns.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let state = read_state(folder, name)?;
        let entry = entry(&state.endpoint)?;
        let is_snapshot = state.snapshot.is_some();
        let mut columns = columns(entry);
        // Names that are values are only known from the rows.
        columns.retain(|column| !column.name.contains('{'));
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let stats = vec![ColumnStats::default(); columns.len()];
        let path = rows_path(folder, name);
        let (_, bytes) = state.newest_rows();
        let mut table =
            Self { name: name.to_owned(), path, bytes, entry, names, columns, is_snapshot, stats };
        table.scan()?;
        Ok(table)
    }

    /// Whether a column contains the time of the snapshot.
    #[cfg(feature = "parquet")]
    pub(super) fn is_snapshot_time(&self, column: usize) -> bool {
        self.is_snapshot && column >= self.columns.len() && self.names[column] == TAKEN
    }

    fn scan(&mut self) -> Result<(), Failure> {
        let mut number = 0;
        let mut names = std::mem::take(&mut self.names);
        let mut stats = std::mem::take(&mut self.stats);
        for_each_line_within(&self.path, self.bytes, |_, line| {
            number += 1;
            let row = Self::read(&self.name, number, self.entry, &mut names, line)?;
            stats.resize(names.len(), ColumnStats::default());
            for ((value, column), stats) in row.iter().zip(&self.columns).zip(&mut stats) {
                stats.add(value, column.kind);
            }
            let beyond = row.iter().zip(&mut stats).zip(&names).skip(self.columns.len());
            for ((value, stats), _) in beyond.filter(|(_, name)| *name == TAKEN) {
                stats.add_time_text(value);
            }
            Ok(())
        })?;
        (self.names, self.stats) = (names, stats);
        Ok(())
    }

    fn read(
        name: &str,
        number: u64,
        entry: &EndpointEntry,
        names: &mut Vec<String>,
        line: &[u8],
    ) -> Result<Cells, Failure> {
        let row = std::str::from_utf8(line).ok().and_then(|line| Json::parse(line).ok());
        let row = row.ok_or_else(|| Failure::io(format!("{name}: line {number} is no JSON")))?;
        let mut rows = Rows::with_columns(std::mem::take(names));
        rows.push(&row, &|_, index| output::positional_name(entry, "[]", index));
        let cells = rows.rows.first().map(|row| rows.cells(row)).unwrap_or_default();
        *names = rows.columns;
        Ok(cells)
    }

    /// Passes the rows with their lines to `each`, sorted by time and id.
    pub(super) fn each(
        &self,
        mut each: impl FnMut(&Cells, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let id = self.columns.iter().position(|column| column.kind == Kind::Id).unwrap_or(0);
        let key = |line: &[u8]| {
            let key = history_rows::key(self.entry.metadata.id, line).unwrap_or_else(|| {
                // Snapshots are sorted by the id or the first column.
                let mut names = self.names.clone();
                let cells = Self::read(&self.name, 0, self.entry, &mut names, line);
                let id = cells.ok().and_then(|cells| Some(cells.get(id)?.cell()));
                RowKey { time: None, id: id.unwrap_or_default() }
            });
            if !self.is_snapshot {
                return key;
            }
            let row = serde_json::from_slice(line).unwrap_or_default();
            RowKey { time: spans::snapshot_time(&row).map(Timestamp::from_millis), ..key }
        };
        let mut names = self.names.clone();
        let source = Source { path: &self.path, bytes: self.bytes, key: &key };
        for_each_sorted(&[source], |_, line| {
            let cells = Self::read(&self.name, 0, self.entry, &mut names, line)?;
            each(&cells, line)
        })
    }
}
