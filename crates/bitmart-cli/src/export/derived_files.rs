//! CSV and Parquet files, written from the rows at the end of a run.

use std::collections::BTreeSet;
use std::path::Path;

use super::archive;
use super::cells;
use super::columns::{Column, Kind};
use bitmart::rest::catalog::EndpointEntry;

use super::contracts::{self, Contracts};
use super::manifest::names;
use super::table::{Cells, Table};
use crate::failure::Failure;
#[cfg(feature = "parquet")]
use crate::failure::chain;
use crate::secure_fs;

/// File that older programs wrote for taxes: trades only, without transfers.
const OLD_TAX_FILE: &str = "trades-tax.csv";

/// The files that were derived from the rows.
#[derive(Debug, Default)]
pub(super) struct DerivedFiles {
    /// File names.
    pub(super) files: Vec<String>,
    /// Remarks for readers of the files.
    pub(super) notes: Vec<String>,
}

/// Writes the files of the requested formats.
pub(super) fn write(folder: &Path, formats: &BTreeSet<String>) -> Result<DerivedFiles, Failure> {
    let mut derived = DerivedFiles::default();
    let names = names(folder)?;
    let contracts = Contracts::read(folder)?;
    if folder.join(OLD_TAX_FILE).exists() {
        derived.notes.push(format!(
            "{OLD_TAX_FILE} was made by an older program and is not kept up to date; `bitmart tax` takes its place"
        ));
    }
    let is_requested = |format: &str| formats.contains(format);
    for name in &names {
        if !is_requested("csv") && !is_requested("parquet") {
            break;
        }
        let table = Table::open(folder, name)?;
        if is_requested("csv") {
            let file = format!("{name}.csv");
            archive::claim(folder, &file)?;
            write_csv(&table, &contracts, &folder.join(&file), &file)?;
            derived.files.push(file);
        }
        #[cfg(feature = "parquet")]
        if is_requested("parquet") {
            let file = format!("{name}.parquet");
            archive::claim(folder, &file)?;
            let io_error = |error: std::io::Error| Failure::io(format!("{file}: {error}"));
            secure_fs::write_with(&folder.join(&file), io_error, |out| {
                let notes = super::parquet::write(&table, out)
                    .map_err(|error| Failure::io(format!("{file}: {}", chain(&error))))?;
                derived.notes.extend(notes);
                Ok(())
            })?;
            derived.files.push(file);
        }
    }
    Ok(derived)
}

/// The columns of a CSV file: the documented ones, names of codes, and computed amounts of futures.
pub(super) fn header(columns: &[Column], entry: &EndpointEntry) -> Vec<String> {
    let mut header = Vec::new();
    for column in columns {
        header.push(column.name.clone());
        header.extend(name_column(column));
    }
    header.extend(contracts::column_names(entry));
    header
}

/// The column with the names of a column's codes.
pub(super) fn name_column(column: &Column) -> Option<String> {
    (column.kind == Kind::Code).then(|| format!("{}_name", column.name))
}

fn write_csv(table: &Table, contracts: &Contracts, path: &Path, file: &str) -> Result<(), Failure> {
    let csv_error = |error: csv::Error| Failure::io(format!("{file}: {error}"));
    let io_error = |error: std::io::Error| Failure::io(format!("{file}: {error}"));
    secure_fs::write_with(path, io_error, |out| {
        let mut writer = csv::Writer::from_writer(out);
        let mut header = header(&table.columns, table.entry);
        header.extend(table.names.iter().skip(table.columns.len()).cloned());
        if !header.is_empty() {
            writer.write_record(&header).map_err(csv_error)?;
        }
        table.each(|row, line| {
            let mut record = Vec::with_capacity(header.len());
            push_documented_cells(table, row, &mut record);
            let value = serde_json::from_slice(line).unwrap_or_default();
            let amounts = contracts::column_values(table.entry, &value, contracts);
            record.extend(amounts.into_iter().map(Option::unwrap_or_default));
            record.extend(row.iter().skip(table.columns.len()).map(cells::undocumented_csv_cell));
            // A row may lack columns that only later rows have.
            record.resize(header.len(), String::new());
            writer.write_record(&record).map_err(csv_error)
        })?;
        writer.flush().map_err(io_error)
    })
}

/// Appends the cells of the documented columns, each code followed by its name.
fn push_documented_cells(table: &Table, row: &Cells, record: &mut Vec<String>) {
    for (value, column) in row.iter().zip(&table.columns) {
        record.push(cells::csv_cell(value, column.kind, column.is_required));
        if column.kind == Kind::Code {
            record.push(column.value_name(&value.cell()).to_owned());
        }
    }
}
