//! Lines of `watch` on standard output.

use bitmart::Timestamp;

use crate::failure::Failure;
use crate::output::{self, Format, View, json::Json, rows::Rows};

/// Widest column of a table.
const WIDEST: usize = 24;
/// What stands between columns.
const GAP: &str = "  ";

/// Writes rows as they come, in columns that stay where the first rows put them.
pub(super) struct Printer {
    view: View,
    table: Rows,
    widths: Vec<usize>,
}

impl Printer {
    pub(super) fn new(view: View) -> Self {
        Self { view, table: Rows::default(), widths: Vec::new() }
    }

    pub(super) fn row(&mut self, topic: Option<&str>, row: &Json) -> Result<(), Failure> {
        let row = match (topic, row) {
            (Some(topic), Json::Object(members)) => {
                let topic = ("topic".to_owned(), Json::Text(topic.to_owned()));
                Json::Object([vec![topic], members.clone()].concat())
            }
            _ => row.clone(),
        };
        match self.view.format {
            Format::Table | Format::Csv => {
                let row = best(&row).unwrap_or(row);
                let table = self.chosen(&row)?;
                let cells = table.cells(&table.rows[0]);
                let cells: Vec<_> = cells.iter().map(Json::cell).collect();
                // Names come once; later members have none.
                let is_new = table.columns.len() != self.widths.len();
                let is_first = self.widths.is_empty();
                if is_new {
                    let wide = |(name, cell): (&String, &String)| {
                        name.chars().count().max(cell.chars().count()).min(WIDEST)
                    };
                    self.widths = table.columns.iter().zip(&cells).map(wide).collect();
                }
                if self.view.format == Format::Csv {
                    let text = output::csv(&table)?;
                    let line = text.split_once('\n').map_or("", |(_, line)| line);
                    return output::write(if is_first { &text } else { line }.as_bytes());
                }
                let mut text = String::new();
                if is_new {
                    if let Some(left_out) = table.columns.get(self.fitting()..)
                        && !left_out.is_empty()
                    {
                        eprintln!("-- --columns all shows more than fits: {}", left_out.join(", "));
                    }
                    text += &self.aligned(&table.columns);
                }
                text += &self.aligned(&cells);
                output::write(text.as_bytes())
            }
            Format::Ndjson if self.view.is_chosen() => {
                let table = self.chosen(&row)?;
                output::write(format!("{}\n", table.object(&table.rows[0])).as_bytes())
            }
            Format::Json => output::write((row.pretty() + "\n").as_bytes()),
            Format::Ndjson | Format::Raw => output::write(format!("{row}\n").as_bytes()),
        }
    }

    /// The row with the columns that were asked for, of all that rows had so far.
    fn chosen(&mut self, row: &Json) -> Result<Rows, Failure> {
        self.table.rows.clear();
        self.table.push(row, &|_, _| None);
        self.view.choose(self.table.clone(), &[])
    }

    /// How many columns a line of the terminal has room for.
    fn fitting(&self) -> usize {
        let Some(width) = self.view.width() else { return self.widths.len() };
        let mut end = 0;
        let fits = |wide: &&usize| {
            end += **wide + GAP.len();
            end <= width + GAP.len()
        };
        self.widths.iter().take_while(fits).count().max(1)
    }

    fn aligned(&self, cells: &[String]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .zip(&self.widths)
            .take(self.fitting())
            .map(|(cell, width)| {
                if cell.chars().count() > WIDEST {
                    let cut: String = cell.chars().take(WIDEST - 1).collect();
                    return cut + "…";
                }
                format!("{cell:<width$}")
            })
            .collect();
        cells.join(GAP).trim_end().to_owned() + "\n"
    }

    pub(super) fn note(&self, note: &Json) -> Result<(), Failure> {
        match self.view.format {
            Format::Ndjson | Format::Raw | Format::Json => {
                output::write(format!("{note}\n").as_bytes())
            }
            Format::Table | Format::Csv => {
                let Json::Object(members) = note else { return Ok(()) };
                let words = members.iter().map(|(name, value)| match (name.as_str(), value) {
                    ("at", Json::Number(at)) => at
                        .parse()
                        .map(Timestamp::from_millis)
                        .map_or_else(|_| at.clone(), |at| at.to_string()),
                    _ => value.cell(),
                });
                eprintln!("-- {}", words.collect::<Vec<_>>().join(" "));
                Ok(())
            }
        }
    }
}

/// The best level of each side of a book, for a line; `None` for other rows.
fn best(row: &Json) -> Option<Json> {
    let Json::Object(members) = row else { return None };
    let level = |side: &str| {
        let (_, levels) = members.iter().find(|(name, _)| name == side)?;
        let Json::List(levels) = levels else { return None };
        Some(match levels.first() {
            // Spot: price and size. Futures: members.
            Some(Json::List(cells)) => (cells.first()?.clone(), cells.get(1)?.clone()),
            Some(Json::Object(cells)) => {
                let cell = |name: &str| cells.iter().find(|(known, _)| known == name);
                (cell("price")?.1.clone(), cell("vol")?.1.clone())
            }
            _ => (Json::Null, Json::Null),
        })
    };
    let ((bid, bid_size), (ask, ask_size)) = (level("bids")?, level("asks")?);
    let mut kept: Vec<_> =
        members.iter().filter(|(_, value)| !matches!(value, Json::List(_))).cloned().collect();
    let best = [("bid_size", bid_size), ("bid", bid), ("ask", ask), ("ask_size", ask_size)];
    kept.extend(best.map(|(name, value)| (name.to_owned(), value)));
    Some(Json::Object(kept))
}
