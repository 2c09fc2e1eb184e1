//! A book on a live connection.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::book::{BookSynchronizer, OrderBook, ResyncReason, SyncOutcome};
use crate::client::Client;
use crate::driver::Command;
use crate::error::Error;
use crate::event::DepthEvent;
use crate::observe;
use crate::subscription::Subscription;
use crate::topic::Topic;
use crate::update::Update;

impl Client {
    /// Subscribes to an incremental book and maintains it: see [`BookSubscription`].
    ///
    /// ```no_run
    /// use bitmart_types::Environment;
    /// use bitmart_ws::{Client, topic};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder().environment(Environment::live()).build()?;
    /// let mut books = client.order_book(topic::spot::depth_updates("BTC_USDT")).await?;
    /// while let Some(book) = books.next().await {
    ///     let book = book?;
    ///     match (book.best_bid(), book.best_ask()) {
    ///         (Some(bid), Some(ask)) => println!("{} {}", bid.price, ask.price),
    ///         _ => println!("resyncing, or a side is empty"),
    ///     }
    /// }
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
    pub async fn order_book<T: DepthEvent>(
        &self,
        topic: Topic<T>,
    ) -> Result<BookSubscription<T>, Error> {
        Ok(BookSubscription::new(self.subscribe(topic).await?))
    }
}

/// How long a book waits for a snapshot before it requests one, or requests it again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Requests without a snapshot after which the topic is subscribed anew, which brings one as well.
const MAX_REQUESTS: u32 = 3;

/// A command that is being sent.
type Sending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + Sync>>;

/// An order book that is maintained from a subscription: synchronized, or resyncing.
///
/// It requests a new snapshot when updates are missing, and starts over after a lost connection. Until
/// the snapshot arrives, for example because the exchange rejected the request, it repeats the request
/// every 5 s; after three requests it subscribes to the topic anew. The book is as new as the last call of
/// [`next`](Self::next), so keep calling: nothing is requested in between.
///
/// It is also a [`Stream`] of copies of the book. [`next`](Self::next) lends the book instead.
pub struct BookSubscription<T> {
    pub(super) subscription: Subscription<T>,
    synchronizer: BookSynchronizer,
    /// A snapshot is needed and the request for it not yet sent.
    request_due: bool,
    /// The command that requests it, while the queue of the connection is full.
    sending: Option<Sending>,
    /// Requests and new subscriptions since the book was last synchronized.
    requests: u32,
    /// Time of the next request. `None` while the book is synchronized or the connection down.
    retry_at: Option<Instant>,
    retry_timer: Option<Pin<Box<Sleep>>>,
    /// A change of the book that the caller has not received.
    change: Option<Change<T>>,
    stale_since: Option<std::time::Instant>,
    /// Why the last request for a snapshot could not be sent.
    request_error: Option<Error>,
    /// The connection is over, and the caller has received the error.
    ended: bool,
}

/// Events are moved, never pinned.
impl<T> Unpin for BookSubscription<T> {}

/// A change of the book or its connection.
#[derive(Debug)]
pub(super) enum Change<T> {
    /// The book was replaced by a snapshot.
    Snapshot,
    /// This event was applied.
    Updated(T),
    Resyncing(ResyncReason),
    Stale(std::time::Instant),
    Alive,
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Maintains a book from a subscription to an incremental depth topic. The name of the topic
    /// determines the number of levels a side.
    pub fn new(subscription: Subscription<T>) -> Self {
        let limit = levels_in_name(subscription.topic().channel());
        Self {
            subscription,
            synchronizer: limit.map_or_else(BookSynchronizer::new, BookSynchronizer::with_limit),
            request_due: false,
            sending: None,
            requests: 0,
            retry_at: Some(Instant::now() + RETRY_INTERVAL),
            retry_timer: None,
            change: None,
            stale_since: None,
            request_error: None,
            ended: false,
        }
    }

    /// Returns the topic.
    pub fn topic(&self) -> &Topic<T> {
        self.subscription.topic()
    }

    /// Returns the book as of the last [`next`](Self::next).
    pub fn book(&self) -> &OrderBook {
        self.synchronizer.book()
    }

    /// Returns since when the connection has had no traffic, if that is long enough for a warning
    /// ([`Update::Stale`]): the book is correct as of that moment and may be old.
    pub fn stale_since(&self) -> Option<std::time::Instant> {
        self.stale_since
    }

    /// Waits for the next change of the book and returns the book. It may just have gone out of sync:
    /// check [`OrderBook::is_synchronized`] or its `Option`s. Also returns the unchanged book when
    /// [`stale_since`](Self::stale_since) changes. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: a change that was applied is returned by the next call, and a due request sent by it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<&OrderBook, Error>> {
        match std::future::poll_fn(|context| self.poll_change(context)).await? {
            Ok(_) => Some(Ok(self.synchronizer.book())),
            Err(error) => Some(Err(error)),
        }
    }

    /// Polls for the next change of the book.
    pub(super) fn poll_change(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Change<T>, Error>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            if self.request_due {
                match self.poll_request(context) {
                    Poll::Ready(sent) => {
                        // If the command could not be sent, the subscription has ended as well. What it has queued
                        // comes first, and its own error, if it has one, takes the place of this one.
                        self.request_error = sent.err();
                        self.request_due = false;
                        self.requests += 1;
                        self.retry_at = Some(Instant::now() + RETRY_INTERVAL);
                    }
                    // That the book is out of sync must not wait for room in the queue of commands.
                    Poll::Pending if self.change.is_some() => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
            if let Some(change) = self.change.take() {
                return Poll::Ready(Some(Ok(change)));
            }
            match Pin::new(&mut self.subscription).poll_next(context) {
                Poll::Ready(Some(Ok(update))) => self.apply(update),
                Poll::Ready(Some(Err(error))) => {
                    // Nothing keeps the book up to date any more.
                    self.ended = true;
                    self.request_error = None;
                    self.synchronizer.on_reconnect();
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    self.ended = true;
                    self.synchronizer.on_reconnect();
                    return Poll::Ready(self.request_error.take().map(Err));
                }
                Poll::Pending => {
                    if let Some(error) = self.request_error.take() {
                        self.ended = true;
                        self.synchronizer.on_reconnect();
                        return Poll::Ready(Some(Err(error)));
                    }
                    ready!(self.poll_retry(context));
                    self.request_due = true;
                }
            }
        }
    }

    /// Sends the request for a snapshot.
    fn poll_request(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.sending.is_none() {
            // Three requests, then one new subscription, then three requests again. A topic without requests is
            // always subscribed anew.
            let max_requests = if self.topic().supports_request() { MAX_REQUESTS } else { 0 };
            let command = if self.requests % (MAX_REQUESTS + 1) < max_requests {
                Command::RequestSnapshot
            } else {
                Command::Resubscribe
            };
            self.sending = Some(Box::pin(self.subscription.send(command)));
        }
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
        let sent = ready!(sending.as_mut().poll(context));
        self.sending = None;
        Poll::Ready(sent)
    }

    /// Waits until the request is repeated.
    fn poll_retry(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.retry_at else { return Poll::Pending };
        let timer = self.retry_timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context)
    }

    fn apply(&mut self, update: Update<T>) {
        let was_synchronized = self.book().is_synchronized();
        let is_down = matches!(update, Update::Reconnecting(_));
        let (outcome, change) = match update {
            Update::Data(event) => self.apply_event(event),
            Update::Lagged(count) => (
                self.synchronizer.on_missed_events(),
                Some(Change::Resyncing(ResyncReason::Lagged(count))),
            ),
            Update::Malformed(error) => (
                self.synchronizer.on_missed_events(),
                Some(Change::Resyncing(ResyncReason::Malformed(error))),
            ),
            Update::Reconnecting(reason) => {
                self.stale_since = None;
                self.synchronizer.on_reconnect();
                let reason = ResyncReason::Reconnecting(reason);
                (SyncOutcome::Unchanged, Some(Change::Resyncing(reason)))
            }
            Update::Stale(since) => {
                self.stale_since = Some(since);
                (SyncOutcome::Unchanged, Some(Change::Stale(since)))
            }
            Update::Alive => {
                self.stale_since = None;
                (SyncOutcome::Unchanged, Some(Change::Alive))
            }
            // A rejected request is repeated like a lost one.
            Update::Subscribed | Update::Resynced | Update::RequestRejected(_) => {
                (SyncOutcome::Unchanged, None)
            }
        };
        let is_synchronized = self.book().is_synchronized();
        self.request_due |= outcome == SyncOutcome::NeedsSnapshot;
        self.change = change.filter(|change| {
            let is_of_connection = matches!(change, Change::Stale(_) | Change::Alive);
            is_of_connection
                || outcome == SyncOutcome::Changed
                || was_synchronized != is_synchronized
        });
        if was_synchronized
            && !is_synchronized
            && let Some(Change::Resyncing(reason)) = &self.change
        {
            observe::book_resync(self.topic().market(), reason);
        }
        if is_synchronized || is_down {
            // A new subscription starts with a snapshot.
            self.request_due = false;
            self.requests = 0;
            self.retry_at = None;
        } else {
            self.retry_at.get_or_insert_with(|| Instant::now() + RETRY_INTERVAL);
        }
    }

    fn apply_event(&mut self, event: T) -> (SyncOutcome, Option<Change<T>>) {
        let outcome = self.synchronizer.on_update(event.update());
        let change = match self.synchronizer.sync_error() {
            Some(error) => Change::Resyncing(ResyncReason::OutOfSync(error)),
            None if event.update().is_snapshot() => Change::Snapshot,
            None => Change::Updated(event),
        };
        (outcome, Some(change))
    }
}

/// Copies of the book after each change.
impl<T: DepthEvent> Stream for BookSubscription<T> {
    type Item = Result<Arc<OrderBook>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let change = ready!(self.poll_change(context));
        Poll::Ready(change.map(|change| change.map(|_| Arc::new(self.book().clone()))))
    }
}

impl<T> fmt::Debug for BookSubscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookSubscription")
            .field("topic", self.subscription.topic())
            .field("book", self.synchronizer.book())
            .finish_non_exhaustive()
    }
}

/// Returns the number of levels a side of a channel, which is at the end of its name.
fn levels_in_name(channel: &str) -> Option<usize> {
    let name = channel.trim_end_matches(|c: char| c.is_ascii_digit());
    channel.get(name.len()..)?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests;
