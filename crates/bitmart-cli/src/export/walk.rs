//! Asking for one dataset.

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart::rest::history::{History, HistoryError, HistoryPages, Window};
use bitmart::rest::http::StatusCode;
use bitmart::rest::{Category, ErrorKind, Payload};
use serde::Serialize;
use serde_json::{Value, json};

use super::histories::{self, line};
use super::store::{Added, Answer, Store, state};
use super::{Export, progress, reference};
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::output::rows::{list, one_row, rows};

/// Times of rows before 2010 are no times in milliseconds.
pub(super) const EARLIEST: i64 = 1_262_304_000_000;
pub(super) const NO_LIST: &str = "it holds no list of rows";

/// Lists that not every account has: institutions, main accounts and copy traders only, or undocumented
/// ones. A refusal of the exchange is then all that there is.
pub(super) fn is_optional(name: &str, endpoint: &str) -> bool {
    const GROUPS: [&str; 3] = ["sub_accounts_", "futures_sub_accounts_", "earn_"];
    const OTHERS: [&str; 4] = [
        "futures_auto_repayments",
        "futures_collateral_interest",
        "spot_algo_order_history",
        "spot_open_algo_orders",
    ];
    GROUPS.iter().any(|group| endpoint.starts_with(group))
        || OTHERS.contains(&endpoint)
        || name.starts_with("copy-trading-")
        || reference::is_optional(endpoint)
}

/// Walks one history from where it stands to its end.
pub(super) async fn history<H>(export: &mut Export, name: &str, request: H) -> Result<(), Failure>
where
    H: History<Row: Serialize>,
{
    if let Some(forecast) = &mut export.forecast {
        let state = state(&export.folder, name).unwrap_or_default();
        if !state.done {
            let from = state.cursor.map_or(export.from, |cursor| cursor.next);
            let span = export.to.as_millis().saturating_sub(from.as_millis()).max(0);
            forecast.add(
                name,
                &H::METADATA,
                span.cast_unsigned().div_ceil(H::SPEC.longest.max(1).cast_unsigned()),
            );
        }
        return Ok(());
    }
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    if store.state.done {
        return Ok(());
    }
    let mut pages = match store.state.cursor.clone() {
        Some(cursor) => export.client.resume_history(request.clone(), cursor),
        None => export.client.history(request.clone(), export.from, export.to),
    };
    let mut progress = progress::Progress::new(name, pages.cursor().next, export.to);
    while let Some(page) = pages.next_page().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                if is_not_understood(&error)
                    && pass(export, &mut store, &mut pages, &request, &error).await?
                {
                    continue;
                }
                progress.end();
                return refused(&mut store, error);
            }
        };
        let answer = Answer::new(window_asked(&page.window), &page.raw);
        let mut lines = Vec::new();
        for row in &page.rows {
            lines.extend(line(row).map_err(Failure::machine)?);
        }
        // Some lists have no time, or one of no stated unit.
        let time = |row: Option<&H::Row>| {
            H::key(row?).time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST)
        };
        // Rows without a time come first.
        let span = time(page.rows.iter().find(|row| time(Some(row)).is_some()))
            .zip(time(page.rows.last()));
        if let Some(last) = page.rows.faults().last() {
            store.note_faulty(page.rows.faults().len(), &last.to_string());
        }
        let rows = page.rows.len();
        let cursor = Some(&page.cursor);
        store.append(&Added { answer: &answer, lines: &lines, rows, span, cursor })?;
        export.page_done();
        progress.tell(page.cursor.next, store.state.rows);
    }
    store.finish()?;
    progress.end();
    match &store.state.lacks {
        None => eprintln!("{name}: {} rows", store.state.rows),
        Some(lacks) => eprintln!("{name}: {} rows; {lacks}", store.state.rows),
    }
    Ok(())
}

fn window_asked(window: &Window) -> Value {
    json!({ "from": window.from.as_millis(), "to": window.to.as_millis(), "page": window.page })
}

/// The exchange gave something, but the model does not fit.
fn is_not_understood(error: &HistoryError) -> bool {
    match error {
        HistoryError::Request(error) => matches!(error.kind(), ErrorKind::Decode(_)),
        HistoryError::Unreadable { .. } => true,
        _ => false,
    }
}

/// Keeps the answer for the present window as it comes, and passes over it. `false` when the walk cannot go
/// on: not even the number of its rows is clear, or asked again the exchange gives another answer.
async fn pass<H: History<Row: Serialize>>(
    export: &mut Export,
    store: &mut Store,
    pages: &mut HistoryPages<H>,
    request: &H,
    error: &HistoryError,
) -> Result<bool, Failure> {
    let Some(window) = pages.window() else { return Ok(false) };
    let mut payload = Payload::new();
    request
        .within(&window)
        .encode(&mut payload)
        .map_err(|error| Failure::machine(chain(&error)))?;
    let metadata = &entry(H::METADATA.id)?.metadata;
    let Ok(answer) = export.client.send_raw(metadata, payload).await else { return Ok(false) };
    if histories::rows(H::METADATA.id, &answer.raw).is_some_and(|rows| rows.is_ok()) {
        return Ok(false);
    }
    let kept = Answer::new(window_asked(&window), &answer.raw);
    let why = chain(error);
    let Some(rows) = count(&answer.raw) else {
        let cursor = store.state.cursor.clone();
        store.append_unread(&kept, cursor.as_ref(), &why)?;
        return Ok(false);
    };
    match pages.pass(rows) {
        Ok(true) => {}
        // Asked again in a narrower window.
        Ok(false) => return Ok(true),
        Err(_) => return Ok(false),
    }
    store.append_unread(&kept, Some(pages.cursor()), &why)?;
    export.page_done();
    Ok(true)
}

/// How many rows an answer has, whatever they are; `None` when it has no list of them.
pub(super) fn count(answer: &[u8]) -> Option<usize> {
    let answer = Json::read(std::str::from_utf8(answer).ok()?).ok()?;
    let Json::Object(members) = &answer else { return None };
    // Some answers are the data themselves.
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
        if !state(&export.folder, name).unwrap_or_default().done {
            forecast.add(name, &entry(endpoint)?.metadata, 1);
        }
        return Ok(());
    }
    let mut store = Store::open(&export.folder, name, endpoint)?;
    if store.state.done {
        return Ok(());
    }
    // Pages are of one moment.
    store.restart()?;
    let entry = entry(endpoint)?;
    let mut before = Vec::new();
    for page in 1.. {
        if let Most::Page(_, name) = most {
            parameters[name] = json!(page);
        }
        let payload = entry
            .encode_request(&parameters.to_string())
            .map_err(|error| Failure::usage(format!("{name}: {}", chain(&error))))?;
        let answer = match export.client.send_raw(&entry.metadata, payload).await {
            Ok(answer) => answer.raw,
            Err(error) => return refused(&mut store, HistoryError::Request(error)),
        };
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
        let kept = Answer::new(parameters.clone(), &answer);
        let lines = match lines {
            Ok(lines) => lines,
            Err(why) => {
                eprintln!("{name}: the answer is not understood: {why}");
                return store.append_unread(&kept, None, &why);
            }
        };
        let (rows, repeated) = (lines.len(), lines == before);
        // As many as the exchange gave.
        let given = rows + faulty;
        let (text, span) = (lines.concat(), Some((kept.at, kept.at)));
        store.append(&Added { answer: &kept, lines: &text, rows, span, cursor: None })?;
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
        eprintln!("{name}: {lacks}; there may be more");
        return store.lack(format!("{lacks}; there may be more"));
    }
    store.finish()?;
    match &store.state.lacks {
        None => eprintln!("{name}: {} rows", store.state.rows),
        Some(lacks) => eprintln!("{name}: {} rows; {lacks}", store.state.rows),
    }
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
    let data = entry.recode_answer(StatusCode::OK, body).map_err(|error| chain(&error))?;
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

/// What the exchange refuses is noted, and the export goes on, and so it does when one list is gone or not
/// understood. When it is not for this list but for the key, the clock or the moment, the rest would be
/// refused as well: the export ends here and goes on another time.
fn refused(store: &mut Store, error: HistoryError) -> Result<(), Failure> {
    let words = chain(&error);
    let mut by_exchange = false;
    if let HistoryError::Request(error) = error {
        let of_this_list = matches!(
            error.kind(),
            ErrorKind::Api(_) | ErrorKind::Decode(_) | ErrorKind::Unexpected(_)
        );
        let general = matches!(
            error.category(),
            Some(Category::Authentication | Category::Clock | Category::Maintenance)
        );
        if !of_this_list || error.is_rate_limited() || general {
            return Err(Failure::from(error));
        }
        by_exchange = matches!(error.kind(), ErrorKind::Api(_))
            && error.category() != Some(Category::ServerFault);
    }
    eprintln!("{}: {words}", store.name);
    store.refuse(words, by_exchange)
}
