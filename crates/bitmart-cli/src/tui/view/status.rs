//! Draws the first and the last line.

use std::time::Instant;

use bitmart::Decimal;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::numbers::short;
use super::{DIM, DOWN, UP, side_style};
use crate::tui::model::{Model, State};

/// Environment, symbol, price and 24 h statistics.
pub(super) fn head(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let color = match model.environment.as_str() {
        "live" => Color::Red,
        "replay" => Color::Magenta,
        _ => Color::Blue,
    };
    let badge = Style::new().fg(Color::White).bg(color).add_modifier(Modifier::BOLD);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut spans = vec![
        Span::styled(format!(" {} ", model.environment.to_uppercase()), badge),
        Span::styled(format!(" {} ", model.symbol), bold),
    ];
    if let Some(ticker) = &model.ticker {
        let color = ticker.change.map_or(DIM, |change| side_style(change >= Decimal::ZERO));
        if let Some(last) = ticker.last {
            spans.push(Span::styled(last.to_string(), color.add_modifier(Modifier::BOLD)));
        }
        if let Some(change) = ticker.change {
            let percent = (change * Decimal::ONE_HUNDRED).round_dp(2);
            let sign = if change >= Decimal::ZERO { "+" } else { "" };
            spans.push(Span::styled(format!(" {sign}{percent} %"), color));
        }
        let mut day = Vec::new();
        if let (Some(high), Some(low)) = (ticker.high, ticker.low) {
            day.push(format!("24 h {low} to {high}"));
        }
        if let Some(mark) = ticker.mark {
            day.push(format!("mark {}", mark.round_dp(4).normalize()));
        }
        if let Some(volume) = ticker.volume {
            day.push(format!("volume {}", short(volume, 8)));
        }
        spans.push(Span::styled(format!("  {}", day.join("  ")), DIM));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The state of the connection, and the keys.
pub(super) fn foot(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Instant) {
    let (state, style) = match model.state() {
        State::Connecting => ("connecting".to_owned(), DIM),
        State::Open => ("connected".to_owned(), UP),
        State::Stale => ("no data for 15 s".to_owned(), DOWN),
        State::Lost(why) => (format!("lost: {why}"), DOWN),
    };
    let mut parts = Vec::new();
    if let Some(last) = model.last_received {
        let age = now.saturating_duration_since(last);
        parts.push(format!("data {}.{} s old", age.as_secs(), age.subsec_millis() / 100));
    }
    if let Some(time) = model.round_trip {
        parts.push(format!("round trip {} ms", time.as_millis()));
    }
    if model.resyncs > 0 {
        parts.push(format!("resyncs {}", model.resyncs));
    }
    if model.lagged > 0 {
        parts.push(format!("lagged {}", model.lagged));
    }
    let keys = "q tab ↓↑";
    let free = usize::from(area.width).saturating_sub(keys.chars().count() + 1);
    let rest = format!("  {}", parts.join("  "));
    // A long reason is cut, so that the counts fit.
    let max_state = free.saturating_sub(rest.chars().count() + 3);
    let state: String = state.chars().take(max_state).collect();
    let used = 2 + state.chars().count() + rest.chars().count();
    let gap = " ".repeat(usize::from(area.width).saturating_sub(used + keys.chars().count()));
    let line = Line::from(vec![
        Span::styled("● ", style),
        Span::styled(state, style),
        Span::raw(rest),
        Span::styled(format!("{gap}{keys}"), DIM),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}
