//! The payloads of the channels. Times are added last, so that a payload that says nothing new can
//! be recognised.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::depth::{DepthView, Level};
use crate::{
    exchange::{
        AccountId, BalanceReason, Exchange, SpotMarket,
        book::Side,
        futures::{
            FuturesMarket,
            funding::{LIMIT, next_funding_ms},
        },
        order::{Kind, SpotFill, SpotOrder, State},
        tape::{PublicTrade, Tape},
    },
    wire::{fixed, plain, ratio, rfc3339},
};

pub(super) fn spot_ticker(market: &SpotMarket, now_ms: u64) -> Option<Value> {
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

pub(super) fn spot_book_ticker(market: &SpotMarket) -> Value {
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

pub(super) fn spot_trade(symbol: &SmolStr, trade: &PublicTrade, market: &SpotMarket) -> Value {
    json!({
        "symbol": symbol.as_str(),
        "price": fixed(trade.price, market.rules.price_decimals),
        "side": trade.side.word(),
        "size": fixed(trade.size, market.rules.size_decimals),
        "s_t": trade.time_ms / 1_000,
        "ms_t": trade.time_ms,
    })
}

fn spot_levels(levels: &[Level], market: &SpotMarket) -> Value {
    let rules = &market.rules;
    let size = |size: Decimal| {
        if size.is_zero() { "0".to_owned() } else { fixed(size, rules.size_decimals) }
    };
    levels
        .iter()
        .map(|(price, open)| json!([fixed(*price, rules.price_decimals), size(*open)]))
        .collect()
}

pub(super) fn spot_depth(market: &SpotMarket, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": spot_levels(&market.book.levels(Side::Sell, depth), market),
        "bids": spot_levels(&market.book.levels(Side::Buy, depth), market),
    })
}

pub(super) fn spot_increase(
    market: &SpotMarket,
    view: &DepthView,
    version: u64,
    snapshot: bool,
) -> Value {
    let (asks, bids) =
        if snapshot { (&view.asks, &view.bids) } else { (&view.changed_asks, &view.changed_bids) };
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": spot_levels(asks, market),
        "bids": spot_levels(bids, market),
        "version": version,
        "type": if snapshot { "snapshot" } else { "update" },
    })
}

pub(super) fn spot_kline(market: &SpotMarket, minutes: u64) -> Option<Value> {
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

/// Every value is a text on this channel.
pub(super) fn spot_order(order: &SpotOrder, fill: Option<&SpotFill>, market: &SpotMarket) -> Value {
    let (request, rules) = (&order.request, &market.rules);
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (entrust_type, order_type) = match request.kind {
        Kind::Limit | Kind::Market => ("NORMAL", "0"),
        Kind::LimitMaker => ("LIMIT_MAKER", "1"),
        Kind::Ioc => ("IOC", "3"),
    };
    let legacy_state = match order.state {
        State::New => "4",
        State::PartiallyFilled => "5",
        State::Filled => "6",
        State::Canceled => "8",
        State::PartiallyCanceled => "12",
    };
    let market_buy = request.kind == Kind::Market && request.side == Side::Buy;
    json!({
        "symbol": request.symbol.as_str(),
        "order_id": order.id.0.to_string(),
        "client_order_id": request.client_id.as_deref().unwrap_or_default(),
        "side": request.side.word(),
        "type": if request.kind == Kind::Market { "market" } else { "limit" },
        "price": price(request.price),
        "size": size(request.size),
        "notional": if market_buy { fixed(request.notional, 8) } else { String::new() },
        "filled_size": size(order.filled_size),
        "filled_notional": fixed(order.filled_notional, 8),
        "order_state": order.state.word(),
        "state": legacy_state,
        "entrust_type": entrust_type,
        "order_type": order_type,
        "order_mode": request.mode(),
        "margin_trading": if request.margin { "1" } else { "0" },
        "last_fill_price": fill.map_or("0".to_owned(), |fill| price(fill.price)),
        "last_fill_count": fill.map_or("0".to_owned(), |fill| size(fill.size)),
        "last_fill_time": fill.map_or("0".to_owned(), |fill| fill.time_ms.to_string()),
        "exec_type": fill.map_or("", |fill| if fill.maker { "M" } else { "T" }),
        "detail_id": fill.map_or(String::new(), |fill| fill.trade.to_string()),
        "dealFee": fill.map_or("0".to_owned(), |fill| fixed(fill.fee, 8)),
        "deal_fee_coin_name": if fill.is_some() { rules.quote.as_str() } else { "" },
        "create_time": order.created_ms.to_string(),
        "update_time": order.updated_ms.to_string(),
        "ms_t": order.created_ms.to_string(),
    })
}

pub(super) fn spot_balance(
    exchange: &Exchange,
    account: AccountId,
    reason: BalanceReason,
    currencies: &[SmolStr],
    now_ms: u64,
) -> Value {
    let event = match reason {
        BalanceReason::Trade => "TRANSACTION_COMPLETED",
        BalanceReason::Deposit => "ACCOUNT_RECHARGE",
        BalanceReason::Withdrawal => "ACCOUNT_WITHDRAWAL",
        BalanceReason::Transfer => "ACCOUNT_TRANSFER",
    };
    let wallet = |currency: &SmolStr| {
        let money = exchange.accounts.get(&account).and_then(|account| account.spot.get(currency));
        money.copied().unwrap_or_default()
    };
    let rows = currencies.iter().map(|currency| {
        let money = wallet(currency);
        json!({ "ccy": currency.as_str(), "av_bal": plain(money.available), "fz_bal": plain(money.frozen) })
    });
    json!({
        "event_type": event,
        "event_time": now_ms.to_string(),
        "balance_details": rows.collect::<Value>(),
    })
}

pub(super) fn futures_ticker(market: &FuturesMarket, now_ms: u64) -> Value {
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

pub(super) fn futures_book_ticker(market: &FuturesMarket) -> Value {
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

pub(super) fn futures_trade(symbol: &SmolStr, trade: &PublicTrade) -> Value {
    json!({
        "trade_id": trade.id,
        "symbol": symbol.as_str(),
        "deal_price": plain(trade.price),
        "deal_vol": plain(trade.size),
        "m": trade.side == Side::Sell,
        "created_at": rfc3339(trade.time_ms),
    })
}

fn futures_levels(levels: &[Level]) -> Value {
    levels
        .iter()
        .map(|(price, size)| json!({ "price": plain(*price), "vol": plain(*size) }))
        .collect()
}

/// One side of the book: way 1 are the bids, 2 the asks.
pub(super) fn futures_depth(market: &FuturesMarket, side: Side, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "way": if side == Side::Buy { 1 } else { 2 },
        "depths": futures_levels(&market.book.levels(side, depth)),
    })
}

pub(super) fn futures_depth_all(market: &FuturesMarket, depth: usize) -> Value {
    json!({
        "symbol": market.rules.symbol.as_str(),
        "asks": futures_levels(&market.book.levels(Side::Sell, depth)),
        "bids": futures_levels(&market.book.levels(Side::Buy, depth)),
    })
}

pub(super) fn futures_increase(
    symbol: &SmolStr,
    view: &DepthView,
    version: u64,
    snapshot: bool,
) -> Value {
    let (asks, bids) =
        if snapshot { (&view.asks, &view.bids) } else { (&view.changed_asks, &view.changed_bids) };
    json!({
        "symbol": symbol.as_str(),
        "asks": futures_levels(asks),
        "bids": futures_levels(bids),
        "version": version,
        "type": if snapshot { "snapshot" } else { "update" },
    })
}

/// The latest candle of last or mark prices.
pub(super) fn futures_kline(market: &FuturesMarket, tape: &Tape, minutes: u64) -> Option<Value> {
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

pub(super) fn futures_funding(market: &FuturesMarket, now_ms: u64) -> Value {
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
