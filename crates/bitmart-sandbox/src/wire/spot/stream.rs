//! The pushes of spot channels. Push times are added later, so that unchanged values compare as equal.

use std::collections::BTreeMap;

use bitmart_sim::{Event, Exchange};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    market::{pushed_book_ticker, pushed_depth, pushed_kline, pushed_ticker, pushed_trade},
    rows::pushed_order,
    wallet::pushed_balances,
};
use crate::{generated::channels::SpotPublic as Id, wire::topic::Topic};

/// The current value of a channel that is pushed periodically.
pub(crate) fn value(channel: Id, exchange: &Exchange, topic: &Topic, now_ms: u64) -> Option<Value> {
    let market = exchange.spot_market(&topic.symbol)?;
    match channel {
        Id::Ticker => pushed_ticker(market, now_ms),
        Id::BookTicker => Some(pushed_book_ticker(market)),
        Id::Depth => Some(pushed_depth(market, topic.levels)),
        Id::Klines => pushed_kline(market, topic.minutes),
        Id::Trades | Id::DepthUpdates => None,
    }
}

/// The trades among the events by symbol, oldest first.
pub(crate) fn trades(exchange: &Exchange, events: &[Event]) -> BTreeMap<SmolStr, Vec<Value>> {
    let mut rows: BTreeMap<SmolStr, Vec<Value>> = BTreeMap::new();
    for event in events {
        if let Event::SpotTrade { symbol, trade: row } = event
            && let Some(market) = exchange.spot_market(symbol)
        {
            rows.entry(symbol.clone()).or_default().push(pushed_trade(symbol, row, market));
        }
    }
    rows
}

/// Adds the push time, if the channel has one.
pub(crate) fn stamp(channel: Id, fields: &mut Map<String, Value>, now_ms: u64) {
    match channel {
        Id::Ticker => {
            fields.insert("ms_t".to_owned(), now_ms.into());
            fields.insert("s_t".to_owned(), (now_ms / 1_000).into());
        }
        // The time is a string on this channel.
        Id::BookTicker => drop(fields.insert("ts".to_owned(), now_ms.to_string().into())),
        Id::Depth | Id::DepthUpdates => drop(fields.insert("ms_t".to_owned(), now_ms.into())),
        Id::Klines | Id::Trades => {}
    }
}

/// Renders an event for a private channel.
pub(crate) fn event_value(exchange: &Exchange, event: &Event, now_ms: u64) -> Option<Value> {
    match event {
        Event::SpotOrder { order, fill } => {
            let market = exchange.spot_market(&order.request.symbol)?;
            Some(pushed_order(order, fill.as_deref(), market))
        }
        Event::SpotBalance { account, reason, currencies } => {
            Some(pushed_balances(exchange, *account, *reason, currencies, now_ms))
        }
        _ => None,
    }
}
