//! Draws the order book as a ladder: asks above the spread, bids below, with a bar for the cumulative size.

use bitmart::Decimal;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::numbers::{price, short};
use super::{DIM, side_style};
use crate::tui::model::{Level, Model};

const BUY_BAR: Color = Color::Rgb(12, 56, 28);
const SELL_BAR: Color = Color::Rgb(72, 20, 24);

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let title = match (model.is_synchronized, model.offset) {
        (false, _) => " book: waiting for a snapshot ".to_owned(),
        (true, 0) => " book: price, size, sum ".to_owned(),
        (true, away) => format!(" book, {away} levels away "),
    };
    let block = Block::bordered().border_style(DIM).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    // The spread takes one line, and each side half of the rest.
    let others = usize::from(inner.height.saturating_sub(1));
    let rows = others / 2;
    let decimals = model.bids.iter().chain(&model.asks).map(|level| level.0.scale()).max();
    let decimals = decimals.unwrap_or(0);
    let asks = rungs(&model.asks, model.offset, rows);
    let bids = rungs(&model.bids, model.offset, others - rows);
    let deepest = asks.iter().chain(&bids).map(|rung| rung.sum).max().unwrap_or_default();
    let line = |rung: &Rung, buy: bool| {
        let own = model.account.as_ref().is_ok_and(|account| {
            account.orders.iter().any(|order| order.buy == buy && order.price == Some(rung.price))
        });
        rung.line(usize::from(inner.width), decimals, deepest, buy, own)
    };
    let blank = |known: usize| std::iter::repeat_n(Line::default(), rows.saturating_sub(known));
    let mut lines: Vec<Line<'_>> = blank(asks.len()).collect();
    lines.extend(asks.iter().rev().map(|rung| line(rung, false)));
    lines.push(middle(model, decimals));
    lines.extend(bids.iter().map(|rung| line(rung, true)));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// A level with the cumulative size up to it.
struct Rung {
    price: Decimal,
    size: Decimal,
    sum: Decimal,
}

fn rungs(levels: &[Level], offset: usize, rows: usize) -> Vec<Rung> {
    let mut sum = Decimal::ZERO;
    let rung = |(price, size): &Level| {
        sum = sum.saturating_add(*size);
        Rung { price: *price, size: *size, sum }
    };
    levels.iter().map(rung).skip(offset).take(rows).collect()
}

impl Rung {
    /// A line such as `•  60012.08   0.00656   0.01284`, with the bar from the right behind it.
    fn line(
        &self,
        width: usize,
        decimals: u32,
        deepest: Decimal,
        buy: bool,
        own: bool,
    ) -> Line<'static> {
        let text = format!(
            "{} {:>12} {:>8} {:>8}",
            if own { '•' } else { ' ' },
            price(self.price, decimals),
            short(self.size, 8),
            short(self.sum, 8),
        );
        let text = format!("{text:<width$}");
        let share = self.sum.checked_div(deepest).unwrap_or_default();
        let bar = (share * Decimal::from(width)).round().try_into().unwrap_or(0_usize);
        let at = text.char_indices().nth(width.saturating_sub(bar)).map_or(0, |(at, _)| at);
        let (free, covered) = text.split_at(at);
        let mut style = side_style(buy);
        if own {
            style = style.add_modifier(Modifier::BOLD);
        }
        let behind = Style::new().bg(if buy { BUY_BAR } else { SELL_BAR });
        Line::from(vec![
            Span::styled(free.to_owned(), style),
            Span::styled(covered.to_owned(), style.patch(behind)),
        ])
    }
}

fn middle(model: &Model, decimals: u32) -> Line<'static> {
    let Some(spread) = model.spread() else {
        return Line::styled("  no spread", DIM);
    };
    let middle = model.bids.first().map_or(Decimal::ZERO, |level| level.0);
    let basis = spread
        .checked_mul(Decimal::from(10_000))
        .and_then(|spread| spread.checked_div(middle))
        .map(|points| format!(" ({} bp)", points.round_dp(3).normalize()))
        .unwrap_or_default();
    Line::styled(format!("  spread {}{basis}", price(spread, decimals)), DIM)
}
