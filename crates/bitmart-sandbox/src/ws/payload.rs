//! Which payload belongs to which channel and event, and how often sampled channels are pushed.

use std::collections::BTreeMap;

use serde_json::Value;
use smol_str::SmolStr;

use super::{
    plan::futures_plan,
    render, render_account,
    topic::{Channel, Topic},
};
use crate::exchange::{Event, Exchange, book::Side};

/// Beats between two pushes of a channel that is sampled.
pub(super) fn pace(channel: &Channel, futures_books: u64) -> Option<u64> {
    Some(match channel {
        Channel::SpotBookTicker => 1,
        Channel::SpotTicker | Channel::SpotDepth(_) | Channel::SpotKline(_) => 5,
        Channel::FuturesTicker | Channel::FuturesKline(_) | Channel::FuturesMarkKline(_) => 10,
        Channel::FuturesDepth(_) | Channel::FuturesDepthAll(_) | Channel::FuturesBookTicker => {
            futures_books
        }
        Channel::FuturesFundingRate => 600,
        _ => return None,
    })
}

/// The present value of a sampled channel: one payload, or one per side of the book.
pub(super) fn sampled(exchange: &Exchange, topic: &Topic, now_ms: u64) -> Vec<Value> {
    let spot = || exchange.spot.get(&topic.symbol);
    let futures = || exchange.futures.get(&topic.symbol);
    let one = || match &topic.channel {
        Channel::SpotTicker => render::spot_ticker(spot()?, now_ms),
        Channel::SpotBookTicker => Some(render::spot_book_ticker(spot()?)),
        Channel::SpotDepth(depth) => Some(render::spot_depth(spot()?, *depth)),
        Channel::SpotKline(minutes) => render::spot_kline(spot()?, *minutes),
        Channel::FuturesTicker => Some(render::futures_ticker(futures()?, now_ms)),
        Channel::FuturesKline(minutes) => {
            futures().and_then(|market| render::futures_kline(market, &market.tape, *minutes))
        }
        Channel::FuturesMarkKline(minutes) => {
            futures().and_then(|market| render::futures_kline(market, &market.mark.tape, *minutes))
        }
        Channel::FuturesDepthAll(depth) => Some(render::futures_depth_all(futures()?, *depth)),
        Channel::FuturesBookTicker => Some(render::futures_book_ticker(futures()?)),
        Channel::FuturesFundingRate => Some(render::futures_funding(futures()?, now_ms)),
        _ => None,
    };
    match (&topic.channel, futures()) {
        (Channel::FuturesDepth(depth), Some(market)) => {
            [Side::Buy, Side::Sell].map(|side| render::futures_depth(market, side, *depth)).into()
        }
        _ => one().into_iter().collect(),
    }
}

/// The trades among the events as one frame a symbol: from oldest to newest on spot, from newest to
/// oldest on futures (seen by other clients).
pub(super) fn trades(exchange: &Exchange, events: &[Event]) -> Vec<(Channel, SmolStr, Value)> {
    let mut rows: BTreeMap<(Channel, SmolStr), Vec<Value>> = BTreeMap::new();
    for event in events {
        match event {
            Event::SpotTrade { symbol, trade } => {
                let Some(market) = exchange.spot.get(symbol) else { continue };
                let row = render::spot_trade(symbol, trade, market);
                rows.entry((Channel::SpotTrade, symbol.clone())).or_default().push(row);
            }
            Event::FuturesTrade { symbol, trade } => {
                let row = render::futures_trade(symbol, trade);
                rows.entry((Channel::FuturesTrade, symbol.clone())).or_default().insert(0, row);
            }
            _ => {}
        }
    }
    rows.into_iter().map(|((channel, symbol), rows)| (channel, symbol, rows.into())).collect()
}

pub(super) fn event_payload(exchange: &Exchange, event: &Event, now_ms: u64) -> Option<Value> {
    match event {
        Event::SpotOrder { order, fill } => Some(render::spot_order(
            order,
            fill.as_deref(),
            exchange.spot.get(&order.request.symbol)?,
        )),
        Event::SpotBalance { account, reason, currencies } => {
            Some(render::spot_balance(exchange, *account, *reason, currencies, now_ms))
        }
        Event::SpotTrade { .. } | Event::FuturesTrade { .. } => None,
        Event::FuturesOrder { order, action, fill } => {
            let market = exchange.futures.get(&order.request.symbol)?;
            Some(render_account::futures_order(order, *action, fill.as_deref(), market))
        }
        Event::FuturesPlan { plan, action } => Some(futures_plan(exchange, plan, *action)),
        Event::FuturesAsset { account, currency } => {
            render_account::futures_asset(exchange, *account, currency)
        }
        Event::FuturesPosition { account, symbol, long } => {
            let row = render_account::futures_position(exchange, *account, symbol, *long)?;
            Some(vec![row].into())
        }
    }
}

/// Adds the push time to the channels that carry one.
pub(super) fn stamp(channel: &Channel, value: &mut Value, now_ms: u64) {
    let Some(fields) = value.as_object_mut() else { return };
    match channel {
        Channel::SpotTicker => {
            fields.insert("ms_t".to_owned(), now_ms.into());
            fields.insert("s_t".to_owned(), (now_ms / 1_000).into());
        }
        // A text on this channel.
        Channel::SpotBookTicker => {
            fields.insert("ts".to_owned(), now_ms.to_string().into());
        }
        Channel::SpotDepth(_)
        | Channel::SpotIncrease
        | Channel::FuturesDepth(_)
        | Channel::FuturesDepthAll(_)
        | Channel::FuturesIncrease(_)
        | Channel::FuturesBookTicker => {
            fields.insert("ms_t".to_owned(), now_ms.into());
        }
        _ => {}
    }
}
