//! Drawing with `plotters`: lines, marks and texts.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, DrawingArea, IntoDrawingArea as _,
    PathElement, RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, TextStyle};

use super::axis::{Frame, pixel};
use super::{MAX_SERIES, Mark, Plot, Ranking, Series};

const WIDTH: u32 = 440;
const HEIGHT: u32 = 240;
/// Height of a bar of a ranking with its margins.
const ROW_HEIGHT: u32 = 24;
/// Width of a vertical axis's labels.
const Y_LABELS_WIDTH: u32 = 58;
const X_LABELS_HEIGHT: u32 = 24;
const LEGEND_HEIGHT: u32 = 22;
/// Font size, chosen to stay legible when a phone scales the image down to 360 pixels. `plotters` writes 12.5 for it.
const FONT: f64 = 15.5;
/// Maximum number of characters of a name.
const MAX_NAME: usize = 13;
/// Maximum number of labels of a horizontal axis.
const MAX_LABELS: usize = 5;
/// Approximate width of a character in pixels.
const LETTER_WIDTH: usize = 8;
/// Width of a mark of the legend with its margins.
const LEGEND_MARK_WIDTH: usize = 30;

/// Placeholders for the colors of the page.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const SERIES: [RGBColor; MAX_SERIES] =
    [RGBColor(3, 3, 3), RGBColor(4, 4, 4), RGBColor(5, 5, 5), RGBColor(6, 6, 6)];
const COLORS: [(&str, &str); 2 + MAX_SERIES] = [
    ("\"#010101\"", "\"currentColor\""),
    ("\"#020202\"", "\"var(--plot-grid, #d0d7de)\""),
    ("\"#030303\"", "\"var(--plot-1, #1f5fbf)\""),
    ("\"#040404\"", "\"var(--plot-2, #b34700)\""),
    ("\"#050505\"", "\"var(--plot-3, #1a7f37)\""),
    ("\"#060606\"", "\"var(--plot-4, #7d3fbf)\""),
];

type Backend<'a> = SVGBackend<'a>;
type Area<'a> = DrawingArea<Backend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, Backend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Option<()>;

pub(super) fn size() -> (u32, u32) {
    (WIDTH, HEIGHT)
}

pub(super) fn ranking_size(bars: usize) -> (u32, u32) {
    (
        WIDTH,
        u32::try_from(bars).unwrap_or(u32::MAX / ROW_HEIGHT).saturating_mul(ROW_HEIGHT)
            + X_LABELS_HEIGHT
            + 8,
    )
}

pub(super) fn plot(plot: &Plot, frame: &Frame) -> Option<String> {
    let series = &plot.series[..plot.series.len().min(MAX_SERIES)];
    render((WIDTH, HEIGHT), |area| {
        let has_legend = series.len() > 1;
        if has_legend {
            legend(area, series)?;
        }
        let mut chart = ChartBuilder::on(area)
            .margin_top(if has_legend { LEGEND_HEIGHT } else { 8 })
            .margin_right(12)
            .x_label_area_size(X_LABELS_HEIGHT)
            .y_label_area_size(Y_LABELS_WIDTH)
            .build_cartesian_2d(0.0..float(plot.labels.len().max(1)), frame.low..frame.high)
            .ok()?;
        grid(&chart, area, frame)?;
        labels(&chart, area, plot, frame)?;
        let bars = series.iter().filter(|series| series.mark == Mark::Bars).count();
        let share = bars_per_point(series, bars);
        let mut bar = 0;
        for (one, color) in series.iter().zip(SERIES) {
            match one.mark {
                Mark::Bars => {
                    draw_bars(&mut chart, one, color, share.map(|of| (bar, of)))?;
                    bar += 1;
                }
                Mark::Steps => draw_steps(&mut chart, one, color)?,
                Mark::Dots => draw_dots(&mut chart, one, color)?,
            }
        }
        Some(())
    })
}

pub(super) fn ranking(ranking: &Ranking, frame: &Frame) -> Option<String> {
    let size = ranking_size(ranking.bars.len());
    render(size, |area| {
        let rows = float(ranking.bars.len());
        let mut chart = ChartBuilder::on(area)
            .margin_right(16)
            .margin_top(4)
            .x_label_area_size(X_LABELS_HEIGHT)
            .y_label_area_size(Y_LABELS_WIDTH * 2)
            .build_cartesian_2d(frame.low..frame.high, 0.0..rows)
            .ok()?;
        for line in frame.lines() {
            let ends = [(line, 0.0), (line, rows)].map(|end| chart.backend_coord(&end));
            area.draw(&PathElement::new(ends.to_vec(), GRID.stroke_width(1))).ok()?;
            let style = text(HPos::Center, VPos::Top);
            area.draw(&Text::new(frame.label(line), (ends[0].0, ends[0].1 + 5), style)).ok()?;
        }
        for (row, (name, value)) in ranking.bars.iter().enumerate() {
            let from_top = rows - float(row);
            let corners = [(0.0, from_top - 0.85), (pixel(*value), from_top - 0.15)];
            chart.draw_series([Rectangle::new(corners, SERIES[0].filled())]).ok()?;
            let middle = chart.backend_coord(&(frame.low, from_top - 0.5));
            let style = text(HPos::Right, VPos::Center);
            area.draw(&Text::new(short(name), (middle.0 - 6, middle.1), style)).ok()?;
        }
        Some(())
    })
}

/// Draws, and returns the contents of the `svg` element, with the colors of the page.
fn render(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area)?;
        area.present().ok()?;
    }
    // The template adds the element again.
    let body = text.split_once('>')?.1.trim().strip_suffix("</svg>")?;
    let body = body.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "");
    let color = |body: String, (from, to): &(&str, &str)| body.replace(from, to);
    Some(COLORS.iter().fold(body, color))
}

/// Draws the grid lines and their labels.
fn grid(chart: &Chart<'_, '_>, area: &Area<'_>, frame: &Frame) -> Drawn {
    let wide = chart.plotting_area().get_x_range().end;
    for line in frame.lines() {
        let ends = [(0.0, line), (wide, line)].map(|end| chart.backend_coord(&end));
        let color = if line == 0.0 { INK } else { GRID };
        area.draw(&PathElement::new(ends.to_vec(), color.stroke_width(1))).ok()?;
        let style = text(HPos::Right, VPos::Center);
        area.draw(&Text::new(frame.label(line), (ends[0].0 - 6, ends[0].1), style)).ok()?;
    }
    Some(())
}

/// Draws the names of some points, always including the first and the last.
fn labels(chart: &Chart<'_, '_>, area: &Area<'_>, plot: &Plot, frame: &Frame) -> Drawn {
    let last = plot.labels.len().saturating_sub(1);
    let longest = plot.labels.iter().map(|label| label.chars().count().min(MAX_NAME)).max();
    let wide = (longest.unwrap_or(1) + 2) * LETTER_WIDTH;
    let room = usize::try_from(WIDTH - Y_LABELS_WIDTH).unwrap_or(MAX_LABELS) / wide;
    let shown = MAX_LABELS.min(last + 1).min(room.max(1));
    for slot in 0..shown {
        let at = if shown > 1 { slot * last / (shown - 1) } else { 0 };
        let Some(label) = plot.labels.get(at) else { continue };
        let place = chart.backend_coord(&(float(at) + 0.5, frame.low));
        let side = match slot {
            _ if shown == 1 => HPos::Center,
            0 if at == 0 && last > 8 => HPos::Left,
            _ if at == last && last > 8 => HPos::Right,
            _ => HPos::Center,
        };
        let style = text(side, VPos::Top);
        area.draw(&Text::new(short(label), (place.0, place.1 + 6), style)).ok()?;
    }
    Some(())
}

/// Draws the names of the series in one row, shortened so that all fit.
fn legend(area: &Area<'_>, series: &[Series]) -> Drawn {
    let mut left = i32::try_from(Y_LABELS_WIDTH).unwrap_or_default();
    let room = usize::try_from(WIDTH - Y_LABELS_WIDTH).unwrap_or_default();
    let width = |name: &str| LEGEND_MARK_WIDTH + name.chars().count() * LETTER_WIDTH;
    let fits = |most: &usize| {
        series.iter().map(|one| width(&shortened(&one.name, *most))).sum::<usize>() <= room
    };
    let most = (1..=MAX_NAME).rev().find(fits).unwrap_or(1);
    for (one, color) in series.iter().zip(SERIES) {
        let swatch = [(left, 5), (left + 10, 15)];
        match one.mark {
            Mark::Dots => area.draw(&Circle::new((left + 5, 10), 4, color.filled())).ok()?,
            Mark::Steps => {
                let line = vec![(left, 10), (left + 10, 10)];
                area.draw(&PathElement::new(line, color.stroke_width(3))).ok()?;
            }
            Mark::Bars => area.draw(&Rectangle::new(swatch, color.filled())).ok()?,
        }
        let name = shortened(&one.name, most);
        let style = text(HPos::Left, VPos::Center);
        area.draw(&Text::new(name.clone(), (left + 15, 10), style)).ok()?;
        left += i32::try_from(width(&name)).unwrap_or_default();
    }
    Some(())
}

/// Number of bars beside each other at a point; `None` if the bars of different series do not overlap.
fn bars_per_point(series: &[Series], bars: usize) -> Option<usize> {
    let signs = |series: &Series| {
        let values = || series.values.iter().flatten();
        (
            values().any(|value| value.is_sign_positive() && !value.is_zero()),
            values().any(|value| value.is_sign_negative() && !value.is_zero()),
        )
    };
    let signs: Vec<_> =
        series.iter().filter(|series| series.mark == Mark::Bars).map(signs).collect();
    let ups = signs.iter().filter(|(up, _)| *up).count();
    let downs = signs.iter().filter(|(_, down)| *down).count();
    (ups > 1 || downs > 1).then_some(bars)
}

fn draw_bars(
    chart: &mut Chart<'_, '_>,
    series: &Series,
    color: RGBColor,
    share: Option<(usize, usize)>,
) -> Drawn {
    let (nth, of) = share.unwrap_or((0, 1));
    // A single bar does not fill the plot.
    let all = 0.8_f64.min(0.2 * float(series.values.len()));
    let width = all / float(of);
    let bars = series.values.iter().enumerate().filter_map(|(at, value)| {
        let value = pixel((*value)?);
        let left = float(at) + (1.0 - all) / 2.0 + width * float(nth);
        (value != 0.0)
            .then(|| Rectangle::new([(left, 0.0), (left + width * 0.94, value)], color.filled()))
    });
    chart.draw_series(bars).ok().map(drop)
}

/// Draws a line for each run of points with values.
fn draw_steps(chart: &mut Chart<'_, '_>, series: &Series, color: RGBColor) -> Drawn {
    let mut lines: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (at, value) in series.values.iter().enumerate() {
        match (value, lines.last_mut()) {
            (Some(value), Some(line)) => {
                line.extend([(float(at), pixel(*value)), (float(at + 1), pixel(*value))]);
            }
            _ => lines.push(Vec::new()),
        }
    }
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    let lines = lines.map(|line| PathElement::new(line, color.stroke_width(2)));
    chart.draw_series(lines).ok().map(drop)
}

fn draw_dots(chart: &mut Chart<'_, '_>, series: &Series, color: RGBColor) -> Drawn {
    let dots = series.values.iter().enumerate().filter_map(|(at, value)| {
        let within = series.within.get(at).map_or(0.5, |part| f64::from(*part) / 1_000.0);
        Some(Circle::new((float(at) + within, pixel((*value)?)), 3, color.filled()))
    });
    chart.draw_series(dots).ok().map(drop)
}

fn text(side: HPos, height: VPos) -> TextStyle<'static> {
    let style: TextStyle<'_> = ("sans-serif", FONT).into_font().color(&INK);
    style.pos(Pos::new(side, height))
}

/// Shortens a name.
fn short(name: &str) -> String {
    shortened(name, MAX_NAME)
}

/// Shortens a name to so many characters, at least one.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
