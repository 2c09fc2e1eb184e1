//! Asking for one dataset.

use bitmart::Timestamp;
use bitmart::rest::Category;
use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart::rest::history::{History, HistoryError};
use bitmart::rest::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::histories::line;
use super::store::{Added, Answer, Store};
use super::{Export, progress};
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::output::rows::rows;

/// Lists that not every account has: institutions and main accounts only, or undocumented ones. A refusal
/// of the exchange is then all that there is.
pub(super) fn is_optional(endpoint: &str) -> bool {
    const GROUPS: [&str; 3] = ["sub_accounts_", "futures_sub_accounts_", "earn_"];
    const OTHERS: [&str; 3] =
        ["futures_auto_repayments", "futures_collateral_interest", "spot_algo_order_history"];
    GROUPS.iter().any(|group| endpoint.starts_with(group)) || OTHERS.contains(&endpoint)
}

/// Walks one history from where it stands to its end.
pub(super) async fn history<H>(export: &mut Export, name: &str, request: H) -> Result<(), Failure>
where
    H: History<Row: Serialize>,
{
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    if store.state.done {
        return Ok(());
    }
    let mut pages = match store.state.cursor.clone() {
        Some(cursor) => export.client.resume_history(request, cursor),
        None => export.client.history(request, export.from, export.to),
    };
    let mut progress = progress::Progress::new(name, pages.cursor().next, export.to);
    while let Some(page) = pages.next_page().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                progress.end();
                return refused(&mut store, error);
            }
        };
        let Ok(body) = String::from_utf8(page.raw.to_vec()) else {
            return Err(Failure::machine(format!("{name}: an answer that is no text")));
        };
        let (from, to) = (page.window.from.as_millis(), page.window.to.as_millis());
        let asked = json!({ "from": from, "to": to, "page": page.window.page });
        let answer = Answer { at: Timestamp::now().as_millis(), asked, body };
        let mut lines = Vec::new();
        for row in &page.rows {
            lines.extend(line(row).map_err(Failure::machine)?);
        }
        let time = |row: Option<&H::Row>| Some(H::key(row?).time.as_millis());
        let span = time(page.rows.first()).zip(time(page.rows.last()));
        let rows = page.rows.len();
        let cursor = Some(&page.cursor);
        store.append(&Added { answer: &answer, lines: &lines, rows, span, cursor })?;
        export.page_done();
        progress.tell(page.cursor.next, store.state.rows);
    }
    store.finish(None)?;
    progress.end();
    eprintln!("{name}: {} rows", store.state.rows);
    Ok(())
}

/// Asks once for something that has no past: a balance, or the newest rows of a list.
pub(super) async fn once(
    export: &mut Export,
    name: &str,
    endpoint: &str,
    parameters: Value,
) -> Result<(), Failure> {
    let mut store = Store::open(&export.folder, name, endpoint)?;
    if store.state.done {
        return Ok(());
    }
    let entry = entry(endpoint)?;
    let payload = entry
        .encode_request(&parameters.to_string())
        .map_err(|error| Failure::usage(format!("{name}: {}", chain(&error))))?;
    let answer = match export.client.send_raw(&entry.metadata, payload).await {
        Ok(answer) => answer,
        Err(error) => return refused(&mut store, HistoryError::Request(error)),
    };
    let body = String::from_utf8_lossy(&answer.raw).into_owned();
    let at = Timestamp::now().as_millis();
    let (lines, rows) = match snapshot_lines(entry, &answer.raw) {
        Ok(lines) => (lines.concat(), lines.len()),
        Err(why) => {
            store.finish(Some(format!("the answer is not understood: {why}")))?;
            return Ok(());
        }
    };
    let answer = Answer { at, asked: parameters, body };
    let span = Some((at, at));
    store.append(&Added { answer: &answer, lines: &lines, rows, span, cursor: None })?;
    store.finish(None)?;
    export.page_done();
    eprintln!("{name}: {rows} rows");
    Ok(())
}

pub(super) fn entry(endpoint: &str) -> Result<&'static EndpointEntry, Failure> {
    ENDPOINTS
        .iter()
        .find(|entry| entry.metadata.id == endpoint)
        .ok_or_else(|| Failure::machine(format!("no endpoint is called {endpoint}")))
}

/// The rows of an answer that is no history, each a line of JSON.
pub(super) fn snapshot_lines(
    entry: &EndpointEntry,
    body: &bitmart::rest::bytes::Bytes,
) -> Result<Vec<Vec<u8>>, String> {
    let data = entry.recode_answer(StatusCode::OK, body).map_err(|error| chain(&error))?;
    let data = Json::read(&data).map_err(|error| error.to_string())?;
    let rows = rows(&data, &|_, _| None);
    Ok(rows.rows.iter().map(|row| format!("{}\n", rows.object(row)).into_bytes()).collect())
}

/// What the exchange refuses is noted, and the export goes on. When it is not for this list but for the
/// key, the clock or the moment, the rest would be refused as well: the export ends here and goes on
/// another time.
fn refused(store: &mut Store, error: HistoryError) -> Result<(), Failure> {
    let words = chain(&error);
    if let HistoryError::Request(error) = error {
        let general = matches!(
            error.category(),
            Some(Category::Authentication | Category::Clock | Category::Maintenance)
        );
        if error.api_error().is_none() || error.is_rate_limited() || general {
            return Err(Failure::from(error));
        }
    }
    eprintln!("{}: {words}", store.name);
    store.finish(Some(words))
}
