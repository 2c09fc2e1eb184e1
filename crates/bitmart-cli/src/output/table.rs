//! Tables for people: columns, numbers to the right, times in words.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::json::Json;
use super::rows::{Rows, of_list, rows};
use super::{Known, View};

/// Blanks beside a cell.
const PADDING: usize = 2;

/// `data` as text: what stands beside lists, then the lists, with their names if there are several. `notes`
/// tells what is not in it.
pub(super) fn render(
    data: &Json,
    view: &View,
    known: &Known<'_>,
    notes: &mut Vec<String>,
) -> String {
    let members = match data {
        Json::Null => return "done\n".to_owned(),
        Json::Object(members) => members,
        _ => return grid(&rows(data, known.column), view, known, notes),
    };
    let is_list = |value: &Json| matches!(value, Json::List(_));
    let (lists, beside): (Vec<_>, Vec<_>) =
        members.iter().cloned().partition(|(_, value)| is_list(value));
    let mut blocks = Vec::new();
    if !beside.is_empty() {
        blocks.push(pairs(beside, view, known));
    }
    for (member, list) in &lists {
        let Json::List(items) = list else { continue };
        let rows = of_list(items, &format!("{member}[]"), known.column);
        let grid = grid(&rows, view, known, notes);
        blocks.push(if lists.len() > 1 { format!("{member}:\n{grid}") } else { grid });
    }
    blocks.join("\n")
}

/// Names and values, one a line.
fn pairs(members: Vec<(String, Json)>, view: &View, known: &Known<'_>) -> String {
    let rows = of_list(&[Json::Object(members)], "", &|_, _| None);
    let mut table = plain();
    for (index, value) in rows.rows.iter().flatten() {
        let column = &rows.columns[*index];
        table.add_row([column.clone(), shown(value, column, view, known)]);
    }
    lines(&table)
}

/// Rows below the names of their columns.
pub(super) fn grid(rows: &Rows, view: &View, known: &Known<'_>, notes: &mut Vec<String>) -> String {
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
        let shown = cells.iter().zip(&paths).map(|(cell, path)| shown(cell, path, view, known));
        texts.push(shown.collect());
    }
    let fitting = match view.width() {
        Some(width) => fitting(&rows.columns, &texts, known, width),
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
            "{} of {} columns fit; --columns all shows the others, too: {}",
            shown.len(),
            rows.columns.len(),
            left_out.join(", ")
        ));
    }
    lines(&table)
}

/// The columns that a line has room for: those that every row has first, then the others in the order of the
/// description, and what it does not have. Columns without any value come last.
fn fitting(names: &[String], texts: &[Vec<String>], known: &Known<'_>, width: usize) -> Vec<usize> {
    let size = |column: usize| {
        let cells = texts.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default().max(names[column].chars().count()) + PADDING
    };
    let rank = |column: &usize| {
        let name = names[*column].as_str();
        let is_blank = texts.iter().all(|row| row[*column].is_empty());
        let place = known.columns.iter().position(|(known, _)| *known == name);
        let is_required = place.is_some_and(|place| known.columns[place].1);
        (is_blank, !is_required, place.unwrap_or(usize::MAX), *column)
    };
    let mut ranked: Vec<usize> = (0..names.len()).collect();
    ranked.sort_by_key(rank);
    // The last blank of a line is not written.
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

/// A value as people read it: a documented time as date and time.
fn shown(value: &Json, path: &str, view: &View, known: &Known<'_>) -> String {
    let time = known.time(path, value).and_then(|time| view.time(time));
    time.unwrap_or_else(|| value.cell())
}

#[cfg(test)]
mod tests {
    use super::super::Known;
    use super::fitting;

    #[test]
    fn columns_fit_a_line_and_what_every_row_has_comes_first() {
        let names = ["note", "price", "symbol", "size", "blank"].map(str::to_owned);
        let texts = vec![["long words", "1", "BTC_USDT", "2.5", ""].map(str::to_owned).to_vec()];
        let columns = [("price", false), ("symbol", true), ("size", false), ("blank", true)];
        let known = Known { column: &|_, _| None, form: &|_| None, columns: &columns };
        let fitting = |width: usize| {
            let mut kept = fitting(&names, &texts, &known, width);
            kept.sort_unstable();
            kept.into_iter().map(|index| names[index].as_str()).collect::<Vec<_>>()
        };
        assert_eq!(fitting(100), ["note", "price", "symbol", "size", "blank"]);
        assert_eq!(fitting(40), ["note", "price", "symbol", "size"]);
        assert_eq!(fitting(22), ["price", "symbol", "size"]);
        assert_eq!(fitting(16), ["price", "symbol"]);
        assert_eq!(fitting(3), ["symbol"], "something is shown in any case");
    }
}
