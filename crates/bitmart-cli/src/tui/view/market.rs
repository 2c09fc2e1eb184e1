//! Draws candles and trades.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::numbers::{price, short};
use super::{DIM, DOWN, UP, side_style};
use crate::chart::{Mark, grid};
use crate::tui::model::Model;

/// The time of day within a time as text: `2026-11-25T19:14:43.152Z`.
const CLOCK: std::ops::Range<usize> = 11..19;

pub(super) fn candles(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let length = match model.step {
        minutes if minutes < 60 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    };
    let block = Block::bordered().border_style(DIM).title(format!(" candles of {length} "));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let decimals = model.candles.iter().map(|candle| candle.close.scale()).max().unwrap_or(0);
    let named = model.candles.iter().flat_map(|candle| [candle.high, candle.low]);
    let label = named.map(|label| price(label, decimals).len()).max().unwrap_or(0);
    let columns = usize::from(inner.width).saturating_sub(label + 1);
    let shown = &model.candles[model.candles.len().saturating_sub(columns)..];
    let Some(lines) = grid(shown, u32::from(inner.height)) else {
        frame.render_widget(Paragraph::new("no candles yet").style(DIM), inner);
        return;
    };
    let high = shown.iter().map(|candle| candle.high).max().unwrap_or_default();
    let low = shown.iter().map(|candle| candle.low).min().unwrap_or_default();
    let count = lines.len();
    let rows = lines.iter().enumerate().map(|(at, marks)| {
        // A wick has the color of its candle.
        let mut spans: Vec<Span<'_>> = marks
            .iter()
            .zip(shown)
            .map(|(mark, candle)| {
                let style = if candle.close >= candle.open { UP } else { DOWN };
                let letter = if *mark == Mark::Fell { '█' } else { mark.letter() };
                Span::styled(letter.to_string(), style)
            })
            .collect();
        let label = match at {
            0 => Some(high),
            at if at + 1 == count => Some(low),
            _ => None,
        };
        if let Some(label) = label {
            let pad = " ".repeat(columns.saturating_sub(marks.len()) + 1);
            spans.push(Span::styled(format!("{pad}{}", price(label, decimals)), DIM));
        }
        Line::from(spans)
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), inner);
}

pub(super) fn trades(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let block = Block::bordered().border_style(DIM);
    let inner = block.inner(area);
    let decimals = model.trades.iter().map(|trade| trade.price.scale()).max().unwrap_or(0);
    let width = usize::from(inner.width);
    // With little space the hour is omitted first, then the time.
    let mut title = " trades ";
    let rows = model.trades.iter().take(usize::from(inner.height)).map(|trade| {
        let time = trade.time.to_string();
        let time = time.get(CLOCK).unwrap_or_default();
        let at = price(trade.price, decimals);
        let size = short(trade.size, width.saturating_sub(at.len() + 1).min(7));
        let free = width.saturating_sub(at.len() + size.len() + 2);
        let minutes = time.get(3..).unwrap_or_default();
        let clock =
            [time, minutes].into_iter().find(|clock| clock.len() <= free).unwrap_or_default();
        if clock == minutes {
            title = " trades, min:s ";
        }
        let gap = width.saturating_sub(clock.len() + at.len() + size.len() + 1);
        Line::from(vec![
            Span::styled(clock.to_owned(), DIM),
            Span::styled(
                format!(" {at}{}{size}", " ".repeat(gap)),
                trade.buy.map_or(DIM, side_style),
            ),
        ])
    });
    let rows = Paragraph::new(rows.collect::<Vec<_>>());
    frame.render_widget(block.title(title), area);
    frame.render_widget(rows, inner);
}
