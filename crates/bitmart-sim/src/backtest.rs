//! Backtests: an exchange whose prices come from candles.
//!
//! # What happens within a candle
//! 1. At the open, the exchange quotes the opening price. The strategy has received all finished candles, and its
//!    orders trade with this quote: a market order trades at the open of the candle that follows the finished ones.
//! 2. The price goes from the open to the nearer of high and low, to the other one, and to the close.
//! 3. A resting limit order is filled in full, at its own price, when the price reaches it. A trigger order is placed
//!    when the price reaches its trigger price, and trades with the quote at that price. While a futures position or
//!    a trigger order is open, time passes along this path, so that mark prices, funding and liquidations follow.
//!
//! # Limits
//! - The path within a candle is a guess: a candle does not say whether the high or the low came first, nor how
//!   often a price was reached.
//! - An order is filled as soon as its price is reached. On the real exchange, older orders at the same price are
//!   filled first.
//! - Every size is filled, up to 1,000,000,000 units of the quote currency: the volume of the candle sets no limit,
//!   and your orders do not move the price.
//! - The spread is one tick, or the one set by [`Backtest::half_spread`].
//! - A resting order trades at its own price even when the price jumps over it between two candles.

mod quotes;
#[cfg(test)]
mod tests;

use std::fmt;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use self::quotes::QuotePair;
use crate::{
    AccountId, Command, Event, Exchange, Outcome, Reject, Request, Setup, command::OperatorCommand,
    markets::MarketKind, tape::Candle,
};

/// The length of a candle, in milliseconds, when there is only one.
const MINUTE_MS: u64 = 60_000;

/// The candles of one market, oldest first.
struct Feed {
    symbol: SmolStr,
    market: MarketKind,
    candles: Box<dyn Iterator<Item = Candle> + Send>,
    /// The candle that is open now.
    current: Option<Candle>,
    next: Option<Candle>,
}

impl Feed {
    /// Opens the next candle. A candle that does not begin later than the one before is skipped.
    fn advance(&mut self) {
        let open_ms = self.next.as_ref().map_or(0, |candle| candle.open_ms);
        self.current = self.next.take();
        self.next = self.candles.find(|candle| candle.open_ms > open_ms);
    }

    /// Returns the opening price of the open candle, or the last price after the last candle.
    fn price(&self, exchange: &Exchange) -> Option<Decimal> {
        match &self.current {
            Some(candle) => Some(candle.open),
            None => self.market.tape(exchange, &self.symbol)?.last_price(),
        }
    }
}

/// An exchange whose prices come from candles.
///
/// The [module](self) describes what happens within a candle, and the limits of a backtest.
pub struct Backtest {
    exchange: Exchange,
    feeds: Vec<Feed>,
    now_ms: u64,
    /// The longest time between two steps so far. The last candles, which no other follows, are taken to be as long.
    longest_step_ms: u64,
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
        Self {
            exchange,
            feeds: Vec::new(),
            now_ms: start_ms,
            longest_step_ms: MINUTE_MS,
            half_spread,
        }
    }

    /// Adds the candles of a pair or contract, oldest first. The iterator is read step by step, so that it may read
    /// from a file. A candle with a price that is not above zero and up to 1e12, or with a volume or turnover that is
    /// not from 0 to 1e20, changes no price.
    ///
    /// # Errors
    /// [`Reject::UnknownMarket`].
    pub fn candles(
        mut self,
        symbol: &str,
        candles: impl IntoIterator<Item = Candle, IntoIter: Send + 'static>,
    ) -> Result<Self, Reject> {
        let market = MarketKind::of(&self.exchange, symbol).ok_or(Reject::UnknownMarket)?;
        let mut candles: Box<dyn Iterator<Item = Candle> + Send> = Box::new(candles.into_iter());
        let next = candles.next();
        self.feeds.push(Feed { symbol: symbol.into(), market, candles, current: None, next });
        Ok(self)
    }

    /// Sets the distance of bid and ask from the price, as a ratio of the price: 0.0005 are five basis points on each
    /// side.
    #[must_use]
    pub fn half_spread(mut self, ratio: Decimal) -> Self {
        self.half_spread = ratio.clamp(Decimal::ZERO, Decimal::ONE);
        self
    }

    /// Returns the exchange, to read its state.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Returns the time in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Returns the price at which the strategy can trade now, without the spread.
    pub fn price(&self, symbol: &str) -> Option<Decimal> {
        self.feeds.iter().find(|feed| feed.symbol == symbol)?.price(&self.exchange)
    }

    /// Returns the events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.exchange.take_events()
    }

    /// Applies a request of an account at the current time and price.
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
        for feed in self.feeds.iter().filter(|feed| feed.market.can_trade(&request, &feed.symbol)) {
            let Some(price) = feed.price(&self.exchange) else { continue };
            let exchange = &mut self.exchange;
            if let Some(candle) = &feed.current {
                set_last_price(exchange, feed, candle, price, self.now_ms);
            }
            let (market, symbol) = (feed.market, &feed.symbol);
            quotes.push((
                market,
                market.quote(exchange, symbol, price, self.half_spread, self.now_ms),
            ));
        }
        let result = self.exchange.apply(Command::Customer { account, request }, self.now_ms);
        for (market, pair) in quotes {
            market.withdraw(&mut self.exchange, pair, self.now_ms);
        }
        result
    }

    /// Finishes the open candles and opens the next ones. Returns the finished candles by symbol (none at the first
    /// step), or `None` after the last candle.
    pub fn step(&mut self) -> Option<Vec<(SmolStr, Candle)>> {
        let next_ms = self.feeds.iter().filter_map(|feed| Some(feed.next.as_ref()?.open_ms)).min();
        let was_open = self.feeds.iter().any(|feed| feed.current.is_some());
        if next_ms.is_none() && !was_open {
            return None;
        }
        let end_ms = next_ms.unwrap_or(self.now_ms + self.longest_step_ms).max(self.now_ms);
        let finished = if was_open { self.finish(end_ms) } else { Vec::new() };
        self.longest_step_ms =
            self.longest_step_ms.max(if was_open { end_ms - self.now_ms } else { 0 });
        self.now_ms = end_ms;
        for feed in &mut self.feeds {
            feed.current = None;
            if feed.next.as_ref().is_some_and(|candle| candle.open_ms <= end_ms) {
                feed.advance();
            }
            if let Some(candle) = &feed.current {
                feed.market.trade_through(&mut self.exchange, &feed.symbol, candle.open, end_ms);
            }
        }
        Some(finished)
    }

    /// Runs the open candles to their close.
    fn finish(&mut self, end_ms: u64) -> Vec<(SmolStr, Candle)> {
        let mut finished: Vec<(SmolStr, Candle)> = Vec::with_capacity(self.feeds.len());
        if needs_time(&self.exchange) {
            self.follow_paths(end_ms);
        } else {
            let exchange = &mut self.exchange;
            for feed in &self.feeds {
                if !feed.market.has_orders(exchange, &feed.symbol) {
                    continue;
                }
                for price in feed.current.iter().flat_map(price_path).skip(1) {
                    feed.market.trade_through(exchange, &feed.symbol, price, end_ms - 1);
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

    /// Moves the prices of all markets along their paths at the same time, with quotes at each turning point.
    fn follow_paths(&mut self, end_ms: u64) {
        let part = (end_ms - self.now_ms) / 4;
        for turn in 0..4 {
            let at_ms = self.now_ms + part * turn as u64;
            let until_ms = if turn == 3 { end_ms - 1 } else { at_ms + part };
            let (exchange, half_spread) = (&mut self.exchange, self.half_spread);
            let mut quotes = Vec::new();
            for feed in &self.feeds {
                let Some(candle) = &feed.current else { continue };
                let path = price_path(candle);
                let from = path[usize::saturating_sub(turn, 1)];
                for price in trigger_prices_between(exchange, &feed.symbol, from, path[turn]) {
                    let pair = move_price(exchange, feed, candle, price, half_spread, at_ms);
                    feed.market.withdraw(exchange, pair, at_ms);
                }
                let pair = move_price(exchange, feed, candle, path[turn], half_spread, at_ms);
                quotes.push((feed.market, pair));
            }
            wait(exchange, until_ms);
            for (market, pair) in quotes {
                market.withdraw(exchange, pair, until_ms);
            }
        }
    }
}

/// Moves the price of a market: fills the resting orders that it reaches, then quotes at it and runs trigger orders.
fn move_price(
    exchange: &mut Exchange,
    feed: &Feed,
    candle: &Candle,
    price: Decimal,
    half_spread: Decimal,
    now_ms: u64,
) -> QuotePair {
    feed.market.trade_through(exchange, &feed.symbol, price, now_ms);
    let pair = feed.market.quote(exchange, &feed.symbol, price, half_spread, now_ms);
    set_last_price(exchange, feed, candle, price, now_ms);
    pair
}

/// Returns the trigger prices of a market between two prices, in the order in which they are reached.
fn trigger_prices_between(
    exchange: &Exchange,
    symbol: &str,
    from: Decimal,
    to: Decimal,
) -> Vec<Decimal> {
    let within = from.min(to)..from.max(to);
    let mut prices = exchange.triggers.prices(symbol);
    prices.retain(|price| *price != from && within.contains(price));
    prices.sort_unstable();
    if to < from {
        prices.reverse();
    }
    prices
}

/// Returns open, the nearer of high and low, the other one, and close.
fn price_path(candle: &Candle) -> [Decimal; 4] {
    let Candle { open, high, low, close, .. } = *candle;
    if high - open < open - low { [open, high, low, close] } else { [open, low, high, close] }
}

/// Whether time must pass within a candle: trigger orders are open, or a customer has a position.
fn needs_time(exchange: &Exchange) -> bool {
    !exchange.triggers.is_idle()
        || exchange
            .accounts
            .values()
            .any(|account| !account.house && account.open_positions().next().is_some())
}

fn record(exchange: &mut Exchange, symbol: &SmolStr, candle: Candle, now_ms: u64) {
    let command = OperatorCommand::RecordCandle { symbol: symbol.clone(), candle };
    // `Backtest::candles` has checked the market, and reports candles that are out of range.
    let _ = exchange.apply(Command::Operator(command), now_ms);
}

/// Makes a price within a candle the last price.
fn set_last_price(
    exchange: &mut Exchange,
    feed: &Feed,
    candle: &Candle,
    price: Decimal,
    now_ms: u64,
) {
    record(exchange, &feed.symbol, Candle::flat(candle.open_ms, price), now_ms);
}

fn wait(exchange: &mut Exchange, now_ms: u64) {
    // It is rejected only if candles are more than 36,500 days apart; the time of the exchange then stands still.
    let _ = exchange.apply(Command::Wait, now_ms);
}
