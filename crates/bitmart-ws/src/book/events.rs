//! A book as a stream of changes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bitmart_types::{Decimal, Timestamp};
use futures_core::Stream;

use super::subscription::Change;
use super::{BookSubscription, OrderBook, SyncError};
use crate::error::Error;
use crate::event::{DecodeError, DepthEvent, Level};
use crate::reason::ReconnectReason;
use crate::topic::Topic;

/// A change of a [`BookSubscription`]: see [`BookSubscription::events`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BookEvent {
    /// The book is synchronized and consists of exactly these levels.
    Snapshot(BookChange),
    /// These levels have changed. Without levels, the exchange confirms the book as it is.
    Changed(BookChange),
    /// The book is out of sync until the next [`Snapshot`](Self::Snapshot). Discard all levels.
    Resyncing(ResyncReason),
    /// The connection has had no traffic since then, and the book may be old.
    /// [`Alive`](Self::Alive) or [`Resyncing`](Self::Resyncing) follows.
    Stale(Instant),
    /// The connection has traffic again, and the book is current.
    Alive,
}

/// Changed levels of a book, in the order in which to apply them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookChange {
    /// Version of the book after the change.
    pub version: u64,
    /// Time of the change at the exchange.
    pub timestamp: Option<Timestamp>,
    /// Asks. Sizes are absolute; 0 removes the level, also if it fell out of the topic's depth.
    pub asks: Vec<Level>,
    /// Bids, likewise.
    pub bids: Vec<Level>,
}

/// Why a book resyncs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResyncReason {
    /// The connection was lost.
    Reconnecting(ReconnectReason),
    /// The reader was too slow: this number of events was dropped.
    Lagged(u64),
    /// An event could not be decoded.
    Malformed(DecodeError),
    /// An event put the book out of sync.
    OutOfSync(SyncError),
}

impl fmt::Display for ResyncReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reconnecting(reason) => write!(f, "connection lost: {reason}"),
            Self::Lagged(count) => write!(f, "{count} events dropped for a slow reader"),
            Self::Malformed(error) => write!(f, "event not decoded: {error}"),
            Self::OutOfSync(error) => error.fmt(f),
        }
    }
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Waits for the next change of the book and returns it. Each change is returned once, by this
    /// method or by [`next`](Self::next). `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: a change that was applied is returned by the next call, and a due request sent by it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next_event(&mut self) -> Option<Result<BookEvent, Error>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<BookEvent, Error>>> {
        let change = match ready!(self.poll_change(context)) {
            Some(Ok(change)) => change,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        };
        let book = self.book();
        Poll::Ready(Some(Ok(match change {
            Change::Resyncing(reason) => BookEvent::Resyncing(reason),
            Change::Stale(since) => BookEvent::Stale(since),
            Change::Alive => BookEvent::Alive,
            Change::Snapshot => {
                let (asks, bids) = (book.asks().collect(), book.bids().collect());
                BookEvent::Snapshot(book_change(book, asks, bids))
            }
            Change::Updated(event) => {
                let (dropped_asks, dropped_bids) = book.dropped();
                let update = event.update();
                let asks = with_removed(update.asks, dropped_asks);
                let bids = with_removed(update.bids, dropped_bids);
                BookEvent::Changed(book_change(book, asks, bids))
            }
        })))
    }

    /// Returns a [`Stream`] of changes.
    ///
    /// A map of sizes by price that applies them equals this book at every moment. Events that are not
    /// read wait in the bounded queue of the subscription; when it is full, the book resyncs
    /// ([`ResyncReason::Lagged`]).
    ///
    /// ```no_run
    /// use bitmart_ws::book::BookEvent;
    /// # use bitmart_ws::{Client, topic};
    ///
    /// # async fn run(client: Client) -> Result<(), bitmart_ws::Error> {
    /// let books = client.order_book(topic::spot::depth_updates("BTC_USDT")).await?;
    /// let mut events = books.events();
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         BookEvent::Snapshot(levels) => println!("snapshot: version {}", levels.version),
    ///         BookEvent::Changed(levels) => println!("{} asks changed", levels.asks.len()),
    ///         BookEvent::Resyncing(reason) => println!("resyncing: {reason}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(self) -> BookEvents<T> {
        BookEvents(self)
    }
}

fn book_change(book: &OrderBook, asks: Vec<Level>, bids: Vec<Level>) -> BookChange {
    let version = book.version().unwrap_or_default();
    BookChange { version, timestamp: book.timestamp(), asks, bids }
}

/// Appends removals of the levels at the prices `removed`.
fn with_removed(levels: &[Level], removed: &[Decimal]) -> Vec<Level> {
    let removed = removed.iter().map(|price| Level { price: *price, size: Decimal::ZERO });
    levels.iter().copied().chain(removed).collect()
}

/// A [`Stream`] of [`BookEvent`]s. Dropping it unsubscribes.
#[derive(Debug)]
pub struct BookEvents<T>(BookSubscription<T>);

impl<T: DepthEvent> BookEvents<T> {
    /// Returns the topic.
    pub fn topic(&self) -> &Topic<T> {
        self.0.topic()
    }

    /// Waits for the next change. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: see [`BookSubscription::next_event`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<BookEvent, Error>> {
        self.0.next_event().await
    }
}

impl<T: DepthEvent> Stream for BookEvents<T> {
    type Item = Result<BookEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_event(context)
    }
}

#[cfg(test)]
mod tests;
