//! Order books, maintained from snapshots and updates.
//!
//! [`OrderBook`] implements the version rules, [`BookSynchronizer`] also reports when a new snapshot is
//! needed. Both are plain data without I/O. `BookSubscription` maintains a book on a live connection.
//! It is a stream of books; `BookEvents` is a stream of changes, and `BookWatch` shares the latest book
//! between many readers.

mod compare;
#[cfg(feature = "client")]
mod events;
mod side;
mod statistics;
#[cfg(feature = "client")]
mod subscription;
mod sweep;
mod synchronizer;
#[cfg(test)]
mod tests;
#[cfg(feature = "client")]
mod watch;

use std::fmt;

use bitmart_types::{Decimal, Timestamp};

use crate::event::{BookUpdate, DepthKind, Level};
use side::Side;

pub use compare::{Difference, DifferenceSide, Differences};
#[cfg(feature = "client")]
pub use events::{BookChange, BookEvent, BookEvents, ResyncReason};
pub use statistics::Cumulative;
#[cfg(feature = "client")]
pub use subscription::BookSubscription;
pub use sweep::{Sweep, SweepLimit};
pub use synchronizer::{BookSynchronizer, SyncOutcome};
#[cfg(feature = "client")]
pub use watch::BookWatch;

/// The order book of one pair or contract: synchronized, or empty and waiting for a snapshot.
///
/// The same rules serve both markets. A snapshot replaces the book. An update with the next version
/// is applied; sizes are absolute and 0 removes the level. An update whose version is not above that
/// of the book is outdated and ignored: an idle spot book repeats its version (documented). An idle
/// futures book sends empty updates with the next version (observed), which are applied. A version that
/// skips one is a sequence gap: the book is out of sync. It is also out of sync after 32 updates in a row
/// with a lower version, because the exchange has then begun to count anew.
///
/// # Depth
///
/// A topic covers a fixed number of levels a side. A level beyond them is not sent until it changes
/// (documented). Whether a level is still updated after others have pushed it beyond them is not
/// documented. So a book [with a limit](Self::with_limit) drops the levels beyond its limit after each
/// update, instead of showing sizes that may be old.
///
/// For each side the book knows a price, [`bids_complete_to`] and [`asks_complete_to`]. From the best
/// price to this one no level is missing. Beyond it there are only levels that updates have brought:
/// their sizes are right, but others between them may be missing. A snapshot sets the price to its last
/// level, or to `None` if it has fewer levels than the topic, because then it contains the whole side. An
/// update after which the side has as many levels as the limit, or more, moves the price to the worst level
/// that is left, if that is closer to the best price. Only a snapshot moves it away again.
///
/// [`bids_complete_to`]: Self::bids_complete_to
/// [`asks_complete_to`]: Self::asks_complete_to
///
/// # Example
///
/// ```
/// use bitmart_types::dec;
/// use bitmart_ws::book::{Applied, OrderBook, SyncError};
/// use bitmart_ws::event::{DepthKind, BookUpdate, Level};
///
/// let mut book = OrderBook::new();
/// let level = |price, size| Level { price, size };
/// let bids = [level(dec!(99.5), dec!(2)), level(dec!(99), dec!(5))];
/// let asks = [level(dec!(100), dec!(1))];
/// let (asks, bids) = (&asks[..], &bids[..]);
/// let kind = &DepthKind::Snapshot;
/// let update = BookUpdate { kind, version: 7, timestamp: None, asks, bids };
/// assert_eq!(book.apply(update), Applied::Snapshot);
/// assert_eq!(book.best_bid(), Some(level(dec!(99.5), dec!(2))));
///
/// let kind = &DepthKind::Update;
/// let skipped = BookUpdate { kind, version: 9, asks: &[], bids: &[], ..update };
/// assert_eq!(book.apply(skipped), Applied::OutOfSync(SyncError::SequenceGap { expected: 8, received: 9 }));
/// assert!(!book.is_synchronized());
/// assert_eq!(book.best_bid(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    /// `None` while resyncing.
    version: Option<u64>,
    timestamp: Option<Timestamp>,
    /// Levels per side of the topic, if known.
    limit: Option<usize>,
    /// How many updates in a row had a lower version than the book.
    updates_below_version: u32,
    asks: Side<side::Asks>,
    bids: Side<side::Bids>,
}

/// A book is out of sync after this many updates in a row with a lower version than its own. Updates that are still on
/// the way when a snapshot is made are fewer. So many mean that the exchange has begun to count anew.
const MAX_UPDATES_BELOW_VERSION: u32 = 32;

/// The result of [`OrderBook::apply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a book that is out of sync needs a new snapshot"]
pub enum Applied {
    /// The book was replaced by the snapshot.
    Snapshot,
    /// The update was applied.
    Updated,
    /// The update is not newer than the book, which did not change.
    Outdated,
    /// There is no book to update; a snapshot is needed.
    Ignored,
    /// The book is out of sync and was cleared; a snapshot is needed.
    OutOfSync(SyncError),
}

/// Why an event put a book out of sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncError {
    /// Updates are missing.
    SequenceGap {
        /// The version that follows that of the book.
        expected: u64,
        /// The version of the event.
        received: u64,
    },
    /// Many updates in a row had a version below that of the book: the exchange counts anew.
    VersionReset {
        /// The version of the book.
        version: u64,
        /// The version of the last update.
        received: u64,
    },
    /// The best bid is not below the best ask.
    Crossed,
    /// The event is neither a snapshot nor an update.
    UnknownKind,
}

impl std::error::Error for SyncError {}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SequenceGap { expected, received } => {
                write!(f, "sequence gap: received version {received} instead of {expected}")
            }
            Self::VersionReset { version, received } => {
                write!(f, "version went back: received {received} after {version}")
            }
            Self::Crossed => f.write_str("best bid not below best ask"),
            Self::UnknownKind => f.write_str("neither a snapshot nor an update"),
        }
    }
}

impl OrderBook {
    /// Creates a book that waits for its first snapshot, for a source that sends every change of all
    /// its levels. It stores up to 10,000 levels a side.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a book that waits for its first snapshot, for a topic with a fixed number of levels a
    /// side: see [Depth](Self#depth).
    pub fn with_limit(levels: usize) -> Self {
        Self { limit: Some(levels), ..Self::default() }
    }

    /// Returns the number of levels a side of the topic, if known.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Applies a snapshot or an update.
    pub fn apply(&mut self, update: BookUpdate<'_>) -> Applied {
        let applied = match (update.kind, self.version) {
            (DepthKind::Snapshot, _) => {
                self.asks.replace(update.asks, self.limit);
                self.bids.replace(update.bids, self.limit);
                Applied::Snapshot
            }
            (DepthKind::Update, None) => return Applied::Ignored,
            (DepthKind::Update, Some(version)) if update.version == version => {
                return Applied::Outdated;
            }
            (DepthKind::Update, Some(version)) if update.version < version => {
                self.updates_below_version += 1;
                if self.updates_below_version < MAX_UPDATES_BELOW_VERSION {
                    return Applied::Outdated;
                }
                let received = update.version;
                return self.desynchronize(SyncError::VersionReset { version, received });
            }
            (DepthKind::Update, Some(version)) if update.version - version > 1 => {
                return self.desynchronize(SyncError::SequenceGap {
                    expected: version + 1,
                    received: update.version,
                });
            }
            (DepthKind::Update, Some(_)) => {
                self.asks.update(update.asks, self.limit);
                self.bids.update(update.bids, self.limit);
                Applied::Updated
            }
            (DepthKind::Unknown(_), _) => return self.desynchronize(SyncError::UnknownKind),
        };
        if self.is_crossed() {
            return self.desynchronize(SyncError::Crossed);
        }
        self.updates_below_version = 0;
        self.version = Some(update.version);
        self.timestamp = update.timestamp.or(self.timestamp);
        applied
    }

    /// Clears the book until the next snapshot. Use it after a lost connection or missed events.
    pub fn clear(&mut self) {
        self.version = None;
        self.updates_below_version = 0;
        self.timestamp = None;
        self.asks.clear();
        self.bids.clear();
    }

    fn desynchronize(&mut self, error: SyncError) -> Applied {
        self.clear();
        Applied::OutOfSync(error)
    }

    fn is_crossed(&self) -> bool {
        self.asks.best().zip(self.bids.best()).is_some_and(|(ask, bid)| bid.price >= ask.price)
    }

    /// Returns whether the book is synchronized. If not, it is resyncing and has no levels.
    pub fn is_synchronized(&self) -> bool {
        self.version.is_some()
    }

    /// Returns the version of the book. `None` while resyncing.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// Returns the time of the last event that had one. `None` while resyncing.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// Returns the highest bid. `None` while resyncing or without bids.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.best()
    }

    /// Returns the lowest ask. `None` while resyncing or without asks.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.best()
    }

    /// Returns the price down to which no bid can be missing: see [Depth](Self#depth). `None` if none
    /// can be missing at any price, and while resyncing.
    pub fn bids_complete_to(&self) -> Option<Decimal> {
        self.bids.complete_to()
    }

    /// Returns the price up to which no ask can be missing: see [Depth](Self#depth). `None` if none
    /// can be missing at any price, and while resyncing.
    pub fn asks_complete_to(&self) -> Option<Decimal> {
        self.asks.complete_to()
    }

    /// Returns the prices of asks and bids that the last update pushed beyond the limit.
    #[cfg(feature = "client")]
    pub(crate) fn dropped(&self) -> (&[Decimal], &[Decimal]) {
        (self.asks.dropped(), self.bids.dropped())
    }

    /// Returns the bids, highest price first.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        self.bids.iter()
    }

    /// Returns the asks, lowest price first.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        self.asks.iter()
    }
}
