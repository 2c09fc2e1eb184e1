//! The pushes of futures channels. Push times are added later, so that unchanged values compare as equal.

use std::collections::BTreeMap;

use bitmart_sim::{AccountId, Event, Exchange, book::Side};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    market::{
        pushed_book_ticker, pushed_depth, pushed_depth_all, pushed_funding_rate, pushed_kline,
        pushed_ticker, pushed_trade,
    },
    positions::{pushed_asset, pushed_position},
    rows::{pushed_order, pushed_plan},
};
use crate::{
    generated::channels::{FuturesPrivate, FuturesPublic as Id},
    wire::topic::Topic,
};

/// The current values of a channel that is pushed periodically: one, or one per side or contract.
pub(crate) fn values(channel: Id, exchange: &Exchange, topic: &Topic, now_ms: u64) -> Vec<Value> {
    if channel == Id::AllTickers {
        return exchange.futures_markets().map(|market| pushed_ticker(market, now_ms)).collect();
    }
    let Some(market) = exchange.futures_market(&topic.symbol) else { return Vec::new() };
    match channel {
        Id::Ticker => vec![pushed_ticker(market, now_ms)],
        Id::FundingRate => vec![pushed_funding_rate(market, now_ms)],
        Id::SideDepth => {
            [Side::Buy, Side::Sell].map(|side| pushed_depth(market, side, topic.levels)).into()
        }
        Id::Depth => vec![pushed_depth_all(market, topic.levels)],
        Id::BookTicker => vec![pushed_book_ticker(market)],
        Id::Klines => pushed_kline(market, &market.tape, topic.minutes).into_iter().collect(),
        Id::MarkPriceKlines => {
            pushed_kline(market, &market.mark.tape, topic.minutes).into_iter().collect()
        }
        Id::AllTickers | Id::DepthUpdates | Id::Trades => Vec::new(),
    }
}

/// The trades among the events by symbol, newest first (as reported by other clients).
pub(crate) fn trades(events: &[Event]) -> BTreeMap<SmolStr, Vec<Value>> {
    let mut rows: BTreeMap<SmolStr, Vec<Value>> = BTreeMap::new();
    for event in events.iter().rev() {
        if let Event::FuturesTrade { symbol, trade: row } = event {
            rows.entry(symbol.clone()).or_default().push(pushed_trade(symbol, row));
        }
    }
    rows
}

/// Adds the push time, if the channel has one.
pub(crate) fn stamp(channel: Id, fields: &mut Map<String, Value>, now_ms: u64) {
    match channel {
        Id::SideDepth | Id::Depth | Id::DepthUpdates | Id::BookTicker => {
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

/// Renders an event for a private channel.
pub(crate) fn event_value(exchange: &Exchange, event: &Event) -> Option<Value> {
    match event {
        Event::FuturesOrder { order, action, fill } => {
            let market = exchange.futures_market(&order.request.symbol)?;
            Some(pushed_order(order, *action, fill.as_deref(), market))
        }
        Event::FuturesPlan { plan, action } => Some(pushed_plan(exchange, plan, *action)),
        Event::FuturesAsset { account, currency } => pushed_asset(exchange, *account, currency),
        Event::FuturesPosition { account, symbol, side } => {
            let row = pushed_position(exchange, *account, symbol, *side)?;
            Some(vec![row].into())
        }
        _ => None,
    }
}

/// The periodic push of a private channel for an account: all open positions in one frame.
pub(crate) fn periodic(
    channel: FuturesPrivate,
    exchange: &Exchange,
    account: AccountId,
) -> Option<Value> {
    match channel {
        FuturesPrivate::UserPositions => {
            let positions = exchange.account(account)?.positions.iter();
            let open = positions.filter(|(_, position)| !position.size.is_zero());
            let rows: Vec<Value> = open
                .filter_map(|((symbol, side), _)| pushed_position(exchange, account, symbol, *side))
                .collect();
            Some(rows).filter(|rows| !rows.is_empty()).map(Value::from)
        }
        FuturesPrivate::UserOrders | FuturesPrivate::UserBalances => None,
    }
}
