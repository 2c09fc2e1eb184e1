//! Plots as SVG: bars for comparisons, and lines with logarithmic axes for growth.
#![expect(clippy::float_arithmetic, reason = "pixels, not amounts")]
#![expect(clippy::cast_precision_loss, reason = "a pixel is far coarser than the mantissa")]

use std::fmt::Write as _;

use crate::stats::Spread;

/// Distinguishable for everyone, and on white and on dark backgrounds.
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const STYLE: &str =
    "<style>text{font:13px sans-serif;fill:#888}.t{font-weight:bold}.a{stroke:#8888}</style>\n";

/// A bar with its quartiles and the text behind it.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: Spread,
    pub(crate) text: String,
}

/// Horizontal bars from the value of the first one, which is a vertical line, to their own, on a logarithmic axis:
/// twice as much is as long as half as much. The quartiles are a thin line.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    const LEFT: f64 = 190.0;
    const WIDTH: f64 = 360.0;
    let log = |value: u64| (value.max(1) as f64).ln();
    let all = || bars.iter().flat_map(|bar| [bar.value.low, bar.value.median, bar.value.high]);
    let (least, most) = (log(all().min().unwrap_or(1)), log(all().max().unwrap_or(1)));
    let room = (most - least).max(0.1);
    let x = |value: u64| LEFT + WIDTH * (log(value) - least) / room;
    let base = bars.first().map_or(LEFT, |bar| x(bar.value.median));
    let height = 40 + 26 * bars.len();
    let mut svg = head(720, height, title);
    for (row, bar) in bars.iter().enumerate() {
        let y = 36 + 26 * row;
        let (end, low, high) = (x(bar.value.median), x(bar.value.low), x(bar.value.high));
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" fill=\"#999999\"/>\n\
             <line class=\"a\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{}\" y2=\"{}\" stroke-width=\"3\"/>\n\
             <text x=\"{:.1}\" y=\"{}\">{}</text>\n",
            LEFT - 8.0,
            y + 14,
            escaped(&bar.name),
            end.min(base),
            (end - base).abs(),
            y + 9,
            y + 9,
            high.max(end).max(base) + 6.0,
            y + 14,
            escaped(&bar.text),
        );
    }
    let _ = writeln!(
        svg,
        "<line x1=\"{base:.1}\" x2=\"{base:.1}\" y1=\"30\" y2=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>",
        height - 4,
        COLORS[0]
    );
    svg + "</svg>\n"
}

/// A line: its name and its points.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(u64, u64)>,
}

/// Lines over logarithmic axes. A constant cost for each unit is a level line; `format` writes the values of the
/// vertical axis.
pub(crate) fn lines(title: &str, below: &str, lines: &[Line], format: fn(u64) -> String) -> String {
    const LEFT: f64 = 80.0;
    const TOP: f64 = 34.0;
    const WIDTH: f64 = 440.0;
    const HEIGHT: f64 = 200.0;
    let points = || lines.iter().flat_map(|line| &line.points);
    let (left, right) = decades(points().map(|point| point.0));
    let (low, high) = decades(points().map(|point| point.1));
    let place = |value: u64, (from, to): (u32, u32)| {
        let log = (value.max(1) as f64).log10();
        (log - f64::from(from)) / f64::from(to - from)
    };
    let x = |value: u64| LEFT + WIDTH * place(value, (left, right));
    let y = |value: u64| TOP + HEIGHT * (1.0 - place(value, (low, high)));
    let mut svg = head(720, 280, title);
    for decade in left..=right {
        let at = x(10_u64.pow(decade));
        let _ = write!(
            svg,
            "<line class=\"a\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{}\" stroke-width=\"1\"/>\n\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            TOP + HEIGHT,
            TOP + HEIGHT + 16.0,
            crate::stats::grouped(10_u64.pow(decade)),
        );
    }
    for decade in low..=high {
        let at = y(10_u64.pow(decade));
        let _ = write!(
            svg,
            "<line class=\"a\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke-width=\"1\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT + WIDTH,
            LEFT - 6.0,
            at + 4.0,
            escaped(&format(10_u64.pow(decade))),
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        let path: Vec<String> =
            line.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n\
             <text x=\"{}\" y=\"{}\" style=\"fill:{color}\">{}</text>\n",
            path.join(" "),
            LEFT + WIDTH + 12.0,
            48 + 20 * number,
            escaped(&line.name),
        );
    }
    let (middle, bottom) = (LEFT + WIDTH / 2.0, TOP + HEIGHT + 36.0);
    let _ = write!(
        svg,
        "<text x=\"{middle}\" y=\"{bottom}\" text-anchor=\"middle\">{}</text>\n</svg>\n",
        escaped(below)
    );
    svg
}

/// The powers of ten around the values: at least one decade.
fn decades(values: impl Iterator<Item = u64> + Clone) -> (u32, u32) {
    let least = values.clone().min().unwrap_or(1).max(1).ilog10();
    let most = values.max().unwrap_or(1).max(1);
    let most = most.ilog10() + u32::from(!is_power(most));
    (least, most.max(least + 1))
}

fn is_power(value: u64) -> bool {
    value == 10_u64.pow(value.ilog10())
}

fn head(width: usize, height: usize, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{title}</title>\n{STYLE}<text class=\"t\" x=\"8\" y=\"18\">{title}</text>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, median: u64) -> Bar {
        let value = Spread { low: median, median, high: median };
        Bar { name: name.to_owned(), value, text: median.to_string() }
    }

    #[test]
    fn twice_as_much_is_as_long_as_half_as_much() {
        let svg = bars("T", &[bar("ours", 100), bar("slower", 200), bar("faster", 50)]);
        assert!(svg.contains("<rect x=\"370.0\" y=\"62\" width=\"180.0\""), "to the right: {svg}");
        assert!(svg.contains("<rect x=\"190.0\" y=\"88\" width=\"180.0\""), "to the left: {svg}");
        assert!(svg.contains("width=\"0.0\""), "ours is the line itself: {svg}");
    }

    #[test]
    fn names_cannot_break_the_markup() {
        let svg = bars("a < b & c", &[bar("<x>", 1)]);
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains("&lt;x&gt;"), "{svg}");
        assert!(!svg.contains("<x>"), "{svg}");
    }

    #[test]
    fn equal_costs_give_a_level_line_across_the_whole_plot() {
        let line = Line { name: "n".to_owned(), points: vec![(10, 50), (100, 50), (1_000, 50)] };
        let svg = lines("T", "units", &[line], |value| value.to_string());
        let points = svg.split("points=\"").nth(1).and_then(|rest| rest.split('"').next());
        let points: Vec<(&str, &str)> =
            points.expect("a line").split(' ').filter_map(|point| point.split_once(',')).collect();
        assert_eq!(
            points.iter().map(|point| point.0).collect::<Vec<_>>(),
            ["80.0", "300.0", "520.0"]
        );
        assert!(points.iter().all(|point| point.1 == points[0].1), "{points:?}");
    }

    #[test]
    fn axes_end_at_powers_of_ten() {
        assert_eq!(decades([10, 2_300].into_iter()), (1, 4));
        assert_eq!(decades([100, 1_000].into_iter()), (2, 3));
        assert_eq!(decades([5, 5].into_iter()), (0, 1));
    }
}
