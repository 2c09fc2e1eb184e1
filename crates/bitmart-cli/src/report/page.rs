//! The contents of the page, and its template. The template escapes all text; only the style sheet and the plots are
//! inserted unescaped.

use askama::Template;

use crate::failure::Failure;

const STYLE: &str = include_str!("../../templates/report.css");
/// Hash of the style sheet, the only resource that the content security policy allows. A test compares it.
const STYLE_HASH: &str = "sha256-cAJXuITqee4GAOE0A5yrC0x3c8Hke5wywJi8pCigZrY=";

/// The data of the template.
#[derive(Debug, Template)]
#[template(path = "report.html")]
struct Document<'a> {
    title: &'a str,
    style: &'a str,
    style_hash: &'a str,
    banners: &'a [Banner],
    facts: &'a [(&'static str, String)],
    sections: &'a [Section],
    footer: &'a str,
}

/// The contents of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) banners: Vec<Banner>,
    /// General facts, by name.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) sections: Vec<Section>,
    pub(super) footer: String,
}

/// A prominent message at the top of the page.
#[derive(Debug)]
pub(super) struct Banner {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Play money. Before all others.
    Play,
    Bad,
    Good,
    Note,
}

impl Banner {
    fn class(&self) -> &'static str {
        match self.kind {
            Kind::Play => "play",
            Kind::Bad => "bad",
            Kind::Good => "good",
            Kind::Note => "note",
        }
    }
}

#[derive(Debug)]
pub(super) struct Section {
    /// Unique in the page, without spaces.
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) parts: Vec<Part>,
}

impl Section {
    pub(super) fn new(id: &'static str, heading: &'static str) -> Self {
        Self { id, heading, parts: Vec::new() }
    }

    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    pub(super) fn heading(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Heading(text.into()));
    }

    /// Adds a list unless it is empty.
    pub(super) fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.parts.push(Part::List(items));
        }
    }

    /// Adds figures unless there are none.
    pub(super) fn figures(&mut self, figures: Vec<Figure>) {
        if !figures.is_empty() {
            self.parts.push(Part::Figures(figures));
        }
    }

    /// Adds a table unless it is empty.
    pub(super) fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.parts.push(Part::Table(table));
        }
    }
}

#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Heading(String),
    List(Vec<String>),
    Figures(Vec<Figure>),
    Table(Table),
}

#[derive(Debug)]
pub(super) struct Figure {
    pub(super) caption: String,
    /// An element of [`crate::plot`].
    pub(super) svg: String,
}

#[derive(Debug)]
pub(super) struct Table {
    /// Unique in the page, without spaces.
    pub(super) id: String,
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    /// The first cell of a row names it.
    pub(super) rows: Vec<Vec<String>>,
    /// Whether it is collapsed. Printed it is open.
    pub(super) folded: bool,
}

impl Table {
    pub(super) fn new(
        id: impl Into<String>,
        caption: impl Into<String>,
        columns: Vec<Column>,
    ) -> Self {
        Self { id: id.into(), caption: caption.into(), columns, rows: Vec::new(), folded: false }
    }

    pub(super) fn folded(self) -> Self {
        Self { folded: true, ..self }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "{}", self.id);
        self.rows.push(cells);
    }

    fn cells<'a>(&'a self, row: &'a [String]) -> impl Iterator<Item = (&'a Column, &'a String)> {
        self.columns.iter().zip(row)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Code,
    Sentence,
}

impl Column {
    pub(super) fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), form: Form::Text }
    }

    pub(super) fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), form: Form::Number }
    }

    /// Ids and hashes.
    pub(super) fn code(name: impl Into<String>) -> Self {
        Self { name: name.into(), form: Form::Code }
    }

    pub(super) fn sentence(name: impl Into<String>) -> Self {
        Self { name: name.into(), form: Form::Sentence }
    }

    fn class(&self) -> &'static str {
        match self.form {
            Form::Text => "",
            Form::Number => " class=\"n\"",
            Form::Code => " class=\"code\"",
            Form::Sentence => " class=\"wide\"",
        }
    }
}

impl Page {
    pub(super) fn html(&self) -> Result<String, Failure> {
        let document = Document {
            title: &self.title,
            style: STYLE,
            style_hash: STYLE_HASH,
            banners: &self.banners,
            facts: &self.facts,
            sections: &self.sections,
            footer: &self.footer,
        };
        document.render().map_err(|error| Failure::io(format!("the page: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::digest::{SHA256, digest};

    use super::{Banner, Column, Figure, Kind, Page, STYLE, STYLE_HASH, Section, Table};

    const HOSTILE: &str =
        "</td></title><script>alert(1)</script><img src=x onerror=\"alert(2)\">' & {{ 1 }}";

    #[test]
    fn policy_allows_the_style_sheet_and_nothing_else() {
        let hash = format!("sha256-{}", STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));
        assert_eq!(STYLE_HASH, hash);
        let html = Page::default().html().expect("a page");
        let policy = "content=\"default-src 'none'; style-src 'sha256-";
        assert!(html.contains(policy), "{html}");
    }

    #[test]
    fn escapes_all_text_of_the_exchange() {
        let text = || HOSTILE.to_owned();
        let mut section = Section::new("s", "S");
        section.text(text());
        section.heading(text());
        section.list(vec![text()]);
        section.figures(vec![Figure { caption: text(), svg: String::new() }]);
        for (id, folded) in [("a", false), ("b", true)] {
            let columns = vec![Column::text(text()), Column::number(text()), Column::code(text())];
            let mut table = Table::new(id, text(), columns);
            table.row(vec![text(), text(), text()]);
            section.table(if folded { table.folded() } else { table });
        }
        let kinds = [Kind::Play, Kind::Bad, Kind::Good];
        let page = Page {
            title: text(),
            banners: kinds.into_iter().map(|kind| Banner { kind, text: text() }).collect(),
            facts: vec![("Account", text())],
            sections: vec![section],
            footer: text(),
        };
        let html = page.html().expect("a page");
        for element in ["<script", "<img", "</td></title>", "onerror=\""] {
            assert!(!html.contains(element), "{element}");
        }
        assert_eq!(html.matches("alert(1)").count(), 26, "each is there as a text");
    }
}
