//! A book on a live connection.

use std::time::Duration;

use tokio::time::Instant;

use crate::book::{BookKeeper, KeeperStep, OrderBook, Resync};
use crate::client::Client;
use crate::error::Error;
use crate::event::DepthEvent;
use crate::observe;
use crate::subscription::Subscription;
use crate::topic::Topic;
use crate::update::Update;

impl Client {
    /// Subscribes to an incremental book and keeps it: see [`BookSubscription`].
    ///
    /// ```no_run
    /// use bitmart_types::Environment;
    /// use bitmart_ws::{Client, topic};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder().environment(Environment::live()).build()?;
    /// let mut books = client.order_book(topic::spot::depth_increase("BTC_USDT")).await?;
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
    /// Safe: a subscription that is not handed out is undone.
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

/// How long a book may be without a snapshot until one is asked for (again).
const RETRY: Duration = Duration::from_secs(5);

/// So many requests in vain, then the topic is subscribed anew, which brings a snapshot as well.
const REQUESTS: u32 = 3;

/// A book that is kept from a subscription: whole, or resyncing, and always one of the two.
///
/// It asks the venue for a new snapshot when updates are missing, and starts afresh after the
/// connection was lost. While a snapshot does not come, also because the venue refused to send it,
/// it asks again every 5 s, and after three times in vain subscribes the topic anew. The book is as
/// new as the last call of [`next`](Self::next), so keep calling: nothing is asked for in between.
#[derive(Debug)]
pub struct BookSubscription<T> {
    subscription: Subscription<T>,
    keeper: BookKeeper,
    /// A snapshot is needed and not yet requested.
    request_due: bool,
    /// Requests since the book was last whole.
    requests: u32,
    /// When to ask if there is no book by then. `None` while the book is whole or the connection
    /// down.
    retry_at: Option<Instant>,
    /// How the book changed, while the caller does not know yet.
    news: Option<News<T>>,
    stale: Option<std::time::Instant>,
}

/// A change of the book.
#[derive(Debug)]
pub(super) enum News<T> {
    Snapshot,
    /// This event is in the book now.
    Changed(T),
    Resyncing(Resync),
    Stale(std::time::Instant),
    Alive,
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Keeps a book from a subscription to an incremental depth topic. How many levels a side it
    /// keeps follows from the name of the topic.
    pub fn new(subscription: Subscription<T>) -> Self {
        let limit = levels(subscription.topic().channel());
        Self {
            subscription,
            keeper: limit.map_or_else(BookKeeper::new, BookKeeper::with_limit),
            request_due: false,
            requests: 0,
            retry_at: Some(Instant::now() + RETRY),
            news: None,
            stale: None,
        }
    }

    /// The topic.
    pub fn topic(&self) -> &Topic<T> {
        self.subscription.topic()
    }

    /// The book after the last [`next`](Self::next).
    pub fn book(&self) -> &OrderBook {
        self.keeper.book()
    }

    /// Since when nothing has been heard on the connection, if that is worth a warning
    /// ([`Update::Stale`]): the book is right as of that moment and may be old.
    pub fn stale_since(&self) -> Option<std::time::Instant> {
        self.stale
    }

    /// Waits until the book changes, and gives it: also when it has just been lost, so look at
    /// [`OrderBook::is_whole`] or at its `Option`s. It comes unchanged when
    /// [`stale_since`](Self::stale_since) changes. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended.
    ///
    /// # Cancel safety
    /// Safe: a change that was taken in is given by the next call, and so is a request that is due.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<&OrderBook, Error>> {
        match self.wait().await? {
            Ok(()) => {
                self.news = None;
                Some(Ok(self.keeper.book()))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// What has changed since the last call. The caller waited for it before.
    pub(super) fn take_news(&mut self) -> Option<News<T>> {
        self.news.take()
    }

    /// Waits until there is news.
    ///
    /// # Cancel safety
    /// Safe: see [`next`](Self::next).
    pub(super) async fn wait(&mut self) -> Option<Result<(), Error>> {
        loop {
            if self.request_due {
                if let Err(error) = self.ask().await {
                    return Some(Err(error));
                }
                self.request_due = false;
                self.requests += 1;
                self.retry_at = Some(Instant::now() + RETRY);
            }
            if self.news.is_some() {
                return Some(Ok(()));
            }
            let update = if let Some(at) = self.retry_at {
                let Ok(update) = tokio::time::timeout_at(at, self.subscription.next()).await else {
                    self.request_due = true;
                    continue;
                };
                update
            } else {
                self.subscription.next().await
            };
            match update? {
                Ok(update) => self.take(update),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn ask(&self) -> Result<(), Error> {
        let requests = if self.topic().supports_request() { REQUESTS } else { 0 };
        if self.requests % (REQUESTS + 1) < requests {
            self.subscription.request_snapshot().await
        } else {
            self.subscription.resubscribe().await
        }
    }

    fn take(&mut self, update: Update<T>) {
        let was_whole = self.book().is_whole();
        let down = matches!(update, Update::Reconnecting(_));
        let (step, news) = match update {
            Update::Data(event) => self.take_event(event),
            Update::Lagged(count) => {
                (self.keeper.on_missed_events(), Some(News::Resyncing(Resync::Lagged(count))))
            }
            Update::Malformed(error) => {
                (self.keeper.on_missed_events(), Some(News::Resyncing(Resync::Malformed(error))))
            }
            Update::Reconnecting(reason) => {
                self.stale = None;
                self.keeper.on_reconnect();
                (KeeperStep::Unchanged, Some(News::Resyncing(Resync::Reconnecting(reason))))
            }
            Update::Stale(since) => {
                self.stale = Some(since);
                (KeeperStep::Unchanged, Some(News::Stale(since)))
            }
            Update::Alive => {
                self.stale = None;
                (KeeperStep::Unchanged, Some(News::Alive))
            }
            // A refused request is repeated like one that was lost.
            Update::Subscribed | Update::Resynced | Update::RequestRejected(_) => {
                (KeeperStep::Unchanged, None)
            }
        };
        let whole = self.book().is_whole();
        self.request_due |= step == KeeperStep::NeedsSnapshot;
        self.news = news.filter(|news| {
            let of_connection = matches!(news, News::Stale(_) | News::Alive);
            of_connection || step == KeeperStep::Changed || was_whole != whole
        });
        if was_whole
            && !whole
            && let Some(News::Resyncing(resync)) = &self.news
        {
            observe::book_resync(self.topic().dialect(), resync);
        }
        if whole || down {
            // A new connection starts with a snapshot of its own.
            self.request_due = false;
            self.requests = 0;
            self.retry_at = None;
        } else {
            self.retry_at.get_or_insert_with(|| Instant::now() + RETRY);
        }
    }

    fn take_event(&mut self, event: T) -> (KeeperStep, Option<News<T>>) {
        let step = self.keeper.on_update(event.update());
        let news = match self.keeper.loss() {
            Some(loss) => Some(News::Resyncing(Resync::Lost(loss))),
            None if event.update().is_snapshot() => Some(News::Snapshot),
            None => Some(News::Changed(event)),
        };
        (step, news)
    }
}

/// How many levels a side a channel covers: its name ends with the number.
fn levels(channel: &str) -> Option<usize> {
    let name = channel.trim_end_matches(|c: char| c.is_ascii_digit());
    channel.get(name.len()..)?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests;
