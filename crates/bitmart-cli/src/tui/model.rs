//! What the screen shows, as it follows from what happened.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bitmart::{Decimal, Timestamp};

use crate::chart::Candle;

/// Trades that are kept.
const TRADES: usize = 200;
/// Candles that are kept.
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
    /// Whether the taker bought, where that was told.
    pub(super) buy: Option<bool>,
}

/// The last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticker {
    pub(super) last: Option<Decimal>,
    /// Change as a ratio.
    pub(super) change: Option<Decimal>,
    pub(super) high: Option<Decimal>,
    pub(super) low: Option<Decimal>,
    pub(super) volume: Option<Decimal>,
    pub(super) mark: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnOrder {
    pub(super) buy: bool,
    /// None of a market order.
    pub(super) price: Option<Decimal>,
    pub(super) left: Decimal,
}

/// What the account has, as far as the symbol is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) orders: Vec<OwnOrder>,
    /// Currency, free, and bound where that is told.
    pub(super) balances: Vec<(String, Decimal, Option<Decimal>)>,
    /// `long` or `short`, size, average price.
    pub(super) positions: Vec<(&'static str, Decimal, Option<Decimal>)>,
}

/// How a stream is, the best first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Open,
    Connecting,
    /// Nothing heard for long.
    Stale,
    Lost(String),
}

/// Something that changes the screen.
#[derive(Debug)]
pub(super) enum Event {
    Book {
        bids: Vec<Level>,
        asks: Vec<Level>,
        whole: bool,
    },
    Trade(Trade),
    Ticker(Ticker),
    Candles {
        step: i64,
        candles: Vec<Candle>,
    },
    Account(Account),
    /// The account is not known: why.
    NoAccount(String),
    /// How the stream of this name is.
    State(&'static str, State),
    /// So many events were dropped, because the screen was too slow.
    Lagged(u64),
    /// The connection of the stream of this name was lost and is back.
    Resynced(&'static str),
    RoundTrip(Duration),
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) symbol: String,
    /// Name of the environment.
    pub(super) place: String,
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
    /// The book has no gap.
    pub(super) whole: bool,
    pub(super) trades: VecDeque<Trade>,
    pub(super) ticker: Option<Ticker>,
    pub(super) step: i64,
    pub(super) candles: Vec<Candle>,
    pub(super) account: Result<Account, String>,
    /// Of each stream.
    states: BTreeMap<&'static str, State>,
    /// When market data came last.
    pub(super) heard: Option<Instant>,
    pub(super) lagged: u64,
    /// How often all streams were there again.
    pub(super) resyncs: u64,
    pub(super) round_trip: Option<Duration>,
    /// Levels by which the ladder is moved away from the spread.
    pub(super) offset: usize,
}

impl Model {
    pub(super) fn new(symbol: String, place: String) -> Self {
        Self {
            symbol,
            place,
            bids: Vec::new(),
            asks: Vec::new(),
            whole: false,
            trades: VecDeque::new(),
            ticker: None,
            step: STEPS[0],
            candles: Vec::new(),
            account: Err("no key".to_owned()),
            states: BTreeMap::new(),
            heard: None,
            lagged: 0,
            resyncs: 0,
            round_trip: None,
            offset: 0,
        }
    }

    pub(super) fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::Book { bids, asks, whole } => {
                (self.bids, self.asks, self.whole) = (bids, asks, whole);
                self.heard = Some(now);
            }
            Event::Trade(trade) => {
                self.heard = Some(now);
                self.candle(&trade);
                self.trades.push_front(trade);
                self.trades.truncate(TRADES);
            }
            Event::Ticker(ticker) => {
                self.ticker = Some(ticker);
                self.heard = Some(now);
            }
            // An answer to a question from before another length was chosen.
            Event::Candles { step, .. } if step != self.step => {}
            Event::Candles { candles, .. } => self.candles = candles,
            Event::Account(account) => self.account = Ok(account),
            Event::NoAccount(why) => self.account = Err(why),
            Event::State(stream, state) => {
                self.states.insert(stream, state);
            }
            Event::Lagged(missed) => self.lagged += missed,
            Event::Resynced(stream) => {
                let was_open = *self.state() == State::Open;
                self.states.insert(stream, State::Open);
                self.resyncs += u64::from(!was_open && *self.state() == State::Open);
            }
            Event::RoundTrip(time) => self.round_trip = Some(time),
        }
    }

    /// How the worst stream is.
    pub(super) fn state(&self) -> &State {
        self.states.values().max().unwrap_or(&State::Connecting)
    }

    /// A trade moves the last candle or begins another.
    fn candle(&mut self, trade: &Trade) {
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

    /// The next length of candles; those that are there are of another one.
    pub(super) fn next_step(&mut self) {
        let at = STEPS.iter().position(|step| *step == self.step).unwrap_or(0);
        self.step = STEPS[(at + 1) % STEPS.len()];
        self.candles.clear();
    }

    /// Moves the ladder away from the spread (down) or back to it.
    pub(super) fn scroll(&mut self, away: bool) {
        let most = self.bids.len().max(self.asks.len()).saturating_sub(1);
        self.offset =
            if away { (self.offset + 1).min(most) } else { self.offset.saturating_sub(1) };
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
    fn trades_move_candles() {
        let mut model = Model::new("BTC_USDT".to_owned(), "sandbox".to_owned());
        for (at, price) in
            [(60_000, dec!(10)), (61_000, dec!(12)), (62_000, dec!(9)), (120_000, dec!(11))]
        {
            model.take(trade(at, price), Instant::now());
        }
        // Late ones of a minute that is over change nothing.
        model.take(trade(61_500, dec!(99)), Instant::now());
        let [first, second] = model.candles[..] else { panic!("{:?}", model.candles) };
        assert_eq!(
            (first.open, first.high, first.low, first.close),
            (dec!(10), dec!(12), dec!(9), dec!(9))
        );
        assert_eq!((second.time.as_millis(), second.open), (120_000, dec!(11)));
        model.next_step();
        let late = Event::Candles { step: 1, candles: vec![first] };
        model.take(late, Instant::now());
        assert!(model.candles.is_empty() && model.step == 5);
    }

    #[test]
    fn a_connection_is_back_when_all_its_streams_are_and_counts_once() {
        let mut model = Model::new("BTC_USDT".to_owned(), "sandbox".to_owned());
        let lost = State::Lost("reset".to_owned());
        let mut take = |event| {
            model.take(event, Instant::now());
            (model.state().clone(), model.resyncs)
        };
        assert_eq!(take(Event::State("trades", State::Open)), (State::Open, 0));
        assert_eq!(take(Event::State("ticker", State::Open)), (State::Open, 0));
        assert_eq!(take(Event::State("trades", lost.clone())), (lost.clone(), 0));
        assert_eq!(take(Event::State("ticker", lost.clone())), (lost.clone(), 0));
        assert_eq!(take(Event::Resynced("ticker")), (lost, 0));
        assert_eq!(take(Event::Resynced("trades")), (State::Open, 1));
    }
}
