//! Asking for one dataset.

use std::fmt;

use bitmart::Timestamp;
use bitmart::rest::history::{History, HistoryError, HistoryPages, Page, RowKey, Window};
use bitmart::rest::{Category, ErrorKind, Payload, RowFault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::histories::{self, line};
use super::index::{Found, Index};
use super::manifest::sha256;
pub(super) use super::once::{Most, entry, once, snapshot_lines};
use super::once::{count, finished};
use super::patience::Next;
use super::store::{Added, Answer, Span, State, Store, state};
use super::{Export, again, progress, reference};
use crate::failure::{Failure, chain};

/// Times of rows before 2010 are no times in milliseconds.
pub(super) const EARLIEST: i64 = 1_262_304_000_000;

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

/// Brings one history from where it stands to the end of this run.
pub(super) async fn history<H>(export: &mut Export, name: &str, request: H) -> Result<(), Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    if export.forecast.is_some() {
        return forecast::<H>(export, name);
    }
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    if store.state.done && store.state.run >= export.run {
        return Ok(());
    }
    let mut news = News::default();
    loop {
        if store.state.done {
            if store.state.run >= export.run {
                break;
            }
            let spans = again::spans(export, name, H::METADATA.id, &H::SPEC, &store.state)?;
            store.begin_run(export.run, spans)?;
        } else if store.state.todo.is_empty() {
            // Its first walk: new, or begun by version 1.
            let (from, to) = (export.from.as_millis(), export.to.as_millis());
            // Version 1 could go on to a time to come.
            let end = store.state.cursor.as_ref().map(|cursor| cursor.end.as_millis());
            let to = end.map_or(to, |end| end.min(export.now().as_millis()));
            store.state.todo = vec![Span { from, to, again: false }];
            if store.state.run == 0 {
                store.state.run = export.run;
            }
        }
        if !spans(export, &mut store, &request, &mut news).await? {
            // The exchange does not give the rest; what came so far stands once.
            return store.tidy();
        }
        store.finish()?;
    }
    let rows = store.state.rows;
    let lacks = store.state.lacks.as_ref().map(|lacks| format!("; {lacks}")).unwrap_or_default();
    eprintln!("{name}: {rows} rows{news}{lacks}");
    export.overall.list_done(name);
    Ok(())
}

/// Goes through what this run still has to ask for. `false` when the exchange does not give it.
async fn spans<H>(
    export: &mut Export,
    store: &mut Store,
    request: &H,
    news: &mut News,
) -> Result<bool, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let fresh = store.state.cursor.is_none();
    let mut index = None;
    if store.state.walk > 0 {
        index = Some(Index::read::<H>(&export.folder, &store.name, &store.state)?);
    }
    while let Some(span) = store.state.todo.first().copied() {
        let mut pages = if let Some(cursor) = store.state.cursor.clone() {
            export.client.resume_history(request.clone(), cursor)
        } else {
            let [from, to] = [span.from, span.to].map(Timestamp::from_millis);
            export.client.history(request.clone(), from, to)
        };
        let mut sink = Sink { span, index: index.as_mut(), news };
        if !pages_of(export, store, &mut pages, request, &mut sink).await? {
            return Ok(false);
        }
        store.finish_span()?;
    }
    if let Some(index) = index.filter(|_| fresh) {
        news.gone += index.awaited();
    }
    Ok(true)
}

/// What a later run finds.
#[derive(Debug, Default)]
struct News {
    /// In a run that is not the first one.
    later: bool,
    new: usize,
    late: usize,
    changed: usize,
    gone: usize,
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.later {
            return Ok(());
        }
        write!(f, ", {} of them new", self.new)?;
        for (count, what) in [
            (self.late, "arrived late"),
            (self.changed, "changed since, both versions kept"),
            (self.gone, "no longer returned, kept"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// Where the pages of a walk go.
struct Sink<'a> {
    span: Span,
    /// The rows that are there already, after the first walk.
    index: Option<&'a mut Index>,
    news: &'a mut News,
}

/// Takes the pages of one walk. `false` when the exchange does not give them.
async fn pages_of<H>(
    export: &mut Export,
    store: &mut Store,
    pages: &mut HistoryPages<H>,
    request: &H,
    sink: &mut Sink<'_>,
) -> Result<bool, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let [from, to] = [sink.span.from, sink.span.to].map(Timestamp::from_millis);
    let mut progress = progress::Progress::new(&store.name, pages.cursor().next, to);
    while let Some(page) = pages.next_page().await {
        match page {
            Ok(page) => {
                export.patience.succeeded();
                let bytes = take::<H>(store, &page, sink)?;
                let cursor = &page.cursor;
                export.overall.add(page.rows.len(), bytes);
                if !sink.span.again {
                    export.overall.walked(&store.name, (from, to), cursor.next);
                }
                export.page_done();
                progress.tell(cursor.next, store.state.rows, &export.overall);
            }
            Err(error) => {
                progress.end();
                if is_not_understood(&error) && pass(export, store, pages, request, &error).await? {
                    continue;
                }
                if !export.ask_again(store, error).await? {
                    return Ok(false);
                }
            }
        }
    }
    progress.end();
    Ok(true)
}

/// Keeps what a page adds; says how many bytes that is. Of a list of the moment every row says when it was
/// taken.
fn take<H>(store: &mut Store, page: &Page<H::Row>, sink: &mut Sink<'_>) -> Result<usize, Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    let mut answer = Answer::new(window_asked(&page.window), &page.raw);
    let taken = store.state.snapshot.map(|snapshot| snapshot.taken);
    (answer.walk, answer.taken) = (store.state.walk, taken);
    let mut rows = Vec::new();
    for row in &page.rows {
        let line = line(row).map_err(Failure::machine)?;
        rows.push((H::key(row), dated(line, taken)));
    }
    let found = match sink.index.as_deref_mut() {
        Some(index) => index.look::<H>(&store.state, &rows)?,
        None => vec![Found::New; rows.len()],
    };
    let digest = |fault: &RowFault| sha256(fault.raw.as_bytes());
    // The overlap shows them again, and some are alike.
    let again = sink.span.again;
    let is_new = |fault: &&RowFault| store.is_new_fault(digest(fault)) || !again;
    let faults: Vec<_> = page.rows.faults().iter().filter(is_new).collect();
    if let Some(last) = faults.last() {
        store.note_faulty(faults.len(), &last.to_string());
    }
    let (mut lines, mut added, mut span) = (Vec::new(), 0, None);
    let (reached, mut replaced) = (store.state.to, Vec::new());
    for ((key, line), found) in rows.iter().zip(found) {
        match found {
            Found::Same => continue,
            Found::New => sink.news.new += 1,
            Found::Changed(at, bytes) => {
                sink.news.changed += 1;
                replaced.push((at, bytes));
            }
        }
        // Some lists have no time, or one of no stated unit.
        let time = key.time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST);
        if let Some(index) = sink.index.as_deref_mut() {
            sink.news.later = true;
            index.insert(key, line, store.state.bytes + lines.len() as u64);
            if found == Found::New && time.zip(reached).is_some_and(|(time, to)| time < to) {
                sink.news.late += 1;
                store.state.late += 1;
            }
        }
        note_pending(&mut store.state, key, line);
        span = match (span, time) {
            (Some((first, last)), Some(time)) => Some((time.min(first), time.max(last))),
            (None, Some(time)) => Some((time, time)),
            (known, None) => known,
        };
        lines.extend_from_slice(line);
        added += 1;
    }
    sink.news.later |= sink.index.is_some();
    if sink.span.again && added == 0 && faults.is_empty() {
        store.go_on(&page.cursor)?;
        return Ok(0);
    }
    let cursor = Some(&page.cursor);
    let (lines, replaced) = (&lines, &replaced);
    store.append(&Added { answer: &answer, lines, rows: added, span, cursor, replaced })?;
    Ok(lines.len() + answer.body.len())
}

/// Remembers rows that are not final.
pub(super) fn note_pending(state: &mut State, key: &RowKey, line: &[u8]) {
    if !again::can_be_pending(&state.endpoint) || state.snapshot.is_some() {
        return;
    }
    let row: Value = serde_json::from_slice(line).unwrap_or_default();
    match key.time.filter(|_| again::is_pending(&state.endpoint, &row)) {
        Some(time) => drop(state.pending.insert(key.id.clone(), time.as_millis())),
        None => drop(state.pending.remove(&key.id)),
    }
}

/// The row of a snapshot says when it was taken.
pub(super) fn dated(line: Vec<u8>, taken: Option<i64>) -> Vec<u8> {
    let Some(taken) = taken else { return line };
    let taken = Timestamp::from_millis(taken);
    let rest = line.strip_prefix(b"{").unwrap_or(&line);
    let comma = if rest.starts_with(b"}") { "" } else { "," };
    [format!("{{\"taken\":\"{taken}\"{comma}").as_bytes(), rest].concat()
}

/// Takes a snapshot of a list that is of the moment but told by windows, such as that of open orders. One that was
/// interrupted goes on within its run.
pub(super) async fn open_list<H>(export: &mut Export, name: &str, request: H) -> Result<(), Failure>
where
    H: History<Row: Serialize + DeserializeOwned>,
{
    if export.forecast.is_some() {
        return forecast::<H>(export, name);
    }
    let mut store = Store::open(&export.folder, name, H::METADATA.id)?;
    let of_this_run = store.state.run >= export.run;
    if store.state.done && of_this_run {
        return Ok(());
    }
    if !of_this_run || store.state.snapshot.is_none() || store.state.cursor.is_none() {
        store.begin_snapshot(export.run, export.now().as_millis())?;
    }
    let (from, to) = (export.from, export.to);
    let mut pages = match store.state.cursor.clone() {
        Some(cursor) => export.client.resume_history(request.clone(), cursor),
        None => export.client.history(request.clone(), from, to),
    };
    let span = Span { from: from.as_millis(), to: to.as_millis(), again: false };
    let mut sink = Sink { span, index: None, news: &mut News::default() };
    if pages_of(export, &mut store, &mut pages, &request, &mut sink).await? {
        store.finish()?;
        finished(export, &store);
    }
    Ok(())
}

/// Counts the requests that a history still takes.
fn forecast<H: History>(export: &mut Export, name: &str) -> Result<(), Failure> {
    let state = state(&export.folder, name).unwrap_or_default();
    let mut spans = Vec::new();
    if !(state.done && state.run >= export.run) {
        let (from, to) = (export.from.as_millis(), export.to.as_millis());
        let goes_on = state.cursor.as_ref().filter(|_| !state.done);
        let here = goes_on.map_or(from, |cursor| cursor.next.as_millis());
        spans = match state.todo.split_first() {
            Some((first, rest)) => {
                let from = goes_on.map_or(first.from, |_| here);
                [&[Span { from, ..*first }], rest].concat()
            }
            None if state.done && state.snapshot.is_none() => {
                again::spans(export, name, H::METADATA.id, &H::SPEC, &state)?
            }
            None => vec![Span { from: here, to, again: false }],
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
    let mut kept = Answer::new(window_asked(&window), &answer.raw);
    kept.walk = store.state.walk;
    kept.taken = store.state.snapshot.map(|snapshot| snapshot.taken);
    let why = chain(error);
    let is_again = store.state.todo.first().is_some_and(|span| span.again);
    let is_known = is_again && !store.is_new_fault(sha256(&answer.raw));
    let Some(rows) = count(&answer.raw) else {
        let cursor = store.state.cursor.clone();
        store.append_unread(&kept, cursor.as_ref(), &why)?;
        return Ok(false);
    };
    match pages.skip(rows) {
        Ok(true) => {}
        // Asked again in a narrower window.
        Ok(false) => return Ok(true),
        Err(_) => return Ok(false),
    }
    if is_known {
        store.go_on(pages.cursor())?;
    } else {
        store.append_unread(&kept, Some(pages.cursor()), &why)?;
    }
    export.page_done();
    Ok(true)
}

impl Export {
    /// Waits after a failure, if that may help; `true` to ask again. What the exchange refuses is noted, and the
    /// export goes on, and so it does when one list is gone or not understood. When it is not for this list but
    /// for the key, the clock or the moment, the rest would be refused as well: the export ends here and goes on
    /// another time.
    pub(super) async fn ask_again(
        &mut self,
        store: &mut Store,
        error: HistoryError,
    ) -> Result<bool, Failure> {
        let words = chain(&error);
        let HistoryError::Request(error) = error else {
            eprintln!("{}: {words}", store.name);
            store.refuse(words, false)?;
            return Ok(false);
        };
        match self.patience.after(&self.client, &store.name, &error).await {
            Next::Again => return Ok(true),
            Next::Stop => return Err(Failure::from(error)),
            Next::Later => store.refuse(words.clone(), false)?,
            Next::Refused => {
                let by_exchange = matches!(error.kind(), ErrorKind::Api(_))
                    && error.category() != Some(Category::ServerFault);
                store.refuse(words.clone(), by_exchange)?;
            }
        }
        eprintln!("{}: {words}", store.name);
        Ok(false)
    }
}
