//! The rows of a dataset as a table: its columns first, then its rows in order, one at a time.

use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::history::RowKey;

use super::columns::{Column, Kind, columns};
use super::manifest::for_lines;
use super::order::{Source, in_order};
use super::shape::Shape;
use super::store::{rows_path, state};
use super::walk::entry;
use super::{again, histories};
use crate::failure::Failure;
use crate::output::{self, json::Json, rows::Rows};

/// The column with the time of a snapshot.
const TAKEN: &str = "taken";

/// A dataset that is read as a table.
pub(super) struct Table {
    pub(super) name: String,
    path: PathBuf,
    pub(super) entry: &'static EndpointEntry,
    /// The names of all columns: the documented ones, which are always there, then what the rows have
    /// beyond.
    pub(super) names: Vec<String>,
    /// What is known of the first of them.
    pub(super) columns: Vec<Column>,
    /// Its rows are of snapshots, and say of which.
    is_dated: bool,
    /// What the values of each column have in common.
    pub(super) shapes: Vec<Shape>,
}

/// A row: a value for each column.
pub(super) type Cells = Vec<Json>;

impl Table {
    /// Reads the rows once, to learn their columns.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let state = state(folder, name)?;
        let entry = entry(&state.endpoint)?;
        let is_dated = state.snapshot.is_some();
        let mut columns = columns(entry);
        // Names that are values are told by the rows.
        columns.retain(|column| !column.name.contains('{'));
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let shapes = vec![Shape::default(); columns.len()];
        let path = rows_path(folder, name);
        let mut table =
            Self { name: name.to_owned(), path, entry, names, columns, is_dated, shapes };
        table.survey()?;
        Ok(table)
    }

    /// Whether a column that no document names says when a row was taken.
    #[cfg(feature = "parquet")]
    pub(super) fn is_moment(&self, column: usize) -> bool {
        self.is_dated && column >= self.columns.len() && self.names[column] == TAKEN
    }

    fn survey(&mut self) -> Result<(), Failure> {
        let mut number = 0;
        let mut names = std::mem::take(&mut self.names);
        let mut shapes = std::mem::take(&mut self.shapes);
        for_lines(&self.path, |line| {
            number += 1;
            let row = Self::read(&self.name, number, self.entry, &mut names, line)?;
            shapes.resize(names.len(), Shape::default());
            for ((value, column), shape) in row.iter().zip(&self.columns).zip(&mut shapes) {
                shape.see(value, column.kind);
            }
            let beyond = row.iter().zip(&mut shapes).zip(&names).skip(self.columns.len());
            for ((value, shape), _) in beyond.filter(|(_, name)| *name == TAKEN) {
                shape.see_moment(value);
            }
            Ok(())
        })?;
        (self.names, self.shapes) = (names, shapes);
        Ok(())
    }

    fn read(
        name: &str,
        number: u64,
        entry: &EndpointEntry,
        names: &mut Vec<String>,
        line: &[u8],
    ) -> Result<Cells, Failure> {
        let row = std::str::from_utf8(line).ok().and_then(|line| Json::read(line).ok());
        let row =
            row.ok_or_else(|| Failure::machine(format!("{name}: line {number} is no JSON")))?;
        let mut rows = Rows::with_columns(std::mem::take(names));
        rows.push(&row, &|_, index| output::positional_name(entry, "[]", index));
        let cells = rows.rows.first().map(|row| rows.cells(row)).unwrap_or_default();
        *names = rows.columns;
        Ok(cells)
    }

    /// Gives the rows in the order of their times and ids, each with its line.
    pub(super) fn each(
        &self,
        mut each: impl FnMut(&Cells, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let id = self.columns.iter().position(|column| column.kind == Kind::Id).unwrap_or(0);
        let key = |line: &[u8]| {
            let key = histories::key(self.entry.metadata.id, line).unwrap_or_else(|| {
                // A list of the moment: by the id, or by what its rows begin with.
                let mut names = self.names.clone();
                let cells = Self::read(&self.name, 0, self.entry, &mut names, line);
                let id = cells.ok().and_then(|cells| Some(cells.get(id)?.cell()));
                RowKey { time: None, id: id.unwrap_or_default() }
            });
            if !self.is_dated {
                return key;
            }
            let row = serde_json::from_slice(line).unwrap_or_default();
            RowKey { time: again::taken(&row).map(Timestamp::from_millis), ..key }
        };
        let mut names = self.names.clone();
        let source = Source { path: &self.path, key: &key };
        in_order(&[source], |_, line| {
            let cells = Self::read(&self.name, 0, self.entry, &mut names, line)?;
            each(&cells, line)
        })
    }
}
