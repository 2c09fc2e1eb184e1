//! Order books kept from snapshots and updates.
//!
//! [`OrderBook`] knows the version rules, [`BookKeeper`] also knows when to ask for a new snapshot.
//! Both are plain data: they own no connection and wait for nothing. `BookSubscription` is a keeper
//! on a live connection, which can be read in three ways: by waiting for each change of the book
//! (`next`), as a stream of what changes (`BookEvents`), or from many places at once
//! (`BookWatch`).

mod compare;
#[cfg(feature = "client")]
mod events;
mod keeper;
mod ladder;
#[cfg(feature = "client")]
mod subscription;
#[cfg(test)]
mod tests;
mod view;
mod walk;
#[cfg(feature = "client")]
mod watch;

use std::fmt;

use bitmart_types::{Decimal, Timestamp};

use crate::event::{DepthKind, DepthUpdate, Level};
use ladder::Ladder;

pub use compare::{Difference, DifferenceSide, Differences};
#[cfg(feature = "client")]
pub use events::{BookChange, BookEvent, BookEvents, Resync};
pub use keeper::{BookKeeper, KeeperStep};
#[cfg(feature = "client")]
pub use subscription::BookSubscription;
pub use view::Cumulative;
pub use walk::{Until, Walk};
#[cfg(feature = "client")]
pub use watch::BookWatch;

/// The book of one pair or contract: whole, or empty and waiting for a snapshot. Never in between.
///
/// One set of rules serves both dialects. A snapshot replaces the book. An update with the next
/// version is applied, sizes are absolute and 0 deletes the price. An update whose version is not
/// above the book's is stale: an idle spot book repeats its version (documented). An idle futures
/// book sends empty updates with the next version (observed), which are applied. A version that
/// skips is a gap: the book is lost.
///
/// # Depth
///
/// A topic covers so many levels a side. The documents say that a level beyond them stays invisible
/// until it changes; they do not say whether a level that falls out of them is reported any more. So
/// a book [with a limit](Self::with_limit) drops what lies beyond it after each update instead of
/// showing sizes that may be old, and knows a *horizon* for each side ([`bid_horizon`],
/// [`ask_horizon`]): the price down or up to which no level can be missing, whichever way the venue
/// does it. Levels beyond the horizon are those that the venue has sent since; their sizes are right,
/// but there may be others between them. A snapshot sets the horizon at its last level, or nowhere
/// when it has fewer levels than the topic covers, because it is the whole side then. A side that
/// fills up, or has to drop a level, draws it in. Only a snapshot widens it again.
///
/// [`bid_horizon`]: Self::bid_horizon
/// [`ask_horizon`]: Self::ask_horizon
///
/// # Example
///
/// ```
/// use bitmart_types::dec;
/// use bitmart_ws::book::{Applied, Loss, OrderBook};
/// use bitmart_ws::event::{DepthKind, DepthUpdate, Level};
///
/// let mut book = OrderBook::new();
/// let level = |price, size| Level { price, size };
/// let bids = [level(dec!(99.5), dec!(2)), level(dec!(99), dec!(5))];
/// let asks = [level(dec!(100), dec!(1))];
/// let (asks, bids) = (&asks[..], &bids[..]);
/// let kind = &DepthKind::Snapshot;
/// let update = DepthUpdate { kind, version: 7, timestamp: None, asks, bids };
/// assert_eq!(book.apply(update), Applied::Snapshot);
/// assert_eq!(book.best_bid(), Some(level(dec!(99.5), dec!(2))));
///
/// let kind = &DepthKind::Update;
/// let skipped = DepthUpdate { kind, version: 9, asks: &[], bids: &[], ..update };
/// assert_eq!(book.apply(skipped), Applied::Lost(Loss::Gap { expected: 8, received: 9 }));
/// assert!(!book.is_whole());
/// assert_eq!(book.best_bid(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    /// `None` while there is no book.
    version: Option<u64>,
    timestamp: Option<Timestamp>,
    /// Levels a side that the venue tells of, if known.
    limit: Option<usize>,
    asks: Ladder<ladder::Asks>,
    bids: Ladder<ladder::Bids>,
}

/// What [`OrderBook::apply`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a lost book needs a new snapshot"]
pub enum Applied {
    /// The book is now the snapshot.
    Snapshot,
    /// The update is in the book.
    Updated,
    /// The book already has this version. Nothing changed.
    Stale,
    /// There is no book that could be updated. Nothing changed; a snapshot is needed.
    Ignored,
    /// The book was wrong or would be. It is empty now; a snapshot is needed.
    Lost(Loss),
}

/// Why a book was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Updates are missing.
    Gap {
        /// The version that had to come next.
        expected: u64,
        /// The version that came.
        received: u64,
    },
    /// The best bid is not below the best ask.
    Crossed,
    /// The venue sent a kind of depth event that is neither snapshot nor update.
    UnknownKind,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, received } => {
                write!(f, "updates are missing: version {received} came instead of {expected}")
            }
            Self::Crossed => f.write_str("best bid not below best ask"),
            Self::UnknownKind => f.write_str("neither a snapshot nor an update"),
        }
    }
}

impl OrderBook {
    /// A book that waits for its first snapshot, of a source that sends every change of its whole
    /// book. Up to 10,000 levels a side are kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// A book that waits for its first snapshot, of a topic that covers so many levels a side: see
    /// [Depth](Self#depth).
    pub fn with_limit(levels: usize) -> Self {
        Self { limit: Some(levels), ..Self::default() }
    }

    /// Levels a side that the topic covers, if the book was told.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Takes in a snapshot or an update.
    pub fn apply(&mut self, update: DepthUpdate<'_>) -> Applied {
        let applied = match (update.kind, self.version) {
            (DepthKind::Snapshot, _) => {
                self.asks.replace(update.asks, self.limit);
                self.bids.replace(update.bids, self.limit);
                Applied::Snapshot
            }
            (DepthKind::Update, None) => return Applied::Ignored,
            (DepthKind::Update, Some(version)) if update.version <= version => {
                return Applied::Stale;
            }
            (DepthKind::Update, Some(version)) if update.version - version > 1 => {
                return self.lose(Loss::Gap { expected: version + 1, received: update.version });
            }
            (DepthKind::Update, Some(_)) => {
                self.asks.update(update.asks, self.limit);
                self.bids.update(update.bids, self.limit);
                Applied::Updated
            }
            (DepthKind::Unknown(_), _) => return self.lose(Loss::UnknownKind),
        };
        if self.is_crossed() {
            return self.lose(Loss::Crossed);
        }
        self.version = Some(update.version);
        self.timestamp = update.timestamp.or(self.timestamp);
        applied
    }

    /// Empties the book until the next snapshot. For a connection that was lost or events that were
    /// missed.
    pub fn clear(&mut self) {
        self.version = None;
        self.timestamp = None;
        self.asks.clear();
        self.bids.clear();
    }

    fn lose(&mut self, loss: Loss) -> Applied {
        self.clear();
        Applied::Lost(loss)
    }

    fn is_crossed(&self) -> bool {
        self.asks.best().zip(self.bids.best()).is_some_and(|(ask, bid)| bid.price >= ask.price)
    }

    /// Whether there is a book. `false` means that it is resyncing: all else says nothing then.
    pub fn is_whole(&self) -> bool {
        self.version.is_some()
    }

    /// Version of the book, `None` while it is resyncing.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// When the venue sent the last event that gave a time. `None` while resyncing.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// The highest buy. `None` while resyncing, or when nobody buys.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.best()
    }

    /// The lowest sell. `None` while resyncing, or when nobody sells.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.best()
    }

    /// The price down to which no buy can be missing: see [Depth](Self#depth). `None` when none can
    /// be missing at any price, and while resyncing.
    pub fn bid_horizon(&self) -> Option<Decimal> {
        self.bids.horizon()
    }

    /// The price up to which no sell can be missing: see [Depth](Self#depth). `None` when none can
    /// be missing at any price, and while resyncing.
    pub fn ask_horizon(&self) -> Option<Decimal> {
        self.asks.horizon()
    }

    /// Asks and bids that the last update pushed out of the limit.
    #[cfg(feature = "client")]
    pub(crate) fn dropped(&self) -> (&[Decimal], &[Decimal]) {
        (self.asks.dropped(), self.bids.dropped())
    }

    /// Buys from the highest price down.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        self.bids.iter()
    }

    /// Sells from the lowest price up.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        self.asks.iter()
    }
}
