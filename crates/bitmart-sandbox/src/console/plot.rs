//! Candles and lines of prices as SVG. Colors are CSS variables, so that they follow the theme of the page.

#![allow(clippy::float_arithmetic, reason = "positions of pixels are floats")]

use askama::Template;
use bitmart_sim::tape::Candle;
use plotters::{
    prelude::{
        ChartBuilder, IntoDrawingArea as _, PathElement, RGBColor, Rectangle, SVGBackend, Text,
    },
    style::{
        Color as _, IntoFont as _, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};
use rust_decimal::Decimal;

use super::time;

/// Width and height in pixels of the plot of candles, and of a small line of prices.
const CANDLES: (u32, u32) = (960, 320);
const SPARK: (u32, u32) = (320, 40);
/// Width in pixels of the labels of prices, and height of those of times.
const LABELS: (u32, u32) = (84, 26);
const FONT: f64 = 15.5;
/// Distances between lines of the grid, and between labels of times: there is one more of each.
const LINES: u32 = 4;

/// Colors that the plot is drawn with, and that [`COLORS`] replaces by those of the page.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const UP: RGBColor = RGBColor(3, 3, 3);
const DOWN: RGBColor = RGBColor(4, 4, 4);
const LINE: RGBColor = RGBColor(5, 5, 5);
const COLORS: [(&str, &str); 5] = [
    ("\"#010101\"", "\"currentColor\""),
    ("\"#020202\"", "\"var(--plot-grid)\""),
    ("\"#030303\"", "\"var(--up)\""),
    ("\"#040404\"", "\"var(--down)\""),
    ("\"#050505\"", "\"var(--plot-1)\""),
];

/// An `svg` element, which takes the width of its container.
#[derive(Template)]
#[template(path = "console/plot.svg")]
struct Element<'a> {
    class: &'static str,
    title: &'a str,
    size: (u32, u32),
    body: &'a str,
}

/// Draws candles, oldest first; `None` without any.
pub(super) fn candles(title: &str, candles: &[Candle]) -> Option<String> {
    let (low, high) = range(candles.iter().flat_map(|candle| [candle.low, candle.high]))?;
    let body = draw(CANDLES, |area| {
        let count = place(candles.len());
        let mut chart = ChartBuilder::on(area)
            .margin_top(10)
            .margin_right(10)
            .x_label_area_size(LABELS.1)
            .y_label_area_size(LABELS.0)
            .build_cartesian_2d(0.0..count, low..high)
            .ok()?;
        for line in 0..=LINES {
            let share = f64::from(line) / f64::from(LINES);
            let price = low + (high - low) * share;
            let ends = [(0.0, price), (count, price)].map(|end| chart.backend_coord(&end));
            area.draw(&PathElement::new(ends.to_vec(), GRID.stroke_width(1))).ok()?;
            let label = price_label(price, high - low);
            let style = label_style(HPos::Right, VPos::Center);
            area.draw(&Text::new(label, (ends[0].0 - 6, ends[0].1), style)).ok()?;
            let at = (candles.len() - 1) * usize::try_from(line).unwrap_or(0)
                / usize::try_from(LINES).unwrap_or(1);
            let x = chart.backend_coord(&(place(at) + 0.5, low));
            let time = time::of_day(candles.get(at)?.open_ms);
            let time = time.get(..5).unwrap_or_default().to_owned();
            let side = if line == LINES { HPos::Right } else { HPos::Center };
            area.draw(&Text::new(time, (x.0, x.1 + 6), label_style(side, VPos::Top))).ok()?;
        }
        for (at, candle) in candles.iter().enumerate() {
            let color = if candle.close >= candle.open { UP } else { DOWN };
            let x = place(at);
            let wick = vec![(x + 0.5, height(candle.low)), (x + 0.5, height(candle.high))];
            let body = [(x + 0.15, height(candle.open)), (x + 0.85, height(candle.close))];
            chart.draw_series([PathElement::new(wick, color.stroke_width(1))]).ok()?;
            chart.draw_series([Rectangle::new(body, color.filled())]).ok()?;
            let [open, close] = body.map(|end| chart.backend_coord(&end).1);
            if open == close {
                // A rectangle without height is not drawn.
                chart.draw_series([PathElement::new(body.to_vec(), color.stroke_width(1))]).ok()?;
            }
        }
        Some(())
    })?;
    Element { class: "plot", title, size: CANDLES, body: &body }.render().ok()
}

/// Draws a small line of prices, oldest first; `None` without any.
pub(super) fn spark(title: &str, prices: &[Decimal]) -> Option<String> {
    let (low, high) = range(prices.iter().copied())?;
    let body = draw(SPARK, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(2)
            .build_cartesian_2d(0.0..place(prices.len().max(2) - 1), low..high)
            .ok()?;
        let points = prices.iter().enumerate().map(|(at, price)| (place(at), height(*price)));
        chart
            .draw_series([PathElement::new(points.collect::<Vec<_>>(), LINE.stroke_width(2))])
            .ok()?;
        Some(())
    })?;
    Element { class: "spark", title, size: SPARK, body: &body }.render().ok()
}

/// The lowest and highest price, with a margin; `None` without any.
fn range(prices: impl Iterator<Item = Decimal>) -> Option<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for price in prices.map(height) {
        (low, high) = (low.min(price), high.max(price));
    }
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-6).max(1e-9);
    (low <= high).then_some((low - margin, high + margin))
}

/// Draws into an SVG of this size. Returns its content without the `svg` tags, in the colors of the page.
fn draw(
    size: (u32, u32),
    draw: impl FnOnce(
        &plotters::drawing::DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> Option<()>,
) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area)?;
        area.present().ok()?;
    }
    let inner = text.split_once('>')?.1.rsplit_once("</svg>")?.0;
    let colored = COLORS.iter().fold(inner.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(colored)
}

/// The style of a label, which is at this side of its position.
fn label_style(side: HPos, edge: VPos) -> TextStyle<'static> {
    let style: TextStyle<'_> = ("sans-serif", FONT).into_font().color(&INK);
    style.pos(Pos::new(side, edge))
}

/// A price with as many decimals as tell the lines of the grid apart.
fn price_label(price: f64, span: f64) -> String {
    let decimals = (0..9).find(|digits| span * 10_f64.powi(*digits) >= 20.0).unwrap_or(9);
    format!("{price:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// A number of candles or prices as a position on the axis of time.
fn place(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// A price as a position on the axis of prices.
fn height(price: Decimal) -> f64 {
    // The range of a float includes every decimal.
    price.to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candle_that_ends_at_its_first_price_has_a_line_across() {
        let price = Decimal::ONE_HUNDRED;
        let flat = Candle {
            open_ms: 0,
            open: price,
            high: price + Decimal::ONE,
            low: price - Decimal::ONE,
            close: price,
            volume: Decimal::ONE,
            turnover: price,
        };
        let plot = candles("flat", &[flat]).expect("a plot");
        let lines: Vec<_> = plot.match_indices("stroke=\"var(--up)\"").collect();
        assert_eq!(lines.len(), 2, "the wick and the line across: {plot}");
    }
}
