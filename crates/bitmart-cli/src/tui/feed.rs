//! The source of the screen's events: subscriptions, the account tracker and REST.

use std::time::Duration;

use bitmart::account::{AccountTracker, Instrument, Market, Order, PositionSide};
use bitmart::rest::{Client, system};
use bitmart::types::{Side, Timestamp};
use bitmart::ws;
use bitmart::ws::Update;
use bitmart::ws::book::BookSubscription;
use bitmart::ws::event::DepthEvent;
use bitmart::ws::topic::Topic;
use bitmart::ws::topic::{self, DepthLevels, DepthSpeed};
use bitmart::ws::{futures, spot};
use tokio::sync::{mpsc, watch};

use super::model::{Account, CANDLES, Event, Level, OwnOrder, State, Ticker, Trade};
use crate::chart;
use crate::failure::Failure;
use crate::watch::{SubscriptionEvent, subscribe_reporting};

/// Maximum number of levels of each side.
const LEVELS: usize = 100;
/// Interval of measuring the round trip.
const ROUND_TRIP_INTERVAL: Duration = Duration::from_secs(5);

type Events = mpsc::Sender<Result<Event, Failure>>;

/// Starts the subscriptions of a symbol. A new value in `step` loads candles of that length.
pub(super) async fn start(
    rest: Client,
    streams: ws::Client,
    symbol: &str,
    has_key: bool,
    step: watch::Receiver<i64>,
    events: Events,
) -> Result<(), Failure> {
    let is_contract = !symbol.contains('_');
    if is_contract {
        let levels = topic::futures::depth_updates(symbol, DepthLevels::Fifty, DepthSpeed::Ms200);
        book(&streams, levels, &events).await?;
        stream(&streams, topic::futures::trades(symbol), &events, "trades", futures_trade).await?;
        stream(&streams, topic::futures::ticker(symbol), &events, "ticker", futures_ticker).await?;
    } else {
        book(&streams, topic::spot::depth_updates(symbol), &events).await?;
        stream(&streams, topic::spot::trades(symbol), &events, "trades", spot_trade).await?;
        stream(&streams, topic::spot::ticker(symbol), &events, "ticker", spot_ticker).await?;
    }
    tokio::spawn(candles(rest.clone(), symbol.to_owned(), step, events.clone()));
    if has_key {
        tokio::spawn(account(rest.clone(), streams, symbol.to_owned(), events.clone()));
    }
    tokio::spawn(round_trip(rest, events));
    Ok(())
}

async fn book<T: DepthEvent>(
    streams: &ws::Client,
    topic: Topic<T>,
    events: &Events,
) -> Result<(), Failure> {
    let mut book = BookSubscription::new(streams.subscribe(topic).await?);
    let events = events.clone();
    tokio::spawn(async move {
        while let Some(next) = book.next().await {
            let event = next.map_err(Failure::from).map(|book| {
                let level = |level: ws::event::Level| -> Level { (level.price, level.size) };
                let bids = book.bids().take(LEVELS).map(level).collect();
                let asks = book.asks().take(LEVELS).map(level).collect();
                Event::Book { bids, asks, is_synchronized: book.is_synchronized() }
            });
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

async fn stream<T: ws::event::Event>(
    streams: &ws::Client,
    topic: Topic<T>,
    events: &Events,
    name: &'static str,
    read: fn(&T) -> Event,
) -> Result<(), Failure> {
    let report = |event: &SubscriptionEvent| {
        let why = event.detail.clone().unwrap_or_default();
        // When the queue is full, the event is dropped.
        let _ = events.try_send(Ok(Event::State(name, State::Lost(why))));
        Ok(())
    };
    let mut updates = subscribe_reporting(streams, topic, report).await?;
    let events = events.clone();
    tokio::spawn(async move {
        while let Some(update) = updates.next().await {
            let event = match update {
                Err(error) => Err(Failure::from(error)),
                Ok(Update::Data(data)) => Ok(read(&data)),
                Ok(Update::Subscribed | Update::Alive) => Ok(Event::State(name, State::Open)),
                Ok(Update::Reconnecting(why)) => {
                    Ok(Event::State(name, State::Lost(why.to_string())))
                }
                Ok(Update::Resynced) => Ok(Event::Resynced(name)),
                Ok(Update::Stale(_)) => Ok(Event::State(name, State::Stale)),
                Ok(Update::Lagged(missed)) => Ok(Event::Lagged(missed)),
                Ok(Update::Malformed(_)) => Ok(Event::Lagged(1)),
                Ok(_) => continue,
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn spot_trade(trade: &spot::Trade) -> Event {
    let (time, buy) = (trade.timestamp.unwrap_or_else(Timestamp::now), trade.side == Side::Buy);
    Event::Trade(Trade { time, price: trade.price, size: trade.size, buy: Some(buy) })
}

fn futures_trade(trade: &futures::Trade) -> Event {
    let buy = trade.taker_side().map(|side| side == Side::Buy);
    // A trade without a time has just happened.
    let time = trade.timestamp.unwrap_or_else(Timestamp::now);
    Event::Trade(Trade { time, price: trade.price, size: trade.size, buy })
}

fn spot_ticker(ticker: &spot::Ticker) -> Event {
    Event::Ticker(Ticker {
        last: ticker.last_price,
        change: ticker.change,
        high: ticker.high,
        low: ticker.low,
        volume: ticker.base_volume,
        mark: None,
    })
}

fn futures_ticker(ticker: &futures::Ticker) -> Event {
    Event::Ticker(Ticker {
        last: ticker.last_price,
        change: ticker.change,
        high: None,
        low: None,
        volume: ticker.volume,
        mark: ticker.mark_price,
    })
}

/// Loads past candles, again for each new length. If that fails, candles are built from trades alone.
async fn candles(rest: Client, symbol: String, mut step: watch::Receiver<i64>, events: Events) {
    loop {
        let minutes = *step.borrow_and_update();
        let count = u32::try_from(CANDLES / 2).unwrap_or(100);
        if let Ok(candles) = chart::fetch(&rest, &symbol, &minutes.to_string(), count).await
            && events.send(Ok(Event::Candles { step: minutes, candles })).await.is_err()
        {
            return;
        }
        if step.changed().await.is_err() {
            return;
        }
    }
}

/// Sends orders, balances and positions after each change.
async fn account(rest: Client, streams: ws::Client, symbol: String, events: Events) {
    let is_contract = !symbol.contains('_');
    let builder = AccountTracker::builder(rest, streams);
    let currency = ["USDT", "USDC", "USD"].into_iter().find(|quote| symbol.ends_with(quote));
    let builder =
        if is_contract { builder.futures([currency.unwrap_or("USDT")]) } else { builder.spot() };
    let mut tracker = builder.build();
    while let Some(event) = tracker.next().await {
        let event = match event {
            Ok(_) => Event::Account(account_of(&tracker, &symbol)),
            Err(error) => Event::NoAccount(error.to_string()),
        };
        let is_last = matches!(event, Event::NoAccount(_));
        if events.send(Ok(event)).await.is_err() || is_last {
            return;
        }
    }
}

/// The part of the account that concerns a symbol.
fn account_of(tracker: &AccountTracker, symbol: &str) -> Account {
    let state = tracker.state();
    let market = if symbol.contains('_') { Market::Spot } else { Market::Futures };
    let has_symbol = |order: &&Order| match &order.instrument {
        Instrument::Pair(pair) => pair.as_str() == symbol,
        Instrument::Contract(contract) => contract.as_str() == symbol,
    };
    let order = |order: &Order| OwnOrder {
        buy: order.side != Side::Sell,
        price: order.price,
        left: order.size.unwrap_or_default() - order.filled_size,
    };
    let mut orders: Vec<_> = state.open_orders(market).filter(has_symbol).map(order).collect();
    orders.sort_by_key(|order| std::cmp::Reverse(order.price));
    // Both currencies of a pair, or the settlement currency of a contract.
    let concerns = |currency: &str| match symbol.split_once('_') {
        Some((base, quote)) => currency == base || currency == quote,
        None => symbol.ends_with(currency),
    };
    let balances = state
        .balances()
        .filter(|(of_market, currency, _)| *of_market == market && concerns(currency.as_str()))
        .map(|(_, currency, balance)| (currency.to_string(), balance.available, balance.frozen));
    let positions = state
        .all_positions()
        .filter(|(key, position)| key.symbol.as_str() == symbol && !position.size.is_zero())
        .map(|(key, position)| {
            let side = match key.side {
                PositionSide::Long => "long",
                PositionSide::Short => "short",
            };
            (side, position.size, position.entry_price)
        });
    Account { orders, balances: balances.collect(), positions: positions.collect() }
}

/// Measures the round trip of a request.
async fn round_trip(rest: Client, events: Events) {
    loop {
        if let Ok(response) = rest.send_detailed(system::QueryTime::new()).await
            && events.send(Ok(Event::RoundTrip(response.latency))).await.is_err()
        {
            return;
        }
        tokio::time::sleep(ROUND_TRIP_INTERVAL).await;
        if events.is_closed() {
            return;
        }
    }
}
