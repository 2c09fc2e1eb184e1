//! Keeping a book whole.

use super::{Applied, Loss, OrderBook};
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
    loss: Option<Loss>,
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
        Self::of(OrderBook::new())
    }

    /// The same for a topic that covers so many levels a side: see [`OrderBook::with_limit`].
    pub fn with_limit(levels: usize) -> Self {
        Self::of(OrderBook::with_limit(levels))
    }

    fn of(book: OrderBook) -> Self {
        Self { book, asked: false, loss: None }
    }

    /// The book: whole, or resyncing.
    pub fn book(&self) -> &OrderBook {
        &self.book
    }

    /// What was wrong with the last event that cost the book, until it is whole again. `None` also
    /// when it was not an event: the connection was lost, or events were missed.
    pub fn loss(&self) -> Option<Loss> {
        self.loss
    }

    /// Takes in an event of the topic.
    pub fn on_update(&mut self, update: DepthUpdate<'_>) -> KeeperStep {
        let applied = self.book.apply(update);
        if let Applied::Lost(loss) = applied {
            self.loss = Some(loss);
        }
        match applied {
            Applied::Snapshot | Applied::Updated => {
                self.asked = false;
                self.loss = None;
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
        self.give_up();
        self.asked = false;
    }

    /// Events were missed. The book is given up at once instead of at the next event.
    pub fn on_missed_events(&mut self) -> KeeperStep {
        self.give_up();
        self.ask()
    }

    fn give_up(&mut self) {
        self.book.clear();
        self.loss = None;
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
