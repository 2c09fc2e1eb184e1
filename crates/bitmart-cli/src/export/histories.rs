//! From the id of an endpoint to the type of its rows.

use bitmart::rest::account::ListFundingHistory;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::earn::{ListFixedRecords, ListFlexibleRecords};
use bitmart::rest::futures::{
    ListAutoRepayments, ListCollateralInterest, ListFuturesFills, ListFuturesKlines,
    ListFuturesOrderHistory, ListFuturesTransactions, ListFuturesTransfers,
};
use bitmart::rest::history::History;
use bitmart::rest::http::{HeaderMap, StatusCode};
use bitmart::rest::margin::{ListBorrowRecords, ListRepayRecords};
use bitmart::rest::spot::{
    ListAccountTrades, ListAlgoOrderHistory, ListKlines, ListOpenOrders, ListOrderHistory,
};
use bitmart::rest::{Endpoint, decode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What tells a row from others, and the row as a line of JSON.
pub(super) type Row = (String, Vec<u8>);

/// A row as it stands in the file.
pub(super) fn line(row: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut line = serde_json::to_vec(row).map_err(|error| error.to_string())?;
    line.push(b'\n');
    Ok(line)
}

fn read<H: History<Row: Serialize>>(body: &Bytes) -> Result<Vec<Row>, String> {
    let answer =
        decode::<H>(StatusCode::OK, &HeaderMap::new(), body).map_err(|error| error.to_string())?;
    let rows = H::rows(answer).ok_or("it holds no list of rows")?;
    rows.iter().map(|row| Ok((H::key(row).id, line(row)?))).collect()
}

fn id<H: History<Row: DeserializeOwned>>(line: &[u8]) -> Option<String> {
    Some(H::key(&serde_json::from_slice(line).ok()?).id)
}

macro_rules! histories {
    ($($request:ty),+ $(,)?) => {
        /// The rows of an answer of a history; `None` when the endpoint is none.
        pub(super) fn rows(endpoint: &str, body: &Bytes) -> Option<Result<Vec<Row>, String>> {
            $(if endpoint == <$request as Endpoint>::METADATA.id {
                return Some(read::<$request>(body));
            })+
            None
        }

        /// What tells a row of a file from others; `None` when the endpoint is no history or the line no row.
        pub(super) fn id_of(endpoint: &str, line: &[u8]) -> Option<String> {
            $(if endpoint == <$request as Endpoint>::METADATA.id {
                return id::<$request>(line);
            })+
            None
        }
    };
}

histories!(
    ListOrderHistory,
    ListOpenOrders,
    ListAlgoOrderHistory,
    ListAccountTrades,
    ListFundingHistory,
    ListBorrowRecords,
    ListRepayRecords,
    ListFuturesOrderHistory,
    ListFuturesFills,
    ListFuturesTransactions,
    ListFuturesTransfers,
    ListAutoRepayments,
    ListCollateralInterest,
    ListFlexibleRecords,
    ListFixedRecords,
    ListKlines,
    ListFuturesKlines,
);
