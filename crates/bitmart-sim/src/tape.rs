//! The tape of a market: its latest trades, and minute candles.

use std::collections::VecDeque;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::book::Side;

// Rule: The last 200 public trades of a market are kept. Source: simplified (the endpoints give no more)
/// Public trades that are kept.
const MAX_TRADES: usize = 200;
// Rule: Minute candles are kept for 24 to 25 hours; what is older is kept by the hour, for 366 days, and its minutes
// are made up of their hour. Source: simplified (memory)
/// Minute candles that are kept: those of 25 hours.
const MAX_MINUTES: usize = 1_500;
/// Hour candles that are kept: those of a leap year, as many as are invented for the time before the start.
const MAX_HOURS: usize = 366 * 24;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

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

    /// When the hour ends in which it begins.
    fn hour_end_ms(&self) -> u64 {
        (self.open_ms / HOUR_MS + 1).saturating_mul(HOUR_MS)
    }

    /// Makes up the minutes of an hour whose own ones are forgotten. The price goes from the open to the nearer of high
    /// and low, to the other one, and to the close; the volume is spread evenly. Together they are the hour again.
    fn minutes(&self) -> Vec<Self> {
        let count = ((self.hour_end_ms() - self.open_ms) / MINUTE_MS).max(1);
        let falls_first = self.open - self.low < self.high - self.open;
        let (near, far) = if falls_first { (self.low, self.high) } else { (self.high, self.low) };
        let prices = [self.open, near, far, self.close];
        let decimals = prices.iter().map(Decimal::scale).max().unwrap_or_default();
        // The path has three parts of the same length. Minutes count three times, so that a part begins at a whole
        // number.
        let price = |minute: u64| {
            let (from, to, part_start) = match 3 * minute / count {
                0 => (self.open, near, 0),
                1 => (near, far, count),
                _ => (far, self.close, 2 * count),
            };
            let done = Decimal::from(3 * minute - part_start) / Decimal::from(count);
            (from + (to - from) * done).round_dp(decimals)
        };
        let part = |whole: Decimal, minute: u64| {
            let each = (whole / Decimal::from(count))
                .round_dp_with_strategy(whole.scale(), RoundingStrategy::ToZero);
            if minute + 1 < count { each } else { whole - each * Decimal::from(count - 1) }
        };
        let minute = |at: u64| {
            let (open, close) = (price(at), price(at + 1));
            let turns = [(1, near), (2, far)].into_iter();
            let turns = turns.filter(|(turn, _)| (3 * at..=3 * at + 3).contains(&(turn * count)));
            let prices = || turns.clone().map(|turn| turn.1).chain([open, close]);
            Self {
                open_ms: self.open_ms + at * MINUTE_MS,
                open,
                high: prices().max().unwrap_or(open),
                low: prices().min().unwrap_or(open),
                close,
                volume: part(self.volume, at),
                turnover: part(self.turnover, at),
            }
        };
        (0..count).map(minute).collect()
    }

    /// Extends the candle by a later one.
    pub(crate) fn extend(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        // A single trade of a contract may be worth as much as a number holds.
        self.volume = self.volume.saturating_add(later.volume);
        self.turnover = self.turnover.saturating_add(later.turnover);
    }
}

/// Trades and candles of one market.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tape {
    trades: VecDeque<PublicTrade>,
    /// Of a minute each.
    candles: VecDeque<Candle>,
    /// Candles before these, of an hour each. Each begins with its first minute.
    #[serde(default)]
    hours: VecDeque<Candle>,
}

impl Tape {
    /// Adds a minute candle behind all others.
    pub(crate) fn push_history(&mut self, candle: Candle) {
        self.candles.push_back(candle);
        if self.candles.len() > MAX_MINUTES {
            self.fold_hour();
        }
    }

    /// Makes one candle of the minutes of the oldest hour.
    fn fold_hour(&mut self) {
        let Some(mut hour) = self.candles.pop_front() else { return };
        let end_ms = hour.hour_end_ms();
        let rest_of_hour = self.candles.partition_point(|minute| minute.open_ms < end_ms);
        for minute in self.candles.drain(..rest_of_hour) {
            hour.extend(&minute);
        }
        if self.hours.len() >= MAX_HOURS {
            self.hours.pop_front();
        }
        self.hours.push_back(hour);
    }

    /// Records a trade worth `turnover` quote units.
    pub(crate) fn record(&mut self, trade: PublicTrade, turnover: Decimal) {
        let open_ms = trade.time_ms / MINUTE_MS * MINUTE_MS;
        let mut candle = Candle::flat(open_ms, trade.price);
        candle.volume = trade.size;
        candle.turnover = turnover;
        self.add(candle);
        self.trades.push_back(trade);
        if self.trades.len() > MAX_TRADES {
            self.trades.pop_front();
        }
    }

    /// Records a price without trade.
    pub(crate) fn sample(&mut self, price: Decimal, time_ms: u64) {
        self.add(Candle::flat(time_ms / MINUTE_MS * MINUTE_MS, price));
    }

    /// Adds a candle, or extends the latest one by it when that begins no earlier.
    pub(crate) fn add(&mut self, candle: Candle) {
        match self.candles.back_mut() {
            Some(last) if last.open_ms >= candle.open_ms => last.extend(&candle),
            _ => self.push_history(candle),
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

    /// The candles that are kept, the older ones by the hour.
    fn kept(&self) -> impl DoubleEndedIterator<Item = &Candle> {
        self.hours.iter().chain(&self.candles)
    }

    /// When the first and the last candle begin.
    pub(crate) fn span_ms(&self) -> Option<(u64, u64)> {
        Some((self.kept().next()?.open_ms, self.kept().next_back()?.open_ms))
    }

    /// Whether hours were forgotten.
    pub(crate) fn is_full(&self) -> bool {
        self.hours.len() >= MAX_HOURS
    }

    /// The last price before a time.
    pub(crate) fn close_before(&self, time_ms: u64) -> Option<Decimal> {
        self.kept().rev().find(|candle| candle.open_ms < time_ms).map(|candle| candle.close)
    }

    /// The candles that begin in a window, oldest first: minutes, or whole hours where they are kept so and these
    /// are enough.
    pub(crate) fn between(&self, from_ms: u64, to_ms: u64, hours: bool) -> Vec<Candle> {
        let first = self.hours.partition_point(|hour| hour.hour_end_ms() <= from_ms);
        let old = self.hours.range(first..).take_while(|hour| hour.open_ms < to_ms);
        let old = old.flat_map(|hour| if hours { vec![hour.clone()] } else { hour.minutes() });
        let first = self.candles.partition_point(|candle| candle.open_ms < from_ms);
        let recent = self.candles.range(first..).cloned();
        old.chain(recent).filter(|candle| (from_ms..to_ms).contains(&candle.open_ms)).collect()
    }

    /// Returns the latest candles of `minutes` each, oldest first, as far as minutes are kept. There is no candle for a
    /// time without trades.
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
