//! A book as a stream of what changes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bitmart_types::{Decimal, Timestamp};
use futures_core::Stream;
use futures_util::stream;

use super::subscription::News;
use super::{BookSubscription, Loss, OrderBook};
use crate::error::Error;
use crate::event::{DecodeError, DepthEvent, Level};
use crate::reason::ReconnectReason;

/// A change of a book that is kept: see [`BookSubscription::events`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BookEvent {
    /// The book is whole. It is made of these levels and nothing else.
    Snapshot(BookChange),
    /// These levels are new. None at all: the venue confirms the book as it is.
    Changed(BookChange),
    /// There is no book until the next [`Snapshot`](Self::Snapshot). Forget what you know.
    Resyncing(Resync),
    /// Nothing has been heard on the connection since then: the book may be old. Either
    /// [`Alive`](Self::Alive) or [`Resyncing`](Self::Resyncing) follows.
    Stale(Instant),
    /// The connection is heard again, and the book is as new as it says.
    Alive,
}

/// Levels that were set, each side in the order in which to set them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookChange {
    /// Version of the book with them.
    pub version: u64,
    /// When the venue sent them.
    pub timestamp: Option<Timestamp>,
    /// Sells. The size is all that stands at the price; 0 means that the price is gone, or that it
    /// fell out of the depth of the topic.
    pub asks: Vec<Level>,
    /// Buys, likewise.
    pub bids: Vec<Level>,
}

/// Why there is no book.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resync {
    /// The connection was lost.
    Reconnecting(ReconnectReason),
    /// The reader was too slow, and so many events were dropped.
    Lagged(u64),
    /// An event could not be decoded.
    Malformed(DecodeError),
    /// An event did not fit the book.
    Lost(Loss),
}

impl fmt::Display for Resync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reconnecting(reason) => write!(f, "connection lost: {reason}"),
            Self::Lagged(count) => write!(f, "{count} events dropped for a slow reader"),
            Self::Malformed(error) => write!(f, "event not understood: {error}"),
            Self::Lost(loss) => loss.fmt(f),
        }
    }
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Waits until the book changes, and says how. Between this and [`next`](Self::next) a change is
    /// given once, by whichever is called first. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended.
    ///
    /// # Cancel safety
    /// Safe: a change that was taken in is given by the next call, and so is a request that is due.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next_event(&mut self) -> Option<Result<BookEvent, Error>> {
        loop {
            if let Err(error) = self.wait().await? {
                return Some(Err(error));
            }
            let event = match self.take_news() {
                Some(News::Resyncing(reason)) => BookEvent::Resyncing(reason),
                Some(News::Stale(since)) => BookEvent::Stale(since),
                Some(News::Alive) => BookEvent::Alive,
                Some(News::Snapshot) => {
                    let book = self.book();
                    BookEvent::Snapshot(change(book, book.asks().collect(), book.bids().collect()))
                }
                Some(News::Changed(event)) => {
                    let (asks, bids) = self.book().dropped();
                    let update = event.update();
                    let (asks, bids) = (with_gone(update.asks, asks), with_gone(update.bids, bids));
                    BookEvent::Changed(change(self.book(), asks, bids))
                }
                None => continue,
            };
            return Some(Ok(event));
        }
    }

    /// The changes as a [`Stream`].
    ///
    /// Whoever applies them to a map of sizes by price has the book of this crate at every moment.
    /// Changes are made when they are asked for; what is not read waits in the bounded queue of the
    /// subscription, and when that is full the book resyncs ([`Resync::Lagged`]).
    ///
    /// ```no_run
    /// use bitmart_ws::book::BookEvent;
    /// # use bitmart_ws::{Client, topic};
    ///
    /// # async fn run(client: Client) -> Result<(), bitmart_ws::Error> {
    /// let books = client.order_book(topic::spot::depth_increase("BTC_USDT")).await?;
    /// let mut events = books.events();
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         BookEvent::Snapshot(levels) => println!("new: version {}", levels.version),
    ///         BookEvent::Changed(levels) => println!("{} asks changed", levels.asks.len()),
    ///         BookEvent::Resyncing(reason) => println!("no book: {reason}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(self) -> BookEvents {
        let next = |mut books: Self| async move {
            let event = books.next_event().await?;
            Some((event, books))
        };
        BookEvents(Box::pin(stream::unfold(self, next)))
    }
}

fn change(book: &OrderBook, asks: Vec<Level>, bids: Vec<Level>) -> BookChange {
    let version = book.version().unwrap_or_default();
    BookChange { version, timestamp: book.timestamp(), asks, bids }
}

fn with_gone(set: &[Level], gone: &[Decimal]) -> Vec<Level> {
    let gone = gone.iter().map(|price| Level { price: *price, size: Decimal::ZERO });
    set.iter().copied().chain(gone).collect()
}

/// A [`Stream`] of [`BookEvent`]s. Dropping it unsubscribes.
pub struct BookEvents(Pin<Box<dyn Stream<Item = Result<BookEvent, Error>> + Send>>);

impl BookEvents {
    /// The next change. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: a change is taken when the future is ready and not before.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<BookEvent, Error>> {
        std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await
    }
}

impl Stream for BookEvents {
    type Item = Result<BookEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for BookEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookEvents").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
