//! Tables of a page of HTML, as `report` writes them.

use bitmart::Decimal;

/// Cells of the body of a table.
pub(crate) fn table(html: &str, id: &str) -> Vec<Vec<String>> {
    let Some((_, rest)) = html.split_once(&format!("<table id=\"{id}\">")) else {
        panic!("no table {id}");
    };
    let body =
        rest.split_once("<tbody>").expect("a body").1.split_once("</tbody>").expect("an end").0;
    let cell = |cell: &str| {
        let text = cell.split_once('>').expect("a cell").1;
        let text = text.split("</").next().unwrap_or_default();
        text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
    };
    let row = |row: &str| {
        let row = row.replace("<th ", "<td ").replace("<td>", "<td >");
        row.split("<td ").skip(1).map(cell).collect()
    };
    body.split("<tr>").skip(1).map(row).collect()
}

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Sums a column over the rows that begin with these cells.
pub(crate) fn sum(rows: &[Vec<String>], first: &[&str], column: usize) -> Decimal {
    let begins = |row: &&Vec<String>| row.iter().zip(first).all(|(cell, first)| cell == first);
    let rows: Vec<_> = rows.iter().filter(begins).collect();
    assert!(!rows.is_empty(), "no row of {first:?}");
    rows.into_iter().map(|row| number(&row[column])).sum()
}
