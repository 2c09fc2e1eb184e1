//! Pages as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bitmart_types::Rows;
use bytes::Bytes;
use futures_core::Stream;

use super::{Cursor, History, HistoryError, HistoryPages, Window};

/// The pages of a history as a [`Stream`], oldest first. Made by [`HistoryPages::into_stream`].
///
/// After an error it can be polled again, and asks again. Dropping it loses nothing: go on from the
/// cursor of the last page.
pub struct HistoryStream<H: History> {
    /// `None` while a page is under way and at the end.
    pages: Option<HistoryPages<H>>,
    under_way: Option<UnderWay<H>>,
}

type Answer<H> = Option<Result<Page<<H as History>::Row>, HistoryError>>;

/// A page that was asked for, and what to ask with afterwards.
type UnderWay<H> = Pin<Box<dyn Future<Output = (HistoryPages<H>, Answer<H>)> + Send>>;

/// A page of a history.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<R> {
    /// Rows that were not given before, in order of time; none for a window without rows. Those
    /// that do not decode are its faults: not given before, too, and with the place that they have
    /// in the response.
    pub rows: Rows<R>,
    /// Where the walk stands behind this page: store it together with the rows.
    pub cursor: Cursor,
    /// What was asked for.
    pub window: Window,
    /// The body of the response as it came, with rows that were given before, too. Empty where the
    /// exchange responds an empty window with an error code.
    pub raw: Bytes,
}

impl<H: History> HistoryPages<H> {
    /// The pages as a stream, for the combinators of `futures`.
    pub fn into_stream(self) -> HistoryStream<H> {
        HistoryStream { pages: Some(self), under_way: None }
    }
}

impl<H> Stream for HistoryStream<H>
where
    H: History<Response: Send, Row: Send> + Send + Sync + 'static,
{
    type Item = Result<Page<H::Row>, HistoryError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(mut pages) = self.pages.take() {
            self.under_way = Some(Box::pin(async move {
                let response = pages.next_page().await;
                (pages, response)
            }));
        }
        let Some(under_way) = &mut self.under_way else { return Poll::Ready(None) };
        let (pages, response) = ready!(under_way.as_mut().poll(cx));
        self.under_way = None;
        self.pages = response.is_some().then_some(pages);
        Poll::Ready(response)
    }
}

/// Nothing in it is pinned in place.
impl<H: History> Unpin for HistoryStream<H> {}

impl<H: History> fmt::Debug for HistoryStream<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryStream")
            .field("under_way", &self.under_way.is_some())
            .finish_non_exhaustive()
    }
}
