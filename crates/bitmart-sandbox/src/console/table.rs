//! Tables of plain text.

use std::fmt;

use askama::Template;

/// A column. Numbers are aligned to the right.
#[derive(Debug)]
pub(super) struct Column {
    heading: &'static str,
    is_number: bool,
}

impl Column {
    pub(super) const fn text(heading: &'static str) -> Self {
        Self { heading, is_number: false }
    }

    pub(super) const fn number(heading: &'static str) -> Self {
        Self { heading, is_number: true }
    }
}

/// A table. Its cells are escaped.
#[derive(Debug, Template)]
#[template(path = "console/table.html")]
pub(super) struct Table {
    /// Unique in the page.
    id: &'static str,
    caption: String,
    columns: &'static [Column],
    rows: Vec<Row>,
    /// Shown in place of a table without rows.
    empty: &'static str,
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// The address to which the first cell links.
    pub(super) link: Option<String>,
    pub(super) cells: Vec<String>,
    /// An SVG element below the text of the first cell.
    pub(super) plot: Option<String>,
}

impl From<Vec<String>> for Row {
    fn from(cells: Vec<String>) -> Self {
        Self { link: None, cells, plot: None }
    }
}

impl Table {
    /// The element of a table.
    pub(super) fn element(
        id: &'static str,
        caption: impl Into<String>,
        columns: &'static [Column],
        rows: impl IntoIterator<Item = impl Into<Row>>,
        empty: &'static str,
    ) -> TableElement {
        let rows = rows.into_iter().map(Into::into).collect();
        TableElement(Self { id, caption: caption.into(), columns, rows, empty })
    }

    fn is_number(&self, at: usize) -> bool {
        self.columns.get(at).is_some_and(|column| column.is_number)
    }
}

/// A table as HTML.
#[derive(Debug)]
pub(super) struct TableElement(Table);

impl fmt::Display for TableElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.render_into(f).map_err(|_| fmt::Error)
    }
}
