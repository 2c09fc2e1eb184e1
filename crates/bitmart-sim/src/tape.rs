//! The tape of a market: its latest trades, and minute candles.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::book::Side;

// Rule: The last 200 public trades of a market are kept. Source: simplified (the endpoints give no more)
const TRADES: usize = 200;
// Rule: Candles reach back 25 hours. Source: simplified (memory)
/// Minute candles that are kept: a little more than a day.
const CANDLES: usize = 1_500;
const MINUTE_MS: u64 = 60_000;

/// A public trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// Trade id, equal to that of both fills.
    pub id: u64,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Size in base units on spot, in contracts on futures.
    pub size: Decimal,
    /// The side of the taker.
    pub side: Side,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// A candle: prices and volume of a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// Start of the candle, in milliseconds since 1970.
    pub open_ms: u64,
    /// First price, in the quote currency.
    pub open: Decimal,
    /// Highest price, in the quote currency.
    pub high: Decimal,
    /// Lowest price, in the quote currency.
    pub low: Decimal,
    /// Last price, in the quote currency.
    pub close: Decimal,
    /// Traded size in base units on spot, in contracts on futures.
    pub volume: Decimal,
    /// Value of the trades in the quote currency.
    pub turnover: Decimal,
}

impl Candle {
    /// Creates a candle with a single price and no volume. `open_ms` is in milliseconds since 1970.
    pub fn flat(open_ms: u64, price: Decimal) -> Self {
        Self {
            open_ms,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Decimal::ZERO,
            turnover: Decimal::ZERO,
        }
    }

    /// Extends the candle by a later one.
    pub(crate) fn extend(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.turnover += later.turnover;
    }
}

/// Trades and candles of one market.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tape {
    trades: VecDeque<PublicTrade>,
    candles: VecDeque<Candle>,
}

impl Tape {
    pub(crate) fn push_history(&mut self, candle: Candle) {
        self.candles.push_back(candle);
        if self.candles.len() > CANDLES {
            self.candles.pop_front();
        }
    }

    /// Records a trade worth `turnover` quote units.
    pub(crate) fn record(&mut self, trade: PublicTrade, turnover: Decimal) {
        let open_ms = trade.time_ms / MINUTE_MS * MINUTE_MS;
        let mut now = Candle::flat(open_ms, trade.price);
        now.volume = trade.size;
        now.turnover = turnover;
        self.add(now);
        self.trades.push_back(trade);
        if self.trades.len() > TRADES {
            self.trades.pop_front();
        }
    }

    /// Records a price without trade.
    pub(crate) fn sample(&mut self, price: Decimal, time_ms: u64) {
        self.add(Candle::flat(time_ms / MINUTE_MS * MINUTE_MS, price));
    }

    /// Adds a candle, or extends the latest one.
    pub(crate) fn add(&mut self, now: Candle) {
        match self.candles.back_mut() {
            Some(last) if last.open_ms >= now.open_ms => last.extend(&now),
            _ => self.push_history(now),
        }
    }

    /// Returns the close of the latest candle, or `None` before the first price.
    pub fn last_price(&self) -> Option<Decimal> {
        self.candles.back().map(|candle| candle.close)
    }

    /// Returns the latest trades, newest first.
    pub fn trades(&self, limit: usize) -> impl Iterator<Item = &PublicTrade> {
        self.trades.iter().rev().take(limit)
    }

    /// Returns the last 24 hours as one candle, or `None` without trades.
    pub fn day(&self, now_ms: u64) -> Option<Candle> {
        let from = now_ms.saturating_sub(1_440 * MINUTE_MS);
        let mut rows = self.candles.iter().filter(|candle| candle.open_ms >= from);
        let mut day = rows.next()?.clone();
        rows.for_each(|candle| day.extend(candle));
        Some(day)
    }

    /// Returns candles of `minutes` each, oldest first. There is no candle for a time without trades.
    pub fn candles(&self, minutes: u64) -> Vec<Candle> {
        let width = minutes.max(1) * MINUTE_MS;
        let mut rows: Vec<Candle> = Vec::new();
        for candle in &self.candles {
            let open_ms = candle.open_ms / width * width;
            match rows.last_mut() {
                Some(last) if last.open_ms == open_ms => last.extend(candle),
                _ => rows.push(Candle { open_ms, ..candle.clone() }),
            }
        }
        rows
    }
}
