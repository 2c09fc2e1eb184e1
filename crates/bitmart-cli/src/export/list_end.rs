//! Whether a list of which some pages were received may have another one.

/// Whether the pages so far are the whole list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListEnd {
    /// Number of rows so far, whether they decode or not.
    pub(super) received: u64,
    /// Number of rows of the list that the last page states.
    stated: Option<u64>,
    /// The last page has as many rows as were requested.
    is_full: bool,
}

impl ListEnd {
    /// Adds a page: its rows, how many were requested, and how many it says that the list has.
    pub(super) fn add(&mut self, rows: usize, requested: Option<u64>, stated: Option<u64>) {
        let rows = rows as u64;
        self.received = self.received.saturating_add(rows);
        self.stated = stated;
        self.is_full = requested.is_some_and(|requested| rows >= requested);
    }

    /// Whether there may be another page.
    pub(super) fn may_go_on(&self) -> bool {
        self.is_full || self.missing().is_some()
    }

    /// Describes the rows that the exchange states and did not return.
    pub(super) fn missing(&self) -> Option<String> {
        let Self { received, .. } = self;
        let stated = self.stated.filter(|stated| stated > received)?;
        Some(format!("the exchange states {stated} rows and returned {received}"))
    }

    /// Why a list may have more rows if its last page was not understood when it came.
    pub(super) fn after_unread_page(&self) -> Option<String> {
        let full = "a full page was not understood when it came; there may be more";
        self.missing().or_else(|| self.is_full.then(|| full.to_owned()))
    }
}
