//! Writes the lines of `watch` to standard output.

use bitmart::Timestamp;

use super::times;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::output::{self, Format, OutputOptions, json::Json};

/// Maximum width of a column of a table. A time with its UTC offset fits.
const MAX_WIDTH: usize = 29;
/// Separates columns.
const SEPARATOR: &str = "  ";

/// Writes rows as they arrive. The first row determines the widths of the columns.
pub(super) struct Printer {
    options: OutputOptions,
    table: Rows,
    widths: Vec<usize>,
}

impl Printer {
    pub(super) fn new(options: OutputOptions) -> Self {
        Self { options, table: Rows::default(), widths: Vec::new() }
    }

    /// Writes the data of a topic. The topic is written as well if it is given.
    pub(super) fn row(&mut self, topic: Option<&str>, row: &Json) -> Result<(), Failure> {
        let row = match (topic, row) {
            (Some(topic), Json::Object(members)) => {
                let topic = ("topic".to_owned(), Json::Text(topic.to_owned()));
                Json::Object([vec![topic], members.clone()].concat())
            }
            _ => row.clone(),
        };
        let row = self.options.times.apply(&row, &times::of_data);
        match self.options.format {
            Format::Table | Format::Csv => self.columns(&best_levels(&row).unwrap_or(row)),
            Format::Ndjson if self.options.names_columns() => {
                let table = self.select(&row)?;
                output::write(format!("{}\n", table.object(&table.rows[0])).as_bytes())
            }
            Format::Json => output::write((row.pretty() + "\n").as_bytes()),
            Format::Ndjson | Format::Raw => output::write(format!("{row}\n").as_bytes()),
            Format::Parquet => Err(output::only_for_files()),
        }
    }

    /// Writes a row as a line of a table or CSV file, below a header when the columns change.
    fn columns(&mut self, row: &Json) -> Result<(), Failure> {
        let table = self.select(row)?;
        let cells = table.cells(&table.rows[0]);
        let cells: Vec<_> = cells.iter().map(Json::cell).collect();
        let is_first = self.widths.is_empty();
        let is_new = table.columns.len() != self.widths.len();
        if is_new {
            let width = |(name, cell): (&String, &String)| {
                name.chars().count().max(cell.chars().count()).min(MAX_WIDTH)
            };
            self.widths = table.columns.iter().zip(&cells).map(width).collect();
        }
        if self.options.format == Format::Csv {
            // A CSV file has one header. Columns that appear later have none.
            let text = output::csv(&table)?;
            let line = text.split_once('\n').map_or("", |(_, line)| line);
            return output::write(if is_first { &text } else { line }.as_bytes());
        }
        let mut text = String::new();
        if is_new {
            if let Some(left_out) = table.columns.get(self.fitting()..)
                && !left_out.is_empty()
            {
                eprintln!("-- --columns all also shows: {}", left_out.join(", "));
            }
            text += &self.aligned(&table.columns);
        }
        text += &self.aligned(&cells);
        output::write(text.as_bytes())
    }

    /// The row with the selected columns of all rows so far.
    fn select(&mut self, row: &Json) -> Result<Rows, Failure> {
        self.table.rows.clear();
        self.table.push(row, &|_, _| None);
        self.options.select(self.table.clone(), &[])
    }

    /// The number of columns that fit the terminal.
    fn fitting(&self) -> usize {
        let Some(width) = self.options.width() else { return self.widths.len() };
        let mut end = 0;
        let fits = |column: &&usize| {
            end += **column + SEPARATOR.len();
            end <= width + SEPARATOR.len()
        };
        self.widths.iter().take_while(fits).count().max(1)
    }

    fn aligned(&self, cells: &[String]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .zip(&self.widths)
            .take(self.fitting())
            .map(|(cell, width)| {
                if cell.chars().count() > MAX_WIDTH {
                    let cut: String = cell.chars().take(MAX_WIDTH - 1).collect();
                    return cut + "…";
                }
                format!("{cell:<width$}")
            })
            .collect();
        cells.join(SEPARATOR).trim_end().to_owned() + "\n"
    }

    /// Writes a subscription event: as a line of JSON, or to standard error beside a table or CSV file.
    pub(super) fn event(&self, event: &Json) -> Result<(), Failure> {
        match self.options.format {
            Format::Ndjson | Format::Raw | Format::Json | Format::Parquet => {
                let event = self.options.times.apply(event, &times::of_event);
                output::write(format!("{event}\n").as_bytes())
            }
            Format::Table | Format::Csv => {
                let Json::Object(members) = event else { return Ok(()) };
                let words = members.iter().map(|(name, value)| {
                    let time = times::of_event(name, value);
                    time.map_or_else(|| value.cell(), |time| self.time(time))
                });
                eprintln!("-- {}", words.collect::<Vec<_>>().join(" "));
                Ok(())
            }
        }
    }

    /// A time for people, whatever the format of the rows.
    fn time(&self, time: Timestamp) -> String {
        self.options.times.text(time).unwrap_or_else(|| time.to_string())
    }
}

/// A book reduced to its best bid and offer; `None` for other rows.
fn best_levels(row: &Json) -> Option<Json> {
    let Json::Object(members) = row else { return None };
    let level = |side: &str| {
        let (_, levels) = members.iter().find(|(name, _)| name == side)?;
        let Json::List(levels) = levels else { return None };
        Some(match levels.first() {
            // Levels are lists on spot and objects on futures.
            Some(Json::List(cells)) => (cells.first()?.clone(), cells.get(1)?.clone()),
            Some(Json::Object(cells)) => {
                let cell = |name: &str| cells.iter().find(|(known, _)| known == name);
                (cell("price")?.1.clone(), cell("vol")?.1.clone())
            }
            _ => (Json::Null, Json::Null),
        })
    };
    let ((bid, bid_size), (ask, ask_size)) = (level("bids")?, level("asks")?);
    let mut others: Vec<_> =
        members.iter().filter(|(_, value)| !matches!(value, Json::List(_))).cloned().collect();
    let best = [("bid_size", bid_size), ("bid", bid), ("ask", ask), ("ask_size", ask_size)];
    others.extend(best.map(|(name, value)| (name.to_owned(), value)));
    Some(Json::Object(others))
}
