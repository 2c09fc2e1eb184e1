//! The computed history, and candles without a gap from there to the present.

use super::*;
use crate::{AccountId, Command, Setup};

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

/// One pair and its contract.
fn small() -> Exchange {
    let mut setup = Setup::new().seed(3).account(AccountId(1));
    setup.pairs.truncate(1);
    setup.contracts.truncate(1);
    Exchange::new(&setup, NOW_MS)
}

fn check_gapless(exchange: &Exchange, minutes: u64, from_ms: u64, to_ms: u64) {
    let width = minutes * MINUTE_MS;
    for symbol in ["BTC_USDT", "BTCUSDT"] {
        let rows = exchange.candles(symbol, minutes, window(from_ms, to_ms, usize::MAX));
        let times: Vec<_> = rows.iter().map(|row| row.open_ms).collect();
        let first = from_ms.div_ceil(width);
        let expected: Vec<_> = (first..to_ms.div_ceil(width)).map(|at| at * width).collect();
        assert!(times == expected, "{symbol}, {minutes} minutes: {} rows", times.len());
        for row in &rows {
            assert!(row.low <= row.open.min(row.close) && row.high >= row.open.max(row.close));
        }
        // A page from either end is a part of the whole.
        let middle = from_ms.midpoint(to_ms);
        let page = exchange.candles(symbol, minutes, window(from_ms, middle, 7));
        let at = times.partition_point(|time| *time < middle);
        assert_eq!(page, rows[at.saturating_sub(7)..at]);
        let later = CandleWindow { oldest: true, ..window(middle, to_ms, 7) };
        let page = exchange.candles(symbol, minutes, later);
        assert_eq!(page, rows[at..rows.len().min(at + 7)]);
    }
}

#[test]
fn a_market_that_ran_for_days_has_every_candle_since_the_year_before() {
    let mut exchange = small();
    let hour = |exchange: &Exchange, at_ms| {
        let rows = exchange.candles("BTC_USDT", 60, window(at_ms, at_ms + HOUR_MS, 1));
        rows.into_iter().next().expect("an hour")
    };
    let first_hour = NOW_MS.div_ceil(HOUR_MS) * HOUR_MS;
    let mut hours = Vec::new();
    let mut now_ms = NOW_MS;
    while now_ms < NOW_MS + 3 * DAY_MS {
        now_ms += 100_000;
        exchange.apply(Command::StepMarket, now_ms).expect("steps");
        exchange.take_events();
        let done = first_hour + hours.len() as u64 * HOUR_MS;
        // By then there was a trade after it.
        if now_ms >= done + 6 * HOUR_MS {
            hours.push(hour(&exchange, done));
        }
    }
    assert!(hours.len() > 60);
    for (at, row) in (0..).zip(&hours) {
        assert_eq!(hour(&exchange, first_hour + at * HOUR_MS), *row, "hour {at}");
        // So it is whether its minutes are kept or made up.
        let minutes =
            exchange.candles("BTC_USDT", 1, window(row.open_ms, row.open_ms + HOUR_MS, 60));
        let mut sum = minutes[0].clone();
        minutes[1..].iter().for_each(|minute| sum.extend(minute));
        assert_eq!((sum.close, sum.volume), (row.close, row.volume), "hour {at}");
        assert_eq!(sum.turnover, row.turnover, "hour {at}");
        // Before its first trade an hour has minutes at the price before, and begins with that trade.
        assert_eq!((sum.high, sum.low), (row.high.max(sum.open), row.low.min(sum.open)));
    }
    for minutes in [1, 5, 45, 60, 1_440] {
        check_gapless(&exchange, minutes, NOW_MS - 10 * DAY_MS, now_ms - 5 * HOUR_MS);
    }
    let kept = exchange.spot["BTC_USDT"].tape.candles(1).len();
    assert!(kept <= 1_500, "{kept} minutes are kept");
}

#[test]
fn candles_over_a_jump_of_the_clock_stand_at_the_price_before() {
    let mut exchange = small();
    let later = NOW_MS + 3 * DAY_MS;
    exchange.apply(Command::Wait, later).expect("waits");
    // Orders of the market come at random: after some steps there was a trade.
    let mut now_ms = later;
    for _ in 0..300 {
        now_ms += 100;
        exchange.apply(Command::StepMarket, now_ms).expect("steps");
    }
    for minutes in [1, 15, 240, 1_440] {
        check_gapless(&exchange, minutes, NOW_MS - 2 * DAY_MS, later);
    }
    let before = exchange.candles("BTC_USDT", 1, window(0, NOW_MS - MINUTE_MS, 1));
    let rows = exchange.candles("BTC_USDT", 1, window(NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS, 10));
    let close = exchange.candles("BTC_USDT", 1, window(0, NOW_MS, 1))[0].close;
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|row| *row == Candle::flat(row.open_ms, close)), "{before:?} {rows:?}");
}

#[test]
fn an_hour_as_minutes_is_the_hour_again() {
    let prices = [(100, 120, 90, 110), (100, 100, 100, 100), (100, 101, 50, 60), (7, 9, 7, 9)];
    for (open, high, low, close) in prices {
        for minute in [0, 1, 58, 59] {
            let price = Decimal::from;
            let hour = Candle {
                open_ms: NOW_MS / HOUR_MS * HOUR_MS + minute * MINUTE_MS,
                open: price(open),
                high: price(high),
                low: price(low),
                close: price(close),
                volume: Decimal::new(12_345, 3),
                turnover: Decimal::new(999, 1),
            };
            let mut tape = Tape::default();
            tape.push_history(hour.clone());
            for later in 0..1_500 {
                tape.push_history(Candle::flat(NOW_MS + DAY_MS + later * MINUTE_MS, price(5)));
            }
            let rows = tape.between(0, NOW_MS + DAY_MS, false);
            assert_eq!(rows.len() as u64, 60 - minute);
            let mut sum = rows[0].clone();
            rows[1..].iter().for_each(|row| sum.extend(row));
            assert_eq!(sum, hour);
            assert!(rows.windows(2).all(|two| two[0].close == two[1].open));
            assert_eq!(tape.between(0, NOW_MS + DAY_MS, true), [hour]);
        }
    }
}

#[test]
fn a_candle_longer_than_any_time_is_no_overflow() {
    let rows = exchange(1).candles("BTC_USDT", u64::MAX, window(0, NOW_MS + 1, 10));
    assert!(rows.len() <= 1, "{}", rows.len());
}
