//! Draws own orders, balances and positions.

use bitmart::Decimal;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};

use super::numbers::short;
use super::{DIM, side_style};
use crate::tui::model::{Model, OwnOrder};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let account = match &model.account {
        Ok(account) => account,
        Err(why) => {
            let block = Block::bordered().border_style(DIM).title(" account ");
            let inner = block.inner(area);
            frame.render_widget(block, area);
            frame.render_widget(Paragraph::new(why.clone()).style(DIM), inner);
            return;
        }
    };
    let title = match account.orders.len() {
        0 => " account ".to_owned(),
        1 => " account, 1 order ".to_owned(),
        count => format!(" account, {count} orders "),
    };
    let block = Block::bordered().border_style(DIM).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut lines = Vec::new();
    for (currency, available, frozen) in &account.balances {
        let frozen = match frozen {
            Some(frozen) if frozen.is_zero() => String::new(),
            Some(frozen) => format!(" +{}", short(*frozen, 5)),
            None => " +?".to_owned(),
        };
        lines.push(Line::raw(format!("{currency:<5}{:>8}{frozen}", short(*available, 8))));
    }
    for (direction, size, average) in &account.positions {
        let average = average.map(|price| format!("@{}", short(price, 9))).unwrap_or_default();
        lines.push(Line::styled(
            format!("{direction} {}{average}", short(*size, 7)),
            side_style(*direction == "long"),
        ));
    }
    // Orders nearest to the market take precedence.
    let free_lines = usize::from(inner.height).saturating_sub(lines.len());
    let mut orders: Vec<&OwnOrder> = account.orders.iter().collect();
    orders.sort_by_key(|order| distance(model, order));
    orders.truncate(free_lines);
    orders.sort_by_key(|order| std::cmp::Reverse(order.price));
    lines.extend(orders.into_iter().map(|order| {
        let price = order.price.map_or_else(|| "market".to_owned(), |price| price.to_string());
        let side = if order.buy { "buy" } else { "sell" };
        Line::styled(format!("{side} {}@{price}", short(order.left, 5)), side_style(order.buy))
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The distance of an order from the best price of its side.
fn distance(model: &Model, order: &OwnOrder) -> Decimal {
    let best = if order.buy { model.bids.first() } else { model.asks.first() };
    match (best, order.price) {
        (Some((best, _)), Some(price)) => (*best - price).abs(),
        _ => Decimal::ZERO,
    }
}
