//! Files in other formats, made from the rows when all is there.

use std::collections::BTreeSet;
use std::path::Path;

use super::manifest::{for_lines, names};
use super::store::{rows_path, state};
use super::walk::entry;
use super::{archive, tax};
use crate::failure::{Failure, chain};
use crate::output::{self, json::Json, rows::Rows};
use crate::private;

/// Formats that `--format` names. The rows are always there as `jsonl`, which the others are made of.
#[cfg(feature = "parquet")]
pub(super) const FORMATS: [&str; 3] = ["jsonl", "csv", "parquet"];
#[cfg(not(feature = "parquet"))]
pub(super) const FORMATS: [&str; 2] = ["jsonl", "csv"];

/// Makes the files, and gives their names.
pub(super) fn run(folder: &Path, formats: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let mut made = Vec::new();
    let names = names(folder)?;
    if names.contains("trades") || names.contains("futures-trades") {
        write(folder, tax::FILE, &tax::write(folder)?, &mut made)?;
    }
    for name in &names {
        if formats.contains("csv") {
            let table = read(folder, name)?;
            write(folder, &format!("{name}.csv"), output::csv(&table)?.as_bytes(), &mut made)?;
        }
        #[cfg(feature = "parquet")]
        if formats.contains("parquet") {
            let bytes = super::parquet::encode(&read(folder, name)?)
                .map_err(|error| Failure::machine(format!("{name}: {}", chain(&error))))?;
            write(folder, &format!("{name}.parquet"), &bytes, &mut made)?;
        }
    }
    Ok(made)
}

fn write(folder: &Path, name: &str, bytes: &[u8], made: &mut Vec<String>) -> Result<(), Failure> {
    archive::claim(folder, name)?;
    private::write(&folder.join(name), bytes)
        .map_err(|error| Failure::machine(format!("{name}: {}", chain(&error))))?;
    made.push(name.to_owned());
    Ok(())
}

/// The rows of a dataset as a table. The documented columns come first and are always there; what the
/// rows have beyond stands behind them.
fn read(folder: &Path, name: &str) -> Result<Rows, Failure> {
    let entry = entry(&state(folder, name)?.endpoint)?;
    let mut table = Rows::with_columns(output::documented_columns(entry));
    let mut number = 0;
    for_lines(&rows_path(folder, name), |line| {
        number += 1;
        let row = std::str::from_utf8(line).ok().and_then(|line| Json::read(line).ok());
        let row =
            row.ok_or_else(|| Failure::machine(format!("{name}: line {number} is no JSON")))?;
        table.push(&row, &|_, index| output::column(entry, "[]", index));
        Ok(())
    })?;
    Ok(table)
}
