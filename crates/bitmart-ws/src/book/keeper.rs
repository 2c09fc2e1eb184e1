//! Keeping a book whole.

use super::{Applied, OrderBook};
use crate::event::DepthUpdate;

/// An [`OrderBook`] that says when it needs a snapshot.
///
/// Feed it every event of one incremental depth topic. When it answers
/// [`KeeperStep::NeedsSnapshot`], send a `request` for the topic: the venue answers on the same
/// connection, in order. It says so once for each loss. A request or its answer can get lost, so ask
/// again while the book is not whole: `BookSubscription` does so every 5 s.
#[derive(Clone, Debug)]
pub struct BookKeeper {
    book: OrderBook,
    /// Somebody was told that a snapshot is needed.
    asked: bool,
}

/// What follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a needed snapshot must be requested"]
pub enum KeeperStep {
    /// The book is whole and new.
    Changed,
    /// Nothing to see: the event brought nothing new, or the book still waits for its snapshot.
    Unchanged,
    /// The book was lost and is empty. Request a snapshot.
    NeedsSnapshot,
}

impl BookKeeper {
    /// A keeper that waits for the snapshot which the venue sends after a subscription. An update
    /// that comes first shows that the topic was subscribed before: then a snapshot is needed.
    pub fn new() -> Self {
        Self { book: OrderBook::new(), asked: false }
    }

    /// The book: whole, or resyncing.
    pub fn book(&self) -> &OrderBook {
        &self.book
    }

    /// Takes in an event of the topic.
    pub fn on_update(&mut self, update: DepthUpdate<'_>) -> KeeperStep {
        match self.book.apply(update) {
            Applied::Snapshot | Applied::Updated => {
                self.asked = false;
                KeeperStep::Changed
            }
            Applied::Stale => KeeperStep::Unchanged,
            // Asking at once for another useless snapshot could go on for ever.
            Applied::Lost(_) if update.is_snapshot() => {
                self.asked = true;
                KeeperStep::Unchanged
            }
            Applied::Ignored | Applied::Lost(_) if self.asked => KeeperStep::Unchanged,
            Applied::Ignored | Applied::Lost(_) => self.ask(),
        }
    }

    /// The connection was lost. The venue sends a snapshot after the new subscription, so none is
    /// requested.
    pub fn on_reconnect(&mut self) {
        *self = Self::new();
    }

    /// Events were missed. The book is given up at once instead of at the next event.
    pub fn on_missed_events(&mut self) -> KeeperStep {
        self.book.clear();
        self.ask()
    }

    fn ask(&mut self) -> KeeperStep {
        self.asked = true;
        KeeperStep::NeedsSnapshot
    }
}

impl Default for BookKeeper {
    fn default() -> Self {
        Self::new()
    }
}
