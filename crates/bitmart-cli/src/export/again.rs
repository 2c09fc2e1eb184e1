//! What a later run requests: from the last end to now, with an overlap, and where rows were not final yet.
//!
//! A history tells a row by the time at which it began. An order that rested for a month and a withdrawal that
//! was under way for days therefore come, or change, far behind the last end: the moments of such rows are asked
//! for again, each by itself.

use std::collections::{BTreeMap, BTreeSet};

use bitmart::Timestamp;
use bitmart::rest::history::HistorySpec;
use serde_json::Value;

use super::Export;
use super::plan::text;
use super::read;
use super::store::{Answer, Span, State, part, raw_path, state};
use crate::failure::Failure;

/// With more moments than these, everything between the first and the last is requested.
const MOMENTS: usize = 200;

/// The spans that the next run requests.
pub(super) fn spans(
    export: &Export,
    name: &str,
    endpoint: &str,
    spec: &HistorySpec,
    known: &State,
) -> Result<Vec<Span>, Failure> {
    let (begin, to) = (export.from.as_millis(), export.to.as_millis());
    let end = end(export, name, known)?.max(begin);
    let overlap = (end - export.overlap_ms).max(begin);
    let mut moments: BTreeSet<i64> = known.pending.values().copied().collect();
    moments.extend(were_open(export, name, endpoint, known, end)?);
    moments.retain(|time| (begin..overlap).contains(time));
    let mut spans = clusters(&moments, spec.max_window / 2);
    if let [first, .., last] = spans[..]
        && spans.len() > MOMENTS
    {
        spans = vec![Span { to: last.to, ..first }];
    }
    spans.push(Span { from: overlap, to: end, again: true });
    if to > end {
        spans.push(Span { from: end, to, again: false });
    }
    spans.retain(|span| span.from < span.to);
    Ok(spans)
}

/// Moments that lie near to each other are requested at once.
fn clusters(moments: &BTreeSet<i64>, widest: i64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for &moment in moments {
        match spans.last_mut() {
            Some(span) if moment - span.from <= widest => span.to = moment + 1,
            _ => spans.push(Span { from: moment, to: moment + 1, again: true }),
        }
    }
    spans
}

/// Up to where everything was requested. Version 1 could be requested times to come: what counts then is when
/// its first response came.
fn end(export: &Export, name: &str, known: &State) -> Result<i64, Failure> {
    if let Some(to) = known.to {
        return Ok(to);
    }
    let end = known.cursor.as_ref().map_or(export.from, |cursor| cursor.end).as_millis();
    let first = read::first_line(&raw_path(&export.folder, name))?;
    let asked = serde_json::from_slice(&first).map_or(end, |answer: Answer| answer.at);
    Ok(end.min(asked))
}

/// Times of orders that some snapshot shows as open and the newest no longer does: they have ended, and the
/// history has them now.
fn were_open(
    export: &Export,
    name: &str,
    endpoint: &str,
    known: &State,
    end: i64,
) -> Result<Vec<i64>, Failure> {
    let (lists, id, time): (&[&str], _, _) = match endpoint {
        "spot_order_history" => (&["open-orders"], "orderId", "createTime"),
        "spot_algo_order_history" => (&["open-algo-orders"], "orderId", "createTime"),
        "futures_order_history" => {
            (&["futures-open-orders", "futures-plan-orders"], "order_id", "create_time")
        }
        _ => return Ok(Vec::new()),
    };
    let mut times = Vec::new();
    for list in lists {
        // Not requested yet.
        let Ok(snapshots) = state(&export.folder, list) else { continue };
        let newest = snapshots.snapshot.filter(|_| snapshots.run == export.run);
        let mut gone: BTreeMap<String, i64> = BTreeMap::new();
        read::all(&export.folder, list, |row| {
            let (Some(id), Some(time)) = (text(&row, id), millis(&row, time)) else { return };
            if endpoint == "futures_order_history"
                && text(&row, "symbol")
                    .is_none_or(|symbol| !name.ends_with(&format!("-{}", part(&symbol))))
            {
                return;
            }
            match taken(&row) {
                Some(taken) if newest.is_some_and(|newest| newest.taken == taken) => {
                    gone.remove(&id);
                }
                // What was seen long before the last end has been requested since.
                Some(taken) if taken >= end - export.overlap_ms => drop(gone.insert(id, time)),
                None if known.run == 1 => drop(gone.insert(id, time)),
                _ => {}
            }
        })?;
        times.extend(gone.into_values());
    }
    Ok(times)
}

fn millis(row: &Value, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// When a row of a snapshot was taken. Those of version 1 do not say.
pub(super) fn taken(row: &Value) -> Option<i64> {
    text(row, "taken")?.parse().ok().map(Timestamp::as_millis)
}

/// Whether rows of a history can be on their way.
pub(super) fn can_be_pending(endpoint: &str) -> bool {
    const LISTS: [&str; 4] = [
        "account_funding_history",
        "futures_transfers",
        "spot_order_history",
        "futures_order_history",
    ];
    LISTS.contains(&endpoint)
}

/// Whether a row of a history can still change, other than by mistake.
pub(super) fn is_pending(endpoint: &str, row: &Value) -> bool {
    let state = || text(row, "state");
    match endpoint {
        // 3 is done, 4 cancelled and 5 failed.
        "account_funding_history" => !matches!(row["status"].as_i64(), None | Some(3..=5)),
        "futures_transfers" => {
            state().is_some_and(|state| state != "FINISHED" && state != "FAILED")
        }
        "spot_order_history" => {
            state().is_some_and(|state| state == "new" || state == "partially_filled")
        }
        // 4 is finished.
        "futures_order_history" => row["state"].as_i64().is_some_and(|state| state != 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{clusters, is_pending};
    use serde_json::json;

    #[test]
    fn moments_near_each_other_are_asked_for_at_once() {
        let spans = clusters(&[5, 7, 15, 16, 40].into(), 10);
        let spans: Vec<_> = spans.iter().map(|span| (span.from, span.to)).collect();
        assert_eq!(spans, [(5, 16), (16, 17), (40, 41)]);
    }

    #[test]
    fn what_can_still_change_is_asked_for_again() {
        for (status, wanted) in
            [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false)]
        {
            assert_eq!(is_pending("account_funding_history", &json!({ "status": status })), wanted);
        }
        assert!(is_pending("futures_transfers", &json!({ "state": "PROCESSING" })));
        assert!(!is_pending("spot_order_history", &json!({ "state": "filled" })));
        assert!(!is_pending("spot_account_trades", &json!({ "state": "new" })));
    }
}
