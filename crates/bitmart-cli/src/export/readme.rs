//! `README.md` of an archive: what each file contains and what its columns mean, by the manifest and the endpoint
//! catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::endpoint::Method;

use super::columns::{Column, Kind, columns, is_positional};
use super::manifest::{Dataset, FileRecord, Manifest};
use super::snapshot::entry;
use super::{archive, contracts, derived_files};
use crate::failure::Failure;
use crate::secure_fs;

pub(super) const README_FILE: &str = "README.md";

/// Writes the file, and adds it to the manifest.
pub(super) fn write(folder: &Path, manifest: &mut Manifest) -> Result<(), Failure> {
    archive::claim(folder, README_FILE)?;
    let text = text(manifest)?;
    secure_fs::write(&folder.join(README_FILE), text.as_bytes())
        .map_err(|error| Failure::io(format!("{README_FILE}: {error}")))?;
    manifest.derived.push(FileRecord::read(folder, README_FILE)?);
    Ok(())
}

fn text(manifest: &Manifest) -> Result<String, Failure> {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = writeln!(text, "# Archive of a BitMart account\n\n{}", INTRODUCTION.trim_start());
    let _ = writeln!(text, "Made by {}, from {}.\n", manifest.program, escaped(manifest.source()));
    let _ = writeln!(text, "{}", HOW_TO_READ.trim_start());
    let _ = writeln!(
        text,
        "## Files\n\n| file | what | from | rows | first | last |\n|---|---|---|---|---|---|"
    );
    let mut endpoints: BTreeMap<&str, Vec<&Dataset>> = BTreeMap::new();
    for dataset in &manifest.datasets {
        let entry = entry(&dataset.endpoint)?;
        endpoints.entry(entry.metadata.id).or_default().push(dataset);
        let _ = writeln!(
            text,
            "| `{}` | {} | [{}](#{}) | {} | {} | {} |",
            dataset.file.path,
            entry.title,
            entry.metadata.id,
            entry.metadata.id,
            dataset.rows,
            dataset.first.as_deref().unwrap_or_default(),
            dataset.last.as_deref().unwrap_or_default(),
        );
    }
    text.push('\n');
    missing(&mut text, manifest);
    text.push_str("## Columns\n");
    for (id, datasets) in endpoints {
        section(&mut text, entry(id)?, &datasets);
    }
    Ok(text)
}

const INTRODUCTION: &str = "
The data of an account at the exchange. It can be read without the exchange and without the program that wrote it.

- `NAME.jsonl`: rows, one JSON object a line. The other formats are made from this file.
- `NAME.csv`, `NAME.parquet`: the same rows in other formats, where they were requested.
- Lists without a past, such as balances, are series of snapshots; `taken` says to which snapshot a row belongs.
- `versions/NAME.jsonl`: older versions of rows that changed later.
- `raw/NAME.ndjson`: each response of the exchange, one JSON object a line: `at`, when it was received, in milliseconds;
  `asked`, the parameters or the span of time of the request; `body`, the response, unchanged.
- `manifest.json`: rows, span of time, bytes and SHA-256 of each file, and what is missing, with the exchange's message.
- `state/`, `export.json`, `derived.json`, `lock`: for the program, to continue the archive.

`bitmart verify DIR` checks everything; `bitmart tax DIR` writes files for tax tools. `bitmart export --reread DIR`
decodes responses that an older program could not decode. All three work offline.
";

const HOW_TO_READ: &str = "
## How to read it

- Times: in `jsonl` as the exchange sends them, seconds or milliseconds since 1970-01-01 UTC, see the unit of the
  column; 0 or absent where the exchange sent no time. In `csv` UTC as `2024-01-31T12:00:00.000Z`, in `parquet`
  timestamps.
- Amounts are decimals with the digits that the exchange sent. Read them as decimals, not as binary floating point
  numbers; spreadsheets keep fifteen digits only, the file has all. Decimal places after the 28th digit are cut off: a
  file with such amounts is listed under what is not here, and `raw` has all digits.
- `parquet`: amounts are decimals; a column has one scale, that of its value with the most decimal places. Codes and
  counts are integers where the exchange sent numbers, ids are text. A column is text if one of its values is not of
  its type or needs more than 76 digits; such columns are listed below. A blank text is null in a column that is not
  text.
- `csv`: a text that programs would misread has a leading apostrophe, which is not part of it: ids and other texts of
  digits, texts that begin with `=`, `+`, `-` or `@`, texts such as `NA` and `TRUE`, and texts that begin with an
  apostrophe. Remove one apostrophe. Numbers, negative ones included, have none. A blank cell is a value that the
  exchange did not send.
- Codes are numbers with a name, which `csv` has in the column `NAME_name`. Codes that a row may lack are text, since
  programs read a column of numbers with blanks as floating point numbers.
- A row without an id that the exchange returned on two pages of a list is there once, and the list is named under what
  is not here: it may be one event or two.
- A snapshot of several numbered pages was read again until two readings had the same ids on the same pages; if none
  did, it is named there as well. As far as ids tell, its rows are those of the list between the two readings. Their
  values, such as amounts, are those of the moments at which the pages came. `open-orders` is read once, by windows of
  time: an order that was placed or closed meanwhile may be there or not.
- `csv` and `parquet` are sorted by time, then by id; snapshots by the time at which they were taken, then by the id
  or the first column of a row. `jsonl` is in the order of arrival.
- Rows of futures count contracts. `csv` adds the size of a contract and computed amounts of the base and the quote
  currency: base amount = contracts x contract size, quote amount = base amount x price; for contracts quoted in USD,
  which are backed by coins, quote amount = contracts x contract size and base amount = quote amount / price.
";

/// Lists what the archive lacks.
fn missing(text: &mut String, manifest: &Manifest) {
    text.push_str("## What is not here\n\n");
    for dataset in &manifest.datasets {
        if let Some(reason) = &dataset.rejected {
            let _ = writeln!(
                text,
                "- `{}`: the exchange rejected it: {}",
                dataset.name,
                escaped(reason)
            );
        }
        if let Some(reason) = &dataset.rejected_later {
            let _ = writeln!(
                text,
                "- `{}`: what came after the last complete run; the exchange rejected the newest: {}",
                dataset.name,
                escaped(reason)
            );
        }
        if let Some(reason) = &dataset.lacks {
            let _ = writeln!(text, "- `{}`: {}", dataset.name, escaped(reason));
        }
        if !dataset.complete && dataset.rejected.is_none() && dataset.lacks.is_none() {
            let _ = writeln!(text, "- `{}`: the export was interrupted", dataset.name);
        }
    }
    for note in manifest.left_out.iter().chain(&manifest.notes) {
        let _ = writeln!(text, "- {}", escaped(note));
    }
    text.push('\n');
}

/// Describes the columns of the datasets of one endpoint.
fn section(text: &mut String, entry: &EndpointEntry, datasets: &[&Dataset]) {
    let metadata = &entry.metadata;
    let method = match metadata.method {
        Method::Get => "GET",
        _ => "POST",
    };
    let _ = writeln!(
        text,
        "\n### {}\n\n{}. From `{} {}`.",
        metadata.id, entry.title, method, metadata.path
    );
    if entry.is_unverified {
        text.push_str(
            "The exchange does not document the response: the columns are not confirmed.\n",
        );
    }
    let names: Vec<_> = datasets.iter().map(|dataset| format!("`{}`", dataset.name)).collect();
    let _ = writeln!(text, "Datasets: {}.", names.join(", "));
    for quirk in entry.quirks {
        let _ = writeln!(text, "- {}", escaped(quirk));
    }
    let columns = columns(entry);
    if columns.is_empty() {
        text.push_str("\nThe columns are not documented.\n");
        return;
    }
    if is_positional(entry) {
        text.push_str("\nIn `jsonl` a row is a list of the values, in this order.\n");
    }
    text.push_str("\n| column | type | unit | meaning |\n|---|---|---|---|\n");
    for column in &columns {
        row(text, column);
    }
    if datasets.iter().any(|dataset| dataset.snapshots > 0) {
        text.push_str(
            "| `taken` | time | UTC, as text | When the snapshot of the row was taken. |\n",
        );
    }
    let added = contracts::column_names(entry);
    for name in &added {
        let meaning = match name.as_str() {
            "contract_size" => "What one contract is worth; in `csv` only.",
            "base" => "Base currency of the contract; in `csv` only.",
            "quote" => "Quote currency of the contract; in `csv` only.",
            name if name.ends_with("base_amount") => "Computed; in `csv` only.",
            _ => "Computed; blank without a price; in `csv` only.",
        };
        let (kind, unit) = match name.as_str() {
            "base" | "quote" => ("text", ""),
            "contract_size" => {
                ("decimal", "base currency (of contracts quoted in USD: quote currency)")
            }
            name if name.ends_with("base_amount") => ("decimal", "base currency"),
            _ => ("decimal", "quote currency"),
        };
        let _ = writeln!(text, "| `{name}` | {kind} | {unit} | {meaning} |");
    }
    for column in &columns {
        values(text, column);
    }
}

fn row(text: &mut String, column: &Column) {
    let (kind, unit) = column.type_and_unit();
    let meaning = match column.kind {
        Kind::List => format!("Members: {}.", members(column)),
        _ => column.field.doc.to_owned(),
    };
    let _ = writeln!(
        text,
        "| `{}` | {kind} | {} | {} |",
        column.name,
        escaped(unit),
        escaped(&meaning)
    );
    if let Some(names) = derived_files::name_column(column) {
        let name = &column.name;
        let _ = writeln!(text, "| `{names}` | text | | The name of `{name}`; in `csv` only. |");
    }
}

/// Describes the members of a list.
fn members(column: &Column) -> String {
    let members = column.members.iter().map(|(name, field)| {
        let doc = field.doc.trim_end_matches('.');
        let doc = if doc.is_empty() { String::new() } else { format!(": {doc}") };
        if name.is_empty() {
            format!("{}{doc}", field.form)
        } else {
            format!("`{name}` ({}){doc}", field.form)
        }
    });
    members.collect::<Vec<_>>().join("; ")
}

/// Lists the values of a column, and what they mean.
fn values(text: &mut String, column: &Column) {
    if column.field.values.is_empty() || column.kind == Kind::List {
        return;
    }
    let _ = writeln!(
        text,
        "\nValues of `{}`; there may be others, which this program does not know:\n",
        column.name
    );
    for meaning in column.field.values {
        let name =
            if column.kind == Kind::Code { format!(" `{}`", meaning.name) } else { String::new() };
        let _ = writeln!(text, "- `{}`{name}: {}", meaning.value, escaped(meaning.doc));
    }
}

/// Escapes a text so that it makes no columns, lines or links.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '|' | '<' | '[' | ']' | '\\' | '`' => out.extend(['\\', letter]),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
