//! Tables for people: columns, numbers to the right, times in words.

use bitmart::Timestamp;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::json::Json;
use super::rows::{ColumnName, Rows, of_list, rows};

/// Tells the documented form of the field at a path.
pub(super) type Form<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// `data` as text: what stands beside lists, then the lists, with their names if there are several.
pub(super) fn render(data: &Json, name: ColumnName<'_>, form: Form<'_>) -> String {
    let members = match data {
        Json::Null => return "done\n".to_owned(),
        Json::Object(members) => members,
        _ => return grid(&rows(data, name), "[].", form),
    };
    let is_list = |value: &Json| matches!(value, Json::List(_));
    let (lists, beside): (Vec<_>, Vec<_>) =
        members.iter().cloned().partition(|(_, value)| is_list(value));
    let mut blocks = Vec::new();
    if !beside.is_empty() {
        blocks.push(pairs(beside, form));
    }
    for (member, list) in &lists {
        let Json::List(items) = list else { continue };
        let path = format!("{member}[]");
        let grid = grid(&of_list(items, &path, name), &format!("{path}."), form);
        blocks.push(if lists.len() > 1 { format!("{member}:\n{grid}") } else { grid });
    }
    blocks.join("\n")
}

/// Names and values, one a line.
fn pairs(members: Vec<(String, Json)>, form: Form<'_>) -> String {
    let rows = of_list(&[Json::Object(members)], "", &|_, _| None);
    let mut table = plain();
    for (index, value) in rows.rows.iter().flatten() {
        let column = &rows.columns[*index];
        table.add_row([column.clone(), shown(value, form(column))]);
    }
    lines(&table)
}

fn grid(rows: &Rows, path: &str, form: Form<'_>) -> String {
    if rows.rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let mut table = plain();
    table.set_header(&rows.columns);
    let mut numeric = vec![true; rows.columns.len()];
    for row in &rows.rows {
        let cells = rows.cells(row);
        let texts = cells.iter().enumerate().map(|(index, cell)| {
            numeric[index] &= matches!(cell, Json::Null) || is_number(&cell.cell());
            shown(cell, form(&format!("{path}{}", rows.columns[index])))
        });
        table.add_row(texts.collect::<Vec<_>>());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if numeric[index] {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines(&table)
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

/// A value as people read it: a documented time as date and time in UTC.
fn shown(value: &Json, form: Option<&str>) -> String {
    let text = value.cell();
    let unit = form.and_then(|form| form.split(", ").find(|part| *part == "ms" || *part == "s"));
    match (unit, text.parse::<i64>()) {
        (Some(unit), Ok(number)) if number > 0 => {
            let millis = if unit == "ms" { number } else { number.saturating_mul(1000) };
            Timestamp::from_millis(millis).to_string()
        }
        _ => text,
    }
}
