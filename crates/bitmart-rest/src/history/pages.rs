//! Reads the pages of a history with a client.

use std::fmt;

use bitmart_types::{RowFault, Rows, Timestamp};
use bytes::Bytes;

use super::{Cursor, History, Page, Pagination, Progress, RowKey, Window, number_equal};
use crate::{Client, Error, RetryClass};

/// The pages of a history, oldest first. Returned by [`Client::history`].
#[derive(Debug)]
pub struct HistoryPages<H> {
    client: Client,
    request: H,
    pagination: Pagination,
    with_gaps: bool,
}

/// Rows that the exchange has and does not return, however its windows and pages are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// More rows with one timestamp than the exchange returns in one response.
    TooManyRows {
        /// The timestamp.
        at: Timestamp,
    },
    /// The exchange returns the same full page for every page number.
    RepeatedPage {
        /// Start of the window.
        at: Timestamp,
    },
    /// The pages ended before as many rows were seen as the exchange states.
    MissingRows {
        /// Start of the window.
        at: Timestamp,
        /// Number of different rows on the pages.
        seen: u64,
        /// Number of rows that the exchange states.
        total: u64,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRows { at } => {
                write!(f, "more rows at {at} than the exchange returns in one response")
            }
            Self::RepeatedPage { at } => {
                write!(f, "the exchange repeats the same page from {at} on")
            }
            Self::MissingRows { at, seen, total } => write!(
                f,
                "the exchange states {total} rows in the window from {at} on, and returns {seen}"
            ),
        }
    }
}

/// The error of a history. The position is unchanged: calling `next` again repeats the request. Whether
/// that is useful is the response of [`retry_class`](Self::retry_class); never do it during a ban.
#[derive(Debug)]
#[non_exhaustive]
pub enum HistoryError {
    /// A request failed.
    Request(Error),
    /// Rows that cannot be requested: continuing would lose them. To continue all the same, read the
    /// history with [`HistoryPages::with_gaps`].
    Gap(Gap),
    /// The response contains no list of rows. Only for endpoints whose response is undocumented, such as
    /// savings.
    Unreadable {
        /// Start of the window.
        at: Timestamp,
    },
}

impl Client {
    /// Reads a history from `from` to `to`, page by page. The time range and page of `request` are
    /// replaced.
    pub fn history<H: History>(
        &self,
        request: H,
        from: Timestamp,
        to: Timestamp,
    ) -> HistoryPages<H> {
        let pagination = Pagination::new(H::SPEC, from, to);
        HistoryPages { client: self.clone(), request, pagination, with_gaps: false }
    }

    /// Continues a history from a stored cursor. The request must be the original one.
    pub fn resume_history<H: History>(&self, request: H, cursor: Cursor) -> HistoryPages<H> {
        let pagination = Pagination::resume(H::SPEC, cursor);
        HistoryPages { client: self.clone(), request, pagination, with_gaps: false }
    }
}

impl<H: History> HistoryPages<H> {
    /// Continues after a [`Gap`]: the rows that the exchange did return are a page with its
    /// [`gap`](Page::gap), and the rest of that window is lost.
    #[must_use]
    pub fn with_gaps(mut self) -> Self {
        self.with_gaps = true;
        self
    }

    /// The next window to request; `None` at the end.
    pub fn window(&self) -> Option<Window> {
        self.pagination.window()
    }

    /// The next page: rows that were not in an earlier page, in order of time; possibly none. `None` at
    /// the end of the span.
    ///
    /// Rows that could not be decoded are the page's [faults](Rows::faults): check them before calling
    /// the history complete.
    ///
    /// # Errors
    /// A request failed, or the exchange cannot return all rows of one timestamp.
    ///
    /// # Cancel safety
    /// Safe: the position changes only when the page is returned.
    ///
    /// # Panics
    /// As [`Client::send`](crate::Client::send).
    pub async fn next(&mut self) -> Option<Result<Rows<H::Row>, HistoryError>> {
        Some(self.next_page().await?.map(|page| page.rows))
    }

    /// Like [`next`](Self::next), but also returns the raw response, the window and the cursor.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    /// As [`next`](Self::next).
    ///
    /// # Panics
    /// As [`next`](Self::next).
    pub async fn next_page(&mut self) -> Option<Result<Page<H::Row>, HistoryError>> {
        loop {
            let window = self.pagination.window()?;
            let (rows, total, raw) =
                match self.client.send_detailed(self.request.within(&window)).await {
                    Ok(response) => {
                        let total = H::total(&response.data);
                        let Some(rows) = H::rows(response.data) else {
                            let at = self.pagination.cursor().next;
                            return Some(Err(HistoryError::Unreadable { at }));
                        };
                        (rows, total, response.raw)
                    }
                    Err(error) if error.code().is_some() && error.code() == H::SPEC.empty_code => {
                        (Rows::default(), None, Bytes::new())
                    }
                    Err(error) => return Some(Err(HistoryError::Request(error))),
                };
            let keys = keys::<H>(&rows);
            let progress = self.pagination.advance_to(&keys, total);
            let (indices, gap) = match self.new_rows(progress) {
                Ok(None) => continue,
                Ok(Some(indices)) => (indices, None),
                Err(gap) if self.with_gaps => (self.pagination.step_over(&keys), Some(gap)),
                Err(gap) => return Some(Err(HistoryError::Gap(gap))),
            };
            let of_rows = indices.iter().filter(|at| **at < rows.len());
            let keys = of_rows.map(|at| keys[*at].clone()).collect();
            let rows = select(rows, &indices);
            let cursor = self.pagination.cursor().clone();
            let ambiguous_rows = self.pagination.ambiguous_rows();
            return Some(Ok(Page { rows, keys, gap, ambiguous_rows, cursor, window, raw }));
        }
    }

    /// Skips the response for [`window`](Self::window) after a permanent error: its rows do not fit
    /// their type. Read it with [`Client::send_raw`] and pass the number of its rows. Returns `false` if
    /// it has so many rows that it may be truncated: then nothing is skipped, and the next window is
    /// narrower.
    ///
    /// # Errors
    /// The response was full and its window cannot be narrowed, or its pages repeat.
    pub fn skip(&mut self, rows: usize) -> Result<bool, HistoryError> {
        let progress = self.pagination.skip(rows);
        match self.new_rows(progress) {
            Ok(indices) => Ok(indices.is_some()),
            Err(_) if self.with_gaps => {
                self.pagination.step_over(&[]);
                Ok(true)
            }
            Err(gap) => Err(HistoryError::Gap(gap)),
        }
    }

    /// Indices of the new rows; `None` if the window was narrowed.
    fn new_rows(&self, progress: Progress) -> Result<Option<Vec<usize>>, Gap> {
        let at = self.pagination.cursor().next;
        match progress {
            Progress::NewRows(indices) => Ok(Some(indices)),
            Progress::Narrowed => Ok(None),
            Progress::TooManyRows => Err(Gap::TooManyRows { at }),
            Progress::RepeatedPage => Err(Gap::RepeatedPage { at }),
            Progress::MissingRows { seen, total } => Err(Gap::MissingRows { at, seen, total }),
        }
    }

    /// The current position: store it together with the rows.
    pub fn cursor(&self) -> &Cursor {
        self.pagination.cursor()
    }
}

/// The keys of all rows, then of all faults. A fault has its raw text as its id. Equal keys are numbered.
fn keys<H: History>(rows: &Rows<H::Row>) -> Vec<RowKey> {
    let faults = rows.faults().iter();
    let faults = faults.map(|fault| RowKey { time: None, id: format!("fault {}", fault.raw) });
    let mut keys: Vec<_> = rows.iter().map(H::key).chain(faults).collect();
    number_equal(&mut keys);
    keys
}

/// The rows and faults at these indices of [`keys`].
fn select<T>(rows: Rows<T>, indices: &[usize]) -> Rows<T> {
    let (rows, faults) = rows.into_parts();
    let mut faults: Vec<Option<RowFault>> = faults.into_iter().map(Some).collect();
    let mut rows: Vec<Option<T>> = rows.into_iter().map(Some).collect();
    let (mut selected_rows, mut selected_faults) = (Vec::new(), Vec::new());
    for &at in indices {
        match at.checked_sub(rows.len()) {
            None => selected_rows.extend(rows[at].take()),
            Some(at) => selected_faults.extend(faults.get_mut(at).and_then(Option::take)),
        }
    }
    Rows::from_parts(selected_rows, selected_faults)
}

impl HistoryError {
    /// Whether and when calling again may succeed; see [`RetryClass`]. Only failed requests can be
    /// repeated; the other errors are permanent.
    pub fn retry_class(&self) -> RetryClass {
        match self {
            Self::Request(error) => error.retry_class(),
            Self::Gap(_) | Self::Unreadable { .. } => RetryClass::Never,
        }
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(_) => f.write_str("a request of the history failed"),
            Self::Gap(gap) => write!(f, "{gap}; narrow the request, for example to one symbol"),
            Self::Unreadable { at } => {
                write!(f, "the response for the window from {at} on contains no list of rows")
            }
        }
    }
}

impl std::error::Error for HistoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Gap(_) | Self::Unreadable { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bitmart_types::json;

    use super::super::HistorySpec;
    use super::*;
    use crate::spot;

    const HOUR: i64 = 3_600_000;

    /// Fills with these ids; for each `None` one without a price. The second has no time.
    fn fills(ids: &[Option<u32>]) -> Rows<spot::Fill> {
        let row = |(at, id): (usize, &Option<u32>)| {
            let (price, id) = match id {
                Some(id) => (r#""price":"5","#, *id),
                None => ("", 0),
            };
            let time = if at == 1 {
                "null".to_owned()
            } else {
                (1_700_000_000_000 + u64::from(id)).to_string()
            };
            format!(
                r#"{{"tradeId":"{id}","orderId":"1","symbol":"BTC_USDT","side":"buy",{price}
                "size":"1","createTime":{time}}}"#
            )
        };
        let rows: Vec<_> = ids.iter().enumerate().map(row).collect();
        json::from_str(&format!("[{}]", rows.join(","))).expect("rows that decode in part")
    }

    /// Four hours in windows of two, with pages of `full` rows.
    fn pagination(full: u32) -> Pagination {
        let from = Timestamp::from_millis(1_700_000_000_000);
        let to = Timestamp::from_millis(1_700_000_000_000 + 4 * HOUR);
        Pagination::new(HistorySpec { max_window: 2 * HOUR, ..HistorySpec::new(1, full) }, from, to)
    }

    fn advance(pagination: &mut Pagination, rows: &Rows<spot::Fill>) -> Progress {
        pagination.advance(&keys::<spot::ListFills>(rows))
    }

    #[test]
    fn a_full_page_with_unreadable_rows_is_requested_again() {
        let mut pagination = pagination(3);
        assert_eq!(advance(&mut pagination, &fills(&[Some(1), Some(2), None])), Progress::Narrowed);
        let end = pagination.window().expect("it continues").to;
        assert_eq!(end.as_millis(), 1_700_000_000_000 + HOUR);
    }

    #[test]
    fn unreadable_rows_are_reported_once() {
        let mut pagination = pagination(100);
        let first = fills(&[None, Some(2), None]);
        let Progress::NewRows(indices) = advance(&mut pagination, &first) else {
            panic!("it is not full")
        };
        let first = select(first, &indices);
        assert_eq!((first.len(), first.faults().len()), (1, 2));
        assert_eq!(first[0].timestamp, None, "a row without a time is no fault");
        // The next window overlaps with the first and has one more of each.
        let next = fills(&[None, Some(2), None, Some(4), None]);
        let Progress::NewRows(indices) = advance(&mut pagination, &next) else {
            panic!("it is not full")
        };
        let next = select(next, &indices);
        let ids: Vec<_> = next.iter().map(|fill| fill.trade_id.as_str()).collect();
        assert_eq!(ids, ["4"]);
        let positions: Vec<_> = next.faults().iter().map(|fault| fault.index).collect();
        assert_eq!(positions, [4]);
    }
}
