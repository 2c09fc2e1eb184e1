//! The state of the screen.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bitmart::{Decimal, Timestamp};

use crate::chart::Candle;

/// Maximum number of stored trades.
const TRADES: usize = 200;
/// Maximum number of stored candles.
pub(super) const CANDLES: usize = 300;
/// Lengths of candles in minutes.
pub(super) const STEPS: [i64; 5] = [1, 5, 15, 60, 240];

/// Price and size of a level.
pub(super) type Level = (Decimal, Decimal);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trade {
    pub(super) time: Timestamp,
    pub(super) price: Decimal,
    pub(super) size: Decimal,
    /// Whether the taker bought; `None` if absent.
    pub(super) buy: Option<bool>,
}

/// Statistics of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticker {
    pub(super) last: Option<Decimal>,
    /// Change as a ratio.
    pub(super) change: Option<Decimal>,
    pub(super) high: Option<Decimal>,
    pub(super) low: Option<Decimal>,
    pub(super) volume: Option<Decimal>,
    /// Mark price of a contract.
    pub(super) mark: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnOrder {
    pub(super) buy: bool,
    /// `None` for a market order.
    pub(super) price: Option<Decimal>,
    /// The unfilled size.
    pub(super) left: Decimal,
}

/// The part of the account that concerns the symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) orders: Vec<OwnOrder>,
    /// Currency, available amount, and frozen amount if present.
    pub(super) balances: Vec<(String, Decimal, Option<Decimal>)>,
    /// `long` or `short`, size, average price.
    pub(super) positions: Vec<(&'static str, Decimal, Option<Decimal>)>,
}

/// The state of a subscription, best first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Open,
    Connecting,
    /// No traffic for too long.
    Stale,
    Lost(String),
}

/// A change of the model.
#[derive(Debug)]
pub(super) enum Event {
    Book {
        bids: Vec<Level>,
        asks: Vec<Level>,
        is_synchronized: bool,
    },
    Trade(Trade),
    Ticker(Ticker),
    Candles {
        step: i64,
        candles: Vec<Candle>,
    },
    Account(Account),
    /// The account is not available, for this reason.
    NoAccount(String),
    /// The state of the subscription with this name.
    State(&'static str, State),
    /// This number of events was dropped because the screen was too slow.
    Lagged(u64),
    /// The subscription with this name was restored after a lost connection.
    Resynced(&'static str),
    RoundTrip(Duration),
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) symbol: String,
    /// Name of the environment.
    pub(super) environment: String,
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
    /// Whether the order book is complete.
    pub(super) is_synchronized: bool,
    pub(super) trades: VecDeque<Trade>,
    pub(super) ticker: Option<Ticker>,
    /// Length of a candle in minutes.
    pub(super) step: i64,
    pub(super) candles: Vec<Candle>,
    /// `Err` with the reason why there is none.
    pub(super) account: Result<Account, String>,
    /// The state of each subscription.
    states: BTreeMap<&'static str, State>,
    /// Time of the last market data.
    pub(super) last_received: Option<Instant>,
    /// Number of events that were dropped because the screen was too slow.
    pub(super) lagged: u64,
    /// Number of times that all subscriptions were restored.
    pub(super) resyncs: u64,
    pub(super) round_trip: Option<Duration>,
    /// Levels by which the ladder is scrolled away from the spread.
    pub(super) offset: usize,
}

impl Model {
    pub(super) fn new(symbol: String, environment: String) -> Self {
        Self {
            symbol,
            environment,
            bids: Vec::new(),
            asks: Vec::new(),
            is_synchronized: false,
            trades: VecDeque::new(),
            ticker: None,
            step: STEPS[0],
            candles: Vec::new(),
            account: Err("no key".to_owned()),
            states: BTreeMap::new(),
            last_received: None,
            lagged: 0,
            resyncs: 0,
            round_trip: None,
            offset: 0,
        }
    }

    pub(super) fn apply(&mut self, event: Event, now: Instant) {
        match event {
            Event::Book { bids, asks, is_synchronized } => {
                (self.bids, self.asks) = (bids, asks);
                self.is_synchronized = is_synchronized;
                self.last_received = Some(now);
            }
            Event::Trade(trade) => {
                self.last_received = Some(now);
                self.update_candles(&trade);
                self.trades.push_front(trade);
                self.trades.truncate(TRADES);
            }
            Event::Ticker(ticker) => {
                self.ticker = Some(ticker);
                self.last_received = Some(now);
            }
            // Requested before another length was selected.
            Event::Candles { step, .. } if step != self.step => {}
            Event::Candles { candles, .. } => self.candles = candles,
            Event::Account(account) => self.account = Ok(account),
            Event::NoAccount(why) => self.account = Err(why),
            Event::State(name, state) => {
                self.states.insert(name, state);
            }
            Event::Lagged(missed) => self.lagged += missed,
            Event::Resynced(name) => {
                let was_open = *self.state() == State::Open;
                self.states.insert(name, State::Open);
                self.resyncs += u64::from(!was_open && *self.state() == State::Open);
            }
            Event::RoundTrip(time) => self.round_trip = Some(time),
        }
    }

    /// The state of the worst subscription.
    pub(super) fn state(&self) -> &State {
        self.states.values().max().unwrap_or(&State::Connecting)
    }

    /// Updates the last candle with a trade, or starts a new one.
    fn update_candles(&mut self, trade: &Trade) {
        let length = self.step * 60_000;
        let begin = trade.time.as_millis().div_euclid(length) * length;
        let price = trade.price;
        match self.candles.last_mut() {
            Some(candle) if candle.time.as_millis() > begin => {}
            Some(candle) if candle.time.as_millis() == begin => {
                candle.high = candle.high.max(price);
                candle.low = candle.low.min(price);
                candle.close = price;
            }
            _ => {
                let time = Timestamp::from_millis(begin);
                self.candles.push(Candle {
                    time,
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                });
                if self.candles.len() > CANDLES {
                    self.candles.remove(0);
                }
            }
        }
    }

    /// Selects the next length of candles and removes those of the old length.
    pub(super) fn next_step(&mut self) {
        let at = STEPS.iter().position(|step| *step == self.step).unwrap_or(0);
        self.step = STEPS[(at + 1) % STEPS.len()];
        self.candles.clear();
    }

    /// Scrolls the ladder by a level away from the spread.
    pub(super) fn scroll_away(&mut self) {
        let deepest = self.bids.len().max(self.asks.len()).saturating_sub(1);
        self.offset = (self.offset + 1).min(deepest);
    }

    /// Scrolls the ladder by a level back to the spread.
    pub(super) fn scroll_back(&mut self) {
        self.offset = self.offset.saturating_sub(1);
    }

    pub(super) fn spread(&self) -> Option<Decimal> {
        self.asks.first()?.0.checked_sub(self.bids.first()?.0)
    }
}

#[cfg(test)]
mod tests {
    use bitmart::{Timestamp, dec};
    use std::time::Instant;

    use super::{Event, Model, State, Trade};

    fn trade(at: i64, price: bitmart::Decimal) -> Event {
        Event::Trade(Trade {
            time: Timestamp::from_millis(at),
            price,
            size: dec!(1),
            buy: Some(true),
        })
    }

    #[test]
    fn trades_update_candles() {
        let mut model = Model::new("BTC_USDT".to_owned(), "sandbox".to_owned());
        for (at, price) in
            [(60_000, dec!(10)), (61_000, dec!(12)), (62_000, dec!(9)), (120_000, dec!(11))]
        {
            model.apply(trade(at, price), Instant::now());
        }
        // A late trade of a finished candle is ignored.
        model.apply(trade(61_500, dec!(99)), Instant::now());
        let [first, second] = model.candles[..] else { panic!("{:?}", model.candles) };
        assert_eq!(
            (first.open, first.high, first.low, first.close),
            (dec!(10), dec!(12), dec!(9), dec!(9))
        );
        assert_eq!((second.time.as_millis(), second.open), (120_000, dec!(11)));
        model.next_step();
        let late = Event::Candles { step: 1, candles: vec![first] };
        model.apply(late, Instant::now());
        assert!(model.candles.is_empty() && model.step == 5);
    }

    #[test]
    fn a_resync_counts_once_when_all_subscriptions_are_restored() {
        let mut model = Model::new("BTC_USDT".to_owned(), "sandbox".to_owned());
        let lost = State::Lost("reset".to_owned());
        let mut apply = |event| {
            model.apply(event, Instant::now());
            (model.state().clone(), model.resyncs)
        };
        assert_eq!(apply(Event::State("trades", State::Open)), (State::Open, 0));
        assert_eq!(apply(Event::State("ticker", State::Open)), (State::Open, 0));
        assert_eq!(apply(Event::State("trades", lost.clone())), (lost.clone(), 0));
        assert_eq!(apply(Event::State("ticker", lost.clone())), (lost.clone(), 0));
        assert_eq!(apply(Event::Resynced("ticker")), (lost, 0));
        assert_eq!(apply(Event::Resynced("trades")), (State::Open, 1));
    }
}
