//! Complete histories, over any span of time.
//!
//! The exchange answers a history in windows: a number of rows at most, a number of days at most,
//! and a week when nothing is said. A [`Walk`] covers a long span with windows that the exchange
//! answers completely: a full page is asked for again in narrower windows, neighbouring windows
//! overlap, and rows that come twice are given once. No fact is needed about whether the ends of a
//! window belong to it, nor about which time of a row the exchange looks at.
//!
//! With the `client` feature, `Client::history` walks for you, page by page or with `into_stream` as
//! a stream:
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run(client: bitmart_rest::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart_rest::spot;
//! use bitmart_types::{Rows, Timestamp};
//!
//! let (from, to) = ("2024-01-01T00:00:00Z".parse()?, Timestamp::now());
//! let mut pages = client.history(spot::ListAccountTrades::new(), from, to);
//! while let Some(page) = pages.next().await {
//!     let fills = page?;
//!     // Store the rows and `pages.cursor()` together: after an interruption,
//!     // `client.resume_history` goes on from there without gaps or doubles.
//!     println!("{} fills, then {:?}", fills.len(), pages.cursor());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Not every list can be walked: of past funding rates and of transfers between sub-accounts the
//! exchange gives the newest rows only, and takes no times.
//!
//! Rows that the exchange adds late, with an old time, are not seen by a walk that has passed:
//! end a walk a little before the present.

mod lists;
#[cfg(feature = "client")]
mod stream;
#[cfg(test)]
mod tests;
mod walk;
#[cfg(feature = "client")]
mod walker;

use std::cmp::Ordering;

use bitmart_types::{Rows, Timestamp};

use crate::Endpoint;

#[cfg(feature = "client")]
pub use stream::{HistoryStream, Page};
pub use walk::{Cursor, Taken, Walk};
#[cfg(feature = "client")]
pub use walker::{HistoryError, HistoryPages};

/// A list request whose rows can be walked through over any span of time. The request says what to
/// list; its times and page are set by the walk.
pub trait History: Endpoint + Clone {
    /// A row of the history.
    type Row;

    /// How the exchange serves it.
    const SPEC: HistorySpec;

    /// This request for one window.
    #[must_use]
    fn within(&self, window: &Window) -> Self;

    /// The rows of an answer; `None` when it does not hold a list of them, which is not the same as
    /// an empty list. Rows that do not decode are among its faults: the walk counts them, so that
    /// it sees a full answer, and gives them once.
    fn rows(answer: Self::Response) -> Option<Rows<Self::Row>>;

    /// When a row happened, and what tells it from every other.
    fn key(row: &Self::Row) -> RowKey;
}

/// Time and identity of a row. Rows of one page are given in this order: those without a time first, those
/// of one instant by their ids, which are compared as numbers where they are numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "made by implementors of History")]
pub struct RowKey {
    /// When it happened; `None` where the exchange does not tell.
    pub time: Option<Timestamp>,
    /// What no other row has.
    pub id: String,
}

impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of two numbers without zeros in front the longer is the greater.
        let size = |id: &str| {
            let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| id.trim_start_matches('0').len())
        };
        let ids = match (size(&self.id), size(&other.id)) {
            (Some(left), Some(right)) if left != right => left.cmp(&right),
            (Some(_), Some(_)) => {
                let [left, right] = [&self.id, &other.id].map(|id| id.trim_start_matches('0'));
                left.cmp(right)
            }
            (left, right) => right.is_some().cmp(&left.is_some()),
        };
        self.time.cmp(&other.time).then(ids).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One request of a walk: from and to, and the page where pages are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// Begin of the span to ask for.
    pub from: Timestamp,
    /// End of the span to ask for.
    pub to: Timestamp,
    /// Number of the page, from 1. Always 1 where pages are not numbered.
    pub page: u32,
    /// Rows to ask for.
    pub rows: u32,
}

/// How the exchange serves a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistorySpec {
    /// Milliseconds of the smallest step of a window's ends: 1, or 1,000 where they are seconds.
    pub unit: i64,
    /// Longest window, in milliseconds.
    pub longest: i64,
    /// An answer with so many rows may be cut off. Where the exchange documents no most, a number
    /// that no undocumented limit is likely to be below.
    pub full: u32,
    /// Whether a window has numbered pages.
    pub numbered: bool,
    /// Error code that stands for an empty window.
    pub nothing_code: Option<i64>,
}

impl HistorySpec {
    /// Windows of at most `longest_days` days whose ends are milliseconds, cut off at `full` rows.
    pub const fn new(longest_days: i64, full: u32) -> Self {
        let longest = longest_days * 86_400_000;
        Self { unit: 1, longest, full, numbered: false, nothing_code: None }
    }
    /// The ends of windows are whole seconds.
    #[must_use]
    pub const fn seconds(mut self) -> Self {
        self.unit = 1_000;
        self
    }
    /// A window has numbered pages of `full` rows.
    #[must_use]
    pub const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }
    /// This error code stands for an empty window.
    #[must_use]
    pub const fn nothing(mut self, code: i64) -> Self {
        self.nothing_code = Some(code);
        self
    }
}
