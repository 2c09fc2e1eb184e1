//! What a market remembers of its trades: the latest ones, minute candles, the last day.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::book::Side;

// Rule: The last 200 public trades of a market are kept. Source: simplified (the endpoints give no more)
const TRADES: usize = 200;
// Rule: Candles reach back 25 hours. Source: simplified (memory)
/// A day and a bit of minutes.
const CANDLES: usize = 1_500;
const MINUTE_MS: u64 = 60_000;

/// A public trade. `side` is the taker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// Number of the trade, the same as that of its fills.
    pub id: u64,
    /// In the quote currency.
    pub price: Decimal,
    /// Base units on spot, contracts on futures.
    pub size: Decimal,
    /// Whether the taker bought or sold.
    pub side: Side,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// Open, high, low, close, volume in base units (contracts on futures) and in quote units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// When it begins, in milliseconds since 1970.
    pub open_ms: u64,
    /// First price, in the quote currency.
    pub open: Decimal,
    /// Highest price, in the quote currency.
    pub high: Decimal,
    /// Lowest price, in the quote currency.
    pub low: Decimal,
    /// Last price, in the quote currency.
    pub close: Decimal,
    /// Base units on spot, contracts on futures.
    pub volume: Decimal,
    /// Value of the trades in the quote currency.
    pub turnover: Decimal,
}

impl Candle {
    /// Creates a candle of one price and without a trade. `open_ms` is in milliseconds since 1970.
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

    pub(crate) fn absorb(&mut self, later: &Self) {
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
        self.absorb(now);
        self.trades.push_back(trade);
        if self.trades.len() > TRADES {
            self.trades.pop_front();
        }
    }

    /// Records a price without a trade.
    pub(crate) fn sample(&mut self, price: Decimal, time_ms: u64) {
        self.absorb(Candle::flat(time_ms / MINUTE_MS * MINUTE_MS, price));
    }

    /// Adds a candle, or a part of the latest one.
    pub(crate) fn absorb(&mut self, now: Candle) {
        match self.candles.back_mut() {
            Some(last) if last.open_ms >= now.open_ms => last.absorb(&now),
            _ => self.push_history(now),
        }
    }

    /// Returns the close of the latest candle; none before the first price.
    pub fn last_price(&self) -> Option<Decimal> {
        self.candles.back().map(|candle| candle.close)
    }

    /// Newest first.
    pub fn trades(&self, limit: usize) -> impl Iterator<Item = &PublicTrade> {
        self.trades.iter().rev().take(limit)
    }

    /// The last 24 hours as one candle; none when nothing traded.
    pub fn day(&self, now_ms: u64) -> Option<Candle> {
        let from = now_ms.saturating_sub(1_440 * MINUTE_MS);
        let mut rows = self.candles.iter().filter(|candle| candle.open_ms >= from);
        let mut day = rows.next()?.clone();
        rows.for_each(|candle| day.absorb(candle));
        Some(day)
    }

    /// Candles of `minutes` each, oldest first. Minutes without a trade are left out.
    pub fn candles(&self, minutes: u64) -> Vec<Candle> {
        let width = minutes.max(1) * MINUTE_MS;
        let mut rows: Vec<Candle> = Vec::new();
        for candle in &self.candles {
            let open_ms = candle.open_ms / width * width;
            match rows.last_mut() {
                Some(last) if last.open_ms == open_ms => last.absorb(candle),
                _ => rows.push(Candle { open_ms, ..candle.clone() }),
            }
        }
        rows
    }
}
