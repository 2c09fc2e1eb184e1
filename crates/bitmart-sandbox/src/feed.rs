//! What is pushed when, and to which connections.
//!
//! Trades, orders and balances are pushed at once. Books move on every beat of 100 ms (futures
//! books every second beat), tickers and candles at most every 500 ms on spot and every second on
//! futures.
//!
//! A connection is known here as a [`Subscriber`] only, so that whatever carries the frames depends on the
//! feed and not the reverse.

mod beat;
mod books;
mod channel;
mod deflate;
mod depth;
mod futures;
mod play;
mod push;
mod replay;
mod schedule;
mod spot;
mod subscriber;
mod subscriptions;
mod versions;

use bitmart_sim::{Event, Exchange};

use self::{
    books::Books,
    channel::{event_value, schedule, subjects, trades, values},
    deflate::Deflater,
    replay::Replay,
    schedule::Schedule,
    subscriptions::Subscriptions,
};
pub(crate) use self::{
    subscriber::{Output, Queued, Subscriber},
    subscriptions::SocketId,
    versions::Versions,
};
use crate::{fault::Faults, journal::Number, wire::topic::Topic};

/// Beats between two pushes of a futures book, as documented (200 ms) and as observed (about 1 s).
const FUTURES_BOOKS: u64 = 2;
const SLOW_FUTURES_BOOKS: u64 = 10;

/// Subscriptions, and what their frames are made of.
#[derive(Debug)]
pub(crate) struct Feed {
    beats: u64,
    pub(crate) subscriptions: Subscriptions,
    books: Books,
    deflater: Deflater,
    /// Beats between two pushes of a futures book.
    futures_books: u64,
    /// What is played instead of what happens in the markets.
    replay: Option<Replay>,
    pub(crate) faults: Faults,
}

impl Feed {
    pub(crate) fn new(exchange: &Exchange, seed: u64) -> Self {
        Self {
            beats: 0,
            subscriptions: Subscriptions::default(),
            books: Books::new(exchange, 1 + seed % 1_000_000),
            deflater: Deflater::new(),
            futures_books: FUTURES_BOOKS,
            replay: None,
            faults: Faults::default(),
        }
    }

    /// Pushes futures books every second.
    pub(crate) fn slow_futures_books(&mut self) {
        self.futures_books = SLOW_FUTURES_BOOKS;
    }

    /// The versions of all books, as they are without a fault.
    pub(crate) fn versions(&self) -> Versions {
        self.books.versions(self.beats)
    }

    /// Goes on with the versions of a snapshot.
    pub(crate) fn resume(&mut self, versions: &Versions) {
        self.beats = versions.beats;
        self.books.resume(versions);
    }

    /// The latest input, whose outcome the next frames may report.
    pub(crate) fn set_latest(&mut self, latest: Number) {
        self.subscriptions.latest = latest;
    }

    /// The number of connections.
    pub(crate) fn sockets(&self) -> usize {
        self.subscriptions.sockets()
    }

    /// Sends the present value of a topic to one connection, where the channel starts with one.
    pub(crate) fn send_first(
        &mut self,
        exchange: &Exchange,
        id: SocketId,
        topic: &Topic,
        now_ms: u64,
    ) {
        if self.replay.is_some() && !topic.is_private() {
            return self.send_played(id, topic);
        }
        let first = match schedule(topic.channel, self.futures_books) {
            Some(Schedule::Book) => self.books.value(exchange, topic, true).into_iter().collect(),
            Some(Schedule::Changes { has_first: true, .. }) => values(exchange, topic, now_ms),
            _ => Vec::new(),
        };
        for value in first {
            let output = self.frame(topic, value, now_ms);
            self.subscriptions.send(id, output);
        }
    }

    /// Pushes what happened in the exchange since the last call.
    pub(crate) fn publish(&mut self, exchange: &mut Exchange, now_ms: u64) {
        let events = exchange.take_events();
        if self.subscriptions.is_empty() {
            return;
        }
        for (channel, symbol, rows) in trades(exchange, &events) {
            for topic in self.subscriptions.about(channel, &symbol) {
                self.push(&topic, rows.clone(), None, now_ms);
            }
        }
        for event in events {
            self.publish_one(exchange, &event, now_ms);
        }
    }

    /// Pushes an event to the private channels.
    fn publish_one(&mut self, exchange: &Exchange, event: &Event, now_ms: u64) {
        for (channel, account, symbol) in subjects(event) {
            for topic in self.subscriptions.about(channel, &symbol) {
                if let Some(value) = event_value(channel, exchange, event, now_ms) {
                    self.push(&topic, value, Some(account), now_ms);
                }
            }
        }
    }
}
