//! The public channels of futures: when they are pushed, and what. Push times are added last, so that a value
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
    exchange::{
        Event, Exchange,
        book::Side,
        futures::{
            FuturesMarket,
            funding::{LIMIT, next_funding_ms},
        },
        tape::{PublicTrade, Tape},
    },
    generated::channels::FuturesPublic as Id,
    wire::decimal::{plain, ratio, rfc3339},
};

/// When a channel is pushed; books every `books` beats.
pub(super) fn schedule(channel: Id, books: u64) -> Schedule {
    match channel {
        Id::Trades => Schedule::Trades,
        Id::DepthIncrease => Schedule::Book,
        Id::Depth | Id::DepthAll | Id::BookTicker => {
            Schedule::Changes { beats: books, has_first: false }
        }
        Id::Ticker | Id::Klines | Id::MarkPriceKlines => {
            Schedule::Changes { beats: 10, has_first: false }
        }
        Id::AllTickers => Schedule::Always { beats: 10 },
        Id::FundingRate => Schedule::Changes { beats: 600, has_first: true },
    }
}

/// The present values of a channel that is pushed by the clock: one, or one for each side or contract.
pub(super) fn values(channel: Id, exchange: &Exchange, topic: &Topic, now_ms: u64) -> Vec<Value> {
    if channel == Id::AllTickers {
        return exchange.futures.values().map(|market| ticker(market, now_ms)).collect();
    }
    let Some(market) = exchange.futures.get(&topic.symbol) else { return Vec::new() };
    match channel {
        Id::Ticker => vec![ticker(market, now_ms)],
        Id::FundingRate => vec![funding_rate(market, now_ms)],
        Id::Depth => [Side::Buy, Side::Sell].map(|side| depth(market, side, topic.levels)).into(),
        Id::DepthAll => vec![depth_all(market, topic.levels)],
        Id::BookTicker => vec![book_ticker(market)],
        Id::Klines => kline(market, &market.tape, topic.minutes).into_iter().collect(),
        Id::MarkPriceKlines => {
            kline(market, &market.mark.tape, topic.minutes).into_iter().collect()
        }
        Id::AllTickers | Id::DepthIncrease | Id::Trades => Vec::new(),
    }
}

/// The trades among the events by symbol, newest first (seen by other clients).
pub(super) fn trades(events: &[Event]) -> BTreeMap<SmolStr, Vec<Value>> {
    let mut rows: BTreeMap<SmolStr, Vec<Value>> = BTreeMap::new();
    for event in events.iter().rev() {
        if let Event::FuturesTrade { symbol, trade: row } = event {
            rows.entry(symbol.clone()).or_default().push(trade(symbol, row));
        }
    }
    rows
}

/// Adds the time of the push to the channels that have one.
pub(super) fn stamp(channel: Id, fields: &mut Map<String, Value>, now_ms: u64) {
    match channel {
        Id::Depth | Id::DepthAll | Id::DepthIncrease | Id::BookTicker => {
            fields.insert("ms_t".to_owned(), now_ms.into());
        }
        Id::Ticker
        | Id::AllTickers
        | Id::FundingRate
        | Id::Trades
        | Id::Klines
        | Id::MarkPriceKlines => {}
    }
}

fn ticker(market: &FuturesMarket, now_ms: u64) -> Value {
    let last = market.last_price();
    let day = market.tape.day(now_ms);
    let (bid, bid_size) = market.book.best_bid().unwrap_or_default();
    let (ask, ask_size) = market.book.best_ask().unwrap_or_default();
    json!({
        "symbol": market.rules.symbol.as_str(),
        "last_price": plain(last),
        "volume_24": plain(day.as_ref().map_or(Decimal::ZERO, |day| day.volume)),
        "range": ratio(day.as_ref().map_or(last, |day| day.open), last),
        "mark_price": plain(market.mark_price()),
        "index_price": plain(market.index_price()),
        "ask_price": plain(ask),
        "ask_vol": plain(ask_size),
        "bid_price": plain(bid),
        "bid_vol": plain(bid_size),
    })
}

fn book_ticker(market: &FuturesMarket) -> Value {
    let (bid, bid_size) = market.book.best_bid().unwrap_or_default();
    let (ask, ask_size) = market.book.best_ask().unwrap_or_default();
    json!({
        "symbol": market.rules.symbol.as_str(),
        "best_bid_price": plain(bid),
        "best_bid_vol": plain(bid_size),
        "best_ask_price": plain(ask),
        "best_ask_vol": plain(ask_size),
    })
}

fn trade(symbol: &SmolStr, trade: &PublicTrade) -> Value {
    json!({
        "trade_id": trade.id,
        "symbol": symbol.as_str(),
        "deal_price": plain(trade.price),
        "deal_vol": plain(trade.size),
        "m": trade.side == Side::Sell,
        "created_at": rfc3339(trade.time_ms),
    })
}

fn levels(levels: &[Level]) -> Value {
    levels
        .iter()
        .map(|(price, size)| json!({ "price": plain(*price), "vol": plain(*size) }))
        .collect()
}

/// One side of the book: way 1 are the bids, 2 the asks.
fn depth(market: &FuturesMarket, side: Side, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "way": if side == Side::Buy { 1 } else { 2 },
        "depths": levels(&market.book.levels(side, depth)),
    })
}

fn depth_all(market: &FuturesMarket, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": levels(&market.book.levels(Side::Sell, depth)),
        "bids": levels(&market.book.levels(Side::Buy, depth)),
    })
}

pub(super) fn book(symbol: &SmolStr, view: &DepthView, version: u64, snapshot: bool) -> Value {
    let (asks, bids) =
        if snapshot { (&view.asks, &view.bids) } else { (&view.changed_asks, &view.changed_bids) };
    json!({
        "symbol": symbol.as_str(),
        "asks": levels(asks),
        "bids": levels(bids),
        "version": version,
        "type": if snapshot { "snapshot" } else { "update" },
    })
}

/// The latest candle of last or mark prices.
fn kline(market: &FuturesMarket, tape: &Tape, minutes: u64) -> Option<Value> {
    let rows = tape.candles(minutes);
    let candle = rows.last()?;
    Some(json!({
        "symbol": market.rules.symbol.as_str(),
        "o": plain(candle.open),
        "h": plain(candle.high),
        "l": plain(candle.low),
        "c": plain(candle.close),
        "v": plain(candle.volume),
        "ts": candle.open_ms / 1_000,
    }))
}

fn funding_rate(market: &FuturesMarket, now_ms: u64) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "fundingRate": plain(market.rates.last()),
        // Observed: at the reply, not the next settlement.
        "fundingTime": now_ms,
        "nextFundingRate": plain(market.rates.expected()),
        "nextFundingTime": next_funding_ms(now_ms),
        "funding_upper_limit": plain(LIMIT),
        "funding_lower_limit": plain(-LIMIT),
        "ts": now_ms,
    })
}
