//! The range of a plot, and how its numbers are written.

use bitmart::Decimal;

/// Approximate number of grid lines.
const LINES: f64 = 5.0;

/// The range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Distance of the grid lines.
    step: f64,
}

impl Frame {
    /// Chooses a range for these values. It includes zero if required, or if little resolution is lost.
    pub(super) fn fit(values: impl Iterator<Item = Decimal>, zero: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.map(pixel) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 0.0);
        }
        let is_near = |near: f64, far: f64| near > 0.0 && near < far * 0.6;
        if zero || is_near(low, high) || is_near(-high, -low) {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        let range = high - low;
        // Nearly equal levels are drawn as a flat line: the labels could not show their difference.
        let least = low.abs().max(high.abs()) * 0.001;
        let margin = if least > 0.0 { (range * 0.05).max(least) } else { 0.5 };
        let is_flat = range < least;
        if low != 0.0 || is_flat || least <= 0.0 {
            low -= margin;
        }
        if high != 0.0 || is_flat || least <= 0.0 {
            high += margin;
        }
        Self { low, high, step: step((high - low) / LINES) }
    }

    /// Positions of the grid lines.
    pub(super) fn lines(&self) -> Vec<f64> {
        let mut lines = Vec::new();
        let mut at = (self.low / self.step).ceil();
        // The count also ends the loop where adding a step to a large number changes nothing.
        while at * self.step <= self.high && lines.len() < 12 {
            lines.push(at * self.step);
            at += 1.0;
        }
        lines
    }

    /// Formats the label of a grid line: short, and different from its neighbors.
    pub(super) fn label(&self, value: f64) -> String {
        let most = self.low.abs().max(self.high.abs());
        let (unit, name) = [(1e9, "B"), (1e6, "M"), (1e3, "k")]
            .into_iter()
            .find(|(unit, _)| most >= unit * 10.0)
            .unwrap_or((1.0, ""));
        let step = self.step / unit;
        if step < 1e-5 {
            let text = format!("{value:.4e}");
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            return if value == 0.0 { "0".to_owned() } else { format!("{digits}e{power}") };
        }
        let digits = (0..9).find(|digits| step * 10_f64.powi(*digits) >= 0.999).unwrap_or(9);
        let text = format!("{:.*}", usize::try_from(digits).unwrap_or(0), value / unit);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
        match text.as_str() {
            "0" | "-0" => "0".to_owned(),
            // U+2212, which is as wide as a plus sign.
            text => text.replace('-', "−") + name,
        }
    }
}

/// The nearest of 1, 2 and 5 times a power of ten.
fn step(about: f64) -> f64 {
    let power = 10_f64.powf(about.log10().floor());
    let times = about / power;
    let nearest = [(1.5, 1.0), (3.5, 2.0), (7.5, 5.0)].into_iter().find(|(most, _)| times <= *most);
    nearest.map_or(10.0, |(_, step)| step) * power
}

/// Converts a value to a position.
pub(super) fn pixel(value: Decimal) -> f64 {
    // The range of a float includes every decimal.
    value.to_string().parse().unwrap_or(0.0)
}
