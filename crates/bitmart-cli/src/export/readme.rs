//! `README.md` of an archive: what each file is and what each of its columns means. All of it comes from
//! the manifest and the catalogue of endpoints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bitmart::rest::Method;
use bitmart::rest::catalog::EndpointEntry;

use super::columns::{Column, Kind, columns, is_positional};
use super::manifest::{Dataset, Kept, Manifest};
use super::walk::entry;
use super::{amounts, archive, derive};
use crate::failure::Failure;
use crate::secure_fs;

pub(super) const FILE: &str = "README.md";

/// Writes the file, and notes it in the manifest.
pub(super) fn write(folder: &Path, manifest: &mut Manifest) -> Result<(), Failure> {
    archive::claim(folder, FILE)?;
    let text = text(manifest)?;
    secure_fs::write(&folder.join(FILE), text.as_bytes())
        .map_err(|error| Failure::machine(format!("{FILE}: {error}")))?;
    manifest.derived.push(Kept::of(folder, FILE)?);
    Ok(())
}

fn text(manifest: &Manifest) -> Result<String, Failure> {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = writeln!(text, "# Archive of a BitMart account\n\n{}", INTRODUCTION.trim_start());
    let _ = writeln!(text, "Made by {}, from {}.\n", manifest.program, escaped(manifest.source()));
    let _ = writeln!(text, "{}", READING.trim_start());
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
What the exchange told of the account, kept so that it can be read without the exchange and without the program that
made it.

- `NAME.jsonl`: rows, one JSON object a line. The truth of a dataset; all other forms are made of it.
- `NAME.csv`, `NAME.parquet`: the same rows in other forms, where they were wished for.
- A list of the moment, such as balances, is a series of snapshots, one behind the other; `taken` says of which a row is.
- `versions/NAME.jsonl`: rows that the exchange told otherwise later, as they were before.
- `raw/NAME.ndjson`: each response of the exchange, one JSON object a line: `at`, when it came, in milliseconds; `asked`,
  the parameters or the span of time of the request; `body`, the response character by character.
- `manifest.json`: rows, span of time, bytes and SHA-256 of each file, and what could not be had, with the exchange's words.
- `state/`, `export.json`, `derived.json`, `lock`: for the program that goes on with the archive.

`bitmart verify DIR` reads everything again; `bitmart tax DIR` makes files for tax tools. `bitmart export --reread DIR` makes rows of responses that a newer program
understands and an older one did not. Nothing of this needs the exchange.
";

const READING: &str = "
## How to read it

- Times: in `jsonl` as the exchange writes them, seconds or milliseconds since 1970-01-01 UTC, see the unit of the column;
  0 or nothing where the exchange told no time. In `csv` UTC as `2024-01-31T12:00:00.000Z`, in `parquet` timestamps.
- Amounts are decimals with the digits that the exchange sent. Read them as decimals, not as binary floating point numbers;
  spreadsheets keep fifteen digits only, the file has all.
- `parquet`: amounts are decimals with one scale for each column, that of the value with the most digits behind the
  point. Codes and counts are whole numbers where the exchange wrote numbers, ids are text. A column is text as a whole where a
  value is not of its kind or needs more than 76 digits; such columns are named below. A blank text is null where a
  column is not text.
- `csv`: where a text would be taken for something else, an apostrophe stands in front of it that is no part of it: ids and
  other texts of digits, texts that begin with `=`, `+`, `-` or `@`, words such as `NA` and `TRUE`, and texts that have an
  apostrophe in front already. Take one apostrophe away. Numbers, negative ones included, have none. A blank cell is a value
  that the exchange did not tell.
- Codes, which are numbers that stand for words, have the word beside them in `csv`, in `NAME_name`. Codes that a row may lack
  are text, since programs make floating point numbers of a column with blanks.
- `csv` and `parquet` are ordered by time, and rows of one instant by their ids; snapshots by when they were taken, and then by
  the id of a row or by what it begins with. `jsonl` is in the order in which it came.
- Rows of futures count contracts. `csv` has the size of a contract beside them, and amounts of the base and of the quote
  currency, computed: base amount = contracts x contract size, quote amount = base amount x price; of contracts that are
  quoted in USD, and are backed by coins, quote amount = contracts x contract size and base amount = quote amount / price.
";

/// What is not there.
fn missing(text: &mut String, manifest: &Manifest) {
    text.push_str("## What is not here\n\n");
    for dataset in &manifest.datasets {
        if let Some(words) = &dataset.refused {
            let _ =
                writeln!(text, "- `{}`: the exchange refused: {}", dataset.name, escaped(words));
        }
        if let Some(words) = &dataset.lacks {
            let _ = writeln!(text, "- `{}`: {}", dataset.name, escaped(words));
        }
        if !dataset.complete && dataset.refused.is_none() && dataset.lacks.is_none() {
            let _ = writeln!(text, "- `{}`: the export was interrupted", dataset.name);
        }
    }
    for words in manifest.left_out.iter().chain(&manifest.notes) {
        let _ = writeln!(text, "- {}", escaped(words));
    }
    text.push('\n');
}

/// The columns of what comes from one endpoint.
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
            "The exchange does not document the response: what is said here is not confirmed.\n",
        );
    }
    let names: Vec<_> = datasets.iter().map(|dataset| format!("`{}`", dataset.name)).collect();
    let _ = writeln!(text, "Datasets: {}.", names.join(", "));
    for quirk in entry.quirks {
        let _ = writeln!(text, "- {}", escaped(quirk));
    }
    let columns = columns(entry);
    if columns.is_empty() {
        text.push_str("\nNo source says what the columns are.\n");
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
            "| `taken` | time | UTC, as text | When the snapshot was taken that the row is of. |\n",
        );
    }
    let added = amounts::names(metadata.id);
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
        escaped(&unit),
        escaped(&meaning)
    );
    if let Some(word) = derive::word_of(column) {
        let name = &column.name;
        let _ = writeln!(text, "| `{word}` | text | | The word for `{name}`; in `csv` only. |");
    }
}

/// The members of a list.
fn members(column: &Column) -> String {
    let members = column.inner.iter().map(|(name, field)| {
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

/// The values of a column, and what they mean.
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
        let word =
            if column.kind == Kind::Code { format!(" `{}`", meaning.name) } else { String::new() };
        let _ = writeln!(text, "- `{}`{word}: {}", meaning.value, escaped(meaning.doc));
    }
}

/// A text within a table: what comes from elsewhere makes no columns, lines or links.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '|' | '<' | '[' | ']' => out.extend(['\\', letter]),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
