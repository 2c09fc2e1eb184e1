//! Candles from before the start of the exchange: a year for every market, computed from the seed on request.
//!
//! The price is a Brownian bridge that ends at the start price. Spans are halved recursively: the price in the middle
//! of a span is the mean of its ends plus a random distance. Twenty such steps give the price of a minute, so that
//! nothing is stored. All of it is integer arithmetic.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    Exchange,
    rng::Rng,
    tape::{Candle, Tape},
};

const MINUTE_MS: u64 = 60_000;
/// Minutes of candles before the start: a leap year.
pub const MINUTES: u64 = 366 * 1_440;
/// The bridge has `2^DEPTH` minutes.
const DEPTH: usize = 20;
const LENGTH: u64 = 1 << DEPTH;
/// Distances are in billionths of the start price.
const WHOLE: i128 = 1_000_000_000;
/// Standard deviation of the return of a minute: about 60 % a year.
const MINUTE_DEVIATION: i64 = 816_000;
/// The standard deviation of `normal`.
const NORMAL: i64 = 37_837;

/// Source of the candles before the start of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistorySource {
    pub(crate) seed: u64,
    /// Start of the first minute that is on the tape.
    pub(crate) until_ms: u64,
}

/// The candles of one market before the start.
#[derive(Debug, Clone)]
pub(crate) struct MarketHistory {
    pub(crate) before: HistorySource,
    /// Seed of the price path: a contract has that of its pair.
    pub(crate) path_seed: u64,
    /// The start price in ticks.
    pub(crate) start: i64,
    pub(crate) price_decimals: u32,
    pub(crate) size_decimals: u32,
    /// Base units of one contract; 1 on spot.
    pub(crate) contract: Decimal,
    /// Typical volume of a minute, in lots.
    pub(crate) lots: i64,
}

impl MarketHistory {
    /// Returns the candles that open in a window, oldest first.
    pub(crate) fn candles(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Candle> + '_ {
        let until = self.before.until_ms / MINUTE_MS;
        let first = (from_ms.div_ceil(MINUTE_MS)).max(until.saturating_sub(MINUTES));
        let end = to_ms.div_ceil(MINUTE_MS).min(until);
        let mut bridge = Bridge::new(self.before.seed ^ self.path_seed);
        (first..end).map(move |minute| {
            let (open, close) = bridge.ends(LENGTH - (until - minute));
            self.candle(minute, open, close)
        })
    }

    fn candle(&self, minute: u64, open: i64, close: i64) -> Candle {
        let mut rng = Rng::new(self.before.seed ^ self.path_seed.rotate_left(32) ^ minute);
        let bits = rng.next_u64();
        let wick = |bits: u64| MINUTE_DEVIATION / 2 * i64::from((bits & 0xFF) as u8) / 0xFF;
        let (high, low) = (open.max(close) + wick(bits), open.min(close) - wick(bits >> 8));
        let price = |distance| Decimal::new(self.ticks(distance), self.price_decimals);
        // A volume that is 1.5 times as large is half as likely.
        let grown = (bits >> 16).trailing_zeros().min(12);
        let lots = (0..grown).fold(self.lots, |lots, _| lots.saturating_add(lots / 2)).max(1);
        let (close, volume) = (price(close), Decimal::new(lots, self.size_decimals));
        let turnover = close.checked_mul(volume).and_then(|sum| sum.checked_mul(self.contract));
        Candle {
            open_ms: minute * MINUTE_MS,
            open: price(open),
            high: price(high),
            low: price(low),
            close,
            volume,
            turnover: turnover.unwrap_or_default(),
        }
    }

    /// Converts a distance into a price in ticks. Prices below the start are scaled so that they stay positive.
    fn ticks(&self, distance: i64) -> i64 {
        let (start, far) = (i128::from(self.start), i128::from(distance.unsigned_abs()));
        let ticks =
            if distance < 0 { start * WHOLE / (WHOLE + far) } else { start + start * far / WHOLE };
        i64::try_from(ticks).unwrap_or(i64::MAX / 4).max(1)
    }
}

/// A range of candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandleWindow {
    /// Earliest start of a candle, in milliseconds since 1970.
    pub from_ms: u64,
    /// Candles start before this time, in milliseconds since 1970.
    pub to_ms: u64,
    /// Largest number of candles.
    pub limit: usize,
    /// Whether the oldest candles (true) or the newest ones are returned when there are more.
    pub oldest: bool,
}

impl Exchange {
    /// Returns candles of `minutes` each, oldest first. There is no candle for a time without trades.
    pub fn candles(&self, symbol: &str, minutes: u64, window: CandleWindow) -> Vec<Candle> {
        let spot = self.spot.get(symbol).map(|market| &market.tape);
        let tape = spot.or_else(|| self.futures.get(symbol).map(|market| &market.tape));
        tape.map_or(Vec::new(), |tape| self.with_history(symbol, tape, minutes, window))
    }

    /// Returns candles of the mark price of a contract, without volume.
    pub fn mark_candles(&self, symbol: &str, minutes: u64, window: CandleWindow) -> Vec<Candle> {
        let Some(market) = self.futures.get(symbol) else { return Vec::new() };
        let mut rows = self.with_history(symbol, &market.mark.tape, minutes, window);
        for row in &mut rows {
            (row.volume, row.turnover) = (Decimal::ZERO, Decimal::ZERO);
        }
        rows
    }

    fn with_history(
        &self,
        symbol: &str,
        tape: &Tape,
        minutes: u64,
        window: CandleWindow,
    ) -> Vec<Candle> {
        let width = minutes.max(1) * MINUTE_MS;
        let on_tape = tape.candles(minutes);
        let within = |candle: &Candle| (window.from_ms..window.to_ms).contains(&candle.open_ms);
        let mut rows: Vec<Candle> = Vec::new();
        let is_enough =
            !window.oldest && on_tape.iter().filter(|row| within(row)).count() > window.limit;
        if let Some(history) = self.market_history(symbol).filter(|_| !is_enough) {
            let (from_ms, to_ms) = missing_window(&on_tape, width, window);
            for candle in history.candles(from_ms, to_ms) {
                add(&mut rows, &candle, width);
            }
        }
        for candle in on_tape {
            add(&mut rows, &candle, width);
        }
        rows.retain(within);
        if window.oldest {
            rows.truncate(window.limit);
        } else {
            rows.drain(..rows.len().saturating_sub(window.limit));
        }
        rows
    }
}

/// Returns the part of a window before the tape, in whole candles.
fn missing_window(on_tape: &[Candle], width: u64, window: CandleWindow) -> (u64, u64) {
    let from_ms = window.from_ms.div_ceil(width).saturating_mul(width);
    let span = width.saturating_mul(window.limit as u64);
    if window.oldest {
        return (from_ms, from_ms.saturating_add(span));
    }
    let tape_ms = on_tape.first().map_or(u64::MAX, |candle| candle.open_ms + width);
    let to_ms = window.to_ms.min(tape_ms).div_ceil(width).saturating_mul(width);
    (from_ms.max(to_ms.saturating_sub(span.saturating_add(width))), to_ms)
}

fn add(rows: &mut Vec<Candle>, candle: &Candle, width: u64) {
    let open_ms = candle.open_ms / width * width;
    match rows.last_mut() {
        Some(last) if last.open_ms == open_ms => last.extend(candle),
        _ => rows.push(Candle { open_ms, ..candle.clone() }),
    }
}

/// A Brownian bridge. The spans around the latest minute are kept, so that the next minute is cheap to compute.
struct Bridge {
    seed: u64,
    latest: Option<u64>,
    /// Both ends of the span of each depth.
    spans: [(i64, i64); DEPTH + 1],
}

impl Bridge {
    fn new(seed: u64) -> Self {
        let mut spans = [(0, 0); DEPTH + 1];
        // It begins about 10 % from its end.
        spans[0] = (normal(&mut Rng::new(seed)) * 100_000_000 / NORMAL, 0);
        Self { seed, latest: None, spans }
    }

    /// Returns the distances at the beginning and the end of a minute.
    fn ends(&mut self, minute: u64) -> (i64, i64) {
        let same = self.latest.map_or(0, |latest| {
            DEPTH - (u64::BITS - (latest ^ minute).leading_zeros()).min(20) as usize
        });
        for depth in same..DEPTH {
            let (left, right) = self.spans[depth];
            let shift = DEPTH - depth;
            let number = (1 << depth) | minute >> shift;
            let mut rng = Rng::new(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            // Half of the standard deviation over the span.
            let root = (LENGTH >> depth).isqrt();
            let far = MINUTE_DEVIATION / 2 * i64::try_from(root).unwrap_or(1);
            let middle = left.midpoint(right) + normal(&mut rng) * far / NORMAL;
            let upper = minute >> (shift - 1) & 1 == 1;
            self.spans[depth + 1] = if upper { (middle, right) } else { (left, middle) };
        }
        self.latest = Some(minute);
        self.spans[DEPTH]
    }
}

/// Approximates a normal distribution around 0 by the sum of four uniform numbers.
fn normal(rng: &mut Rng) -> i64 {
    let bits = rng.next_u64().to_le_bytes();
    let parts = bits.chunks_exact(2).map(|two| i64::from(u16::from_le_bytes([two[0], two[1]])));
    parts.sum::<i64>() - 2 * i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Setup};

    const NOW_MS: u64 = 1_700_000_000_000;
    const DAY_MS: u64 = 1_440 * MINUTE_MS;

    fn exchange(seed: u64) -> Exchange {
        Exchange::new(&Setup::new().seed(seed).account(AccountId(1)), NOW_MS)
    }

    fn window(from_ms: u64, to_ms: u64, limit: usize) -> CandleWindow {
        CandleWindow { from_ms, to_ms, limit, oldest: false }
    }

    #[test]
    fn a_year_of_minute_candles_leads_to_the_first_trade_without_gaps() {
        let exchange = exchange(1);
        for symbol in ["BTC_USDT", "BTCUSDT"] {
            let rows = exchange.candles(symbol, 1, window(0, NOW_MS + 1, usize::MAX));
            assert_eq!(rows.len() as u64, MINUTES + 1_440, "{symbol}");
            for pair in rows.windows(2) {
                assert_eq!(pair[1].open_ms - pair[0].open_ms, MINUTE_MS);
                assert_eq!(pair[1].open, pair[0].close, "{symbol} at {}", pair[0].open_ms);
            }
            for row in &rows {
                assert!(row.low > Decimal::ZERO && row.volume > Decimal::ZERO);
                assert!(row.low <= row.open.min(row.close) && row.high >= row.open.max(row.close));
            }
        }
    }

    #[test]
    fn a_part_of_the_history_equals_the_same_part_of_all_and_depends_on_the_seed() {
        let exchange = exchange(1);
        let (from, to) = (NOW_MS - 300 * DAY_MS, NOW_MS - 299 * DAY_MS);
        let part = exchange.candles("ETH_USDT", 1, window(from, to, usize::MAX));
        let mut whole = exchange.candles("ETH_USDT", 1, window(0, NOW_MS, usize::MAX));
        whole.retain(|row| (from..to).contains(&row.open_ms));
        assert_eq!(part, whole);
        assert_ne!(part, self::exchange(2).candles("ETH_USDT", 1, window(from, to, usize::MAX)));
        let oldest = CandleWindow { oldest: true, ..window(from, to, 10) };
        assert_eq!(exchange.candles("ETH_USDT", 1, oldest), part[..10]);
        assert_eq!(exchange.candles("ETH_USDT", 1, window(from, to, 10)), part[1_430..]);
    }

    #[test]
    fn day_candles_are_the_sums_of_their_minute_candles() {
        let exchange = exchange(1);
        let from_ms = NOW_MS / DAY_MS * DAY_MS - 10 * DAY_MS;
        let days = exchange.candles("BTC_USDT", 1_440, window(from_ms, NOW_MS, 200));
        assert_eq!(days.len(), 11);
        for day in days {
            let span = window(day.open_ms, day.open_ms + DAY_MS, usize::MAX);
            let minutes = exchange.candles("BTC_USDT", 1, span);
            assert_eq!(minutes.iter().map(|row| row.high).max(), Some(day.high));
            assert_eq!(minutes.iter().map(|row| row.volume).sum::<Decimal>(), day.volume);
            assert_eq!(minutes.last().map(|row| row.close), Some(day.close));
        }
    }
}
