//! Snapshots of lists that have no past, such as balances: one response, or numbered pages.

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{self, EndpointEntry, Losses, Paging};
use bitmart::rest::endpoint::Endpoint;
use bitmart::rest::http::StatusCode;
use serde_json::{Value, json};

use super::Export;
use super::snapshot_pages::List;
use super::store::{Store, read_state};
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::output::rows::{list, one_row, rows};

pub(super) const NO_LIST: &str = "it holds no list of rows";

/// Counts the rows of a response, whether they decode or not; `None` if it has no list of rows.
pub(super) fn count(body: &[u8]) -> Option<usize> {
    let body = Json::parse(std::str::from_utf8(body).ok()?).ok()?;
    let Json::Object(members) = &body else { return None };
    // Some responses have no envelope.
    let data = members.iter().find(|(name, _)| name == "data").map_or(&body, |(_, data)| data);
    list(data).map(<[Json]>::len)
}

/// Takes a snapshot of the list of request type `E`, unless this run has one. The parameters for the number of rows and
/// the page are added. If the exchange returns only some rows, the dataset is marked as incomplete.
pub(super) async fn take_snapshot<E: Endpoint>(
    export: &mut Export,
    name: &str,
    parameters: Value,
) -> Result<(), Failure> {
    let entry = entry(E::METADATA.id)?;
    snapshot(export, name, entry, parameters, entry.paging).await
}

/// Like [`take_snapshot`], for a list of which the newest rows are enough.
pub(super) async fn take_newest<E: Endpoint>(
    export: &mut Export,
    name: &str,
    mut parameters: Value,
) -> Result<(), Failure> {
    let entry = entry(E::METADATA.id)?;
    if let Some(paging) = entry.paging {
        parameters[paging.size] = json!(paging.max);
    }
    snapshot(export, name, entry, parameters, None).await
}

async fn snapshot(
    export: &mut Export,
    name: &str,
    entry: &'static EndpointEntry,
    mut parameters: Value,
    paging: Option<Paging>,
) -> Result<(), Failure> {
    if let Some(forecast) = &mut export.forecast {
        let state = read_state(&export.folder, name).unwrap_or_default();
        if !(state.done && state.run >= export.run) {
            forecast.add(name, &entry.metadata, 1);
        }
        return Ok(());
    }
    let mut store = Store::open(&export.folder, name, entry.metadata.id)?;
    if store.state.done && store.state.run >= export.run {
        return Ok(());
    }
    if let Some(paging) = paging {
        parameters[paging.size] = json!(paging.max);
    }
    let mut list = List { entry, paging, parameters };
    if list.store(export, &mut store).await? {
        store.finish()?;
        finished(export, &store);
    }
    Ok(())
}

pub(super) fn entry(endpoint: &str) -> Result<&'static EndpointEntry, Failure> {
    catalog::find(endpoint).ok_or_else(|| Failure::io(format!("no endpoint is called {endpoint}")))
}

/// The rows of a snapshot.
pub(super) struct SnapshotLines {
    /// Each a line of JSON.
    pub(super) lines: Vec<Vec<u8>>,
    /// Why others do not decode.
    pub(super) faults: Vec<String>,
    /// Values that the rows lack: unreadable ones, and decimals that were cut.
    pub(super) losses: Losses,
}

/// Decodes the rows of a snapshot.
pub(super) fn snapshot_lines(entry: &EndpointEntry, body: &Bytes) -> Result<SnapshotLines, String> {
    let (data, losses) = catalog::count_losses(|| entry.recode_response(StatusCode::OK, body));
    let data = data.map_err(|error| chain(&error))?;
    let mut data = Json::parse(&data).map_err(|error| error.to_string())?;
    let mut faults = Vec::new();
    take_faults(&mut data, &mut faults);
    let is_total_zero = |members: &[(String, Json)]| {
        members.iter().any(|(name, value)| name == "total" && value.cell() == "0")
    };
    if let Json::Object(members) = &data
        && is_total_zero(members)
        && list(&data).is_none_or(<[Json]>::is_empty)
    {
        // An empty response may lack the list.
        return Ok(SnapshotLines { lines: Vec::new(), faults, losses });
    }
    // The data may be one row although it contains a list.
    let is_one_row =
        entry.rows.is_none() && entry.fields.iter().any(|field| field.path.contains("[]"));
    let rows = if is_one_row { one_row(&data) } else { rows(&data, &|_, _| None) };
    let lines = rows.rows.iter().map(|row| format!("{}\n", rows.object(row)).into_bytes());
    Ok(SnapshotLines { lines: lines.collect(), faults, losses })
}

/// Removes the rows that did not decode from all lists. They are objects with the single member `$fault`.
fn take_faults(data: &mut Json, faults: &mut Vec<String>) {
    match data {
        Json::List(items) => items.retain_mut(|item| {
            if let Json::Object(members) = item
                && let [(name, why)] = members.as_slice()
                && name == "$fault"
            {
                faults.push(why.cell());
                return false;
            }
            take_faults(item, faults);
            true
        }),
        Json::Object(members) => {
            for (_, value) in members.iter_mut() {
                take_faults(value, faults);
            }
        }
        _ => {}
    }
}

/// Reports a finished snapshot.
pub(super) fn finished(export: &mut Export, store: &Store) {
    let rows = store.state.rows - store.state.snapshot.map_or(0, |snapshot| snapshot.rows);
    let lacks = store.state.lacking().map(|lacks| format!("; {lacks}")).unwrap_or_default();
    eprintln!("{}: {rows} rows now{lacks}", store.name);
    export.overall.list_done(&store.name);
}

#[cfg(test)]
mod tests {
    use super::{entry, snapshot_lines};

    #[test]
    fn rows_are_read_although_the_exchange_states_that_there_are_none() {
        let entry = entry("earn_flexible_products").expect("known");
        let read = |data: &str| {
            let body = format!(r#"{{"code":1000,"message":"OK","trace":"1","data":{data}}}"#);
            snapshot_lines(entry, &body.into()).map(|read| read.lines.len())
        };
        assert_eq!(read(r#"{"total":0,"list":[{"productId":"1"}]}"#), Ok(1));
        assert_eq!(read(r#"{"total":0,"list":[]}"#), Ok(0));
        assert_eq!(read(r#"{"total":0}"#), Ok(0));
    }
}
