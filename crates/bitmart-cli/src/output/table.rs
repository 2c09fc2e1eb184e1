//! Tables for people: aligned columns, numbers to the right, formatted times.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::OutputOptions;
use super::json::Json;
use super::rows::{Rows, of_list, rows};
use super::schema::Schema;

/// Spaces around a cell.
const PADDING: usize = 2;

/// Renders `data`: first the members that are not lists, then each list as a grid, with its name if there are
/// several. `notes` takes remarks on what was left out.
pub(super) fn render(
    data: &Json,
    options: &OutputOptions,
    schema: &Schema,
    notes: &mut Vec<String>,
) -> String {
    let name = |path: &str, index| schema.positional_name(path, index);
    let members = match data {
        Json::Null => return "done\n".to_owned(),
        Json::Object(members) => members,
        _ => return grid(&rows(data, &name), options, schema, notes),
    };
    let is_list = |value: &Json| matches!(value, Json::List(_));
    let (lists, others): (Vec<_>, Vec<_>) =
        members.iter().cloned().partition(|(_, value)| is_list(value));
    let mut blocks = Vec::new();
    if !others.is_empty() {
        blocks.push(pairs(others, options, schema));
    }
    for (member, list) in &lists {
        let Json::List(items) = list else { continue };
        let rows = of_list(items, &format!("{member}[]"), &name);
        let grid = grid(&rows, options, schema, notes);
        blocks.push(if lists.len() > 1 { format!("{member}:\n{grid}") } else { grid });
    }
    blocks.join("\n")
}

/// Names and values, one pair per line.
fn pairs(members: Vec<(String, Json)>, options: &OutputOptions, schema: &Schema) -> String {
    let rows = of_list(&[Json::Object(members)], "", &|_, _| None);
    let mut table = plain();
    for (index, value) in rows.rows.iter().flatten() {
        let column = &rows.columns[*index];
        table.add_row([column.clone(), shown(value, column, options, schema)]);
    }
    lines(&table)
}

/// Rows below a header line.
pub(super) fn grid(
    rows: &Rows,
    options: &OutputOptions,
    schema: &Schema,
    notes: &mut Vec<String>,
) -> String {
    if rows.rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let paths: Vec<_> = (0..rows.columns.len()).map(|column| rows.path(column)).collect();
    let mut numeric = vec![true; rows.columns.len()];
    let mut texts: Vec<Vec<String>> = Vec::new();
    for row in &rows.rows {
        let cells = rows.cells(row);
        for (numeric, cell) in numeric.iter_mut().zip(&cells) {
            *numeric &= matches!(cell, Json::Null) || is_number(&cell.cell());
        }
        let shown = cells.iter().zip(&paths).map(|(cell, path)| shown(cell, path, options, schema));
        texts.push(shown.collect());
    }
    let fitting = match options.width() {
        Some(width) => fitting(&rows.columns, &texts, schema, width),
        None => (0..rows.columns.len()).collect(),
    };
    let columns = rows.columns.iter().enumerate();
    let (shown, left_out): (Vec<_>, Vec<_>) =
        columns.partition(|(index, _)| fitting.contains(index));
    let mut table = plain();
    table.set_header(shown.iter().map(|(_, name)| *name));
    for row in &texts {
        table.add_row(shown.iter().map(|(index, _)| &row[*index]));
    }
    for (column, (index, _)) in table.column_iter_mut().zip(&shown) {
        if numeric[*index] {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if !left_out.is_empty() {
        let left_out: Vec<_> = left_out.iter().map(|(_, name)| name.as_str()).collect();
        notes.push(format!(
            "{} of {} columns fit; --columns all also shows: {}",
            shown.len(),
            rows.columns.len(),
            left_out.join(", ")
        ));
    }
    lines(&table)
}

/// The columns that fit a line. Columns that every row has take precedence, then documented ones in their order,
/// then undocumented ones. Columns without any value come last.
fn fitting(names: &[String], texts: &[Vec<String>], schema: &Schema, width: usize) -> Vec<usize> {
    let size = |column: usize| {
        let cells = texts.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default().max(names[column].chars().count()) + PADDING
    };
    let rank = |column: &usize| {
        let name = names[*column].as_str();
        let is_blank = texts.iter().all(|row| row[*column].is_empty());
        let (position, is_required) = schema.position(name).unwrap_or((usize::MAX, false));
        (is_blank, !is_required, position, *column)
    };
    let mut ranked: Vec<usize> = (0..names.len()).collect();
    ranked.sort_by_key(rank);
    // The last space of a line is not written.
    let mut left = width + 1;
    let mut kept = Vec::new();
    for column in ranked {
        let size = size(column);
        if size <= left || kept.is_empty() {
            left = left.saturating_sub(size);
            kept.push(column);
        }
    }
    kept
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".-+".contains(&byte))
}

/// A cell; documented times are formatted.
fn shown(value: &Json, path: &str, options: &OutputOptions, schema: &Schema) -> String {
    let time = schema.time(path, value).and_then(|time| options.times.text(time));
    time.unwrap_or_else(|| value.cell())
}

#[cfg(test)]
mod tests {
    use super::Schema;
    use super::fitting;

    #[test]
    fn required_columns_are_kept_first_when_space_is_short() {
        let names = ["note", "price", "symbol", "size", "blank"].map(str::to_owned);
        let texts = vec![["long words", "1", "BTC_USDT", "2.5", ""].map(str::to_owned).to_vec()];
        let columns = [("price", false), ("symbol", true), ("size", false), ("blank", true)];
        let schema = Schema::of_columns(&columns);
        let fitting = |width: usize| {
            let mut kept = fitting(&names, &texts, &schema, width);
            kept.sort_unstable();
            kept.into_iter().map(|index| names[index].as_str()).collect::<Vec<_>>()
        };
        assert_eq!(fitting(100), ["note", "price", "symbol", "size", "blank"]);
        assert_eq!(fitting(40), ["note", "price", "symbol", "size"]);
        assert_eq!(fitting(22), ["price", "symbol", "size"]);
        assert_eq!(fitting(16), ["price", "symbol"]);
        assert_eq!(fitting(3), ["symbol"], "at least one column is shown");
    }
}
