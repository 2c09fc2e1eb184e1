//! From the id of an endpoint to the type of its rows.

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::history::{Cursor, History, RowKey, Walk};
use bitmart::rest::http::{HeaderMap, StatusCode};
use bitmart::rest::{Endpoint, account, decode, earn, futures, margin, spot};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::chain;

/// What tells a row from others, and the row as a line of JSON.
pub(super) type Row = (String, Vec<u8>);

/// What stands in an answer of a history.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The rows as lines of JSON, each with its key.
    pub(super) rows: Vec<(RowKey, Vec<u8>)>,
    /// Rows that are not understood: their JSON, and why.
    pub(super) faults: Vec<(String, String)>,
}

/// A row as it stands in the file.
pub(super) fn line(row: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut line = serde_json::to_vec(row).map_err(|error| error.to_string())?;
    line.push(b'\n');
    Ok(line)
}

fn read_as<H: History<Row: Serialize>>(body: &Bytes) -> Result<Read, String> {
    let answer =
        decode::<H>(StatusCode::OK, &HeaderMap::new(), body).map_err(|error| chain(&error))?;
    let rows = H::rows(answer).ok_or("it holds no list of rows")?;
    let faults = rows.faults().iter().map(|fault| (fault.raw.clone(), fault.to_string())).collect();
    let lines = rows.iter().map(|row| Ok((H::key(row), line(row)?)));
    Ok(Read { rows: lines.collect::<Result<_, String>>()?, faults })
}

fn key_as<H: History<Row: DeserializeOwned>>(line: &[u8]) -> Option<RowKey> {
    serde_json::from_slice(line).ok().map(|row| H::key(&row))
}

/// The rows of an answer of a history; `None` when the endpoint is none.
pub(super) fn rows(endpoint: &str, body: &Bytes) -> Option<Result<Vec<Row>, String>> {
    let rows = |read: Read| read.rows.into_iter().map(|(key, line)| (key.id, line)).collect();
    Some(read(endpoint, body)?.map(rows))
}

/// What tells a row of a file from others; `None` when the endpoint is no history or the line no row.
pub(super) fn id_of(endpoint: &str, line: &[u8]) -> Option<String> {
    key(endpoint, line).map(|key| key.id)
}

macro_rules! histories {
    ($($request:ty),+ $(,)?) => {
        /// What stands in an answer of a history; `None` when the endpoint is none.
        pub(super) fn read(endpoint: &str, body: &Bytes) -> Option<Result<Read, String>> {
            $(if endpoint == <$request as Endpoint>::METADATA.id {
                return Some(read_as::<$request>(body));
            })+
            None
        }

        /// Where a walk through a history begins; `None` when the endpoint is none.
        pub(super) fn begin(endpoint: &str, from: Timestamp, to: Timestamp) -> Option<Cursor> {
            $(if endpoint == <$request as Endpoint>::METADATA.id {
                return Some(Walk::new(<$request as History>::SPEC, from, to).cursor().clone());
            })+
            None
        }

        /// Time and id of a row in a file; `None` when it is no row of a history.
        pub(super) fn key(endpoint: &str, line: &[u8]) -> Option<RowKey> {
            $(if endpoint == <$request as Endpoint>::METADATA.id {
                return key_as::<$request>(line);
            })+
            None
        }
    };
}

histories!(
    spot::ListOrderHistory,
    spot::ListOpenOrders,
    spot::ListAlgoOrderHistory,
    spot::ListAccountTrades,
    account::ListFundingHistory,
    margin::ListBorrowRecords,
    margin::ListRepayRecords,
    futures::ListOrderHistory,
    futures::ListFills,
    futures::ListTransactions,
    futures::ListTransfers,
    futures::ListAutoRepayments,
    futures::ListCollateralInterest,
    earn::ListFlexibleRecords,
    earn::ListFixedRecords,
    spot::ListKlines,
    futures::ListKlines,
);
