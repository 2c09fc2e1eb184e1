//! Stores the pages of a history: compares their rows with the stored ones, and appends what is new or changed.

use std::fmt;

use bitmart::Timestamp;
use bitmart::rest::catalog;
use bitmart::rest::history::{History, Page, RowKey, Window};
use bitmart::rest::types::RowFault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::cursor::ids_on_earlier_pages;
use super::history_rows;
use super::index::{Index, RowStatus};
use super::manifest::sha256;
use super::spans;
use super::store::{NewRows, Span, State, Store, StoredResponse};
use crate::failure::Failure;

/// Times before 2010 are not in milliseconds.
pub(super) const EARLIEST_MS: i64 = 1_262_304_000_000;

/// Numbers of rows by which what a later run receives differs from the stored rows.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// In the first run every row is new.
    pub(super) is_later_run: bool,
    pub(super) new: usize,
    /// New rows of a time that an earlier run had requested.
    pub(super) late: usize,
    /// Rows that replace another version.
    pub(super) changed: usize,
    /// Stored rows of the requested times that the exchange did not return.
    pub(super) missing: usize,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_later_run {
            return Ok(());
        }
        write!(f, ", {} of them new", self.new)?;
        for (count, what) in [
            (self.late, "arrived late"),
            (self.changed, "changed since, both versions kept"),
            (self.missing, "no longer returned, kept"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// The span that is requested, and what its pages are compared with.
pub(super) struct SpanRows<'a> {
    pub(super) span: Span,
    /// The stored rows; `None` for the first span.
    pub(super) index: Option<&'a mut Index>,
    pub(super) changes: &'a mut Changes,
}

/// Stores the new rows of a page, and returns their size in bytes. Rows of a snapshot get its time.
pub(super) fn store_page<H>(
    store: &mut Store,
    page: &Page<H::Row>,
    of_span: &mut SpanRows<'_>,
) -> Result<usize, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let mut response = StoredResponse::new(window_json(&page.window), &page.raw);
    let snapshot_time = store.state.snapshot.map(|snapshot| snapshot.taken);
    (response.pagination, response.taken) = (store.state.pagination, snapshot_time);
    let mut rows = Vec::new();
    for (key, row) in page.keys.iter().zip(&page.rows) {
        let mut line = serde_json::to_vec(row).map_err(|error| Failure::io(error.to_string()))?;
        line.push(b'\n');
        rows.push((key.clone(), with_snapshot_time(line, snapshot_time)));
    }
    if let Some(gap) = &page.gap {
        eprintln!("{}: {gap}", store.name);
        store.state.add_gap(page.window.from.as_millis(), gap.to_string());
    }
    let mut new_ambiguous = count_ambiguous(&mut store.state, page);
    let statuses = match of_span.index.as_deref_mut() {
        Some(index) => index.compare::<H>(&store.state, &rows)?,
        None => vec![RowStatus::New; rows.len()],
    };
    let digest = |fault: &RowFault| sha256(fault.raw.as_bytes());
    // A span that is requested again contains the known ones, and of a new span some may be equal.
    let again = of_span.span.again;
    let is_new = |fault: &&RowFault| store.remember_fault(digest(fault)) || !again;
    let faults: Vec<_> = page.rows.faults().iter().filter(is_new).collect();
    if let Some(last) = faults.last() {
        store.count_faulty_rows(faults.len(), &last.to_string());
    }
    let (mut lines, mut added, mut times) = (Vec::new(), 0, None);
    let (requested_until, mut replaced) = (store.state.to, Vec::new());
    for ((key, line), status) in rows.iter().zip(statuses) {
        match status {
            RowStatus::Same => {
                // Equal rows without a time may be of different windows. Windows of other spans overlap in a moment.
                if !again && key.time.is_none() && key.is_content() {
                    new_ambiguous += u64::from(store.state.add_ambiguous(&key.id));
                }
                continue;
            }
            RowStatus::New => of_span.changes.new += 1,
            RowStatus::Changed(at, bytes) => {
                of_span.changes.changed += 1;
                replaced.push((at, bytes));
            }
        }
        // Some lists have no time, or one of an undocumented unit.
        let time = key.time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST_MS);
        if let Some(index) = of_span.index.as_deref_mut() {
            index.insert(key, line, store.state.bytes + lines.len() as u64, status);
            if status == RowStatus::New
                && time.zip(requested_until).is_some_and(|(time, to)| time < to)
            {
                of_span.changes.late += 1;
                store.state.late += 1;
            }
        }
        update_pending(&mut store.state, key, line);
        times = match (times, time) {
            (Some((first, last)), Some(time)) => Some((time.min(first), time.max(last))),
            (None, Some(time)) => Some((time, time)),
            (known, None) => known,
        };
        lines.extend_from_slice(line);
        added += 1;
    }
    of_span.changes.is_later_run |= of_span.index.is_some();
    if again && added == 0 && faults.is_empty() && new_ambiguous == 0 {
        store.save_cursor(&page.cursor)?;
        return Ok(0);
    }
    if let Some(Ok(read)) = history_rows::read(&store.state.endpoint, &page.raw) {
        store.state.unreadable += read.unreadable as u64;
        store.state.cut += read.truncated_decimals as u64;
    }
    let cursor = Some(&page.cursor);
    let (lines, replaced) = (&lines, &replaced);
    let (response, rows, span) = (&response, added, times);
    store.append(&NewRows { response, lines, rows, span, cursor, replaced })?;
    Ok(lines.len() + response.body.len())
}

/// Counts the ambiguous rows of a page. Returns how many were not counted before.
fn count_ambiguous<R>(state: &mut State, page: &Page<R>) -> u64 {
    if page.ambiguous_rows == 0 {
        return 0;
    }
    let before = state.ambiguous;
    // The state still has the position of the page.
    let earlier = state.cursor.as_ref().map(ids_on_earlier_pages).unwrap_or_default();
    let Some(Ok(read)) = history_rows::read(&state.endpoint, &page.raw) else {
        state.ambiguous += page.ambiguous_rows as u64;
        return page.ambiguous_rows as u64;
    };
    let keys = read.rows.iter().map(|(key, _)| key);
    for key in keys.filter(|key| key.is_content() && earlier.contains(&key.id)) {
        state.add_ambiguous(&key.id);
    }
    state.ambiguous - before
}

/// Adds a row that is not final to the pending ones, or removes one that is.
pub(super) fn update_pending(state: &mut State, key: &RowKey, line: &[u8]) {
    let has_states = catalog::find(&state.endpoint).is_some_and(|entry| entry.states.is_some());
    if !has_states || state.snapshot.is_some() {
        return;
    }
    let row: Value = serde_json::from_slice(line).unwrap_or_default();
    match key.time.filter(|_| spans::is_pending(&state.endpoint, &row)) {
        Some(time) => drop(state.pending.insert(key.id.clone(), time.as_millis())),
        None => drop(state.pending.remove(&key.id)),
    }
}

/// Adds the time of its snapshot to a row.
pub(super) fn with_snapshot_time(line: Vec<u8>, taken: Option<i64>) -> Vec<u8> {
    let Some(taken) = taken else { return line };
    let taken = Timestamp::from_millis(taken);
    let rest = line.strip_prefix(b"{").unwrap_or(&line);
    let comma = if rest.starts_with(b"}") { "" } else { "," };
    [format!("{{\"taken\":\"{taken}\"{comma}").as_bytes(), rest].concat()
}

pub(super) fn window_json(window: &Window) -> Value {
    json!({ "from": window.from.as_millis(), "to": window.to.as_millis(), "page": window.page })
}
