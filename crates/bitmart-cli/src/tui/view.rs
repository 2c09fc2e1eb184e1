//! Draws the screen.

mod account;
mod ladder;
mod market;
mod numbers;
mod status;
#[cfg(test)]
mod tests;

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style};
use ratatui::widgets::Paragraph;

use super::model::Model;

/// Minimum columns and lines.
const MIN_SIZE: (u16, u16) = (60, 16);

const UP: Style = Style::new().fg(Color::Green);
const DOWN: Style = Style::new().fg(Color::Red);
const DIM: Style = Style::new().fg(Color::DarkGray);

/// The color of buys and sells.
fn side_style(buy: bool) -> Style {
    if buy { UP } else { DOWN }
}

/// Draws the screen.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, now: Instant) {
    let area = frame.area();
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        frame.render_widget(Paragraph::new("the terminal is too small: 60 x 16"), area);
        return;
    }
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    let ladder_width = (area.width * 2 / 5).clamp(34, 48);
    let [left, right] =
        Layout::horizontal([Constraint::Length(ladder_width), Constraint::Fill(1)]).areas(body);
    let [candles, lower] =
        Layout::vertical([Constraint::Percentage(55), Constraint::Fill(1)]).areas(right);
    let [trades, account] =
        Layout::horizontal([Constraint::Percentage(52), Constraint::Fill(1)]).areas(lower);
    status::head(frame, head, model);
    ladder::draw(frame, left, model);
    market::candles(frame, candles, model);
    market::trades(frame, trades, model);
    account::draw(frame, account, model);
    status::foot(frame, foot, model, now);
}
