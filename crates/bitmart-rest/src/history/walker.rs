//! Walking with a client.

use std::collections::HashMap;
use std::fmt;

use bitmart_types::{RowFault, Rows, Timestamp};
use bytes::Bytes;

use super::{Cursor, History, Page, RowKey, Taken, Walk, Window};
use crate::{Client, Error, RetryClass};

/// The pages of a history, oldest first. Made by [`Client::history`].
#[derive(Debug)]
pub struct HistoryPages<H> {
    client: Client,
    request: H,
    walk: Walk,
}

/// Why a history did not go on. The walk stands where it stood: calling again asks again, which
/// [`retry_class`](Self::retry_class) says the use of. While the exchange has banned you, do not.
#[derive(Debug)]
#[non_exhaustive]
pub enum HistoryError {
    /// A request failed.
    Request(Error),
    /// More rows at one moment than the exchange gives in one answer: it cannot be asked for the
    /// rest, and skipping them would leave a gap.
    Crowded {
        /// The moment.
        at: Timestamp,
    },
    /// The exchange gives one full page again and again, whatever page it is asked for.
    Repeated {
        /// Begin of the window whose pages do not end.
        at: Timestamp,
    },
    /// The answer does not hold a list of rows. Only where the exchange documents no answer, as for
    /// savings.
    Unreadable {
        /// Begin of the window.
        at: Timestamp,
    },
}

impl Client {
    /// Walks through a history from `from` to `to`, page by page. What `request` says about times
    /// and pages is replaced.
    pub fn history<H: History>(
        &self,
        request: H,
        from: Timestamp,
        to: Timestamp,
    ) -> HistoryPages<H> {
        let walk = Walk::new(H::SPEC, from, to);
        HistoryPages { client: self.clone(), request, walk }
    }

    /// Goes on with a history from a stored cursor. The request must be the one of the first walk.
    pub fn resume_history<H: History>(&self, request: H, cursor: Cursor) -> HistoryPages<H> {
        let walk = Walk::resume(H::SPEC, cursor);
        HistoryPages { client: self.clone(), request, walk }
    }
}

impl<H: History> HistoryPages<H> {
    /// What is asked for next; `None` when the span is done.
    pub fn window(&self) -> Option<Window> {
        self.walk.window()
    }

    /// The next page: rows that were not given before, in order of time; possibly none, for a
    /// window without rows. `None` when the span is done.
    ///
    /// Rows that do not decode are the page's [faults](Rows::faults): look at them before you call
    /// the history complete.
    ///
    /// # Errors
    /// A request failed, or the exchange cannot give all rows of one moment.
    ///
    /// # Cancel safety
    /// Safe: the walk moves on only when the page is returned.
    ///
    /// # Panics
    /// As [`Client::send`](crate::Client::send).
    pub async fn next(&mut self) -> Option<Result<Rows<H::Row>, HistoryError>> {
        Some(self.next_page().await?.map(|page| page.rows))
    }

    /// Like [`next`](Self::next), with the answer as it came: for those who keep more than the rows'
    /// types know of.
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
            let window = self.walk.window()?;
            let (rows, raw) = match self.client.send_detailed(self.request.within(&window)).await {
                Ok(answer) => {
                    let Some(rows) = H::rows(answer.data) else {
                        let at = self.walk.cursor().next;
                        return Some(Err(HistoryError::Unreadable { at }));
                    };
                    (rows, answer.raw)
                }
                Err(error) if error.code().is_some() && error.code() == H::SPEC.nothing_code => {
                    (Rows::default(), Bytes::new())
                }
                Err(error) => return Some(Err(HistoryError::Request(error))),
            };
            let keys = keys::<H>(&rows);
            let taken = self.walk.take(&keys);
            match self.taken(taken) {
                Err(error) => return Some(Err(error)),
                Ok(None) => {}
                Ok(Some(fresh)) => {
                    let rows = picked(rows, &fresh);
                    let cursor = self.walk.cursor().clone();
                    return Some(Ok(Page { rows, cursor, window, raw }));
                }
            }
        }
    }

    /// Passes over the answer for [`window`](Self::window) after an error that asking again does not
    /// mend: its rows do not fit their type. Read it with [`Client::send_raw`] and say how many rows
    /// it has. `false` when they are so many that it may have been cut off: then nothing is passed,
    /// and the next window is narrower.
    ///
    /// # Errors
    /// The answer was full and its window cannot be narrower, or its pages do not end.
    pub fn pass(&mut self, rows: usize) -> Result<bool, HistoryError> {
        let taken = self.walk.pass(rows);
        Ok(self.taken(taken)?.is_some())
    }

    /// The places of the new rows; `None` when the window is to be narrower.
    fn taken(&self, taken: Taken) -> Result<Option<Vec<usize>>, HistoryError> {
        let at = self.walk.cursor().next;
        match taken {
            Taken::Rows(fresh) => Ok(Some(fresh)),
            Taken::Narrowed => Ok(None),
            Taken::Crowded => Err(HistoryError::Crowded { at }),
            Taken::Repeated => Err(HistoryError::Repeated { at }),
        }
    }

    /// Where the walk stands: store it together with the rows.
    pub fn cursor(&self) -> &Cursor {
        self.walk.cursor()
    }
}

/// The keys of all rows, then those of the faults: a row that does not decode is told from others by
/// its text, and from its like by how many of them came before it.
fn keys<H: History>(rows: &Rows<H::Row>) -> Vec<RowKey> {
    let mut like: HashMap<&str, usize> = HashMap::new();
    let faults = rows.faults().iter().map(|fault| {
        let number = like.entry(fault.raw.as_str()).and_modify(|number| *number += 1).or_default();
        RowKey { time: None, id: format!("fault {number} {}", fault.raw) }
    });
    rows.iter().map(H::key).chain(faults).collect()
}

/// The rows and faults at these places of [`keys`].
fn picked<T>(rows: Rows<T>, places: &[usize]) -> Rows<T> {
    let (rows, faults) = rows.into_parts();
    let mut faults: Vec<Option<RowFault>> = faults.into_iter().map(Some).collect();
    let mut rows: Vec<Option<T>> = rows.into_iter().map(Some).collect();
    let (mut picked, mut kept) = (Vec::new(), Vec::new());
    for &at in places {
        match at.checked_sub(rows.len()) {
            None => picked.extend(rows[at].take()),
            Some(at) => kept.extend(faults.get_mut(at).and_then(Option::take)),
        }
    }
    Rows::from_parts(picked, kept)
}

impl HistoryError {
    /// Whether and when calling again may do better; see [`RetryClass`]. Only a request that failed
    /// can: the other errors stay until the request of the history is another one.
    pub fn retry_class(&self) -> RetryClass {
        match self {
            Self::Request(error) => error.retry_class(),
            Self::Crowded { .. } | Self::Repeated { .. } | Self::Unreadable { .. } => {
                RetryClass::Never
            }
        }
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(_) => f.write_str("a request of the history failed"),
            Self::Crowded { at } => write!(
                f,
                "more rows at {at} than the exchange gives in one answer; narrow the request, for \
                 example to one symbol"
            ),
            Self::Repeated { at } => {
                write!(f, "the exchange gives the same page again and again from {at} on")
            }
            Self::Unreadable { at } => {
                write!(f, "the answer for the window from {at} on holds no list of rows")
            }
        }
    }
}

impl std::error::Error for HistoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Crowded { .. } | Self::Repeated { .. } | Self::Unreadable { .. } => None,
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
    fn page(ids: &[Option<u32>]) -> Rows<spot::Fill> {
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

    fn walk(full: u32) -> Walk {
        let from = Timestamp::from_millis(1_700_000_000_000);
        let to = Timestamp::from_millis(1_700_000_000_000 + 4 * HOUR);
        Walk::new(HistorySpec { longest: 2 * HOUR, ..HistorySpec::new(1, full) }, from, to)
    }

    fn take(walk: &mut Walk, rows: &Rows<spot::Fill>) -> Taken {
        walk.take(&keys::<spot::ListAccountTrades>(rows))
    }

    #[test]
    fn a_page_that_is_full_with_rows_that_do_not_decode_is_asked_for_again() {
        let mut walk = walk(3);
        assert_eq!(take(&mut walk, &page(&[Some(1), Some(2), None])), Taken::Narrowed);
        let end = walk.window().expect("it goes on").to;
        assert_eq!(end.as_millis(), 1_700_000_000_000 + HOUR);
    }

    #[test]
    fn rows_that_do_not_decode_are_given_once_and_all_of_them() {
        let mut walk = walk(100);
        let first = page(&[None, Some(2), None]);
        let Taken::Rows(places) = take(&mut walk, &first) else { panic!("it is not full") };
        let first = picked(first, &places);
        assert_eq!((first.len(), first.faults().len()), (1, 2));
        assert_eq!(first[0].create_time, None, "a row without a time is no fault");
        // The next window overlaps with the first and has one more of each.
        let next = page(&[None, Some(2), None, Some(4), None]);
        let Taken::Rows(places) = take(&mut walk, &next) else { panic!("it is not full") };
        let next = picked(next, &places);
        let ids: Vec<_> = next.iter().map(|fill| fill.trade_id.as_str()).collect();
        assert_eq!(ids, ["4"]);
        let places: Vec<_> = next.faults().iter().map(|fault| fault.index).collect();
        assert_eq!(places, [4]);
    }
}
