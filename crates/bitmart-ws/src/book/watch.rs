//! A book for many readers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::{BookSubscription, OrderBook};
use crate::client::Client;
use crate::error::Error;
use crate::event::DepthEvent;
use crate::topic::Topic;

/// The newest book of a topic, for any number of readers.
///
/// A task of its own keeps the book and publishes a copy after each change; a reader takes the newest
/// and keeps it as long as it likes. Reading costs nanoseconds, waits for nobody and holds nobody up.
/// A published book never changes, and it is [whole](OrderBook::is_whole) or resyncing like any other.
/// A copy of 100 levels a side costs a fraction of decoding the event that caused it, so each change
/// is published.
///
/// Clones share the task. It ends, and the topic is unsubscribed, when the last one is dropped. When
/// the subscription ends, the book is resyncing for good.
#[derive(Clone, Debug)]
pub struct BookWatch {
    receiver: watch::Receiver<Published>,
}

/// What readers see.
#[derive(Clone, Debug)]
struct Published {
    book: Arc<OrderBook>,
    stale_since: Option<Instant>,
    outlook: Outlook,
}

/// Whether there will be another book.
#[derive(Clone, Debug)]
enum Outlook {
    GoesOn,
    Over,
    Failed(Error),
}

impl Published {
    fn new(book: &OrderBook, stale_since: Option<Instant>) -> Self {
        Self { book: Arc::new(book.clone()), stale_since, outlook: Outlook::GoesOn }
    }

    fn last(outlook: Outlook) -> Self {
        Self { book: Arc::default(), stale_since: None, outlook }
    }
}

impl BookWatch {
    /// The newest book.
    pub fn latest(&self) -> Arc<OrderBook> {
        self.receiver.borrow().book.clone()
    }

    /// Since when nothing has been heard on the connection, if that is worth a warning
    /// ([`Update::Stale`](crate::Update::Stale)): the book is right as of that moment and may be old.
    pub fn stale_since(&self) -> Option<Instant> {
        self.receiver.borrow().stale_since
    }

    /// Waits until there is a newer book than this reader has seen here, and gives it. Changes in
    /// between are skipped. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. Each clone gets it.
    ///
    /// # Cancel safety
    /// Safe: a book counts as seen when the future is ready and not before.
    pub async fn changed(&mut self) -> Option<Result<Arc<OrderBook>, Error>> {
        self.receiver.changed().await.ok()?;
        let published = self.receiver.borrow_and_update().clone();
        match published.outlook {
            Outlook::GoesOn => Some(Ok(published.book)),
            Outlook::Over => None,
            Outlook::Failed(error) => Some(Err(error)),
        }
    }
}

impl Client {
    /// Subscribes to an incremental book and keeps it for many readers: see [`BookWatch`].
    ///
    /// ```no_run
    /// # use bitmart_ws::{Client, topic};
    /// # async fn run(client: Client) -> Result<(), bitmart_ws::Error> {
    /// let books = client.watch_book(topic::spot::depth_increase("BTC_USDT")).await?;
    /// let reader = books.clone();
    /// std::thread::spawn(move || match reader.latest().mid_price() {
    ///     Some(price) => println!("{price}"),
    ///     None => println!("resyncing, or a side is empty"),
    /// });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Cancel safety
    /// Safe: a subscription that is not handed out is undone.
    ///
    /// # Panics
    /// As [`subscribe`](Self::subscribe).
    pub async fn watch_book<T: DepthEvent>(&self, topic: Topic<T>) -> Result<BookWatch, Error> {
        Ok(self.order_book(topic).await?.watch())
    }
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Keeps the book in a task of its own, for many readers.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn watch(self) -> BookWatch {
        let published = Published::new(self.book(), self.stale_since());
        let (sender, receiver) = watch::channel(published);
        tokio::spawn(publish(self, Publisher(sender)));
        BookWatch { receiver }
    }
}

/// Publishes books until the subscription ends or nobody reads.
async fn publish<T: DepthEvent>(mut books: BookSubscription<T>, publisher: Publisher) {
    loop {
        let next = tokio::select! {
            biased;
            () = publisher.0.closed() => return,
            // Both are read below: what is given out borrows the subscription.
            next = books.next() => next.map(|next| next.map(drop)),
        };
        match next {
            Some(Ok(())) => {
                let published = Published::new(books.book(), books.stale_since());
                publisher.0.send_replace(published);
            }
            Some(Err(error)) => {
                publisher.0.send_replace(Published::last(Outlook::Failed(error)));
                return;
            }
            None => return,
        }
    }
}

/// However the task ends, also by a runtime that shuts down, it leaves no book behind that looks
/// alive.
struct Publisher(watch::Sender<Published>);

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.send_if_modified(|published| {
            let first = matches!(published.outlook, Outlook::GoesOn);
            if first {
                *published = Published::last(Outlook::Over);
            }
            first
        });
    }
}

#[cfg(test)]
mod tests;
