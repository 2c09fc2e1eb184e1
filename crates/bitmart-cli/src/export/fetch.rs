//! Requests one dataset that the exchange serves by time, page by page, and decides what a failed request means for it.

use bitmart::Timestamp;
use bitmart::rest::ErrorKind;
use bitmart::rest::catalog;
use bitmart::rest::code::Category;
use bitmart::rest::endpoint::Payload;
use bitmart::rest::history::{History, HistoryError, HistoryPages};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::history_rows;
use super::index::Index;
use super::manifest::sha256;
use super::outage::AfterFailure;
use super::pages::{Changes, SpanRows, store_page, window_json};
use super::snapshot::{count, entry, finished};
use super::store::{Span, State, Store, StoredResponse, read_state};
use super::{Export, progress, rejected_times, spans};
use crate::failure::{Failure, chain};

/// Codes that say: this account does not have this, or this pair is not listed any more. Any other rejection, such as
/// that of a key or a parameter, says nothing about the list.
pub(super) const NOT_FOR_ACCOUNT: [i64; 14] = [
    30019, // The account may not do this.
    40001, // There is no futures account.
    40034, // The contract does not exist.
    40046, // Futures are not opened.
    50001, // The pair does not exist.
    51001, // Margin is not opened.
    51002, // Margin is not available.
    53005, // The account may not call this endpoint.
    53011, // The type of the account may not do this.
    60026, // A sub-account may not do this.
    60027, // Only sub-accounts may do this.
    60050, // There is no such account.
    61006, // Only organizations have sub-accounts.
    70002, // The pair does not exist.
];

/// Whether the exchange rejected a list that some accounts or symbols do not have, because this one does not have it.
/// The list then counts as complete.
pub(super) fn is_not_for_account(name: &str, state: &State) -> bool {
    let is_optional = name.starts_with("copy-trading-")
        || catalog::find(&state.endpoint).is_some_and(|entry| entry.availability.is_some());
    let is_known = |code: &i64| match state.code {
        Some(own) => own == *code,
        // Older programs stored the text only.
        None => state.rejected.as_ref().is_some_and(|why| why.contains(&code.to_string())),
    };
    state.denied && is_optional && NOT_FOR_ACCOUNT.iter().any(is_known)
}

/// Requests a history up to the end of this run.
pub(super) async fn fetch_history<H>(
    export: &mut Export,
    name: &str,
    request: H,
) -> Result<(), Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    if export.forecast.is_some() {
        return estimate::<H>(export, name);
    }
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    if store.state.done && store.state.run >= export.run {
        return Ok(());
    }
    let mut changes = Changes::default();
    loop {
        if store.state.done {
            if store.state.run >= export.run {
                break;
            }
            let spans = spans::to_request(export, name, H::METADATA.id, &H::SPEC, &store.state)?;
            store.begin_run(export.run, spans)?;
        } else if store.state.todo.is_empty() {
            // Its first span: new, or begun by version 1.
            let (from, to) = (export.from.as_millis(), export.to.as_millis());
            // Version 1 accepted an end in the future.
            let end = store.state.cursor.as_ref().map(|cursor| cursor.end.as_millis());
            let to = end.map_or(to, |end| end.min(export.now().as_millis()));
            store.state.todo = vec![Span { from, to, again: false }];
            if store.state.run == 0 {
                store.state.run = export.run;
            }
        }
        if !fetch_spans(export, &mut store, &request, &mut changes).await? {
            return store.move_replaced_rows();
        }
        store.finish()?;
    }
    let rows = store.state.rows;
    let lacks = store.state.lacking().map(|lacks| format!("; {lacks}")).unwrap_or_default();
    eprintln!("{name}: {rows} rows{changes}{lacks}");
    export.overall.list_done(name);
    Ok(())
}

/// Requests the remaining spans of this run. `false` if the exchange does not return them.
async fn fetch_spans<H>(
    export: &mut Export,
    store: &mut Store,
    request: &H,
    changes: &mut Changes,
) -> Result<bool, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let begins_run = store.state.cursor.is_none();
    let mut index = None;
    if store.state.pagination > 0 {
        index = Some(Index::read::<H>(&export.folder, &store.name, &store.state)?);
    }
    while let Some(span) = store.state.todo.first().copied() {
        let pages = if let Some(cursor) = store.state.cursor.clone() {
            export.client.resume_history(request.clone(), cursor)
        } else {
            let [from, to] = [span.from, span.to].map(Timestamp::from_millis);
            export.client.history(request.clone(), from, to)
        };
        let mut pages = pages.with_gaps();
        let mut of_span = SpanRows { span, index: index.as_mut(), changes };
        if !fetch_pages(export, store, &mut pages, request, &mut of_span).await? {
            return Ok(false);
        }
        store.finish_span()?;
    }
    if let Some(index) = index.filter(|_| begins_run) {
        changes.missing += index.missing();
    }
    Ok(true)
}

/// Requests and stores the pages of one span. `false` if the exchange does not return them.
async fn fetch_pages<H>(
    export: &mut Export,
    store: &mut Store,
    pages: &mut HistoryPages<H>,
    request: &H,
    of_span: &mut SpanRows<'_>,
) -> Result<bool, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let [from, to] = [of_span.span.from, of_span.span.to].map(Timestamp::from_millis);
    let mut progress = progress::Progress::new(&store.name, pages.cursor().next, to);
    while let Some(page) = pages.next_page().await {
        match page {
            Ok(page) => {
                export.retries.succeeded();
                let bytes = store_page::<H>(store, &page, of_span)?;
                let cursor = &page.cursor;
                export.overall.add(page.rows.len(), bytes);
                if !of_span.span.again {
                    export.overall.reached(&store.name, (from, to), cursor.next);
                }
                export.page_done();
                progress.show(cursor.next, store.state.rows, &export.overall);
            }
            Err(error) => {
                progress.end();
                if is_undecodable(&error)
                    && skip_page(export, store, pages, request, &error).await?
                {
                    continue;
                }
                let position = (of_span.span, pages.cursor().next.as_millis());
                let next = rejected_times::skip(export, store, request, &error, position).await?;
                if let Some(next) = next {
                    let next = Timestamp::from_millis(next);
                    *pages = export.client.history(request.clone(), next, to).with_gaps();
                    store.save_cursor(pages.cursor())?;
                    continue;
                }
                if !export.should_retry(store, error).await? {
                    return Ok(false);
                }
            }
        }
    }
    progress.end();
    Ok(true)
}

/// Takes a snapshot of a list that the exchange serves in windows, such as that of open orders. An interrupted
/// snapshot is continued within its run.
pub(super) async fn fetch_open_list<H>(
    export: &mut Export,
    name: &str,
    request: H,
) -> Result<(), Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    if export.forecast.is_some() {
        return estimate::<H>(export, name);
    }
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    let is_of_this_run = store.state.run >= export.run;
    if store.state.done && is_of_this_run {
        return Ok(());
    }
    if !is_of_this_run || store.state.snapshot.is_none() || store.state.cursor.is_none() {
        store.begin_snapshot(export.run, export.now().as_millis())?;
    }
    let (from, to) = (export.from, export.to);
    let pages = match store.state.cursor.clone() {
        Some(cursor) => export.client.resume_history(request.clone(), cursor),
        None => export.client.history(request.clone(), from, to),
    };
    let mut pages = pages.with_gaps();
    let span = Span { from: from.as_millis(), to: to.as_millis(), again: false };
    let mut of_span = SpanRows { span, index: None, changes: &mut Changes::default() };
    if fetch_pages(export, &mut store, &mut pages, &request, &mut of_span).await? {
        store.finish()?;
        finished(export, &store);
    }
    Ok(())
}

/// Adds the remaining requests of a history to the forecast.
fn estimate<H: History>(export: &mut Export, name: &str) -> Result<(), Failure> {
    let state = read_state(&export.folder, name).unwrap_or_default();
    let mut spans = Vec::new();
    if !(state.done && state.run >= export.run) {
        let (from, to) = (export.from.as_millis(), export.to.as_millis());
        let cursor = state.cursor.as_ref().filter(|_| !state.done);
        let next = cursor.map_or(from, |cursor| cursor.next.as_millis());
        spans = match state.todo.split_first() {
            Some((first, rest)) => {
                let from = cursor.map_or(first.from, |_| next);
                [&[Span { from, ..*first }], rest].concat()
            }
            None if state.done && state.snapshot.is_none() => {
                spans::to_request(export, name, H::METADATA.id, &H::SPEC, &state)?
            }
            None => vec![Span { from: next, to, again: false }],
        };
    }
    let longest = H::SPEC.max_window.max(1).cast_unsigned();
    let windows = |span: &Span| (span.to - span.from).max(0).cast_unsigned().div_ceil(longest);
    let requests: u64 = spans.iter().map(windows).sum();
    if let Some(forecast) = &mut export.forecast
        && requests > 0
    {
        forecast.add(name, &H::METADATA, requests);
    }
    Ok(())
}

/// Whether the exchange returned data that does not decode.
fn is_undecodable(error: &HistoryError) -> bool {
    match error {
        HistoryError::Request(error) => matches!(error.kind(), ErrorKind::Decode(_)),
        HistoryError::Unreadable { .. } => true,
        _ => false,
    }
}

/// Stores the undecodable response for the present window, and continues after it. `false` if that is impossible: its
/// rows cannot be counted, or a second request returns another response.
async fn skip_page<H: History<Row: Serialize>>(
    export: &mut Export,
    store: &mut Store,
    pages: &mut HistoryPages<H>,
    request: &H,
    error: &HistoryError,
) -> Result<bool, Failure> {
    let Some(window) = pages.window() else { return Ok(false) };
    let mut payload = Payload::new();
    request.within(&window).encode(&mut payload).map_err(|error| Failure::io(chain(&error)))?;
    let metadata = &entry(H::METADATA.id)?.metadata;
    let Ok(response) = export.client.send_raw(metadata, payload).await else { return Ok(false) };
    if history_rows::read(H::METADATA.id, &response.raw).is_some_and(|read| read.is_ok()) {
        return Ok(false);
    }
    let mut stored = StoredResponse::new(window_json(&window), &response.raw);
    stored.pagination = store.state.pagination;
    stored.taken = store.state.snapshot.map(|snapshot| snapshot.taken);
    let error = chain(error);
    let is_again = store.state.todo.first().is_some_and(|span| span.again);
    let is_known = is_again && !store.remember_fault(sha256(&response.raw));
    let Some(rows) = count(&response.raw) else {
        let cursor = store.state.cursor.clone();
        store.append_undecoded(&stored, cursor.as_ref(), &error)?;
        return Ok(false);
    };
    match pages.skip(rows) {
        Ok(true) => {}
        // Requested again in a narrower window.
        Ok(false) => return Ok(true),
        Err(_) => return Ok(false),
    }
    if is_known {
        store.save_cursor(pages.cursor())?;
    } else {
        store.append_undecoded(&stored, Some(pages.cursor()), &error)?;
    }
    export.page_done();
    Ok(true)
}

impl Export {
    /// Handles a failed request: `true` after a pause, to send it again. A list that the exchange rejects or that
    /// does not decode is skipped.
    ///
    /// # Errors
    /// If other requests would fail as well, for the key, the clock or an outage that lasts too long.
    pub(super) async fn should_retry(
        &mut self,
        store: &mut Store,
        error: HistoryError,
    ) -> Result<bool, Failure> {
        let reason = chain(&error);
        let HistoryError::Request(error) = error else {
            eprintln!("{}: {reason}", store.name);
            store.set_rejected(reason, false, None)?;
            return Ok(false);
        };
        match self.retries.after_failure(&self.client, &store.name, &error).await {
            AfterFailure::Retry => return Ok(true),
            AfterFailure::Abort => return Err(Failure::from(error)),
            AfterFailure::Postpone => store.set_rejected(reason.clone(), false, None)?,
            AfterFailure::Skip => {
                let by_exchange = matches!(error.kind(), ErrorKind::Api(_))
                    && error.category() != Some(Category::ServerFault);
                store.set_rejected(reason.clone(), by_exchange, error.code())?;
            }
        }
        eprintln!("{}: {reason}", store.name);
        Ok(false)
    }
}
