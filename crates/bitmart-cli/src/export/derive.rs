//! Files in other formats, made from the rows when all is there.

use std::collections::BTreeSet;
use std::path::Path;

use super::amounts::{self, Contracts, contracts};
use super::archive;
use super::cells;
use super::columns::{Column, Kind};
use super::manifest::names;
use super::table::{Cells, Table};
use crate::failure::Failure;
#[cfg(feature = "parquet")]
use crate::failure::chain;
use crate::secure_fs;

/// What older programs made for taxes: of trades only, and without transfers.
const OLD_TAXES: &str = "trades-tax.csv";

/// What was made.
#[derive(Debug, Default)]
pub(super) struct Derived {
    /// Names of the files.
    pub(super) files: Vec<String>,
    /// What a reader of the files must know.
    pub(super) notes: Vec<String>,
}

/// Makes the files.
pub(super) fn run(folder: &Path, formats: &BTreeSet<String>) -> Result<Derived, Failure> {
    let mut made = Derived::default();
    let names = names(folder)?;
    let contracts = contracts(folder)?;
    if folder.join(OLD_TAXES).exists() {
        made.notes.push(format!(
            "{OLD_TAXES} was made by an older program and is not kept up to date; `bitmart tax` takes its place"
        ));
    }
    let is_wanted = |format: &str| formats.contains(format);
    for name in &names {
        if !is_wanted("csv") && !is_wanted("parquet") {
            break;
        }
        let table = Table::open(folder, name)?;
        if is_wanted("csv") {
            let file = format!("{name}.csv");
            archive::claim(folder, &file)?;
            csv(&table, &contracts, &folder.join(&file), &file)?;
            made.files.push(file);
        }
        #[cfg(feature = "parquet")]
        if is_wanted("parquet") {
            let file = format!("{name}.parquet");
            archive::claim(folder, &file)?;
            let broken = |error: std::io::Error| Failure::machine(format!("{file}: {error}"));
            secure_fs::write_with(&folder.join(&file), broken, |out| {
                let notes = super::parquet::write(&table, out)
                    .map_err(|error| Failure::machine(format!("{file}: {}", chain(&error))))?;
                made.notes.extend(notes);
                Ok(())
            })?;
            made.files.push(file);
        }
    }
    Ok(made)
}

/// The columns of a CSV file: the documented ones, words beside codes, amounts of futures, and what the
/// rows have beyond.
pub(super) fn header(columns: &[Column], endpoint: &str) -> Vec<String> {
    let mut header = Vec::new();
    for column in columns {
        header.push(column.name.clone());
        header.extend(word_of(column));
    }
    header.extend(amounts::names(endpoint));
    header
}

/// The column with the words for the codes of another.
pub(super) fn word_of(column: &Column) -> Option<String> {
    (column.kind == Kind::Code).then(|| format!("{}_name", column.name))
}

fn csv(table: &Table, contracts: &Contracts, path: &Path, file: &str) -> Result<(), Failure> {
    let broken = |error: csv::Error| Failure::machine(format!("{file}: {error}"));
    let io = |error: std::io::Error| Failure::machine(format!("{file}: {error}"));
    let endpoint = table.entry.metadata.id;
    secure_fs::write_with(path, io, |out| {
        let mut writer = csv::Writer::from_writer(out);
        let mut header = header(&table.columns, endpoint);
        header.extend(table.names.iter().skip(table.columns.len()).cloned());
        if !header.is_empty() {
            writer.write_record(&header).map_err(broken)?;
        }
        table.each(|row, line| {
            let mut record = Vec::with_capacity(header.len());
            documented(table, row, &mut record);
            let value = serde_json::from_slice(line).unwrap_or_default();
            let amounts = amounts::cells(endpoint, &value, contracts);
            record.extend(amounts.into_iter().map(Option::unwrap_or_default));
            record.extend(row.iter().skip(table.columns.len()).map(cells::unknown));
            // A row that was read before the last column was found.
            record.resize(header.len(), String::new());
            writer.write_record(&record).map_err(broken)
        })?;
        writer.flush().map_err(io)
    })
}

fn documented(table: &Table, row: &Cells, record: &mut Vec<String>) {
    for (value, column) in row.iter().zip(&table.columns) {
        record.push(cells::cell(value, column.kind, column.is_required));
        if column.kind == Kind::Code {
            record.push(column.word(&value.cell()).to_owned());
        }
    }
}
