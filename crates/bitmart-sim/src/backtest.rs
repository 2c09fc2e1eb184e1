//! Backtests: an exchange whose prices come from candles.
//!
//! # What happens within a candle
//! 1. At the open, the house quotes the opening price. The strategy sees all candles that are finished, and its
//!    orders meet this quote: a market order trades at the open of the candle after those that it was decided on.
//! 2. The price goes from the open to the nearer of high and low, to the other one, and to the close.
//! 3. A resting limit order is filled in full, at its own price, when the price reaches it. Orders that wait for a
//!    price are placed when the price reaches theirs, and meet the quote there. With a futures position or a
//!    waiting order, the time passes along this way, so that marks, funding and liquidations follow.
//!
//! # What it cannot tell
//! - The way within a candle is a guess: whether the high or the low came first, and how often the price came by.
//! - Touching is enough: at the exchange, other orders of the same price may be ahead of yours.
//! - Every size is filled, up to 1,000,000,000 units of the quote currency: the volume of the candle sets no limit,
//!   and your orders do not move the price.
//! - The spread is what [`Backtest::half_spread`] says; without it one tick.
//! - A resting order trades at its own price even when the price has jumped beyond it between two candles.

mod quotes;
#[cfg(test)]
mod tests;

use std::fmt;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use self::quotes::{Pair, Venue};
use crate::{
    AccountId, Command, Event, Exchange, Outcome, Reject, Request, Setup, command::OperatorCommand,
    tape::Candle,
};

/// How long a single candle is open.
const MINUTE_MS: u64 = 60_000;

/// The candles of one market, oldest first.
struct Feed {
    symbol: SmolStr,
    venue: Venue,
    candles: Box<dyn Iterator<Item = Candle> + Send>,
    /// The candle that has opened.
    current: Option<Candle>,
    next: Option<Candle>,
}

impl Feed {
    /// Candles that are not later than the one before are passed over.
    fn advance(&mut self) {
        let open_ms = self.next.as_ref().map_or(0, |candle| candle.open_ms);
        self.current = self.next.take();
        self.next = self.candles.find(|candle| candle.open_ms > open_ms);
    }

    /// The open of the open candle; after the last one its close.
    fn price(&self, exchange: &Exchange) -> Option<Decimal> {
        match &self.current {
            Some(candle) => Some(candle.open),
            None => self.venue.tape(exchange, &self.symbol)?.last_price(),
        }
    }
}

/// An exchange whose prices come from candles, with the time at which it stands.
///
/// The [module](self) says what happens within a candle, and what it cannot tell.
pub struct Backtest {
    exchange: Exchange,
    feeds: Vec<Feed>,
    now_ms: u64,
    /// The longest time between two steps so far: how long the last candles are open.
    width_ms: u64,
    half_spread: Decimal,
}

impl fmt::Debug for Backtest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbols: Vec<_> = self.feeds.iter().map(|feed| &feed.symbol).collect();
        f.debug_struct("Backtest")
            .field("now_ms", &self.now_ms)
            .field("feeds", &symbols)
            .finish_non_exhaustive()
    }
}

impl Backtest {
    /// Starts an exchange without a market maker.
    pub fn new(setup: &Setup, start_ms: u64) -> Self {
        let setup = setup.clone().without_market_maker();
        let exchange = Exchange::new(&setup, start_ms);
        let half_spread = Decimal::ZERO;
        Self { exchange, feeds: Vec::new(), now_ms: start_ms, width_ms: MINUTE_MS, half_spread }
    }

    /// Adds the candles of a pair or contract, oldest first. They may be read from a file while it runs.
    ///
    /// # Errors
    /// [`Reject::UnknownMarket`].
    pub fn candles(
        mut self,
        symbol: &str,
        candles: impl IntoIterator<Item = Candle, IntoIter: Send + 'static>,
    ) -> Result<Self, Reject> {
        let venue = Venue::of(&self.exchange, symbol).ok_or(Reject::UnknownMarket)?;
        let mut candles: Box<dyn Iterator<Item = Candle> + Send> = Box::new(candles.into_iter());
        let next = candles.next();
        self.feeds.push(Feed { symbol: symbol.into(), venue, candles, current: None, next });
        Ok(self)
    }

    /// Sets the distance of bid and ask from the price, as a part of it: 0.0005 are five basis points on each side.
    #[must_use]
    pub fn half_spread(mut self, part: Decimal) -> Self {
        self.half_spread = part.clamp(Decimal::ZERO, Decimal::ONE);
        self
    }

    /// Returns the exchange, to read from.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Returns the time in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Returns the price at which a market stands: what the strategy can trade at now, without the spread.
    pub fn price(&self, symbol: &str) -> Option<Decimal> {
        self.feeds.iter().find(|feed| feed.symbol == symbol)?.price(&self.exchange)
    }

    /// Returns what happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.exchange.take_events()
    }

    /// Lets an account do something at the present time and price.
    ///
    /// # Errors
    /// The request breaks a rule of the exchange.
    pub fn apply(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<Outcome, Reject> {
        let request = request.into();
        let mut quotes = Vec::new();
        for feed in self.feeds.iter().filter(|feed| feed.venue.concerns(&request, &feed.symbol)) {
            let Some(price) = feed.price(&self.exchange) else { continue };
            let exchange = &mut self.exchange;
            if let Some(candle) = &feed.current {
                show(exchange, feed, candle, price, self.now_ms);
            }
            let (venue, symbol) = (feed.venue, &feed.symbol);
            quotes
                .push((venue, venue.quote(exchange, symbol, price, self.half_spread, self.now_ms)));
        }
        let result = self.exchange.apply(Command::Customer { account, request }, self.now_ms);
        for (venue, pair) in quotes {
            venue.withdraw(&mut self.exchange, pair, self.now_ms);
        }
        result
    }

    /// Finishes the open candles and opens the next ones. Returns the finished ones by symbol, which are none at
    /// the first step; `None` when all candles have been played.
    pub fn step(&mut self) -> Option<Vec<(SmolStr, Candle)>> {
        let next_ms = self.feeds.iter().filter_map(|feed| Some(feed.next.as_ref()?.open_ms)).min();
        let was_open = self.feeds.iter().any(|feed| feed.current.is_some());
        if next_ms.is_none() && !was_open {
            return None;
        }
        let end_ms = next_ms.unwrap_or(self.now_ms + self.width_ms).max(self.now_ms);
        let finished = if was_open { self.finish(end_ms) } else { Vec::new() };
        self.width_ms = self.width_ms.max(if was_open { end_ms - self.now_ms } else { 0 });
        self.now_ms = end_ms;
        for feed in &mut self.feeds {
            feed.current = None;
            if feed.next.as_ref().is_some_and(|candle| candle.open_ms <= end_ms) {
                feed.advance();
            }
            if let Some(candle) = &feed.current {
                feed.venue.trade_through(&mut self.exchange, &feed.symbol, candle.open, end_ms);
            }
        }
        Some(finished)
    }

    /// Plays the rest of the open candles.
    fn finish(&mut self, end_ms: u64) -> Vec<(SmolStr, Candle)> {
        let mut finished: Vec<(SmolStr, Candle)> = Vec::with_capacity(self.feeds.len());
        if needs_time(&self.exchange) {
            self.walk(end_ms);
        } else {
            let exchange = &mut self.exchange;
            for feed in &self.feeds {
                if !feed.venue.has_orders(exchange, &feed.symbol) {
                    continue;
                }
                for price in feed.current.iter().flat_map(way).skip(1) {
                    feed.venue.trade_through(exchange, &feed.symbol, price, end_ms - 1);
                }
            }
        }
        for feed in &mut self.feeds {
            let Some(candle) = feed.current.take() else { continue };
            record(&mut self.exchange, &feed.symbol, candle.clone(), end_ms - 1);
            finished.push((feed.symbol.clone(), candle));
        }
        finished
    }

    /// Lets the prices of all markets go their way together, with quotes at every turn.
    fn walk(&mut self, end_ms: u64) {
        let part = (end_ms - self.now_ms) / 4;
        for turn in 0..4 {
            let at_ms = self.now_ms + part * turn as u64;
            let until_ms = if turn == 3 { end_ms - 1 } else { at_ms + part };
            let (exchange, half_spread) = (&mut self.exchange, self.half_spread);
            let mut quotes = Vec::new();
            for feed in &self.feeds {
                let Some(candle) = &feed.current else { continue };
                let way = way(candle);
                let from = way[usize::saturating_sub(turn, 1)];
                for price in triggers_between(exchange, &feed.symbol, from, way[turn]) {
                    let pair = visit(exchange, feed, candle, price, half_spread, at_ms);
                    feed.venue.withdraw(exchange, pair, at_ms);
                }
                let pair = visit(exchange, feed, candle, way[turn], half_spread, at_ms);
                quotes.push((feed.venue, pair));
            }
            wait(exchange, until_ms);
            for (venue, pair) in quotes {
                venue.withdraw(exchange, pair, until_ms);
            }
        }
    }
}

/// Takes the price of a market somewhere: resting orders are filled, the house quotes, waiting orders follow.
fn visit(
    exchange: &mut Exchange,
    feed: &Feed,
    candle: &Candle,
    price: Decimal,
    half_spread: Decimal,
    now_ms: u64,
) -> Pair {
    feed.venue.trade_through(exchange, &feed.symbol, price, now_ms);
    let pair = feed.venue.quote(exchange, &feed.symbol, price, half_spread, now_ms);
    show(exchange, feed, candle, price, now_ms);
    pair
}

/// The prices between two others that an order of a market waits for, in the order in which they are passed.
fn triggers_between(exchange: &Exchange, symbol: &str, from: Decimal, to: Decimal) -> Vec<Decimal> {
    let within = from.min(to)..from.max(to);
    let mut prices = exchange.triggers.prices(symbol);
    prices.retain(|price| *price != from && within.contains(price));
    prices.sort_unstable();
    if to < from {
        prices.reverse();
    }
    prices
}

/// From the open over the nearer end and the other one to the close.
fn way(candle: &Candle) -> [Decimal; 4] {
    let Candle { open, high, low, close, .. } = *candle;
    if high - open < open - low { [open, high, low, close] } else { [open, low, high, close] }
}

/// Whether something happens by itself while prices move: orders that wait, and positions.
fn needs_time(exchange: &Exchange) -> bool {
    !exchange.triggers.is_idle()
        || exchange
            .accounts
            .values()
            .any(|account| !account.house && account.open_positions().next().is_some())
}

fn record(exchange: &mut Exchange, symbol: &SmolStr, candle: Candle, now_ms: u64) {
    let command = OperatorCommand::RecordCandle { symbol: symbol.clone(), candle };
    // The market was checked when its candles were added.
    let _ = exchange.apply(Command::Operator(command), now_ms);
}

/// Makes a price within a candle the last one.
fn show(exchange: &mut Exchange, feed: &Feed, candle: &Candle, price: Decimal, now_ms: u64) {
    record(exchange, &feed.symbol, Candle::flat(candle.open_ms, price), now_ms);
}

fn wait(exchange: &mut Exchange, now_ms: u64) {
    // Waiting is never rejected.
    let _ = exchange.apply(Command::Wait, now_ms);
}
