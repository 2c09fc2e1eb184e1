//! Histories with their types erased.

use bitmart_types::{RowFault, collect_notes};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use super::RecodeError;
use crate::endpoint::decode;
use crate::history::{History, HistorySpec, RowKey, number_equal};

/// A history: how to page through it, and how to read its rows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// How the exchange serves it.
    pub spec: HistorySpec,
    read: fn(&Bytes) -> Result<HistoryRows, RecodeError>,
    key: fn(&[u8]) -> Option<RowKey>,
}

/// The rows of a response.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HistoryRows {
    /// The rows as JSON text, each with its key. Equal ids are numbered.
    pub rows: Vec<(RowKey, String)>,
    /// Rows that do not decode.
    pub faults: Vec<RowFault>,
    /// Number of optional values that could not be read and are absent in the rows.
    pub unreadable: usize,
    /// Number of decimals that lack places in the rows: a [`Decimal`](bitmart_types::Decimal) cannot hold all of them.
    pub truncated_decimals: usize,
}

/// Counts of what a decoder dropped from values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Losses {
    /// Number of optional values that could not be read and are absent.
    pub unreadable: usize,
    /// Number of decimals without their last places.
    pub truncated_decimals: usize,
}

impl HistoryEntry {
    /// The history of request type `H`.
    pub const fn of<H>() -> Self
    where
        H: History<Row: Serialize + DeserializeOwned>,
    {
        Self { spec: H::SPEC, read: read::<H>, key: key::<H> }
    }

    /// Decodes the rows of a response with its envelope.
    ///
    /// # Errors
    /// If the response is an error of the exchange, does not decode, or contains no list of rows.
    pub fn read(&self, body: &Bytes) -> Result<HistoryRows, RecodeError> {
        (self.read)(body)
    }

    /// Returns time and id of a row in the JSON of [`HistoryRows`], without a number; `None` if it does not
    /// decode.
    pub fn key(&self, row: &[u8]) -> Option<RowKey> {
        (self.key)(row)
    }
}

/// Runs a decoder, and counts what it dropped from values.
pub fn count_losses<T>(decode: impl FnOnce() -> T) -> (T, Losses) {
    let (result, notes) = collect_notes(decode);
    (
        result,
        Losses { unreadable: notes.unreadable(), truncated_decimals: notes.truncated_decimals() },
    )
}

fn read<H: History<Row: Serialize>>(body: &Bytes) -> Result<HistoryRows, RecodeError> {
    let (data, losses) = count_losses(|| decode::<H>(StatusCode::OK, &HeaderMap::new(), body));
    let data = data.map_err(RecodeError::Response)?;
    let rows = H::rows(data).ok_or(RecodeError::NoRows)?;
    let faults = rows.faults().to_vec();
    let text = |row: &H::Row| serde_json::to_string(row).map_err(RecodeError::Model);
    let mut keys: Vec<_> = rows.iter().map(H::key).collect();
    number_equal(&mut keys);
    let rows = keys.into_iter().zip(rows.iter()).map(|(key, row)| Ok((key, text(row)?)));
    let rows = rows.collect::<Result<_, RecodeError>>()?;
    Ok(HistoryRows {
        rows,
        faults,
        unreadable: losses.unreadable,
        truncated_decimals: losses.truncated_decimals,
    })
}

fn key<H: History<Row: DeserializeOwned>>(row: &[u8]) -> Option<RowKey> {
    serde_json::from_slice(row).ok().map(|row| H::key(&row))
}

/// A specification in the numbers of the description.
pub(super) const fn spec(
    window_days: i64,
    page_size: u32,
    unit_millis: i64,
    is_numbered: bool,
    empty_code: Option<i64>,
) -> HistorySpec {
    let mut spec = HistorySpec::new(window_days, page_size);
    if unit_millis == 1_000 {
        spec = spec.seconds();
    }
    if is_numbered {
        spec = spec.numbered();
    }
    if let Some(code) = empty_code {
        spec = spec.empty_code(code);
    }
    spec
}
