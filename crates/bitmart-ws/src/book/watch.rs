//! A book for many readers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use tokio::sync::watch;

use super::{BookSubscription, OrderBook};
use crate::client::Client;
use crate::error::Error;
use crate::event::DepthEvent;
use crate::topic::Topic;

/// The latest book of a topic, for any number of readers.
///
/// A background task maintains the book and publishes a copy after each change. Reading takes
/// nanoseconds and does not block the task. A published book never changes; it is
/// [synchronized](OrderBook::is_synchronized) or resyncing. Copying 100 levels a side costs a fraction
/// of decoding the event that caused it.
///
/// Clones share the task. It ends, and the topic is unsubscribed, when the last one is dropped. After
/// the subscription has ended, the book stays out of sync.
///
/// It is a [`Stream`] of books that skips intermediate ones.
pub struct BookWatch<T> {
    topic: Topic<T>,
    /// Has seen the last book that this reader received.
    receiver: watch::Receiver<Published>,
    waiting: Option<Waiting>,
}

/// Waits for a newer book with a copy of the receiver.
type Waiting =
    Pin<Box<dyn Future<Output = Option<(Published, watch::Receiver<Published>)>> + Send + Sync>>;

#[derive(Clone, Debug)]
struct Published {
    book: Arc<OrderBook>,
    stale_since: Option<Instant>,
    state: State,
}

/// The state of the subscription.
#[derive(Clone, Debug)]
enum State {
    Live,
    Ended,
    Failed(Error),
}

impl Published {
    fn new(book: &OrderBook, stale_since: Option<Instant>) -> Self {
        Self { book: Arc::new(book.clone()), stale_since, state: State::Live }
    }

    fn last(state: State) -> Self {
        Self { book: Arc::default(), stale_since: None, state }
    }
}

impl<T> BookWatch<T> {
    /// Returns the topic.
    pub fn topic(&self) -> &Topic<T> {
        &self.topic
    }

    /// Returns the present book.
    pub fn book(&self) -> Arc<OrderBook> {
        self.receiver.borrow().book.clone()
    }

    /// Returns since when the connection has had no traffic, if that is long enough for a warning
    /// ([`Update::Stale`](crate::Update::Stale)): the book is correct as of that moment and may be old.
    pub fn stale_since(&self) -> Option<Instant> {
        self.receiver.borrow().stale_since
    }

    /// Waits for a newer book than this method returned last, and returns the latest one. Books in
    /// between are skipped. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. Each clone receives it, as its last item.
    ///
    /// # Cancel safety
    /// Safe: no book is lost.
    pub async fn next(&mut self) -> Option<Result<Arc<OrderBook>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T> Stream for BookWatch<T> {
    type Item = Result<Arc<OrderBook>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let waiting = this.waiting.get_or_insert_with(|| {
            let mut receiver = this.receiver.clone();
            Box::pin(async move {
                receiver.changed().await.ok()?;
                let published = receiver.borrow_and_update().clone();
                Some((published, receiver))
            })
        });
        let next = ready!(waiting.as_mut().poll(context));
        this.waiting = None;
        let Some((published, receiver)) = next else { return Poll::Ready(None) };
        this.receiver = receiver;
        Poll::Ready(match published.state {
            State::Live => Some(Ok(published.book)),
            State::Ended => None,
            State::Failed(error) => Some(Err(error)),
        })
    }
}

impl<T> Clone for BookWatch<T> {
    fn clone(&self) -> Self {
        Self { topic: self.topic.clone(), receiver: self.receiver.clone(), waiting: None }
    }
}

impl<T> fmt::Debug for BookWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookWatch")
            .field("topic", &self.topic)
            .field("book", &*self.receiver.borrow())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Subscribes to an incremental book and maintains it for many readers: see [`BookWatch`].
    ///
    /// ```no_run
    /// # use bitmart_ws::{Client, topic};
    /// # async fn run(client: Client) -> Result<(), bitmart_ws::Error> {
    /// let books = client.watch_book(topic::spot::depth_updates("BTC_USDT")).await?;
    /// let reader = books.clone();
    /// std::thread::spawn(move || match reader.book().mid_price() {
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
    /// Safe: a subscription that is not returned is undone.
    ///
    /// # Panics
    /// As [`subscribe`](Self::subscribe).
    pub async fn watch_book<T: DepthEvent>(&self, topic: Topic<T>) -> Result<BookWatch<T>, Error> {
        Ok(self.order_book(topic).await?.watch())
    }
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Maintains the book in a background task, for many readers.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn watch(self) -> BookWatch<T> {
        let topic = self.topic().clone();
        let published = Published::new(self.book(), self.stale_since());
        let (sender, receiver) = watch::channel(published);
        tokio::spawn(publish(self, Publisher(sender)));
        BookWatch { topic, receiver, waiting: None }
    }
}

/// Publishes books until the subscription ends or all readers are dropped.
async fn publish<T: DepthEvent>(mut books: BookSubscription<T>, publisher: Publisher) {
    loop {
        let next = tokio::select! {
            biased;
            () = publisher.0.closed() => return,
            // The returned book borrows the subscription, so it is read below.
            next = books.next() => next.map(|next| next.map(drop)),
        };
        match next {
            Some(Ok(())) => {
                let published = Published::new(books.book(), books.stale_since());
                publisher.0.send_replace(published);
            }
            Some(Err(error)) => {
                publisher.0.send_replace(Published::last(State::Failed(error)));
                return;
            }
            None => return,
        }
    }
}

/// Publishes the end of the subscription when dropped, so that no outdated book stays behind even if
/// the runtime shuts down.
struct Publisher(watch::Sender<Published>);

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.send_if_modified(|published| {
            let is_live = matches!(published.state, State::Live);
            if is_live {
                *published = Published::last(State::Ended);
            }
            is_live
        });
    }
}

#[cfg(test)]
mod tests;
