//! Standard output: one model of format, columns and times for everything that writes rows.
//!
//! [`OutputOptions`] are the options of the command line. [`print_response`] writes the data of a documented
//! endpoint, [`print_rows`] the program's own data, and `watch` writes rows one at a time with the same options.
//! The archive of `export` takes [`Format`] and [`mod@rows`] from here and writes its files itself.

mod format;
mod options;
pub(crate) mod rows;
mod schema;
mod table;
mod times;
pub(crate) mod json {
    //! JSON as a tree that keeps the order of members and the digits of numbers.
    pub(crate) use bitmart::rest::recording::Json;
}

use std::fmt;
use std::io::{self, Write as _};

use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::endpoint::Effect;

pub(crate) use self::format::Format;
pub(crate) use self::options::OutputOptions;
pub(crate) use self::schema::positional_name;
pub(crate) use self::times::TimeFormat;
use self::{json::Json, rows::rows, schema::Schema};
use crate::export::without_formula;
use crate::failure::Failure;

/// Rejects names in `--columns` that are not documented, before anything is sent.
pub(crate) fn check_columns(
    options: &OutputOptions,
    entry: &'static EndpointEntry,
) -> Result<(), Failure> {
    options.check_columns(&Schema::of_endpoint(entry).column_names())
}

/// Prints the data of a response; `body` is the complete response body.
pub(crate) fn print_response(
    options: &OutputOptions,
    entry: &'static EndpointEntry,
    data: &Json,
    body: &[u8],
) -> Result<(), Failure> {
    if options.format == Format::Raw {
        return write(body);
    }
    let schema = Schema::of_endpoint(entry);
    match render(options, data, &schema) {
        // The request has taken effect, so its outcome is printed in any case.
        Err(failure) if entry.metadata.effect != Effect::Read => {
            note(format_args!("{failure}"));
            finish(render(&OutputOptions::all_columns(options.format), data, &schema)?)
        }
        rendered => finish(rendered?),
    }
}

/// Prints the program's own data. An object is one row, even if it contains lists.
pub(crate) fn print_rows(options: &OutputOptions, data: &Json) -> Result<(), Failure> {
    let row = Json::List(vec![data.clone()]);
    let is_row = matches!(options.format, Format::Ndjson | Format::Csv) || options.names_columns();
    let data = if is_row && matches!(data, Json::Object(_)) { &row } else { data };
    finish(render(options, data, &Schema::default())?)
}

/// Prints the program's own data with all columns.
pub(crate) fn print_value(format: Format, data: &Json) -> Result<(), Failure> {
    print_rows(&OutputOptions::all_columns(format), data)
}

/// Text for standard output, and notes for standard error.
struct Rendered {
    text: String,
    notes: Vec<String>,
}

fn finish(rendered: Rendered) -> Result<(), Failure> {
    write(rendered.text.as_bytes())?;
    for text in rendered.notes {
        note(format_args!("{text}"));
    }
    Ok(())
}

fn render(options: &OutputOptions, data: &Json, schema: &Schema) -> Result<Rendered, Failure> {
    let name = |path: &str, index| schema.positional_name(path, index);
    let selected = || options.select(rows(data, &name), &schema.column_names());
    let with_times = || {
        let mut rows = selected()?;
        rows.replace(|path, value| options.times.text(schema.time(path, value)?).map(Json::Text));
        Ok::<_, Failure>(rows)
    };
    let mut notes = Vec::new();
    let text = match options.format {
        Format::Table if options.names_columns() => {
            table::grid(&selected()?, options, schema, &mut Vec::new())
        }
        Format::Table => table::render(data, options, schema, &mut notes),
        Format::Json => data.pretty() + "\n",
        Format::Ndjson => {
            let rows = with_times()?;
            rows.rows.iter().map(|row| rows.object(row).to_string() + "\n").collect()
        }
        Format::Csv => csv(&with_times()?)?,
        Format::Raw => format!("{data}\n"),
        Format::Parquet => return Err(only_for_files()),
    };
    Ok(Rendered { text, notes })
}

/// Parquet needs all rows before it writes the first one.
pub(crate) fn only_for_files() -> Failure {
    Failure::usage("parquet is a format of files: bitmart export --format parquet")
}

/// Writes to standard output. A closed pipe is a quiet failure: `bitmart … | head` is normal use.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::pipe_closed()),
        result => result.map_err(|error| Failure::io(format!("standard output: {error}"))),
    }
}

/// Writes a line to standard error. A failure is ignored: it must not change the outcome of a request that was sent.
pub(crate) fn note(text: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Whether the reader of standard output has closed the pipe.
#[cfg(unix)]
pub(crate) fn is_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let out = io::stdout();
    let mut out = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut out, Some(&now)).is_ok_and(|_| out[0].revents().contains(PollFlags::ERR))
}

/// Other systems report it at the next write.
#[cfg(not(unix))]
pub(crate) fn is_closed() -> bool {
    false
}

/// Rows as comma-separated values with a header line.
pub(crate) fn csv(rows: &rows::Rows) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::io(format!("csv: {error}"));
    if !rows.columns.is_empty() {
        writer.write_record(&rows.columns).map_err(failed)?;
    }
    for row in &rows.rows {
        let cells = rows.cells(row);
        let cells = cells.iter().map(|cell| without_formula(cell.cell()));
        writer.write_record(cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::io(format!("csv: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
