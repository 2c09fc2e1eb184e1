//! Public spot market data of REST (`/spot/quotation/v3/…`) and of the stream, and the trading rules of pairs.

use std::collections::BTreeSet;

use bitmart_sim::{
    Exchange, SpotMarket, book::Side, candle_history::CandleWindow, operator::OpenPayments,
    tape::PublicTrade,
};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult, Level,
    currencies::full_name,
    enums,
    error::{WireError, error},
    params::Params,
    render::{fixed, plain, ratio},
};

/// Lengths of candles in minutes.
const STEPS: [i64; 13] = [1, 3, 5, 15, 30, 45, 60, 120, 180, 240, 1_440, 10_080, 43_200];

fn market<'a>(exchange: &'a Exchange, params: &Params) -> Result<&'a SpotMarket, WireError> {
    exchange.spot_market(params.required("symbol")?.as_str()).ok_or_else(|| error(70002))
}

/// The columns of a ticker, in the order of the array form.
fn columns(market: &SpotMarket, now_ms: u64) -> Option<[(&'static str, String); 13]> {
    let day = market.tape.day(now_ms)?;
    let rules = &market.rules;
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (bid, bid_size) = market.book.best_bid().unwrap_or_default();
    let (ask, ask_size) = market.book.best_ask().unwrap_or_default();
    Some([
        ("symbol", rules.symbol.to_string()),
        ("last", price(day.close)),
        ("v_24h", size(day.volume)),
        ("qv_24h", fixed(day.turnover, 2)),
        ("open_24h", price(day.open)),
        ("high_24h", price(day.high)),
        ("low_24h", price(day.low)),
        ("fluctuation", ratio(day.open, day.close)),
        ("bid_px", price(bid)),
        ("bid_sz", size(bid_size)),
        ("ask_px", price(ask)),
        ("ask_sz", size(ask_size)),
        ("ts", now_ms.to_string()),
    ])
}

/// Observed: only pairs with volume in the last 24 hours are listed.
pub(crate) fn tickers(call: &mut Call<'_>) -> HandlerResult {
    let rows = call.exchange.spot_markets().filter_map(|market| columns(market, call.now_ms));
    Ok(rows.map(|row| Value::from_iter(row.map(|column| column.1))).collect())
}

pub(crate) fn ticker(call: &mut Call<'_>) -> HandlerResult {
    let row =
        columns(market(&call.exchange, &call.params)?, call.now_ms).ok_or_else(|| error(70000))?;
    Ok(Value::from_iter(row))
}

pub(crate) fn klines(call: &mut Call<'_>) -> HandlerResult {
    let params = &call.params;
    let market = market(&call.exchange, params)?;
    let step = params.integer("step")?.unwrap_or(1);
    if !STEPS.contains(&step) {
        return Err(error(71005));
    }
    let limit = params.limit(100, 200).map_err(|_| error(71004))?;
    let time = |name, code| params.integer(name).map_err(|_| error(code));
    let (before, after) = (time("before", 71002)?, time("after", 71001)?);
    if before.zip(after).is_some_and(|(before, after)| before < after) {
        return Err(error(71003));
    }
    let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
    let window = CandleWindow {
        from_ms: after.map_or(0, |after| ms(after.saturating_add(1))),
        to_ms: before.map_or(call.now_ms + 1, ms),
        limit,
        // Paging forward starts with the rows right after the given time.
        oldest: after.is_some() && before.is_none(),
    };
    let mut rows = call.exchange.candles(&market.rules.symbol, step.unsigned_abs(), window);
    // Newest first.
    rows.reverse();
    if rows.is_empty() {
        return Err(error(70000));
    }
    let rules = &market.rules;
    let price = |value| fixed(value, rules.price_decimals);
    let row = |candle: &bitmart_sim::tape::Candle| {
        json!([
            (candle.open_ms / 1_000).to_string(),
            price(candle.open),
            price(candle.high),
            price(candle.low),
            price(candle.close),
            fixed(candle.volume, rules.size_decimals),
            fixed(candle.turnover, 8),
        ])
    };
    Ok(rows.iter().map(row).collect())
}

pub(crate) fn depth(call: &mut Call<'_>) -> HandlerResult {
    let market = market(&call.exchange, &call.params)?;
    let depth = call.params.limit(35, 50)?;
    let side = |side| -> Value {
        let rows = market.book.levels(side, depth).into_iter();
        rows.map(|(price, size)| {
            json!([
                fixed(price, market.rules.price_decimals),
                fixed(size, market.rules.size_decimals)
            ])
        })
        .collect()
    };
    Ok(json!({
        "ts": call.now_ms.to_string(),
        "symbol": market.rules.symbol.as_str(),
        "asks": side(Side::Sell),
        "bids": side(Side::Buy),
    }))
}

pub(crate) fn trades(call: &mut Call<'_>) -> HandlerResult {
    let market = market(&call.exchange, &call.params)?;
    let rules = &market.rules;
    let rows = market.tape.trades(call.params.limit(50, 50)?).map(|trade| {
        json!([
            rules.symbol.as_str(),
            trade.time_ms.to_string(),
            fixed(trade.price, rules.price_decimals),
            fixed(trade.size, rules.size_decimals),
            enums::side(trade.side),
        ])
    });
    Ok(rows.collect())
}

pub(crate) fn symbols(call: &mut Call<'_>) -> HandlerResult {
    let symbols: Vec<&str> =
        call.exchange.spot_markets().map(|market| market.rules.symbol.as_str()).collect();
    Ok(json!({ "symbols": symbols }))
}

pub(crate) fn symbol_details(call: &mut Call<'_>) -> HandlerResult {
    let exchange = &call.exchange;
    let row = |(at, market): (usize, &SpotMarket)| {
        let rules = &market.rules;
        json!({
            "symbol": rules.symbol.as_str(),
            "symbol_id": at + 1,
            "base_currency": rules.base.as_str(),
            "quote_currency": rules.quote.as_str(),
            "quote_increment": plain(rules.lot),
            "base_min_size": plain(rules.lot),
            "price_min_precision": rules.price_decimals,
            "price_max_precision": rules.price_decimals,
            "expiration": "NA",
            "min_buy_amount": fixed(rules.min_notional, 8),
            "min_sell_amount": fixed(rules.min_notional, 8),
            "trade_status": if exchange.is_halted(&rules.symbol) { "pre-trade" } else { "trading" },
        })
    };
    Ok(json!({ "symbols": exchange.spot_markets().enumerate().map(row).collect::<Value>() }))
}

pub(crate) fn currencies(call: &mut Call<'_>) -> HandlerResult {
    let pairs = call.exchange.spot_markets();
    let names: BTreeSet<_> =
        pairs.flat_map(|market| [&market.rules.base, &market.rules.quote]).collect();
    let row = |name: &SmolStr| {
        let OpenPayments { deposits, withdrawals } =
            call.exchange.operator_settings().open_payments(name);
        json!({
            "id": name.as_str(),
            "name": full_name(name),
            "withdraw_enabled": withdrawals,
            "deposit_enabled": deposits,
        })
    };
    Ok(json!({ "currencies": names.into_iter().map(row).collect::<Value>() }))
}

// The same data on WebSocket channels.

pub(crate) fn pushed_ticker(market: &SpotMarket, now_ms: u64) -> Option<Value> {
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

pub(crate) fn pushed_book_ticker(market: &SpotMarket) -> Value {
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

pub(crate) fn pushed_depth(market: &SpotMarket, depth: usize) -> Value {
    let mut book = json!({ "symbol": market.rules.symbol.as_str() });
    book["asks"] = pushed_levels(&market.book.levels(Side::Sell, depth), market);
    book["bids"] = pushed_levels(&market.book.levels(Side::Buy, depth), market);
    book
}

/// A snapshot or an update of a book.
pub(crate) fn pushed_book(
    market: &SpotMarket,
    (asks, bids): (&[Level], &[Level]),
    version: u64,
    is_snapshot: bool,
) -> Value {
    let mut book = json!({
        "symbol": market.rules.symbol.as_str(),
        "version": version,
        "type": if is_snapshot { "snapshot" } else { "update" },
    });
    book["asks"] = pushed_levels(asks, market);
    book["bids"] = pushed_levels(bids, market);
    book
}

/// The levels of a side. They are not built with `json!`, which would copy each value: books are pushed more than
/// anything else.
fn pushed_levels(levels: &[Level], market: &SpotMarket) -> Value {
    let rules = &market.rules;
    let size = |size: Decimal| {
        if size.is_zero() { "0".to_owned() } else { fixed(size, rules.size_decimals) }
    };
    levels
        .iter()
        .map(|(price, open)| Value::from_iter([fixed(*price, rules.price_decimals), size(*open)]))
        .collect()
}

pub(crate) fn pushed_trade(symbol: &SmolStr, trade: &PublicTrade, market: &SpotMarket) -> Value {
    json!({
        "symbol": symbol.as_str(),
        "price": fixed(trade.price, market.rules.price_decimals),
        "side": enums::side(trade.side),
        "size": fixed(trade.size, market.rules.size_decimals),
        "s_t": trade.time_ms / 1_000,
        "ms_t": trade.time_ms,
    })
}

pub(crate) fn pushed_kline(market: &SpotMarket, minutes: u64) -> Option<Value> {
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
