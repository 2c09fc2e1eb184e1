//! What goes to standard output, and in which form.

pub(crate) mod json {
    //! JSON as a tree that keeps the order of members and the digits of numbers.
    pub(crate) use bitmart::rest::testing::Json;
}
pub(crate) mod rows;
mod table;

use std::io::{self, IsTerminal as _, Write as _};

use bitmart::rest::catalog::{EndpointEntry, Field};

use self::{json::Json, rows::rows};
use crate::failure::Failure;

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people: columns, times in words.
    Table,
    /// The data of the answer, indented.
    Json,
    /// A JSON object per row.
    Ndjson,
    /// Comma separated, with a line of names.
    Csv,
    /// The body of the answer as it came.
    Raw,
}

impl Format {
    pub(crate) const NAMES: [&str; 5] = ["table", "json", "ndjson", "csv", "raw"];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "table" => Self::Table,
            "json" => Self::Json,
            "ndjson" => Self::Ndjson,
            "csv" => Self::Csv,
            "raw" => Self::Raw,
            _ => return None,
        })
    }

    /// A table on a terminal, NDJSON into a pipe or file.
    pub(crate) fn automatic() -> Self {
        if io::stdout().is_terminal() { Self::Table } else { Self::Ndjson }
    }
}

/// Prints the data of an answer; `body` is the whole answer as it came.
pub(crate) fn print(
    format: Format,
    entry: &EndpointEntry,
    data: &Json,
    body: &[u8],
) -> Result<(), Failure> {
    if format == Format::Raw {
        return write(body);
    }
    let column = |path: &str, index: usize| column(entry, path, index);
    write(render(format, data, &column, &|path| form(entry, path))?.as_bytes())
}

/// Prints data of the program itself, which no document describes. An object is one row, whatever
/// lists are in it.
pub(crate) fn print_value(format: Format, data: &Json) -> Result<(), Failure> {
    let row = Json::List(vec![data.clone()]);
    let data = match (format, data) {
        (Format::Ndjson | Format::Csv, Json::Object(_)) => &row,
        _ => data,
    };
    write(render(format, data, &|_, _| None, &|_| None)?.as_bytes())
}

fn render(
    format: Format,
    data: &Json,
    column: rows::ColumnName<'_>,
    form: table::Form<'_>,
) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => table::render(data, column, form),
        Format::Json => data.pretty() + "\n",
        Format::Ndjson => {
            let rows = rows(data, column);
            let lines: Vec<_> = rows.rows.iter().map(|row| rows.object(row).to_string()).collect();
            lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
        }
        Format::Csv => csv(&rows(data, column))?,
        Format::Raw => format!("{data}\n"),
    })
}

/// Writes to standard output. A reader that has gone is no error: `bitmart … | head` is normal use.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::reader_gone()),
        result => result.map_err(|error| Failure::machine(format!("standard output: {error}"))),
    }
}

/// Whether nobody reads standard output any more: the other end of a pipe is closed.
#[cfg(unix)]
pub(crate) fn is_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let out = io::stdout();
    let mut out = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut out, Some(&now)).is_ok_and(|_| out[0].revents().contains(PollFlags::ERR))
}

/// Other systems tell at the next write.
#[cfg(not(unix))]
pub(crate) fn is_closed() -> bool {
    false
}

/// Rows as comma separated values, with a line of names.
pub(crate) fn csv(rows: &rows::Rows) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| Failure::machine(format!("csv: {error}"));
    if !rows.columns.is_empty() {
        writer.write_record(&rows.columns).map_err(broken)?;
    }
    for row in &rows.rows {
        writer.write_record(rows.cells(row).iter().map(Json::cell)).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::machine(format!("csv: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The documented form of the field at `path`: `decimal text, base currency`. A column of positional
/// rows goes by its name: `[].t`.
fn form<'a>(entry: &'a EndpointEntry, path: &str) -> Option<&'a str> {
    let (list, name) = path.rsplit_once('.').unwrap_or(("", path));
    let positional = |field: &Field| {
        let place = field.path.strip_prefix(list).is_some_and(|rest| rest.starts_with('['));
        place && field.form.split(',').next() == Some(name)
    };
    let found = entry.fields.iter().find(|field| field.path == path);
    found.or_else(|| entry.fields.iter().find(|field| positional(field))).map(|field| field.form)
}

/// The documented name of a column of positional rows; its form begins with it.
pub(crate) fn column(entry: &EndpointEntry, path: &str, index: usize) -> Option<String> {
    let path = format!("{path}[{index}]");
    let form = entry.fields.iter().find(|field| field.path == path)?.form;
    Some(form.split(',').next().unwrap_or(form).to_owned())
}
