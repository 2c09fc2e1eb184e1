//! The walk itself: which window comes next, and which of its rows are new.

use std::collections::BTreeSet;

use bitmart_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::{HistorySpec, RowKey, Window};

/// A walk through a span of time. Ask for [`window`](Self::window), give the keys of the rows that
/// came to [`take`](Self::take), and repeat until there is no window.
#[derive(Clone, Debug)]
pub struct Walk {
    spec: HistorySpec,
    cursor: Cursor,
}

/// Where a walk stands. Store it with the rows that were taken so far; a walk made from it goes on
/// without gaps or doubles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cursor {
    /// Everything before is done.
    #[serde(with = "millis")]
    pub next: Timestamp,
    /// End of the walk.
    #[serde(with = "millis")]
    pub end: Timestamp,
    /// Length of the next window in milliseconds.
    span: i64,
    /// Next page of the window.
    page: u32,
    /// Ids that may come again: those of the last window, and of this one's pages.
    seen: BTreeSet<String>,
    /// Ids of this window's pages, where pages are numbered.
    current: BTreeSet<String>,
}

/// Times of a cursor are the walk's own and may be any, unlike those of the exchange.
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

/// Pages of a window that are passed over at most: without their rows nobody sees that they repeat.
const PASSED_PAGES: u32 = 1_000;

/// What follows from a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Taken {
    /// These rows are new: their places in the response, in the order of their keys.
    Rows(Vec<usize>),
    /// The response was full and may have been cut off. Nothing is taken; the next window is narrower.
    Narrowed,
    /// The response was full and its window cannot be narrower. Going on would lose rows.
    Crowded,
    /// A full numbered page of which every row was on a page before: the exchange gives one page
    /// again and again, and going on would never end.
    Repeated,
}

impl Walk {
    /// A walk from `from` to `to`.
    pub fn new(spec: HistorySpec, from: Timestamp, to: Timestamp) -> Self {
        let cursor = Cursor {
            next: from,
            end: to,
            span: spec.longest,
            page: 1,
            seen: BTreeSet::new(),
            current: BTreeSet::new(),
        };
        Self::resume(spec, cursor)
    }

    /// Goes on where another walk stood.
    pub fn resume(spec: HistorySpec, mut cursor: Cursor) -> Self {
        // A cursor comes from a file; whatever it says, the windows stay within the limits.
        cursor.span = cursor.span.clamp(spec.unit, spec.longest.max(spec.unit));
        cursor.page = cursor.page.max(1);
        // The exchange has nothing older, and takes no times below.
        cursor.next = cursor.next.max(Timestamp::from_millis(0));
        Self { spec, cursor }
    }

    /// Where the walk stands.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The window to ask for; `None` at the end.
    pub fn window(&self) -> Option<Window> {
        let Cursor { next, end, page, .. } = self.cursor;
        if next >= end {
            return None;
        }
        // One step earlier than needed, in case the begin of a window does not belong to it.
        let from = self.floor(next.as_millis()).saturating_sub(self.spec.unit).max(0);
        let to = self.ceiling(self.to());
        Some(Window {
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
            page,
            rows: self.spec.full,
        })
    }

    /// Takes in the keys of all rows of a response, those that do not decode included: their number
    /// tells whether the response may have been cut off.
    pub fn take(&mut self, keys: &[RowKey]) -> Taken {
        let full = self.is_full(keys.len());
        if full && !self.spec.numbered {
            return self.narrow();
        }
        let known = self.cursor.current.len();
        let mut fresh: Vec<usize> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let is_new = self.cursor.current.insert(key.id.clone());
            if is_new && !self.cursor.seen.contains(&key.id) {
                fresh.push(index);
            }
        }
        if full && self.cursor.current.len() == known {
            return Taken::Repeated;
        }
        fresh.sort_by(|left, right| keys[*left].cmp(&keys[*right]));
        if full {
            self.cursor.page += 1;
        } else {
            self.advance(keys.len());
        }
        Taken::Rows(fresh)
    }

    /// Passes over a response whose rows could not be read, so that the walk goes on behind it. `rows`
    /// says how many there were: a full response is asked for in narrower windows, as by
    /// [`take`](Self::take).
    pub fn pass(&mut self, rows: usize) -> Taken {
        match (self.is_full(rows), self.spec.numbered) {
            (true, false) => return self.narrow(),
            (true, true) if self.cursor.page >= PASSED_PAGES => return Taken::Repeated,
            (true, true) => self.cursor.page += 1,
            (false, _) => self.advance(rows),
        }
        Taken::Rows(Vec::new())
    }

    /// Whether a response with so many rows may have been cut off.
    fn is_full(&self, rows: usize) -> bool {
        rows >= usize::try_from(self.spec.full).unwrap_or(usize::MAX)
    }

    fn narrow(&mut self) -> Taken {
        if self.cursor.span <= self.spec.unit {
            return Taken::Crowded;
        }
        self.cursor.span = self.floor(self.cursor.span / 2).max(self.spec.unit);
        Taken::Narrowed
    }

    /// The window is done.
    fn advance(&mut self, rows: usize) {
        self.cursor.next = Timestamp::from_millis(self.to());
        self.cursor.seen = std::mem::take(&mut self.cursor.current);
        self.cursor.page = 1;
        // Sparse rows: try wider windows again.
        if rows < usize::try_from(self.spec.full / 4).unwrap_or(usize::MAX) {
            self.cursor.span = self.cursor.span.saturating_mul(2).min(self.spec.longest);
        }
    }

    /// End of the present window.
    fn to(&self) -> i64 {
        let Cursor { next, end, span, .. } = self.cursor;
        next.as_millis().saturating_add(span).min(end.as_millis())
    }

    fn floor(&self, millis: i64) -> i64 {
        millis.saturating_sub(millis.rem_euclid(self.spec.unit))
    }

    fn ceiling(&self, millis: i64) -> i64 {
        self.floor(millis.saturating_add(self.spec.unit - 1))
    }
}
