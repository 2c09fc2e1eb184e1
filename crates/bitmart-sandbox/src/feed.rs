//! Subscriptions and pushes.
//!
//! Trades, orders and balances are pushed at once. Books are pushed on every step of 100 ms (futures books on every
//! second step), tickers and candles at most every 500 ms on spot and every second on futures.
//!
//! The feed knows connections only as [`Subscriber`]s, so that it does not depend on the WebSocket server.

mod books;
mod channel;
mod deflate;
mod depth;
mod futures;
mod playback;
mod push;
mod replay;
mod schedule;
mod spot;
mod step;
mod subscriber;
mod subscriptions;
mod versions;

use bitmart_sim::{Event, Exchange};

use self::{
    books::Books,
    channel::{event_value, private_targets, schedule, trades, values},
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
use crate::{fault::Faults, journal::EntryNumber, wire::topic::Topic};

/// Steps between two pushes of a futures book: 200 ms, as documented.
const FUTURES_BOOK_STEPS: u64 = 2;
/// The same with slow books: 1 s, as observed.
const SLOW_FUTURES_BOOK_STEPS: u64 = 10;

/// The subscriptions, and the state from which their frames are rendered.
#[derive(Debug)]
pub(crate) struct Feed {
    steps: u64,
    pub(crate) subscriptions: Subscriptions,
    books: Books,
    deflater: Deflater,
    /// Steps between two pushes of a futures book.
    futures_book_steps: u64,
    /// The recording that is played on the public channels instead of market data.
    replay: Option<Replay>,
    pub(crate) faults: Faults,
}

/// The books and the number of steps as they were published.
pub(crate) struct Published {
    steps: u64,
    books: Books,
}

impl Feed {
    pub(crate) fn new(exchange: &Exchange, seed: u64) -> Self {
        Self {
            steps: 0,
            subscriptions: Subscriptions::default(),
            books: Books::new(exchange, 1 + seed % 1_000_000),
            deflater: Deflater::new(),
            futures_book_steps: FUTURES_BOOK_STEPS,
            replay: None,
            faults: Faults::default(),
        }
    }

    /// Pushes futures books every second.
    pub(crate) fn slow_futures_books(&mut self) {
        self.futures_book_steps = SLOW_FUTURES_BOOK_STEPS;
    }

    /// The versions of all books, without the versions that faults have skipped.
    pub(crate) fn versions(&self) -> Versions {
        self.books.versions(self.steps)
    }

    /// Continues from the versions of a snapshot.
    pub(crate) fn resume(&mut self, versions: &Versions) {
        self.steps = versions.steps;
        self.books.resume(versions);
    }

    /// Continues from a former state of the exchange. Connections keep their subscriptions until they are closed.
    /// Versions of books do not go back, so that no such connection takes an update for the next one of its book.
    /// Returns what was published before.
    pub(crate) fn go_back(
        &mut self,
        exchange: &Exchange,
        seed: u64,
        versions: &Versions,
    ) -> Published {
        let books = Books::new(exchange, 1 + seed % 1_000_000);
        let former =
            Published { steps: self.steps, books: std::mem::replace(&mut self.books, books) };
        self.resume(versions);
        self.books.exceed(&former.books);
        former
    }

    /// Undoes [`go_back`](Self::go_back): subscribers have seen these books.
    pub(crate) fn undo_go_back(&mut self, published: Published) {
        (self.steps, self.books) = (published.steps, published.books);
    }

    /// Sets the last entry of the journal. The next frames may report its outcome, so they wait until it is stored.
    pub(crate) fn set_last_entry(&mut self, number: EntryNumber) {
        self.subscriptions.last_entry = number;
    }

    /// The number of connections.
    pub(crate) fn sockets(&self) -> usize {
        self.subscriptions.sockets()
    }

    /// Sends the current value of a topic to one connection, if the channel starts with one.
    pub(crate) fn send_first(
        &mut self,
        exchange: &Exchange,
        id: SocketId,
        topic: &Topic,
        now_ms: u64,
    ) {
        if self.replay.is_some() && !topic.is_private() {
            return self.send_catch_up(id, topic);
        }
        let first = match schedule(topic.channel, self.futures_book_steps) {
            Some(Schedule::Book) => self.books.snapshot(exchange, topic).into_iter().collect(),
            Some(Schedule::Changes { has_first: true, .. }) => values(exchange, topic, now_ms),
            _ => Vec::new(),
        };
        for value in first {
            let output = self.frame(topic, value, now_ms);
            self.subscriptions.send(id, output);
        }
    }

    /// Pushes the events of the exchange since the last call.
    pub(crate) fn publish(&mut self, exchange: &mut Exchange, now_ms: u64) {
        let events = exchange.take_events();
        if self.subscriptions.is_empty() {
            return;
        }
        self.subscriptions.begin_command();
        for (channel, symbol, rows) in trades(exchange, &events) {
            for topic in self.subscriptions.topics_for(channel, &symbol) {
                self.push(&topic, rows.clone(), None, now_ms);
            }
        }
        for event in events {
            self.publish_one(exchange, &event, now_ms);
        }
    }

    /// Pushes an event to the private channels.
    fn publish_one(&mut self, exchange: &Exchange, event: &Event, now_ms: u64) {
        for (channel, account, symbol) in private_targets(event) {
            for topic in self.subscriptions.topics_for(channel, &symbol) {
                if let Some(value) = event_value(channel, exchange, event, now_ms) {
                    self.push(&topic, value, Some(account), now_ms);
                }
            }
        }
    }
}
