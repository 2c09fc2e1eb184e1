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
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Minutes of candles before the start: a leap year.
pub const MINUTES: u64 = 366 * 1_440;
/// How often the span of the whole path is halved, until a span is one minute long.
const DEPTH: usize = 20;
/// Minutes of the whole path, about two years. Only the last year of it is used.
const LENGTH: u64 = 1 << DEPTH;
/// Distances are in billionths of the start price.
const PRICE_UNIT: i128 = 1_000_000_000;
/// Standard deviation of the return of a minute, in billionths: about 60 % a year.
const MINUTE_DEVIATION: i64 = 816_000;
/// The standard deviation of `normal`.
const NORMAL_DEVIATION: i64 = 37_837;

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
    pub(crate) source: HistorySource,
    /// Seed of the price path. A contract has that of the pair with the same currencies.
    pub(crate) path_seed: u64,
    /// The start price in ticks.
    pub(crate) start_ticks: i64,
    pub(crate) price_decimals: u32,
    pub(crate) size_decimals: u32,
    /// Base units of one contract; 1 on spot.
    pub(crate) contract_size: Decimal,
    /// Typical volume of a minute, in lots.
    pub(crate) lots_per_minute: i64,
}

impl MarketHistory {
    /// When the first candle begins, and when the last one ends.
    fn span_ms(&self) -> (u64, u64) {
        let until = self.source.until_ms;
        (until.saturating_sub(MINUTES * MINUTE_MS), until)
    }

    /// Returns the candles that open in a window, oldest first.
    pub(crate) fn candles(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Candle> + '_ {
        let until = self.source.until_ms / MINUTE_MS;
        let first = (from_ms.div_ceil(MINUTE_MS)).max(until.saturating_sub(MINUTES));
        let end = to_ms.div_ceil(MINUTE_MS).min(until);
        let mut bridge = Bridge::new(self.source.seed ^ self.path_seed);
        (first..end).map(move |minute| {
            let (open, close) = bridge.ends(LENGTH - (until - minute));
            self.candle(minute, open, close)
        })
    }

    fn candle(&self, minute: u64, open: i64, close: i64) -> Candle {
        let mut rng = Rng::new(self.source.seed ^ self.path_seed.rotate_left(32) ^ minute);
        let bits = rng.next_u64();
        let wick = |bits: u64| MINUTE_DEVIATION / 2 * i64::from((bits & 0xFF) as u8) / 0xFF;
        let (high, low) = (open.max(close) + wick(bits), open.min(close) - wick(bits >> 8));
        let price = |distance| Decimal::new(self.ticks(distance), self.price_decimals);
        // A volume that is 1.5 times as large is half as likely.
        let grown = (bits >> 16).trailing_zeros().min(12);
        let lots =
            (0..grown).fold(self.lots_per_minute, |lots, _| lots.saturating_add(lots / 2)).max(1);
        let (close, volume) = (price(close), Decimal::new(lots, self.size_decimals));
        let turnover =
            close.checked_mul(volume).and_then(|sum| sum.checked_mul(self.contract_size));
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
        let (start, far) = (i128::from(self.start_ticks), i128::from(distance.unsigned_abs()));
        let ticks = if distance < 0 {
            start * PRICE_UNIT / (PRICE_UNIT + far)
        } else {
            start + start * far / PRICE_UNIT
        };
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
    // Rule: A minute without a trade is a candle of the price before, without volume. Source: simplified (no source
    // says it)
    /// Returns candles of `minutes` each, oldest first, without a gap from the first one that there is to the last.
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
        let width = minutes.max(1).saturating_mul(MINUTE_MS);
        let Some((first_ms, last_ms)) = tape.span_ms() else { return Vec::new() };
        // At most a year is returned. A tape that is full has a year, so that no invented candles come before it.
        let history = self.market_history(symbol).filter(|_| !tape.is_full());
        let first_ms =
            history.as_ref().map_or(first_ms, |history| history.span_ms().0.min(first_ms));
        let round_up = |ms: u64| ms.div_ceil(width).saturating_mul(width);
        let mut from_ms = round_up(window.from_ms).max(first_ms / width * width);
        let mut to_ms = round_up(window.to_ms).min((last_ms / width * width).saturating_add(width));
        let span = width.saturating_mul(window.limit as u64);
        if window.oldest {
            to_ms = to_ms.min(from_ms.saturating_add(span));
        } else {
            from_ms = from_ms.max(to_ms.saturating_sub(span));
        }
        let invented = history.iter().flat_map(|history| history.candles(from_ms, to_ms));
        let mut gapless =
            GaplessCandles { width, next_ms: from_ms, close: None, candles: Vec::new() };
        let last_invented = || {
            let history = history.as_ref()?;
            let until_ms = history.span_ms().1;
            history
                .candles(until_ms.checked_sub(MINUTE_MS)?, until_ms)
                .next()
                .map(|candle| candle.close)
        };
        gapless.close = tape.close_before(from_ms).or_else(last_invented);
        for candle in invented.chain(tape.between(from_ms, to_ms, width.is_multiple_of(HOUR_MS))) {
            gapless.add(&candle);
        }
        gapless.fill(to_ms);
        gapless.candles
    }
}

/// Candles of one length without a gap: a candle of the price before is added wherever one is missing.
struct GaplessCandles {
    /// Length of a candle, in milliseconds.
    width: u64,
    /// When the next candle begins, in milliseconds since 1970.
    next_ms: u64,
    /// The last price before that; `None` until there is one.
    close: Option<Decimal>,
    candles: Vec<Candle>,
}

impl GaplessCandles {
    fn add(&mut self, candle: &Candle) {
        let open_ms = candle.open_ms / self.width * self.width;
        self.fill(open_ms);
        self.close = Some(candle.close);
        match self.candles.last_mut() {
            Some(last) if last.open_ms == open_ms => last.extend(candle),
            _ => {
                self.candles.push(Candle { open_ms, ..candle.clone() });
                self.next_ms = open_ms.saturating_add(self.width);
            }
        }
    }

    /// Adds the missing candles before a time.
    fn fill(&mut self, to_ms: u64) {
        let Some(close) = self.close else { return };
        while self.next_ms < to_ms {
            self.candles.push(Candle::flat(self.next_ms, close));
            self.next_ms = self.next_ms.saturating_add(self.width);
        }
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
        spans[0] = (normal(&mut Rng::new(seed)) * 100_000_000 / NORMAL_DEVIATION, 0);
        Self { seed, latest: None, spans }
    }

    /// Returns the distances at the beginning and the end of a minute.
    fn ends(&mut self, minute: u64) -> (i64, i64) {
        let shared_depth = self.latest.map_or(0, |latest| {
            DEPTH - (u64::BITS - (latest ^ minute).leading_zeros()).min(20) as usize
        });
        for depth in shared_depth..DEPTH {
            let (left, right) = self.spans[depth];
            let shift = DEPTH - depth;
            let number = (1 << depth) | minute >> shift;
            let mut rng = Rng::new(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            // Half of the standard deviation over the span.
            let root = (LENGTH >> depth).isqrt();
            let far = MINUTE_DEVIATION / 2 * i64::try_from(root).unwrap_or(1);
            let middle = left.midpoint(right) + normal(&mut rng) * far / NORMAL_DEVIATION;
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
mod tests;
