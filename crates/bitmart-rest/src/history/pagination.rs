//! Pagination as a pure state machine: the next window, and which rows of a response are new.

use std::collections::BTreeSet;

use bitmart_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::{HistorySpec, RowKey, Window};

/// Pagination over a time span. Request [`window`](Self::window), pass the keys of the returned rows to
/// [`advance`](Self::advance), and repeat until there is no window.
#[derive(Clone, Debug)]
pub struct Pagination {
    spec: HistorySpec,
    cursor: Cursor,
    ambiguous: usize,
}

/// The position of a pagination. Store it together with the rows so far; a pagination resumed from it
/// continues without gaps or duplicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cursor {
    /// Everything before this time was read.
    #[serde(with = "millis")]
    pub next: Timestamp,
    /// End of the time span.
    #[serde(with = "millis")]
    pub end: Timestamp,
    /// Length of the next window in milliseconds.
    span: i64,
    /// Next page of the window.
    page: u32,
    /// Ids that may be returned again: those of the last window and of this window's pages.
    seen: BTreeSet<String>,
    /// Ids of this window's pages, if pages are numbered.
    current: BTreeSet<String>,
}

/// Times of a cursor may have any value, unlike timestamps of the exchange.
mod millis {
    use bitmart_types::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields this way")]
    pub(super) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_millis())
    }
}

/// Maximum number of skipped pages in a window: repetition cannot be detected without their rows.
const MAX_SKIPPED_PAGES: u32 = 1_000;

/// The effect of a response on the pagination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Progress {
    /// Indices of the new rows in the response, sorted by their keys.
    NewRows(Vec<usize>),
    /// The response was full and may be truncated. Its rows are discarded; the next window is narrower.
    Narrowed,
    /// The response was full and its window cannot be narrowed. Continuing would lose rows.
    TooManyRows,
    /// Every row of a full numbered page was on an earlier page: the exchange repeats a page, and
    /// continuing would never end.
    RepeatedPage,
    /// The numbered pages ended, or repeat, before as many rows were seen as the exchange states.
    MissingRows {
        /// Number of different rows on the pages of the window.
        seen: u64,
        /// Number of rows that the exchange states.
        total: u64,
    },
}

impl Pagination {
    /// Starts at `from` and ends at `to`.
    pub fn new(spec: HistorySpec, from: Timestamp, to: Timestamp) -> Self {
        let cursor = Cursor {
            next: from,
            end: to,
            span: spec.max_window,
            page: 1,
            seen: BTreeSet::new(),
            current: BTreeSet::new(),
        };
        Self::resume(spec, cursor)
    }

    /// Continues from a stored position.
    pub fn resume(spec: HistorySpec, mut cursor: Cursor) -> Self {
        // A cursor may come from a file: keep its values within the limits.
        cursor.span = cursor.span.clamp(spec.time_unit, spec.max_window.max(spec.time_unit));
        cursor.page = cursor.page.max(1);
        // The exchange accepts no negative timestamps.
        cursor.next = cursor.next.max(Timestamp::from_millis(0));
        Self { spec, cursor, ambiguous: 0 }
    }

    /// The current position.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Number of rows of the last response that have no id and equal a row of an earlier page of the same window. Each
    /// is that row once more, or another event that is not returned: nothing in the responses tells. Always 0 if the
    /// exchange states the number of rows, which does.
    pub fn ambiguous_rows(&self) -> usize {
        self.ambiguous
    }

    /// The next window to request; `None` at the end.
    pub fn window(&self) -> Option<Window> {
        let Cursor { next, end, page, .. } = self.cursor;
        if next >= end {
            return None;
        }
        // One unit earlier than needed, in case the start of a window is exclusive.
        let from = self.floor(next.as_millis()).saturating_sub(self.spec.time_unit).max(0);
        let to = self.ceiling(self.to());
        Some(Window {
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
            page,
            rows: self.spec.page_size,
        })
    }

    /// Processes the keys of all rows of a response, including rows that could not be decoded: their
    /// number shows whether the response may be truncated. Equal keys are one row: call
    /// [`number_equal`](super::number_equal) before.
    pub fn advance(&mut self, keys: &[RowKey]) -> Progress {
        self.advance_to(keys, None)
    }

    /// Like [`advance`](Self::advance), with the number of rows over all pages of the window, if the
    /// exchange states it: it may return fewer rows per page than requested.
    pub fn advance_to(&mut self, keys: &[RowKey], total: Option<u64>) -> Progress {
        self.ambiguous = 0;
        let full = self.is_full(keys.len());
        if full && !self.spec.numbered {
            return self.narrow();
        }
        let new: BTreeSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        let new = new.into_iter().filter(|id| !self.cursor.current.contains(*id)).count();
        let seen = (self.cursor.current.len() + new) as u64;
        let missing = total.filter(|total| self.spec.numbered && seen < *total);
        match missing {
            _ if new > 0 => {}
            _ if full => return Progress::RepeatedPage,
            Some(total) => return Progress::MissingRows { seen, total },
            None => {}
        }
        // Neighboring windows are no such case: whatever they overlap in, each returns all of it.
        if total.is_none() {
            let is_known = |key: &&RowKey| self.cursor.current.contains(&key.id);
            self.ambiguous = keys.iter().filter(|key| key.is_content()).filter(is_known).count();
        }
        let fresh = self.take_fresh(keys);
        if full || missing.is_some() {
            self.cursor.page += 1;
        } else {
            self.next_window(keys.len());
        }
        Progress::NewRows(fresh)
    }

    /// Continues after the window of a response that [`advance`](Self::advance) rejected, and returns the
    /// indices of its new rows. The other rows of the window are lost: for
    /// [`TooManyRows`](Progress::TooManyRows), [`RepeatedPage`](Progress::RepeatedPage) and
    /// [`MissingRows`](Progress::MissingRows), where nothing else makes the pagination continue.
    pub fn step_over(&mut self, keys: &[RowKey]) -> Vec<usize> {
        self.ambiguous = 0;
        let fresh = self.take_fresh(keys);
        self.next_window(keys.len());
        fresh
    }

    /// Marks the rows as seen, and returns the indices of the new ones, sorted.
    fn take_fresh(&mut self, keys: &[RowKey]) -> Vec<usize> {
        let mut fresh: Vec<usize> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let is_new = self.cursor.current.insert(key.id.clone());
            if is_new && !self.cursor.seen.contains(&key.id) {
                fresh.push(index);
            }
        }
        fresh.sort_by(|left, right| keys[*left].cmp(&keys[*right]));
        fresh
    }

    /// Skips a response whose rows could not be read. `rows` is their number: a full response is
    /// requested again with narrower windows, as in [`advance`](Self::advance).
    pub fn skip(&mut self, rows: usize) -> Progress {
        self.ambiguous = 0;
        match (self.is_full(rows), self.spec.numbered) {
            (true, false) => return self.narrow(),
            (true, true) if self.cursor.page >= MAX_SKIPPED_PAGES => return Progress::RepeatedPage,
            (true, true) => self.cursor.page += 1,
            (false, _) => self.next_window(rows),
        }
        Progress::NewRows(Vec::new())
    }

    /// Whether a response with `rows` rows may be truncated.
    fn is_full(&self, rows: usize) -> bool {
        rows >= usize::try_from(self.spec.page_size).unwrap_or(usize::MAX)
    }

    fn narrow(&mut self) -> Progress {
        if self.cursor.span <= self.spec.time_unit {
            return Progress::TooManyRows;
        }
        self.cursor.span = self.floor(self.cursor.span / 2).max(self.spec.time_unit);
        Progress::Narrowed
    }

    /// Moves on to the next window.
    fn next_window(&mut self, rows: usize) {
        self.cursor.next = Timestamp::from_millis(self.to());
        self.cursor.seen = std::mem::take(&mut self.cursor.current);
        self.cursor.page = 1;
        // Few rows: try wider windows again.
        if rows < usize::try_from(self.spec.page_size / 4).unwrap_or(usize::MAX) {
            self.cursor.span = self.cursor.span.saturating_mul(2).min(self.spec.max_window);
        }
    }

    /// End of the current window.
    fn to(&self) -> i64 {
        let Cursor { next, end, span, .. } = self.cursor;
        next.as_millis().saturating_add(span).min(end.as_millis())
    }

    fn floor(&self, millis: i64) -> i64 {
        millis.saturating_sub(millis.rem_euclid(self.spec.time_unit))
    }

    fn ceiling(&self, millis: i64) -> i64 {
        self.floor(millis.saturating_add(self.spec.time_unit - 1))
    }
}
