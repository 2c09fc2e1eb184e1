//! Lists that are of the moment: told at once, or by numbered pages.

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart::rest::history::HistoryError;
use bitmart::rest::http::StatusCode;
use serde_json::{Value, json};

use super::store::{Added, Answer, Store, state};
use super::walk::dated;
use super::{Export, reference};
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::output::rows::{list, one_row, rows};

pub(super) const NO_LIST: &str = "it holds no list of rows";

/// How many rows an answer has, whatever they are; `None` when it has no list of them.
pub(super) fn count(answer: &[u8]) -> Option<usize> {
    let answer = Json::read(std::str::from_utf8(answer).ok()?).ok()?;
    let Json::Object(members) = &answer else { return None };
    // Some responses are the data themselves.
    let data = members.iter().find(|(name, _)| name == "data").map_or(&answer, |(_, data)| data);
    list(data).map(<[Json]>::len)
}

/// How many rows of a list the exchange gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Most {
    /// All.
    All,
    /// So many; what is beyond cannot be asked for.
    Rows(usize),
    /// So many on each page, which the parameter numbers.
    Page(usize, &'static str),
}

/// Asks for what has no past: a balance, or the newest rows of a list.
pub(super) async fn once(
    export: &mut Export,
    name: &str,
    endpoint: &str,
    mut parameters: Value,
    most: Most,
) -> Result<(), Failure> {
    if let Some(forecast) = &mut export.forecast {
        let state = state(&export.folder, name).unwrap_or_default();
        if !(state.done && state.run >= export.run) {
            forecast.add(name, &entry(endpoint)?.metadata, 1);
        }
        return Ok(());
    }
    let mut store = Store::open(&export.folder, name, endpoint)?;
    if store.state.done && store.state.run >= export.run {
        return Ok(());
    }
    // Pages are of one moment.
    let taken = export.now().as_millis();
    store.begin_snapshot(export.run, taken)?;
    let entry = entry(endpoint)?;
    let mut before = Vec::new();
    for page in 1.. {
        if let Most::Page(_, name) = most {
            parameters[name] = json!(page);
        }
        let payload = entry
            .encode_request(&parameters.to_string())
            .map_err(|error| Failure::usage(format!("{name}: {}", chain(&error))))?;
        let answer = loop {
            match export.client.send_raw(&entry.metadata, payload.clone()).await {
                Ok(answer) => break answer.raw,
                Err(error) => {
                    if !export.ask_again(&mut store, HistoryError::Request(error)).await? {
                        return Ok(());
                    }
                }
            }
        };
        export.patience.succeeded();
        let mut faulty = 0;
        let mut lines = snapshot_lines(entry, &answer).map(|(lines, faults)| {
            if let Some(last) = faults.last() {
                store.note_faulty(faults.len(), last);
            }
            faulty = faults.len();
            lines
        });
        if !matches!(most, Most::All) && lines.as_ref().is_ok_and(|lines| !lines.is_empty()) {
            // One row may stand for an answer without a list.
            lines = lines.and_then(|lines| count(&answer).map(|_| lines).ok_or(NO_LIST.to_owned()));
        }
        let mut kept = Answer::new(parameters.clone(), &answer);
        (kept.walk, kept.taken) = (store.state.walk, Some(taken));
        let lines: Vec<_> = match lines {
            Ok(lines) => lines.into_iter().map(|line| dated(line, Some(taken))).collect(),
            Err(why) => {
                store.append_unread(&kept, None, &why)?;
                break;
            }
        };
        let (rows, repeated) = (lines.len(), lines == before);
        // As many as the exchange gave.
        let given = rows + faulty;
        let (text, span) = (lines.concat(), Some((kept.at, kept.at)));
        store.append(&Added {
            answer: &kept,
            lines: &text,
            rows,
            span,
            cursor: None,
            replaced: &[],
        })?;
        export.overall.add(rows, text.len() + kept.body.len());
        export.page_done();
        before = lines;
        let lacks = match most {
            Most::Page(full, _) if given >= full && repeated => {
                "the same page comes again and again"
            }
            Most::Page(full, _) if given >= full => continue,
            Most::Rows(full) if given >= full => "it gave the most rows that it gives",
            _ => break,
        };
        store.lack(format!("{lacks}; there may be more"));
        break;
    }
    store.finish()?;
    finished(export, &store);
    Ok(())
}

pub(super) fn entry(endpoint: &str) -> Result<&'static EndpointEntry, Failure> {
    ENDPOINTS
        .iter()
        .find(|entry| entry.metadata.id == endpoint)
        .ok_or_else(|| Failure::machine(format!("no endpoint is called {endpoint}")))
}

/// The rows of an answer that is no history, each a line of JSON, and why others are not understood.
pub(super) fn snapshot_lines(
    entry: &EndpointEntry,
    body: &Bytes,
) -> Result<(Vec<Vec<u8>>, Vec<String>), String> {
    let data = entry.recode_response(StatusCode::OK, body).map_err(|error| chain(&error))?;
    let mut data = Json::read(&data).map_err(|error| error.to_string())?;
    let mut faults = Vec::new();
    take_faults(&mut data, &mut faults);
    if let Json::Object(members) = &data
        && members.iter().any(|(name, value)| name == "total" && value.cell() == "0")
    {
        // Where there is nothing, there may be no list.
        return Ok((Vec::new(), faults));
    }
    let rows = if reference::is_one_row(entry.metadata.id) {
        one_row(&data)
    } else {
        rows(&data, &|_, _| None)
    };
    let lines = rows.rows.iter().map(|row| format!("{}\n", rows.object(row)).into_bytes());
    Ok((lines.collect(), faults))
}

/// Takes the rows that did not decode out of all lists: an object with the one member `$fault`
/// stands for each.
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

/// Tells of a snapshot.
pub(super) fn finished(export: &mut Export, store: &Store) {
    let rows = store.state.rows - store.state.snapshot.map_or(0, |snapshot| snapshot.rows);
    let lacks = store.state.lacks.as_ref().map(|lacks| format!("; {lacks}")).unwrap_or_default();
    eprintln!("{}: {rows} rows now{lacks}", store.name);
    export.overall.list_done(&store.name);
}
