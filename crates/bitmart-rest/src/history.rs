//! Complete histories, over any time span.
//!
//! The exchange limits a history request to a number of rows and a number of days, and defaults to a
//! week. [`Pagination`] covers a long span with windows that are small enough to be returned
//! completely: a full page is requested again with narrower windows, neighboring windows overlap, and
//! duplicate rows are removed. So it does not matter whether the bounds of a window are inclusive, or
//! which timestamp of a row the exchange filters by.
//!
//! With the `client` feature, `Client::history` returns the pages one by one, or with `into_stream` as
//! a stream:
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run(client: bitmart_rest::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart_rest::spot;
//! use bitmart_types::{Rows, Timestamp};
//!
//! let (from, to) = ("2024-01-01T00:00:00Z".parse()?, Timestamp::now());
//! let mut pages = client.history(spot::ListFills::new(), from, to);
//! while let Some(page) = pages.next().await {
//!     let fills = page?;
//!     // Store the rows and `pages.cursor()` together: after an interruption,
//!     // `client.resume_history` continues from there without gaps or duplicates.
//!     println!("{} fills, then {:?}", fills.len(), pages.cursor());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Not every list supports this: for past funding rates and transfers between sub-accounts the
//! exchange returns the newest rows only and accepts no time range.
//!
//! Rows that the exchange adds late, with an old timestamp, are missed if their window was already
//! read: end the span a little before the present.

mod lists;
#[cfg(feature = "client")]
mod pages;
mod pagination;
#[cfg(feature = "client")]
mod stream;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;

use bitmart_types::{Rows, Timestamp};

use crate::endpoint::Endpoint;

#[cfg(feature = "client")]
pub use pages::{Gap, HistoryError, HistoryPages};
pub use pagination::{Cursor, Pagination, Progress};
#[cfg(feature = "client")]
pub use stream::{HistoryStream, Page};

/// A list request whose rows can be read over any time span. The request selects what to list; the
/// pagination sets its time range and page.
pub trait History: Endpoint + Clone {
    /// A row of the history.
    type Row;

    /// Page size, window and other limits of the endpoint.
    const SPEC: HistorySpec;

    /// This request for one window.
    #[must_use]
    fn within(&self, window: &Window) -> Self;

    /// The rows of a response; `None` if it does not contain a list, which is not the same as an empty
    /// list. Rows that cannot be decoded are in its faults: they count toward the page size and are
    /// returned once.
    fn rows(response: Self::Response) -> Option<Rows<Self::Row>>;

    /// Timestamp and identity of a row. Rows of a response with equal keys are different rows: see
    /// [`number_equal`].
    fn key(row: &Self::Row) -> RowKey;

    /// Number of rows of the window over all pages, if the response states it.
    fn total(_response: &Self::Response) -> Option<u64> {
        None
    }
}

/// Timestamp and identity of a row. The rows of a page are sorted by it: rows without a timestamp first,
/// rows of the same timestamp by id. Numeric ids are compared as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "made by implementors of History")]
pub struct RowKey {
    /// Timestamp; `None` if the exchange does not send it.
    pub time: Option<Timestamp>,
    /// Identifier. Several parts are separated by a space. The content of a row without one is a JSON object.
    pub id: String,
}

/// Separates an id from the number that tells rows with equal ids apart.
const NUMBER: char = '\u{1f}';

impl RowKey {
    /// Whether the row has no id, so that [`id`](Self::id) is its content, a JSON object. Equal ones may be the same
    /// row or different rows.
    pub fn is_content(&self) -> bool {
        self.id.starts_with('{')
    }

    /// The id of the row, and the row's number among the rows of its response that have this id, from 1.
    pub fn id_and_number(&self) -> (&str, usize) {
        Self::split_number(&self.id)
    }

    /// Like [`id_and_number`](Self::id_and_number), of an id alone.
    pub fn split_number(id: &str) -> (&str, usize) {
        match id.rsplit_once(NUMBER) {
            Some((id, number)) => (id, number.parse().unwrap_or(1)),
            None => (id, 1),
        }
    }
}

/// Numbers the rows of a response whose ids are equal: what the exchange returns twice in one response is
/// there twice. The first keeps its id.
pub fn number_equal(keys: &mut [RowKey]) {
    let mut counts: HashMap<String, usize> = HashMap::with_capacity(keys.len());
    for key in keys {
        let count = counts.entry(key.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            key.id = numbered_id(&key.id, *count);
        }
    }
}

/// The id of the row with this number, from 1, among rows with equal ids.
pub fn numbered_id(id: &str, number: usize) -> String {
    if number <= 1 { id.to_owned() } else { format!("{id}{NUMBER}{number}") }
}

/// Compares ids part by part: numbers by their value and before texts.
fn compare_ids(left: &str, right: &str) -> Ordering {
    // Of two numbers without leading zeros, the longer one is greater.
    let size = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.trim_start_matches('0').len())
    };
    let compare = |left: &str, right: &str| match (size(left), size(right)) {
        (Some(one), Some(other)) if one != other => one.cmp(&other),
        (Some(_), Some(_)) => left.trim_start_matches('0').cmp(right.trim_start_matches('0')),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    };
    let is_end = |letter: char| letter == ' ' || letter == NUMBER;
    let (mut lefts, mut rights) = (left.split(is_end), right.split(is_end));
    loop {
        match (lefts.next(), rights.next()) {
            (Some(one), Some(other)) => match compare(one, other) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
            (one, other) => return one.is_some().cmp(&other.is_some()),
        }
    }
}

impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let ids = || compare_ids(&self.id, &other.id);
        self.time.cmp(&other.time).then_with(ids).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The window of one request: its time range, and its page if pages are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// Start of the requested time range.
    pub from: Timestamp,
    /// End of the requested time range.
    pub to: Timestamp,
    /// Page number, from 1. Always 1 if pages are not numbered.
    pub page: u32,
    /// Requested number of rows.
    pub rows: u32,
}

/// How the exchange paginates a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistorySpec {
    /// Resolution of time ranges, in milliseconds: 1, or 1,000 for whole seconds.
    pub time_unit: i64,
    /// Maximum length of a window, in milliseconds.
    pub max_window: i64,
    /// Number of rows at which a response may be truncated. If the exchange documents no maximum, a
    /// number that is safely below any likely limit.
    pub page_size: u32,
    /// Whether a window has numbered pages.
    pub numbered: bool,
    /// Error code that the exchange returns for an empty window.
    pub empty_code: Option<i64>,
}

impl HistorySpec {
    /// Windows of at most `max_days` days, in milliseconds, and responses of at most `page_size` rows.
    pub const fn new(max_days: i64, page_size: u32) -> Self {
        let max_window = max_days * 86_400_000;
        Self { time_unit: 1, max_window, page_size, numbered: false, empty_code: None }
    }
    /// Time ranges are in whole seconds.
    #[must_use]
    pub const fn seconds(mut self) -> Self {
        self.time_unit = 1_000;
        self
    }
    /// A window has numbered pages of `page_size` rows.
    #[must_use]
    pub const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }
    /// The exchange returns this error code for an empty window.
    #[must_use]
    pub const fn empty_code(mut self, code: i64) -> Self {
        self.empty_code = Some(code);
        self
    }
}
