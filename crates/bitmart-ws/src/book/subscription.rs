//! A book on a live connection.

use std::time::Duration;

use tokio::time::Instant;

use crate::book::{BookKeeper, KeeperStep, OrderBook};
use crate::client::Client;
use crate::error::Error;
use crate::event::DepthEvent;
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
    /// # async fn run() -> Result<(), bitmart_ws::Error> {
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
    /// Outside of a tokio runtime.
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
    /// The book changed and the caller does not know yet.
    news: bool,
}

impl<T: DepthEvent> BookSubscription<T> {
    /// Keeps a book from a subscription to an incremental depth topic.
    pub fn new(subscription: Subscription<T>) -> Self {
        Self {
            subscription,
            keeper: BookKeeper::new(),
            request_due: false,
            requests: 0,
            retry_at: Some(Instant::now() + RETRY),
            news: false,
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

    /// Waits until the book changes, and gives it: also when it has just been lost, so look at
    /// [`OrderBook::is_whole`] or at its `Option`s. `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended.
    ///
    /// # Cancel safety
    /// Safe: a change that was taken in is given by the next call, and so is a request that is due.
    pub async fn next(&mut self) -> Option<Result<&OrderBook, Error>> {
        loop {
            if self.request_due {
                if let Err(error) = self.ask().await {
                    return Some(Err(error));
                }
                self.request_due = false;
                self.requests += 1;
                self.retry_at = Some(Instant::now() + RETRY);
            }
            if self.news {
                self.news = false;
                return Some(Ok(self.keeper.book()));
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
            self.subscription.request().await
        } else {
            self.subscription.renew().await
        }
    }

    fn take(&mut self, update: Update<T>) {
        let was_whole = self.book().is_whole();
        let down = matches!(update, Update::Reconnecting(_));
        let step = match update {
            Update::Data(event) => self.keeper.on_update(event.update()),
            Update::Lagged(_) | Update::Malformed(_) => self.keeper.on_missed_events(),
            Update::Reconnecting(_) => {
                self.keeper.on_reconnect();
                KeeperStep::Unchanged
            }
            // A refused request is repeated like one that was lost.
            Update::Stale(_)
            | Update::Alive
            | Update::Subscribed
            | Update::Resynced
            | Update::RequestRejected(_) => KeeperStep::Unchanged,
        };
        let whole = self.book().is_whole();
        self.request_due |= step == KeeperStep::NeedsSnapshot;
        self.news = step == KeeperStep::Changed || was_whole != whole;
        if whole || down {
            // A new connection starts with a snapshot of its own.
            self.request_due = false;
            self.requests = 0;
            self.retry_at = None;
        } else {
            self.retry_at.get_or_insert_with(|| Instant::now() + RETRY);
        }
    }
}

#[cfg(test)]
mod tests;
