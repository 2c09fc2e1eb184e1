//! Own orders, balances and positions.

use bitmart::Decimal;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};

use super::number::short;
use super::{QUIET, side};
use crate::tui::model::{Model, OwnOrder};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let account = match &model.account {
        Ok(account) => account,
        Err(why) => {
            let block = Block::bordered().border_style(QUIET).title(" account ");
            let inner = block.inner(area);
            frame.render_widget(block, area);
            frame.render_widget(Paragraph::new(why.clone()).style(QUIET), inner);
            return;
        }
    };
    let title = match account.orders.len() {
        0 => " account ".to_owned(),
        1 => " account, 1 order ".to_owned(),
        count => format!(" account, {count} orders "),
    };
    let block = Block::bordered().border_style(QUIET).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut lines = Vec::new();
    for (currency, free, bound) in &account.balances {
        let bound = match bound {
            Some(bound) if bound.is_zero() => String::new(),
            Some(bound) => format!(" +{}", short(*bound, 5)),
            None => " +?".to_owned(),
        };
        lines.push(Line::raw(format!("{currency:<5}{:>8}{bound}", short(*free, 8))));
    }
    for (direction, size, average) in &account.positions {
        let average = average.map(|price| format!("@{}", short(price, 9))).unwrap_or_default();
        lines.push(Line::styled(
            format!("{direction} {}{average}", short(*size, 7)),
            side(*direction == "long"),
        ));
    }
    // The ones next to the market are what room is left for.
    let room = usize::from(inner.height).saturating_sub(lines.len());
    let mut orders: Vec<&OwnOrder> = account.orders.iter().collect();
    orders.sort_by_key(|order| distance(model, order));
    orders.truncate(room);
    orders.sort_by_key(|order| std::cmp::Reverse(order.price));
    lines.extend(orders.into_iter().map(|order| {
        let at = order.price.map_or_else(|| "market".to_owned(), |price| price.to_string());
        let word = if order.buy { "buy" } else { "sell" };
        Line::styled(format!("{word} {}@{at}", short(order.left, 5)), side(order.buy))
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// How far an order is from the best price of its side.
fn distance(model: &Model, order: &OwnOrder) -> Decimal {
    let best = if order.buy { model.bids.first() } else { model.asks.first() };
    match (best, order.price) {
        (Some((best, _)), Some(price)) => (*best - price).abs(),
        _ => Decimal::ZERO,
    }
}
