//! The pages of a history as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bitmart_types::Rows;
use bytes::Bytes;
use futures_core::Stream;

use super::{Cursor, Gap, History, HistoryError, HistoryPages, RowKey, Window};

/// The pages of a history as a [`Stream`], oldest first. Made by [`HistoryPages::into_stream`].
///
/// Polling it again after an error repeats the request. After dropping it, continue from the cursor of
/// the last page.
pub struct HistoryStream<H: History> {
    /// `None` while a request is in flight and at the end.
    pages: Option<HistoryPages<H>>,
    in_flight: Option<InFlight<H>>,
}

/// The next page; `None` at the end.
type NextPage<H> = Option<Result<Page<<H as History>::Row>, HistoryError>>;

/// A request in flight. It returns the pages for the next request.
type InFlight<H> = Pin<Box<dyn Future<Output = (HistoryPages<H>, NextPage<H>)> + Send>>;

/// A page of a history.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<R> {
    /// Rows that were not in an earlier page, in order of time; possibly none. Rows that cannot be
    /// decoded are its faults, with their positions in the response.
    pub rows: Rows<R>,
    /// The keys of the rows; those with equal ids are numbered.
    pub keys: Vec<RowKey>,
    /// The rows of the window that could not be requested. Always `None` without
    /// [`HistoryPages::with_gaps`].
    pub gap: Option<Gap>,
    /// Number of rows without an id that equal a row of an earlier page of the window and are not in
    /// [`rows`](Self::rows): see [`Pagination::ambiguous_rows`](super::Pagination::ambiguous_rows).
    pub ambiguous_rows: usize,
    /// The position after this page: store it together with the rows.
    pub cursor: Cursor,
    /// The requested window.
    pub window: Window,
    /// The response body, including rows of earlier pages. Empty if the exchange reported an empty window
    /// by an error code.
    pub raw: Bytes,
}

impl<H: History> HistoryPages<H> {
    /// Converts the pages into a stream, for the combinators of `futures`.
    pub fn into_stream(self) -> HistoryStream<H> {
        HistoryStream { pages: Some(self), in_flight: None }
    }
}

impl<H> Stream for HistoryStream<H>
where
    H: History<Response: Send, Row: Send> + Send + Sync + 'static,
{
    type Item = Result<Page<H::Row>, HistoryError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(mut pages) = self.pages.take() {
            self.in_flight = Some(Box::pin(async move {
                let page = pages.next_page().await;
                (pages, page)
            }));
        }
        let Some(in_flight) = &mut self.in_flight else { return Poll::Ready(None) };
        let (pages, page) = ready!(in_flight.as_mut().poll(cx));
        self.in_flight = None;
        self.pages = page.is_some().then_some(pages);
        Poll::Ready(page)
    }
}

/// No field is structurally pinned.
impl<H: History> Unpin for HistoryStream<H> {}

impl<H: History> fmt::Debug for HistoryStream<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryStream")
            .field("in_flight", &self.in_flight.is_some())
            .finish_non_exhaustive()
    }
}
