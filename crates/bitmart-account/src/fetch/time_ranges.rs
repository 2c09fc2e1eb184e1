//! Queries of all rows in a time range.

use bitmart_rest::history::{Gap, History, HistoryError, Pagination};
use bitmart_rest::{Client, Error};
use bitmart_types::{Rows, Timestamp};

/// Begin and end, by the exchange's clock.
pub(super) type TimeRange = (Timestamp, Timestamp);

/// Number of truncated responses whose time range is split by their rows; later ones are halved.
const MAX_SPLITS_BY_ROWS: usize = 1_000;

/// Queries every row in a time range and passes each response to `page` immediately.
///
/// The exchange truncates long responses. The time range of a full response is queried again in two
/// parts, so rows may be passed more than once. The part that was most likely truncated is queried
/// first, because it contains new rows. The other part proves that none was missing.
///
/// Returns the ranges that are too short to be split and still have a full response. Only a part of their
/// rows was passed. More than `max_bursts` of them are an error: if the exchange ignored the requested times, each
/// response would be full, and every millisecond would be queried.
pub(super) async fn query_all<H: History>(
    client: &Client,
    request: &H,
    range: TimeRange,
    max_bursts: usize,
    mut page: impl FnMut(Rows<H::Row>),
) -> Result<Vec<TimeRange>, HistoryError> {
    let mut ranges = vec![range];
    let mut bursts = Vec::new();
    let mut splits = 0;
    while let Some((from, until)) = ranges.pop() {
        let Some(window) = Pagination::new(H::SPEC, from, until).window() else { continue };
        let end = until.min(window.to);
        if end < until {
            ranges.push((end, until));
        }
        let result = client.send(request.within(&window)).await;
        let rows = match result {
            Ok(response) => H::rows(response).ok_or(HistoryError::Unreadable { at: from })?,
            Err(error) if is_empty_code::<H>(&error) => continue,
            Err(error) => return Err(HistoryError::Request(error)),
        };
        let count = rows.len() + rows.faults().len();
        let times: Vec<_> = rows.iter().map(|row| H::key(row).time).collect();
        page(rows);
        if count >= page_size::<H>() {
            let split = if splits < MAX_SPLITS_BY_ROWS {
                Split::from_times(times)
            } else {
                Split::default()
            };
            splits += 1;
            if let Some(split) = split.within(from, end, H::SPEC.time_unit) {
                let parts = [(from, split.at), (split.at, end)];
                let [truncated, rest] =
                    if split.newer_first { [parts[1], parts[0]] } else { parts };
                ranges.extend([rest, truncated]);
            } else if bursts.len() < max_bursts {
                bursts.push((from, end));
            } else {
                return Err(HistoryError::Gap(Gap::TooManyRows { at: from }));
            }
        }
    }
    Ok(bursts)
}

/// The number of rows of a response that may be truncated.
pub(super) fn page_size<H: History>() -> usize {
    usize::try_from(H::SPEC.page_size).unwrap_or(usize::MAX)
}

fn is_empty_code<H: History>(error: &Error) -> bool {
    error.code().is_some() && error.code() == H::SPEC.empty_code
}

/// Where to split the time range of a full response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Split {
    /// `None` for the middle.
    at: Option<Timestamp>,
    /// The newer part was likely truncated.
    newer_first: bool,
}

/// A [`Split`] at a time inside of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SplitPoint {
    at: Timestamp,
    newer_first: bool,
}

impl Split {
    /// Chooses a split from the times of the rows, in the order of the response. Which rows a full
    /// response omits is not documented; most likely the ones at its end. One part contains nine tenths
    /// of the rows, so that a single further query proves as many as possible.
    fn from_times(times: Vec<Option<Timestamp>>) -> Self {
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

    /// Returns a split point that makes both parts shorter; `None` if there is none.
    fn within(self, from: Timestamp, until: Timestamp, unit: i64) -> Option<SplitPoint> {
        let (from, until) = (from.as_millis(), until.as_millis());
        let to_unit = |ms: i64| ms - ms.rem_euclid(unit);
        let inside = |at: &i64| from < *at && *at < until;
        let wanted = self.at.map(|at| to_unit(at.as_millis())).filter(inside);
        let middle = to_unit(from.midpoint(until));
        let at = wanted.or(Some(middle).filter(inside))?;
        Some(SplitPoint { at: Timestamp::from_millis(at), newer_first: self.newer_first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: impl Iterator<Item = i64>) -> Vec<Option<Timestamp>> {
        ms.map(|ms| Some(Timestamp::from_millis(ms))).collect()
    }

    fn split_point(split: Split, from: i64, until: i64, unit: i64) -> Option<(i64, bool)> {
        let at = Timestamp::from_millis;
        let point = split.within(at(from), at(until), unit)?;
        Some((point.at.as_millis(), point.newer_first))
    }

    #[test]
    fn queries_the_likely_truncated_part_first_and_leaves_less_than_a_page() {
        let newest_first = Split::from_times(times((1_000..1_200).rev()));
        assert_eq!(split_point(newest_first, 0, 9_000, 1), Some((1_020, false)));
        let oldest_first = Split::from_times(times(1_000..1_200));
        assert_eq!(split_point(oldest_first, 0, 9_000, 1), Some((1_179, true)));
    }

    #[test]
    fn splits_in_halves_without_usable_row_times() {
        for times in [Vec::new(), vec![None; 9], times(std::iter::repeat_n(7, 9))] {
            assert_eq!(split_point(Split::from_times(times), 0, 100, 1), Some((50, false)));
        }
        let outside = Split::from_times(times([900, 800, 700].into_iter()));
        assert_eq!(split_point(outside, 0, 100, 1), Some((50, false)));
    }

    #[test]
    fn does_not_split_the_shortest_range() {
        let newest_first = || Split::from_times(times([3, 2, 1, 0].into_iter()));
        assert_eq!(split_point(newest_first(), 1, 2, 1), None);
        assert_eq!(split_point(newest_first(), 0, 1_000, 1_000), None);
        assert_eq!(split_point(newest_first(), 0, 2_000, 1_000), Some((1_000, false)));
    }
}
