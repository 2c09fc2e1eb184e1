//! The spans that a later run requests: from the last end to now, an overlap before it, and the times of rows that
//! were not final.
//!
//! A history lists a row under the time at which it began. An order that rested for a month, or a withdrawal that
//! was pending for days, therefore changes far before the last end. The times of such rows are requested again.

use std::collections::{BTreeMap, BTreeSet};

use bitmart::Timestamp;
use bitmart::rest::catalog;
use bitmart::rest::endpoint::Endpoint as _;
use bitmart::rest::history::HistorySpec;
use bitmart::rest::{futures, spot};
use serde_json::Value;

use super::Export;
use super::plan::text;
use super::rows;
use super::store::{Span, State, StoredResponse, file_name_part, raw_path, read_state};
use crate::failure::Failure;

/// With more spans than these, everything between the first and the last is requested.
const MAX_SPANS: usize = 200;

/// Returns the spans that the next run requests.
pub(super) fn to_request(
    export: &Export,
    name: &str,
    endpoint: &str,
    spec: &HistorySpec,
    known: &State,
) -> Result<Vec<Span>, Failure> {
    let (begin, to) = (export.from.as_millis(), export.to.as_millis());
    let end = requested_until(export, name, known)?.max(begin);
    let overlap = (end - export.overlap_ms).max(begin);
    let mut times: BTreeSet<i64> = known.pending.values().copied().collect();
    times.extend(times_of_closed_orders(export, name, endpoint)?);
    times.retain(|time| (begin..overlap).contains(time));
    let mut spans = merge(&times, spec.max_window / 2);
    if let [first, .., last] = spans[..]
        && spans.len() > MAX_SPANS
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

/// Returns spans of at most `longest` milliseconds that contain these times.
fn merge(times: &BTreeSet<i64>, longest: i64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for &time in times {
        match spans.last_mut() {
            Some(span) if time - span.from <= longest => span.to = time + 1,
            _ => spans.push(Span { from: time, to: time + 1, again: true }),
        }
    }
    spans
}

/// Returns the time up to which everything was requested. Version 1 accepted times in the future: for those the
/// arrival of its first response counts.
fn requested_until(export: &Export, name: &str, known: &State) -> Result<i64, Failure> {
    if let Some(to) = known.to {
        return Ok(to);
    }
    let end = known.cursor.as_ref().map_or(export.from, |cursor| cursor.end).as_millis();
    let first = rows::first_line(&raw_path(&export.folder, name))?;
    let first = serde_json::from_slice(&first).map_or(end, |response: StoredResponse| response.at);
    Ok(end.min(first))
}

/// Returns the times of orders that are open in an earlier snapshot and not in the newest one, and that the history
/// does not have as finished yet.
fn times_of_closed_orders(
    export: &Export,
    name: &str,
    endpoint: &str,
) -> Result<Vec<i64>, Failure> {
    const SPOT: &str = spot::ListOrderHistory::METADATA.id;
    const ALGO: &str = spot::ListAlgoOrderHistory::METADATA.id;
    const FUTURES: &str = futures::ListOrderHistory::METADATA.id;
    let (lists, id, time): (&[&str], _, _) = match endpoint {
        SPOT => (&["open-orders"], "orderId", "createTime"),
        ALGO => (&["open-algo-orders"], "orderId", "createTime"),
        FUTURES => (&["futures-open-orders", "futures-plan-orders"], "order_id", "create_time"),
        _ => return Ok(Vec::new()),
    };
    let mut closed: BTreeMap<String, i64> = BTreeMap::new();
    for list in lists {
        // Not requested yet.
        let Ok(snapshots) = read_state(&export.folder, list) else { continue };
        let newest = snapshots.snapshot.filter(|_| snapshots.run == export.run);
        let mut open = BTreeSet::new();
        rows::all(&export.folder, list, |row| {
            let (Some(id), Some(time)) = (text(&row, id), millis(&row, time)) else { return };
            // Futures histories are per contract.
            if endpoint == FUTURES
                && text(&row, "symbol")
                    .is_none_or(|symbol| !name.ends_with(&format!("-{}", file_name_part(&symbol))))
            {
                return;
            }
            if newest.is_some_and(|newest| snapshot_time(&row) == Some(newest.taken)) {
                open.insert(id);
            } else {
                closed.insert(id, time);
            }
        })?;
        closed.retain(|id, _| !open.contains(id));
    }
    if !closed.is_empty() {
        rows::all(&export.folder, name, |row| {
            if let Some(id) = text(&row, id).filter(|_| !is_pending(endpoint, &row)) {
                closed.remove(&id);
            }
        })?;
    }
    Ok(closed.into_values().collect())
}

fn millis(row: &Value, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns when the snapshot of a row was taken; `None` for rows of version 1.
pub(super) fn snapshot_time(row: &Value) -> Option<i64> {
    text(row, "taken")?.parse().ok().map(Timestamp::as_millis)
}

/// Whether a row of a history is not final. One without a state may change.
pub(super) fn is_pending(endpoint: &str, row: &Value) -> bool {
    let Some(states) = catalog::find(endpoint).and_then(|entry| entry.states) else { return false };
    let state = match &row[states.field] {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return true,
    };
    states.is_pending(&state)
}

#[cfg(test)]
mod tests {
    use super::{is_pending, merge};
    use serde_json::json;

    #[test]
    fn merges_times_that_are_close_together() {
        let spans = merge(&[5, 7, 15, 16, 40].into(), 10);
        let spans: Vec<_> = spans.iter().map(|span| (span.from, span.to)).collect();
        assert_eq!(spans, [(5, 16), (16, 17), (40, 41)]);
    }

    #[test]
    fn recognizes_rows_that_are_not_final() {
        for (status, wanted) in
            [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false)]
        {
            assert_eq!(is_pending("account_funding_history", &json!({ "status": status })), wanted);
        }
        assert!(is_pending("futures_transfers", &json!({ "state": "PROCESSING" })));
        assert!(!is_pending("spot_order_history", &json!({ "state": "filled" })));
        assert!(!is_pending("spot_fills", &json!({ "state": "new" })));
    }

    #[test]
    fn a_row_without_a_state_is_not_final() {
        for (endpoint, field) in [
            ("account_funding_history", "status"),
            ("futures_transfers", "state"),
            ("futures_order_history", "state"),
            ("spot_order_history", "state"),
        ] {
            for row in [json!({}), json!({ field: null }), json!({ field: "" })] {
                assert!(is_pending(endpoint, &row), "{endpoint} {row}");
            }
        }
        assert!(is_pending("account_funding_history", &json!({ "status": 9 })));
    }
}
