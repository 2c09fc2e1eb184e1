//! Rows of histories, by the id of their endpoint.

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{self, HistoryEntry, RecodeError};
use bitmart::rest::history::{Cursor, Pagination, RowKey};

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
    pub(super) cut: usize,
}

fn history(endpoint: &str) -> Option<HistoryEntry> {
    catalog::find(endpoint)?.history
}

pub(super) fn is_history(endpoint: &str) -> bool {
    history(endpoint).is_some()
}

/// Decodes the rows of a response; `None` if the endpoint is no history.
pub(super) fn read(endpoint: &str, body: &Bytes) -> Option<Result<Read, String>> {
    let rows = match history(endpoint)?.read(body) {
        Ok(rows) => rows,
        Err(RecodeError::Response(error)) => return Some(Err(chain(&error))),
        Err(error) => return Some(Err(chain(&error))),
    };
    let lines = rows.rows.into_iter().map(|(key, row)| (key, (row + "\n").into_bytes()));
    let faults = rows.faults.iter().map(|fault| (fault.raw.clone(), fault.to_string()));
    let (unreadable, cut) = (rows.unreadable, rows.cut);
    Some(Ok(Read { rows: lines.collect(), faults: faults.collect(), unreadable, cut }))
}

/// Returns the position at the beginning of a span; `None` if the endpoint is no history.
pub(super) fn begin(endpoint: &str, from: Timestamp, to: Timestamp) -> Option<Cursor> {
    Some(Pagination::new(history(endpoint)?.spec, from, to).cursor().clone())
}

/// Returns time and id of a stored row, without a number; `None` if it is no row of a history.
pub(super) fn key(endpoint: &str, line: &[u8]) -> Option<RowKey> {
    history(endpoint)?.key(line)
}
