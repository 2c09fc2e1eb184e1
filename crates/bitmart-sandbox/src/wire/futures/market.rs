//! Public futures market data of REST and of the stream, from the order book in which orders are matched.

use bitmart_sim::{
    Exchange,
    book::Side,
    candle_history::CandleWindow,
    futures::{
        FuturesMarket, MAKER_FEE, TAKER_FEE,
        funding::{MAX_FUNDING_RATE, next_funding_ms},
    },
    position::PositionSide,
    tape::{Candle, PublicTrade, Tape},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult, Level,
    error::{WireError, error},
    render::{plain, ratio, rfc3339},
};

/// Levels per side of a book.
const DEPTH: usize = 50;
/// Lengths of candles in minutes.
const STEPS: [i64; 13] = [1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1_440, 4_320, 10_080];
/// Maximum number of candles of a response.
const MAX_CANDLES: usize = 500;
const MAX_TRADES: i64 = 100;
const MAX_RATES: i64 = 100;

fn market<'a>(call: &'a Call<'_>) -> Result<&'a FuturesMarket, WireError> {
    call.exchange
        .futures_market(call.params.required("symbol")?.as_str())
        .ok_or_else(|| error(40034))
}

pub(crate) fn depth(call: &mut Call<'_>) -> HandlerResult {
    let market = market(call)?;
    let side = |side| -> Value {
        let mut sum = Decimal::ZERO;
        let rows = market.book.levels(side, DEPTH).into_iter().map(|(price, size)| {
            sum += size;
            json!([plain(price), plain(size), plain(sum)])
        });
        rows.collect()
    };
    Ok(json!({
        "asks": side(Side::Sell),
        "bids": side(Side::Buy),
        "timestamp": call.now_ms,
        "symbol": market.rules.symbol.as_str(),
    }))
}

/// Sizes are in coins, not in contracts; times in seconds.
pub(crate) fn trades(call: &mut Call<'_>) -> HandlerResult {
    let (market, params) = (market(call)?, &call.params);
    let limit = params.integer("limit")?.unwrap_or(50);
    let limit = usize::try_from(limit).ok().filter(|_| (1..=MAX_TRADES).contains(&limit));
    let limit = limit.ok_or_else(|| params.invalid("limit", "must be 1 to 100"))?;
    let rows = market.tape.trades(limit).map(|trade| {
        let coins = trade.size * market.rules.contract_size;
        json!({
            "symbol": market.rules.symbol.as_str(),
            "price": plain(trade.price),
            "qty": plain(coins),
            "quote_qty": plain(coins.checked_mul(trade.price).unwrap_or_default()),
            "time": trade.time_ms / 1_000,
            "is_buyer_maker": trade.side == Side::Sell,
        })
    });
    Ok(rows.collect())
}

pub(crate) fn open_interest(call: &mut Call<'_>) -> HandlerResult {
    let market = market(call)?;
    let (contracts, value) = open_interest_of(&call.exchange, market);
    Ok(json!({
        "timestamp": call.now_ms,
        "symbol": market.rules.symbol.as_str(),
        "open_interest": plain(contracts),
        "open_interest_value": plain(value),
    }))
}

/// The open contracts and their value. The house is the counterparty of the positions that have no other.
pub(crate) fn open_interest_of(exchange: &Exchange, market: &FuturesMarket) -> (Decimal, Decimal) {
    let size_of = |side| -> Decimal {
        let accounts = exchange.accounts().filter(|account| !account.house);
        let key = (market.rules.symbol.clone(), side);
        accounts
            .filter_map(|account| account.positions.get(&key))
            .map(|position| position.size)
            .sum()
    };
    let contracts = size_of(PositionSide::Long).max(size_of(PositionSide::Short));
    let coins = contracts * market.rules.contract_size;
    (contracts, coins.checked_mul(market.last_price()).unwrap_or_default())
}

/// The rate of the last settlement and the expected rate of the next.
fn funding_row(market: &FuturesMarket, now_ms: u64) -> Value {
    json!({
        "timestamp": now_ms,
        "symbol": market.rules.symbol.as_str(),
        "rate_value": plain(market.funding_rates.last()),
        "expected_rate": plain(market.funding_rates.expected()),
        "funding_time": next_funding_ms(now_ms),
        "funding_upper_limit": plain(MAX_FUNDING_RATE),
        "funding_lower_limit": plain(-MAX_FUNDING_RATE),
    })
}

pub(crate) fn funding_rate(call: &mut Call<'_>) -> HandlerResult {
    Ok(funding_row(market(call)?, call.now_ms))
}

/// All contracts, or the requested one.
pub(crate) fn funding_rates(call: &mut Call<'_>) -> HandlerResult {
    if call.params.is_absent("symbol") {
        let rows = call.exchange.futures_markets().map(|market| funding_row(market, call.now_ms));
        return Ok(json!({ "list": rows.collect::<Value>() }));
    }
    Ok(json!({ "list": [funding_row(market(call)?, call.now_ms)] }))
}

/// The latest settlements, newest first.
pub(crate) fn funding_rate_history(call: &mut Call<'_>) -> HandlerResult {
    let (market, params) = (market(call)?, &call.params);
    let limit = params.integer("limit")?.unwrap_or(MAX_RATES);
    if !(1..=MAX_RATES).contains(&limit) {
        return Err(params.invalid("limit", "must be 1 to 100"));
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let rows = market.funding_rates.past().take(limit).map(|(time_ms, rate)| {
        json!({
            "symbol": market.rules.symbol.as_str(),
            "funding_rate": plain(rate),
            "funding_time": time_ms.to_string(),
        })
    });
    Ok(json!({ "list": rows.collect::<Value>() }))
}

/// Candles that opened in the window, oldest first; the latest ones if there are too many.
pub(crate) fn klines(call: &mut Call<'_>) -> HandlerResult {
    candles(call, Exchange::candles)
}

/// Candles of the mark price have no volume.
pub(crate) fn mark_price_klines(call: &mut Call<'_>) -> HandlerResult {
    candles(call, Exchange::mark_candles)
}

fn candles(
    call: &Call<'_>,
    list: fn(&Exchange, &str, u64, CandleWindow) -> Vec<Candle>,
) -> HandlerResult {
    let (market, params) = (market(call)?, &call.params);
    let step = params.integer("step")?.unwrap_or(1);
    if !STEPS.contains(&step) {
        return Err(error(40038));
    }
    let time = |name| {
        params.required(name)?;
        Ok(params.integer(name)?.unwrap_or_default())
    };
    let (from, to) = (time("start_time")?, time("end_time")?);
    if to < from {
        return Err(params.invalid("end_time", "must not be before start_time"));
    }
    let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
    let (from_ms, to_ms) = (ms(from), ms(to.saturating_add(1)));
    let window = CandleWindow { from_ms, to_ms, limit: MAX_CANDLES, oldest: false };
    let rows = list(&call.exchange, &market.rules.symbol, step.unsigned_abs(), window);
    let row = |candle: &Candle| {
        json!({
            "timestamp": candle.open_ms / 1_000,
            "open_price": plain(candle.open),
            "close_price": plain(candle.close),
            "high_price": plain(candle.high),
            "low_price": plain(candle.low),
            "volume": plain(candle.volume),
        })
    };
    Ok(rows.iter().map(row).collect())
}

pub(crate) fn fee_rate(call: &mut Call<'_>) -> HandlerResult {
    Ok(json!({
        "symbol": market(call)?.rules.symbol.as_str(),
        "taker_fee_rate": plain(TAKER_FEE),
        "maker_fee_rate": plain(MAKER_FEE),
    }))
}

// The same data on WebSocket channels.

pub(crate) fn pushed_ticker(market: &FuturesMarket, now_ms: u64) -> Value {
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

pub(crate) fn pushed_book_ticker(market: &FuturesMarket) -> Value {
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

/// One side of the book: `way` 1 is for bids, 2 for asks.
pub(crate) fn pushed_depth(market: &FuturesMarket, side: Side, depth: usize) -> Value {
    let way = if side == Side::Buy { 1 } else { 2 };
    let mut book = json!({ "symbol": market.rules.symbol.as_str(), "way": way });
    book["depths"] = pushed_levels(&market.book.levels(side, depth));
    book
}

pub(crate) fn pushed_depth_all(market: &FuturesMarket, depth: usize) -> Value {
    let mut book = json!({ "symbol": market.rules.symbol.as_str() });
    book["asks"] = pushed_levels(&market.book.levels(Side::Sell, depth));
    book["bids"] = pushed_levels(&market.book.levels(Side::Buy, depth));
    book
}

/// A snapshot or an update of a book.
pub(crate) fn pushed_book(
    symbol: &SmolStr,
    (asks, bids): (&[Level], &[Level]),
    version: u64,
    is_snapshot: bool,
) -> Value {
    let mut book = json!({
        "symbol": symbol.as_str(),
        "version": version,
        "type": if is_snapshot { "snapshot" } else { "update" },
    });
    book["asks"] = pushed_levels(asks);
    book["bids"] = pushed_levels(bids);
    book
}

/// The levels of a side. They are not built with `json!`, which would copy each value: books are pushed more than
/// anything else.
fn pushed_levels(levels: &[Level]) -> Value {
    levels
        .iter()
        .map(|(price, size)| Value::from_iter([("price", plain(*price)), ("vol", plain(*size))]))
        .collect()
}

pub(crate) fn pushed_trade(symbol: &SmolStr, trade: &PublicTrade) -> Value {
    json!({
        "trade_id": trade.id,
        "symbol": symbol.as_str(),
        "deal_price": plain(trade.price),
        "deal_vol": plain(trade.size),
        "m": trade.side == Side::Sell,
        "created_at": rfc3339(trade.time_ms),
    })
}

/// The latest candle of last or mark prices.
pub(crate) fn pushed_kline(market: &FuturesMarket, tape: &Tape, minutes: u64) -> Option<Value> {
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

pub(crate) fn pushed_funding_rate(market: &FuturesMarket, now_ms: u64) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "fundingRate": plain(market.funding_rates.last()),
        // Observed: the time of the push, not of the next settlement.
        "fundingTime": now_ms,
        "nextFundingRate": plain(market.funding_rates.expected()),
        "nextFundingTime": next_funding_ms(now_ms),
        "funding_upper_limit": plain(MAX_FUNDING_RATE),
        "funding_lower_limit": plain(-MAX_FUNDING_RATE),
        "ts": now_ms,
    })
}
