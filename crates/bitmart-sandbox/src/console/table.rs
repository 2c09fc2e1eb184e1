//! Tables of plain text.

use std::fmt;

use askama::Template;

/// A column: its heading, and whether it has numbers.
pub(super) type Column = (&'static str, bool);

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

/// A row, with a link of its first cell.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) link: Option<String>,
    pub(super) cells: Vec<String>,
    /// A plot after the first cell.
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
        self.columns.get(at).is_some_and(|column| column.1)
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
