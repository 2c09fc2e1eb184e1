//! Snapshots of lists that have no past, such as balances: one response, or numbered pages.

use std::collections::BTreeSet;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{self, EndpointEntry, Losses, Paging};
use bitmart::rest::endpoint::Endpoint;
use bitmart::rest::history::HistoryError;
use bitmart::rest::http::StatusCode;
use serde_json::{Value, json};

use super::Export;
use super::pages::with_snapshot_time;
use super::store::{NewRows, Store, StoredResponse, read_state};
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
    // All pages belong to one time.
    let taken = export.now().as_millis();
    store.begin_snapshot(export.run, taken)?;
    if let Some(paging) = paging {
        parameters[paging.size] = json!(paging.max);
    }
    let mut before = PreviousPage::default();
    for page in 1.. {
        if let Some(name) = paging.and_then(|paging| paging.page) {
            parameters[name] = json!(page);
        }
        let payload = entry
            .encode_request(&parameters.to_string())
            .map_err(|error| Failure::usage(format!("{name}: {}", chain(&error))))?;
        let body = loop {
            match export.client.send_raw(&entry.metadata, payload.clone()).await {
                Ok(response) => break response.raw,
                Err(error) => {
                    if !export.should_retry(&mut store, HistoryError::Request(error)).await? {
                        return Ok(());
                    }
                }
            }
        };
        export.retries.succeeded();
        let mut faulty = 0;
        let mut lines = snapshot_lines(entry, &body).map(|read| {
            if let Some(last) = read.faults.last() {
                store.count_faulty_rows(read.faults.len(), last);
            }
            store.state.unreadable += read.losses.unreadable as u64;
            store.state.cut += read.losses.cut as u64;
            faulty = read.faults.len();
            read.lines
        });
        if paging.is_some() && lines.as_ref().is_ok_and(|lines| !lines.is_empty()) {
            // A response without a list is read as a single row.
            lines = lines.and_then(|lines| count(&body).map(|_| lines).ok_or(NO_LIST.to_owned()));
        }
        let repeated = lines.as_ref().is_ok_and(|lines| before.is_repeated(lines));
        let mut response = StoredResponse::new(parameters.clone(), &body);
        (response.pagination, response.taken) = (store.state.pagination, Some(taken));
        let lines: Vec<_> = match lines {
            Ok(lines) => {
                lines.into_iter().map(|line| with_snapshot_time(line, Some(taken))).collect()
            }
            Err(error) => {
                store.append_undecoded(&response, None, &error)?;
                break;
            }
        };
        let rows = lines.len();
        let received = rows + faulty;
        let (text, span) = (lines.concat(), Some((response.at, response.at)));
        store.append(&NewRows {
            response: &response,
            lines: &text,
            rows,
            span,
            cursor: None,
            replaced: &[],
        })?;
        export.overall.add(rows, text.len() + response.body.len());
        export.page_done();
        let Some(paging) = paging.filter(|paging| received >= paging.max as usize) else { break };
        let lacks = match paging.page {
            Some(_) if repeated => "the same page comes again and again",
            Some(_) if page >= MAX_PAGES => "it does not end after 1000 pages",
            Some(_) => continue,
            None => "it gave the most rows that it gives",
        };
        store.set_lacks(format!("{lacks}; there may be more"));
        break;
    }
    store.finish()?;
    finished(export, &store);
    Ok(())
}

/// Maximum number of pages of a snapshot.
const MAX_PAGES: u32 = 1_000;

/// The rows of the previous page: their ids, and the whole rows.
#[derive(Default)]
struct PreviousPage {
    ids: BTreeSet<String>,
    rows: BTreeSet<Vec<u8>>,
}

impl PreviousPage {
    /// Whether a page is the previous one once more, although values of its rows may have changed: it has the same
    /// ids, or mostly the same rows. A row that moved to the next page is on both.
    fn is_repeated(&mut self, lines: &[Vec<u8>]) -> bool {
        let ids = lines.iter().filter_map(|line| row_id(line)).collect();
        let now = Self { ids, rows: lines.iter().cloned().collect() };
        let known = lines.iter().filter(|line| self.rows.contains(*line)).count();
        let same_ids = now.ids.len() * 2 > lines.len() && now.ids == self.ids;
        *self = now;
        known * 2 > lines.len() || same_ids
    }
}

/// The ids in a row; `None` if it has none.
fn row_id(line: &[u8]) -> Option<String> {
    let row: Value = serde_json::from_slice(line).ok()?;
    let is_id = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("id") || matches!(name.as_str(), "symbol" | "currency" | "coinname")
    };
    let members = row.as_object()?.iter().filter(|(name, _)| is_id(name));
    let ids: Vec<_> = members.map(|(_, value)| value.to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
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
    /// What the rows lack of values.
    pub(super) losses: Losses,
}

/// Decodes the rows of a snapshot.
pub(super) fn snapshot_lines(entry: &EndpointEntry, body: &Bytes) -> Result<SnapshotLines, String> {
    let (data, losses) = catalog::count_losses(|| entry.recode_response(StatusCode::OK, body));
    let data = data.map_err(|error| chain(&error))?;
    let mut data = Json::parse(&data).map_err(|error| error.to_string())?;
    let mut faults = Vec::new();
    take_faults(&mut data, &mut faults);
    if let Json::Object(members) = &data
        && members.iter().any(|(name, value)| name == "total" && value.cell() == "0")
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
    use super::PreviousPage;

    fn page(from: u32, to: u32, price: u32) -> Vec<Vec<u8>> {
        let row = |id| format!("{{\"order_id\":\"{id}\",\"price\":{price}}}\n").into_bytes();
        (from..to).map(row).collect()
    }

    #[test]
    fn a_page_is_repeated_though_a_value_changes() {
        let mut before = PreviousPage::default();
        assert!(!before.is_repeated(&page(0, 100, 1)));
        // A row was added: one moved to the next page.
        assert!(!before.is_repeated(&page(99, 199, 1)));
        assert!(before.is_repeated(&page(99, 199, 2)), "the ids are the same");
        let mut most = page(99, 199, 2);
        most[0] = b"{\"x\":1}\n".to_vec();
        assert!(before.is_repeated(&most), "most rows are the same");
    }
}
