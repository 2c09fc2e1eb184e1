//! Plots as SVG.
//!
//! A plot does not depend on its page: colors are CSS variables with fallbacks (`--plot-1` to `--plot-4`,
//! `--plot-grid`) and `currentColor`, so that a page can have a dark theme; texts are text elements, and there are no
//! scripts. Values are decimals, and converted to floats for positions only; a page shows the numbers in a table.

#![allow(clippy::float_arithmetic, reason = "positions of pixels are floats")]

mod axis;
mod draw;

use askama::Template;
use bitmart::Decimal;

/// Maximum number of series: that of the distinct colors.
pub(crate) const MAX_SERIES: usize = 4;

/// Values over a sequence of points, such as months.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// Unique in the page, without spaces.
    pub(crate) id: String,
    pub(crate) title: String,
    /// A description for screen readers.
    pub(crate) description: String,
    /// Names of the points, in order.
    pub(crate) labels: Vec<String>,
    /// At most [`MAX_SERIES`]; others are left out.
    pub(crate) series: Vec<Series>,
}

/// One value for each point of the plot.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) mark: Mark,
    /// `None` where there is no value.
    pub(crate) values: Vec<Option<Decimal>>,
    /// Positions of dots within their points, in thousandths; in the middle if absent.
    pub(crate) within: Vec<u16>,
}

impl Series {
    pub(crate) fn new(name: impl Into<String>, mark: Mark, values: Vec<Option<Decimal>>) -> Self {
        Self { name: name.into(), mark, values, within: Vec::new() }
    }
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A line of steps.
    Steps,
    Dots,
    /// Bars from zero, side by side unless the signs of the series differ.
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
    /// Returns the plot as an `svg` element; `None` without a value.
    pub(crate) fn svg(&self) -> Option<String> {
        let values = || self.series.iter().flat_map(|series| series.values.iter().flatten());
        values().next()?;
        let frame = axis::Frame::fit(values().copied(), self.needs_zero());
        let body = draw::plot(self, &frame)?;
        svg(&self.id, &self.title, &self.description, draw::size(), &body)
    }

    fn needs_zero(&self) -> bool {
        self.series.iter().any(|series| series.mark == Mark::Bars)
    }
}

impl Ranking {
    /// Returns the ranking as an `svg` element; `None` without a bar.
    pub(crate) fn svg(&self) -> Option<String> {
        if self.bars.is_empty() {
            return None;
        }
        let frame = axis::Frame::fit(self.bars.iter().map(|(_, value)| *value), true);
        let body = draw::ranking(self, &frame)?;
        svg(&self.id, &self.title, &self.description, draw::ranking_size(self.bars.len()), &body)
    }
}

/// The `svg` element. It has no size, and takes the width of its container.
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
