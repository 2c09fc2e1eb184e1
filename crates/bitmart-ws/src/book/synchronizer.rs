//! Maintains a book from events and detects when it needs a snapshot.

use super::{Applied, OrderBook, SyncError};
use crate::event::BookUpdate;

/// An [`OrderBook`] that reports when it needs a snapshot.
///
/// Feed it every event of one incremental depth topic. On [`SyncOutcome::NeedsSnapshot`], send a
/// `request` for the topic: the exchange sends the snapshot on the same connection, in order. It is
/// reported once for each time that the book gets out of sync. A request or its snapshot can get lost,
/// so repeat the request while the book is not synchronized: `BookSubscription` does so every 5 s.
#[derive(Clone, Debug)]
pub struct BookSynchronizer {
    book: OrderBook,
    /// `NeedsSnapshot` was returned since the book was last synchronized, or must not be returned at once.
    requested: bool,
    sync_error: Option<SyncError>,
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a needed snapshot must be requested"]
pub enum SyncOutcome {
    /// The book is synchronized and has changed.
    Changed,
    /// The event contained nothing new, or the book still waits for its snapshot.
    Unchanged,
    /// The book is out of sync and empty. Request a snapshot.
    NeedsSnapshot,
}

impl BookSynchronizer {
    /// Creates a book that waits for the snapshot which the exchange sends after a subscription. If an
    /// update arrives first, the topic was subscribed before, and a snapshot is needed.
    pub fn new() -> Self {
        Self::from_book(OrderBook::new())
    }

    /// Creates a book for a topic with a fixed number of levels a side: see [`OrderBook::with_limit`].
    pub fn with_limit(levels: usize) -> Self {
        Self::from_book(OrderBook::with_limit(levels))
    }

    fn from_book(book: OrderBook) -> Self {
        Self { book, requested: false, sync_error: None }
    }

    /// Returns the book: synchronized, or resyncing and empty.
    pub fn book(&self) -> &OrderBook {
        &self.book
    }

    /// Returns why the last event put the book out of sync, until it is synchronized again. `None` if
    /// the cause was not an event: a lost connection or missed events.
    pub fn sync_error(&self) -> Option<SyncError> {
        self.sync_error
    }

    /// Applies an event of the topic.
    pub fn on_update(&mut self, update: BookUpdate<'_>) -> SyncOutcome {
        let applied = self.book.apply(update);
        if let Applied::OutOfSync(error) = applied {
            self.sync_error = Some(error);
        }
        match applied {
            Applied::Snapshot | Applied::Updated => {
                self.requested = false;
                self.sync_error = None;
                SyncOutcome::Changed
            }
            Applied::Outdated => SyncOutcome::Unchanged,
            // Of a snapshot that is itself faulty. To request the next one at once could go on forever.
            Applied::OutOfSync(_) if update.is_snapshot() => {
                self.requested = true;
                SyncOutcome::Unchanged
            }
            Applied::Ignored | Applied::OutOfSync(_) if self.requested => SyncOutcome::Unchanged,
            Applied::Ignored | Applied::OutOfSync(_) => self.request(),
        }
    }

    /// Clears the book after a lost connection. The exchange sends a snapshot after the new
    /// subscription, so none is requested.
    pub fn on_reconnect(&mut self) {
        self.clear();
        self.requested = false;
    }

    /// Clears the book after missed events, without waiting for the next one to reveal a gap.
    pub fn on_missed_events(&mut self) -> SyncOutcome {
        self.clear();
        self.request()
    }

    fn clear(&mut self) {
        self.book.clear();
        self.sync_error = None;
    }

    fn request(&mut self) -> SyncOutcome {
        self.requested = true;
        SyncOutcome::NeedsSnapshot
    }
}

impl Default for BookSynchronizer {
    fn default() -> Self {
        Self::new()
    }
}
