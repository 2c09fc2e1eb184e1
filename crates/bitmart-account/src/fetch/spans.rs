//! All rows of a span of time, told as they come.

use bitmart_rest::history::{History, HistoryError, Pagination};
use bitmart_rest::{Client, Error};
use bitmart_types::{Rows, Timestamp};

/// Full answers of a walk that are split where their rows lie; from then on in halves.
const SPLITS: usize = 1_000;

/// Asks for every row of a span and gives each answer to `page` at once.
///
/// The exchange cuts long answers off. A full one is told like any other, and its span is asked for
/// again in two parts: rows may come several times. The part that was most likely cut off comes
/// first, because it brings news; the other one proves that nothing was missing.
pub(super) async fn walk<H: History>(
    client: &Client,
    request: &H,
    (from, until): (Timestamp, Timestamp),
    mut page: impl FnMut(Rows<H::Row>),
) -> Result<(), HistoryError> {
    let mut spans = vec![(from, until)];
    let mut splits = 0;
    while let Some((from, until)) = spans.pop() {
        let Some(window) = Pagination::new(H::SPEC, from, until).window() else { continue };
        let end = until.min(window.to);
        if end < until {
            spans.push((end, until));
        }
        let answer = client.send(request.within(&window)).await;
        let rows = match answer {
            Ok(answer) => H::rows(answer).ok_or(HistoryError::Unreadable { at: from })?,
            Err(error) if is_nothing::<H>(&error) => continue,
            Err(error) => return Err(HistoryError::Request(error)),
        };
        let count = rows.len() + rows.faults().len();
        if count >= usize::try_from(H::SPEC.page_size).unwrap_or(usize::MAX) {
            let times: Vec<_> = rows.iter().map(|row| H::key(row).time).collect();
            let middle = if splits < SPLITS { Split::of(times) } else { Split::default() };
            splits += 1;
            let middle = middle
                .within(from, end, H::SPEC.time_unit)
                .ok_or(HistoryError::TooManyRows { at: from })?;
            let parts = [(from, middle.at), (middle.at, end)];
            let [news, proof] = if middle.newer_first { [parts[1], parts[0]] } else { parts };
            spans.extend([proof, news]);
        }
        page(rows);
    }
    Ok(())
}

fn is_nothing<H: History>(error: &Error) -> bool {
    error.code().is_some() && error.code() == H::SPEC.empty_code
}

/// Where to split the span of a full answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Split {
    /// `None` for in the middle.
    at: Option<Timestamp>,
    /// The newer part is the one that was likely cut off.
    newer_first: bool,
}

/// A place inside of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: Timestamp,
    newer_first: bool,
}

impl Split {
    /// By the times of the rows, in the order in which they came. No source says which rows a full
    /// answer leaves out; most likely those that would come last. So that as many as possible are
    /// proven by one more query, all but a tenth of the rows are in one part.
    fn of(times: Vec<Option<Timestamp>>) -> Self {
        let mut times: Vec<_> = times.into_iter().flatten().collect();
        let ends = times.first().copied().zip(times.last().copied());
        times.sort_unstable();
        let Some((first, last)) = ends else { return Self::default() };
        let tenth = times.len() / 10;
        let (at, newer_first) = match first.cmp(&last) {
            std::cmp::Ordering::Greater => (times.get(tenth), false),
            std::cmp::Ordering::Less => (times.iter().rev().nth(tenth), true),
            std::cmp::Ordering::Equal => (None, false),
        };
        Self { at: at.copied(), newer_first }
    }

    /// Where to split a span so that both parts are shorter; `None` where that is not possible.
    fn within(self, from: Timestamp, until: Timestamp, unit: i64) -> Option<Place> {
        let (from, until) = (from.as_millis(), until.as_millis());
        let to_unit = |ms: i64| ms - ms.rem_euclid(unit);
        let inside = |at: &i64| from < *at && *at < until;
        let wanted = self.at.map(|at| to_unit(at.as_millis())).filter(inside);
        let middle = to_unit(from.midpoint(until));
        let at = wanted.or(Some(middle).filter(inside))?;
        Some(Place { at: Timestamp::from_millis(at), newer_first: self.newer_first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: impl Iterator<Item = i64>) -> Vec<Option<Timestamp>> {
        ms.map(|ms| Some(Timestamp::from_millis(ms))).collect()
    }

    fn place(split: Split, from: i64, until: i64, unit: i64) -> Option<(i64, bool)> {
        let at = Timestamp::from_millis;
        let place = split.within(at(from), at(until), unit)?;
        Some((place.at.as_millis(), place.newer_first))
    }

    #[test]
    fn what_was_likely_cut_off_is_asked_for_first_and_the_rest_is_less_than_a_page() {
        let newest_first = Split::of(times((1_000..1_200).rev()));
        assert_eq!(place(newest_first, 0, 9_000, 1), Some((1_020, false)));
        let oldest_first = Split::of(times(1_000..1_200));
        assert_eq!(place(oldest_first, 0, 9_000, 1), Some((1_179, true)));
    }

    #[test]
    fn a_span_is_split_in_halves_where_its_rows_do_not_say_where() {
        for times in [Vec::new(), vec![None; 9], times(std::iter::repeat_n(7, 9))] {
            assert_eq!(place(Split::of(times), 0, 100, 1), Some((50, false)));
        }
        let outside = Split::of(times([900, 800, 700].into_iter()));
        assert_eq!(place(outside, 0, 100, 1), Some((50, false)));
    }

    #[test]
    fn the_shortest_span_is_not_split() {
        let newest_first = || Split::of(times([3, 2, 1, 0].into_iter()));
        assert_eq!(place(newest_first(), 1, 2, 1), None);
        assert_eq!(place(newest_first(), 0, 1_000, 1_000), None);
        assert_eq!(place(newest_first(), 0, 2_000, 1_000), Some((1_000, false)));
    }
}
