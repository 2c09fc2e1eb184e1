//! What goes to standard output, and in which form.

pub(crate) mod json {
    //! JSON as a tree that keeps the order of members and the digits of numbers.
    pub(crate) use bitmart::rest::testing::Json;
}
pub(crate) mod rows;
mod table;
mod view;

use std::io::{self, IsTerminal as _, Write as _};

use bitmart::Timestamp;
use bitmart::rest::Effect;
use bitmart::rest::catalog::{EndpointEntry, Field};

pub(crate) use self::view::View;
use self::{json::Json, rows::rows};
use crate::export::columns::columns;
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

/// What the documents say of data.
struct Known<'a> {
    column: rows::ColumnName<'a>,
    /// The form of the field at a path.
    form: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Names of the columns of its rows, and whether every row has them.
    columns: &'a [(&'a str, bool)],
}

impl Known<'_> {
    /// The data of the program itself.
    const NOTHING: Known<'static> = Known { column: &|_, _| None, form: &|_| None, columns: &[] };

    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// The time that the value of a field is, if it is one.
    fn time(&self, path: &str, value: &Json) -> Option<Timestamp> {
        let unit = (self.form)(path)?.split(", ").find(|part| *part == "ms" || *part == "s")?;
        let number = value.cell().parse::<i64>().ok().filter(|number| *number > 0)?;
        let millis = if unit == "ms" { number } else { number.saturating_mul(1000) };
        Some(Timestamp::from_millis(millis))
    }
}

/// Refuses names of columns that no document has, before anything is sent.
pub(crate) fn check_columns(view: &View, entry: &EndpointEntry) -> Result<(), Failure> {
    let columns = columns(entry);
    view.check(&columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>())
}

/// Prints the data of an answer; `body` is the whole answer as it came.
pub(crate) fn print(
    view: &View,
    entry: &EndpointEntry,
    data: &Json,
    body: &[u8],
) -> Result<(), Failure> {
    if view.format == Format::Raw {
        return write(body);
    }
    let columns = columns(entry);
    let columns: Vec<_> =
        columns.iter().map(|column| (column.name.as_str(), column.is_required)).collect();
    let known = Known {
        column: &|path, index| column(entry, path, index),
        form: &|path| form(entry, path),
        columns: &columns,
    };
    match render(view, data, &known) {
        // What became of a request with an effect is told in any case.
        Err(failure) if entry.metadata.effect != Effect::Read => {
            eprintln!("{failure}");
            show(&View::whole(view.format), data, &known)
        }
        text => finish(text?),
    }
}

/// Prints data of the program itself, which no document describes, with the columns that were asked for. An
/// object is one row, whatever lists are in it.
pub(crate) fn print_rows(view: &View, data: &Json) -> Result<(), Failure> {
    let row = Json::List(vec![data.clone()]);
    let is_row = matches!(view.format, Format::Ndjson | Format::Csv) || view.is_chosen();
    let data = if is_row && matches!(data, Json::Object(_)) { &row } else { data };
    show(view, data, &Known::NOTHING)
}

/// Prints data of the program itself, all of it.
pub(crate) fn print_value(format: Format, data: &Json) -> Result<(), Failure> {
    print_rows(&View::whole(format), data)
}

fn show(view: &View, data: &Json, known: &Known<'_>) -> Result<(), Failure> {
    finish(render(view, data, known)?)
}

/// Writes the data, then what there is to say of it.
fn finish((text, notes): (String, Vec<String>)) -> Result<(), Failure> {
    write(text.as_bytes())?;
    for note in notes {
        eprintln!("{note}");
    }
    Ok(())
}

/// The text, and what is not in it.
fn render(view: &View, data: &Json, known: &Known<'_>) -> Result<(String, Vec<String>), Failure> {
    let chosen = || {
        let mut rows = view.choose(rows(data, known.column), &known.names())?;
        rows.change(|path, value| view.time(known.time(path, value)?).map(Json::Text));
        Ok::<_, Failure>(rows)
    };
    let text = match view.format {
        Format::Table if view.is_chosen() => {
            let rows = view.choose(rows(data, known.column), &known.names())?;
            table::grid(&rows, view, known, &mut Vec::new())
        }
        Format::Table => {
            let mut notes = Vec::new();
            let text = table::render(data, view, known, &mut notes);
            return Ok((text, notes));
        }
        Format::Json => data.pretty() + "\n",
        Format::Ndjson => {
            let rows = chosen()?;
            let lines: Vec<_> = rows.rows.iter().map(|row| rows.object(row).to_string()).collect();
            lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
        }
        Format::Csv => csv(&chosen()?)?,
        Format::Raw => format!("{data}\n"),
    };
    Ok((text, Vec::new()))
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
        place && field.column == name
    };
    let found = entry.fields.iter().find(|field| field.path == path);
    found.or_else(|| entry.fields.iter().find(|field| positional(field))).map(|field| field.form)
}

/// The documented name of a column of positional rows.
pub(crate) fn column(entry: &EndpointEntry, path: &str, index: usize) -> Option<String> {
    let path = format!("{path}[{index}]");
    let column = entry.fields.iter().find(|field| field.path == path)?.column;
    Some(column.to_owned()).filter(|column| !column.is_empty())
}
