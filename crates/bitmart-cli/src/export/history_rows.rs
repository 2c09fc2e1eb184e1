//! Rows of histories, by the id of their endpoint.

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{self, HistoryEntry, RecodeError};
use bitmart::rest::history::{Cursor, Pagination, RowKey};
use serde_json::Value;

use crate::failure::chain;

/// The rows of a response.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The rows as lines of JSON, each with its key.
    pub(super) rows: Vec<(RowKey, Vec<u8>)>,
    /// Rows that do not decode: their JSON, and the error.
    pub(super) faults: Vec<(String, String)>,
    /// Optional values that do not decode and are missing in the rows.
    pub(super) unreadable: usize,
    /// Decimals that lack places in the rows.
    pub(super) truncated_decimals: usize,
    /// `None` if the list has no numbered pages.
    pub(super) page: Option<NumberedPage>,
}

/// A numbered page of a list.
#[derive(Debug)]
pub(super) struct NumberedPage {
    /// It has as many rows as are requested, so that another page may follow.
    pub(super) is_full: bool,
    /// Number of rows over all pages, if the exchange states it.
    pub(super) total: Option<u64>,
}

fn history(endpoint: &str) -> Option<HistoryEntry> {
    catalog::find(endpoint)?.history
}

pub(super) fn is_history(endpoint: &str) -> bool {
    history(endpoint).is_some()
}

/// Decodes the rows of a response; `None` if the endpoint is no history.
pub(super) fn read(endpoint: &str, body: &Bytes) -> Option<Result<Read, String>> {
    let entry = history(endpoint)?;
    let rows = match entry.read(body) {
        Ok(rows) => rows,
        Err(RecodeError::Response(error)) => return Some(Err(chain(&error))),
        Err(error) => return Some(Err(chain(&error))),
    };
    let lines = rows.rows.into_iter().map(|(key, row)| (key, (row + "\n").into_bytes()));
    let faults = rows.faults.iter().map(|fault| (fault.raw.clone(), fault.to_string()));
    let (unreadable, truncated_decimals) = (rows.unreadable, rows.truncated_decimals);
    let (rows, faults): (Vec<_>, Vec<_>) = (lines.collect(), faults.collect());
    let received = (rows.len() + faults.len()) as u64;
    let is_full = received >= u64::from(entry.spec.page_size);
    let page = entry.spec.numbered.then(|| NumberedPage { is_full, total: total(body) });
    Some(Ok(Read { rows, faults, unreadable, truncated_decimals, page }))
}

/// The number of rows over all pages that a response states.
pub(super) fn total(body: &[u8]) -> Option<u64> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match &body["data"]["total"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
}

/// Resolution of the time ranges that a history accepts, in milliseconds; `None` if the endpoint is no history.
pub(super) fn time_unit(endpoint: &str) -> Option<i64> {
    Some(history(endpoint)?.spec.time_unit)
}

/// Returns the position at the beginning of a span; `None` if the endpoint is no history.
pub(super) fn begin(endpoint: &str, from: Timestamp, to: Timestamp) -> Option<Cursor> {
    Some(Pagination::new(history(endpoint)?.spec, from, to).cursor().clone())
}

/// Returns time and id of a stored row, without a number; `None` if it is no row of a history.
pub(super) fn key(endpoint: &str, line: &[u8]) -> Option<RowKey> {
    history(endpoint)?.key(line)
}
