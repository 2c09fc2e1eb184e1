//! What the rows of a history prove about a request.

use std::mem;

use super::{Baseline, Evidence};

/// Clocks of the exchange's servers may differ by so much, in milliseconds.
const CLOCK_MARGIN_MS: i64 = 60_000;

/// How well a row fits the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Exact,
    /// It may be the request, in a form of the exchange: another rounding, a masked address, a missing field.
    Possible,
    /// It is another request.
    Other,
}

/// The state of the request that a row describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The exchange has taken it.
    Accepted,
    /// It is in progress, or in a state that this program does not know.
    Unsettled,
    /// It failed or was canceled.
    Failed,
}

/// A row of a history.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// An id or description; `None` if the row has none.
    pub(super) id: Option<String>,
    pub(super) time_ms: Option<i64>,
    pub(super) fit: Fit,
    pub(super) progress: Progress,
}

/// The newest rows of a history.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) rows: Vec<Row>,
    /// Whether every row could be read, so that a missing row is proof.
    pub(super) is_complete: bool,
    /// Whether there may be more rows than the exchange returns at once.
    pub(super) is_full: bool,
}

impl Listed {
    /// The rows that match or resemble the request, to be told from new ones later.
    pub(super) fn known(self) -> Vec<String> {
        self.rows.into_iter().filter(|row| row.fit != Fit::Other).filter_map(|row| row.id).collect()
    }
}

/// Compares the rows with those of the baseline. That there is no new row is proof only if no other row may be
/// the request.
pub(super) fn judge(listed: Listed, baseline: &Baseline) -> Evidence {
    let since = baseline.at_ms.saturating_sub(CLOCK_MARGIN_MS);
    let is_older = |row: &Row| row.time_ms.is_some_and(|time| time < since);
    let mut unclear = None;
    if !listed.is_complete {
        unclear = Some("a row of the history cannot be decoded".to_owned());
    } else if listed.is_full && !listed.rows.iter().any(is_older) {
        unclear = Some("the history has more rows than the exchange returns at once".to_owned());
    }
    // Two rows may have the same description, so each of the baseline is found once.
    let mut rows_before: Vec<_> = baseline.rows.iter().map(Some).collect();
    let mut failed = None;
    for row in listed.rows {
        let older = is_older(&row);
        if row.fit == Fit::Other {
            continue;
        }
        let Some(id) = row.id else {
            if !older {
                unclear.get_or_insert_with(|| "a row without an id may be the request".to_owned());
            }
            continue;
        };
        let is_known = rows_before.iter_mut().any(|row| match row {
            Some(known) if **known == id => mem::take(row).is_some(),
            _ => false,
        });
        match (row.fit, row.progress) {
            _ if is_known => {}
            (Fit::Exact, Progress::Accepted) => return Evidence::Found(id),
            (Fit::Exact, Progress::Failed) => failed = Some(id),
            (Fit::Exact, Progress::Unsettled) => {
                unclear = Some(format!("the exchange has not settled it yet: {id}"));
            }
            _ if older => {}
            _ => unclear = Some(format!("it may be {id}, which differs in a detail")),
        }
    }
    match (unclear, failed) {
        (Some(why), _) => Evidence::Inconclusive(why),
        (None, Some(id)) => Evidence::Failed(id),
        (None, None) => Evidence::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::{Baseline, Evidence, Fit, Listed, Progress, Row, judge};

    const NOW: i64 = 1_000_000_000;

    fn row(id: &str, fit: Fit, progress: Progress) -> Row {
        Row { id: Some(id.to_owned()), time_ms: Some(NOW), fit, progress }
    }

    fn judged(rows: Vec<Row>, known: &[&str]) -> Evidence {
        let rows_before = known.iter().map(|id| (*id).to_owned()).collect();
        let baseline = Baseline { at_ms: NOW, rows: rows_before, balances: Vec::new() };
        judge(Listed { rows, is_complete: true, is_full: false }, &baseline)
    }

    #[test]
    fn a_row_proves_what_its_state_says() {
        let exact = |progress| judged(vec![row("7", Fit::Exact, progress)], &[]);
        assert_eq!(exact(Progress::Accepted), Evidence::Found("7".into()));
        assert_eq!(exact(Progress::Failed), Evidence::Failed("7".into()));
        assert!(matches!(exact(Progress::Unsettled), Evidence::Inconclusive(_)));
        // Another row of the same kind failed.
        let both = [Progress::Failed, Progress::Accepted];
        let both = both.iter().zip(["1", "2"]).map(|(state, id)| row(id, Fit::Exact, *state));
        assert_eq!(judged(both.collect(), &[]), Evidence::Found("2".into()));
    }

    #[test]
    fn a_recent_row_that_differs_in_a_detail_is_inconclusive() {
        let possible = || row("7", Fit::Possible, Progress::Accepted);
        assert!(matches!(judged(vec![possible()], &[]), Evidence::Inconclusive(_)));
        assert_eq!(judged(vec![possible()], &["7"]), Evidence::NotFound, "it was there before");
        let older = Row { time_ms: Some(NOW - 60_001), ..possible() };
        assert_eq!(judged(vec![older], &[]), Evidence::NotFound);
        let without_time = Row { time_ms: None, ..possible() };
        assert!(matches!(judged(vec![without_time], &[]), Evidence::Inconclusive(_)));
        assert_eq!(judged(vec![row("7", Fit::Other, Progress::Accepted)], &[]), Evidence::NotFound);
    }

    #[test]
    fn two_rows_with_the_same_description_are_told_apart_by_their_number() {
        let same = || row("transfer of 10:00", Fit::Exact, Progress::Accepted);
        assert_eq!(judged(vec![same()], &["transfer of 10:00"]), Evidence::NotFound);
        let two = judged(vec![same(), same()], &["transfer of 10:00"]);
        assert!(matches!(two, Evidence::Found(_)), "{two:?}");
    }

    #[test]
    fn a_full_list_proves_nothing_unless_it_reaches_back_before_the_request() {
        let other = |time| Row { time_ms: Some(time), ..row("1", Fit::Other, Progress::Accepted) };
        let full = |rows| {
            let listed = Listed { rows, is_complete: true, is_full: true };
            judge(listed, &Baseline { at_ms: NOW, ..Baseline::default() })
        };
        assert!(matches!(full(vec![other(NOW)]), Evidence::Inconclusive(_)));
        assert_eq!(full(vec![other(NOW), other(NOW - 100_000)]), Evidence::NotFound);
    }
}
