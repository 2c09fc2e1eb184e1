//! The public channels of spot: when they are pushed, and what. Push times are added last, so that a value
//! that has not changed can be recognised.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    depth::{DepthView, Level},
    schedule::Schedule,
    topic::Topic,
};
use crate::{
    exchange::{Event, Exchange, SpotMarket, book::Side, tape::PublicTrade},
    generated::channels::SpotPublic as Id,
    wire::decimal::{fixed, ratio},
};

/// When a channel is pushed.
pub(super) fn schedule(channel: Id) -> Schedule {
    match channel {
        Id::Trades => Schedule::Trades,
        Id::DepthIncrease => Schedule::Book,
        Id::BookTicker => Schedule::Changes { beats: 1, has_first: false },
        Id::Ticker | Id::Depth | Id::Klines => Schedule::Changes { beats: 5, has_first: true },
    }
}

/// The present value of a channel that is pushed by the clock.
pub(super) fn value(channel: Id, exchange: &Exchange, topic: &Topic, now_ms: u64) -> Option<Value> {
    let market = exchange.spot.get(&topic.symbol)?;
    match channel {
        Id::Ticker => ticker(market, now_ms),
        Id::BookTicker => Some(book_ticker(market)),
        Id::Depth => Some(depth(market, topic.levels)),
        Id::Klines => kline(market, topic.minutes),
        Id::Trades | Id::DepthIncrease => None,
    }
}

/// The trades among the events by symbol, oldest first.
pub(super) fn trades(exchange: &Exchange, events: &[Event]) -> BTreeMap<SmolStr, Vec<Value>> {
    let mut rows: BTreeMap<SmolStr, Vec<Value>> = BTreeMap::new();
    for event in events {
        if let Event::SpotTrade { symbol, trade: row } = event
            && let Some(market) = exchange.spot.get(symbol)
        {
            rows.entry(symbol.clone()).or_default().push(trade(symbol, row, market));
        }
    }
    rows
}

/// Adds the time of the push to the channels that have one.
pub(super) fn stamp(channel: Id, fields: &mut Map<String, Value>, now_ms: u64) {
    match channel {
        Id::Ticker => {
            fields.insert("ms_t".to_owned(), now_ms.into());
            fields.insert("s_t".to_owned(), (now_ms / 1_000).into());
        }
        // A text on this channel.
        Id::BookTicker => drop(fields.insert("ts".to_owned(), now_ms.to_string().into())),
        Id::Depth | Id::DepthIncrease => drop(fields.insert("ms_t".to_owned(), now_ms.into())),
        Id::Klines | Id::Trades => {}
    }
}

fn ticker(market: &SpotMarket, now_ms: u64) -> Option<Value> {
    let day = market.tape.day(now_ms)?;
    let rules = &market.rules;
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (bid, bid_size) = market.book.best_bid().unwrap_or_default();
    let (ask, ask_size) = market.book.best_ask().unwrap_or_default();
    Some(json!({
        "symbol": rules.symbol.as_str(),
        "last_price": price(day.close),
        "high_24h": price(day.high),
        "low_24h": price(day.low),
        "open_24h": price(day.open),
        "base_volume_24h": size(day.volume),
        "quote_volume_24h": fixed(day.turnover, 2),
        "fluctuation": ratio(day.open, day.close),
        "bid_px": price(bid),
        "bid_sz": size(bid_size),
        "ask_px": price(ask),
        "ask_sz": size(ask_size),
    }))
}

fn book_ticker(market: &SpotMarket) -> Value {
    let rules = &market.rules;
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (bid, bid_size) = market.book.best_bid().unwrap_or_default();
    let (ask, ask_size) = market.book.best_ask().unwrap_or_default();
    json!({
        "symbol": rules.symbol.as_str(),
        "bid_px": price(bid),
        "bid_sz": size(bid_size),
        "ask_px": price(ask),
        "ask_sz": size(ask_size),
    })
}

fn trade(symbol: &SmolStr, trade: &PublicTrade, market: &SpotMarket) -> Value {
    json!({
        "symbol": symbol.as_str(),
        "price": fixed(trade.price, market.rules.price_decimals),
        "side": trade.side.word(),
        "size": fixed(trade.size, market.rules.size_decimals),
        "s_t": trade.time_ms / 1_000,
        "ms_t": trade.time_ms,
    })
}

fn levels(levels: &[Level], market: &SpotMarket) -> Value {
    let rules = &market.rules;
    let size = |size: Decimal| {
        if size.is_zero() { "0".to_owned() } else { fixed(size, rules.size_decimals) }
    };
    levels
        .iter()
        .map(|(price, open)| json!([fixed(*price, rules.price_decimals), size(*open)]))
        .collect()
}

fn depth(market: &SpotMarket, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": levels(&market.book.levels(Side::Sell, depth), market),
        "bids": levels(&market.book.levels(Side::Buy, depth), market),
    })
}

pub(super) fn book(market: &SpotMarket, view: &DepthView, version: u64, snapshot: bool) -> Value {
    let (asks, bids) =
        if snapshot { (&view.asks, &view.bids) } else { (&view.changed_asks, &view.changed_bids) };
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": levels(asks, market),
        "bids": levels(bids, market),
        "version": version,
        "type": if snapshot { "snapshot" } else { "update" },
    })
}

fn kline(market: &SpotMarket, minutes: u64) -> Option<Value> {
    let rows = market.tape.candles(minutes);
    let candle = rows.last()?;
    let price = |value| fixed(value, market.rules.price_decimals);
    let size = fixed(candle.volume, market.rules.size_decimals);
    let (open, high, low) = (price(candle.open), price(candle.high), price(candle.low));
    Some(json!({
        "symbol": market.rules.symbol.as_str(),
        "candle": [candle.open_ms / 1_000, open, high, low, price(candle.close), size],
    }))
}
