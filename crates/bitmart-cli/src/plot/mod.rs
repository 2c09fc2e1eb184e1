//! Plots as SVG text, for pages of this program.
//!
//! A plot knows nothing of the page around it: colours are CSS variables with fallbacks (`--plot-1`
//! to `--plot-4`, `--plot-grid`) and `currentColor`, so that a page can have a dark form; texts are
//! texts, and there is no script. Values are decimals and become floats for the places of pixels
//! only: whoever wants numbers puts a table beside.

// The position of a mark is no money.
#![allow(clippy::float_arithmetic, reason = "places of pixels are floats")]

mod axis;
mod draw;

use askama::Template;
use bitmart::Decimal;

/// The most series that can be told apart by colour.
pub(crate) const MOST_SERIES: usize = 4;

/// Values over a row of points, such as months.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// Unique in the page, without spaces.
    pub(crate) id: String,
    pub(crate) title: String,
    /// What somebody should know who does not see the plot.
    pub(crate) description: String,
    /// Names of the points, in order.
    pub(crate) labels: Vec<String>,
    /// At most [`MOST_SERIES`]; those beyond are left out.
    pub(crate) series: Vec<Series>,
}

/// Values of one kind, one for each point of the plot.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) mark: Mark,
    /// `None` where there is no value.
    pub(crate) values: Vec<Option<Decimal>>,
    /// Where within their points dots lie, in thousandths; those that are not named in the middle.
    pub(crate) within: Vec<u16>,
}

impl Series {
    pub(crate) fn new(name: impl Into<String>, mark: Mark, values: Vec<Option<Decimal>>) -> Self {
        Self { name: name.into(), mark, values, within: Vec::new() }
    }
}

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A level that holds until it changes.
    Steps,
    Dots,
    /// From zero. Series of bars stand beside each other, unless their signs differ.
    Bars,
}

/// Amounts by name, as horizontal bars, in the given order.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    /// Unique in the page, without spaces.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) bars: Vec<(String, Decimal)>,
}

impl Plot {
    /// The plot as an `svg` element; `None` when there is no value.
    pub(crate) fn svg(&self) -> Option<String> {
        let values = || self.series.iter().flat_map(|series| series.values.iter().flatten());
        values().next()?;
        let frame = axis::Frame::of(values().copied(), self.needs_zero());
        let body = draw::plot(self, &frame)?;
        svg(&self.id, &self.title, &self.description, draw::size(), &body)
    }

    fn needs_zero(&self) -> bool {
        self.series.iter().any(|series| series.mark == Mark::Bars)
    }
}

impl Ranking {
    /// The ranking as an `svg` element; `None` when there is no bar.
    pub(crate) fn svg(&self) -> Option<String> {
        if self.bars.is_empty() {
            return None;
        }
        let frame = axis::Frame::of(self.bars.iter().map(|(_, value)| *value), true);
        let body = draw::ranking(self, &frame)?;
        svg(&self.id, &self.title, &self.description, draw::ranking_size(self.bars.len()), &body)
    }
}

/// The element around what was drawn. It has no size of its own and takes the width of its place.
#[derive(Template)]
#[template(path = "plot.svg")]
struct Element<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    width: u32,
    height: u32,
    body: &'a str,
}

fn svg(
    id: &str,
    title: &str,
    description: &str,
    (width, height): (u32, u32),
    body: &str,
) -> Option<String> {
    Element { id, title, description, width, height, body }.render().ok()
}

#[cfg(test)]
mod tests;
