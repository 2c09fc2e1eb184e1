//! The pages about traffic: all requests and WebSockets, and one request.

use askama::Template;
use serde::Serialize;

use super::{
    form::Fields,
    page::{self, Shell, Visit},
    reply::Reply,
    snippets::{self, Snippet},
    sockets::SocketRow,
    text::Shown,
    time,
};
use crate::{
    generated::Host,
    traffic::{Excerpt, RequestRecord, Traffic},
};

/// Rows that a list has when it is loaded or begun anew. The script adds later ones.
pub(super) const ROWS: usize = 200;
/// Longest shown path of a row, in characters.
const PATH_LENGTH: usize = 200;

/// A row of the list of requests. The script reads its members by these names.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    number: u64,
    /// The time of day in UTC.
    time: String,
    method: String,
    /// The start of path and query.
    path: String,
    /// The HTTP status, or `none` without a response.
    status: String,
    /// The code of the envelope; empty if the sandbox chose none.
    code: String,
    /// The duration in milliseconds.
    millis: String,
    /// The account of the key; empty without one.
    account: String,
    /// See [`why`].
    why: String,
    refused: bool,
}

/// Which rows of a list are shown.
#[derive(Debug)]
pub(super) struct Filter {
    /// In lower case; empty for all.
    text: String,
    only_refused: bool,
}

impl Filter {
    pub(super) fn of(query: &Fields) -> Self {
        let text = query.get("q").unwrap_or_default().trim().to_lowercase();
        Self { text, only_refused: query.get("refused").is_some() }
    }

    /// Whether it shows everything.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.only_refused
    }

    /// Whether one of the texts contains the text of the filter.
    pub(super) fn fits<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.text.is_empty()
            || texts.into_iter().any(|text| text.to_lowercase().contains(&self.text))
    }

    /// The row of a request, if it is shown.
    pub(super) fn row(&self, number: u64, record: &RequestRecord) -> Option<Row> {
        if self.only_refused && !record.is_refused() {
            return None;
        }
        let target = record.target();
        let mut row = Row {
            number,
            time: time::of_day(record.at_ms),
            method: record.method.to_string(),
            path: target.chars().take(PATH_LENGTH).collect(),
            status: record.status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
            code: record.code.map(|code| code.to_string()).unwrap_or_default(),
            millis: time::millis(record.micros),
            account: record.account.map(|account| account.to_string()).unwrap_or_default(),
            why: why(record).join(" · "),
            refused: record.is_refused(),
        };
        if row.path.len() < target.len() || !record.has_whole_target {
            row.path.push('…');
        }
        let cells = [&row.method, &target, &row.status, &row.code, &row.why];
        self.fits(cells.map(String::as_str)).then_some(row)
    }
}

/// What a page says about a request: the fault that hit it and, if it was refused, the message of the response and the
/// reason.
fn why(record: &RequestRecord) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(fault) = record.fault {
        lines.push(format!("fault {} struck", fault.name()));
    }
    if record.is_refused() {
        let message = serde_json::from_slice::<serde_json::Value>(record.response().bytes).ok();
        let message = message.as_ref().and_then(|body| body["message"].as_str());
        lines.extend(message.map(ToOwned::to_owned));
        lines.extend(record.reason.clone());
        if record.status.is_none() && record.fault.is_none() {
            lines.push("the client disconnected before the response".to_owned());
        }
    }
    lines
}

#[derive(Template)]
#[template(path = "console/traffic.html")]
struct TrafficPage<'a> {
    shell: Shell,
    /// The text of the filter, as it was typed.
    q: &'a str,
    /// Whether the filter shows refused requests only.
    refused: bool,
    /// Paths of requests that a fault holds back.
    held: Vec<String>,
    /// Requests that were recorded.
    total: u64,
    /// Those that are kept, and their size.
    kept: usize,
    kept_kib: usize,
    /// Those that were dropped because newer ones came.
    dropped: u64,
    /// The number of the newest request, after which the script continues.
    last: u64,
    rows: Vec<Row>,
    /// Addresses of the REST APIs.
    spot: &'a str,
    futures: &'a str,
    sockets: Vec<SocketRow>,
    /// WebSockets that were not recorded, because too many were open.
    unrecorded: u64,
}

/// The recorder of the sandbox; every sandbox with a console has one.
pub(super) fn recorder<'a>(visit: &Visit<'a>) -> Option<&'a Traffic> {
    visit.shared.traffic.as_deref()
}

/// The list of requests and WebSockets.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let Some(traffic) = recorder(visit) else { return page::missing(visit) };
    let filter = Filter::of(visit.query);
    let ring = traffic.requests();
    let (total, kept, kept_kib, dropped) =
        (ring.last(), ring.len(), ring.bytes() >> 10, ring.dropped());
    let records: Vec<_> = ring.after(0).map(|(number, record)| (number, record.clone())).collect();
    drop(ring);
    let rows = records.iter().filter_map(|(number, record)| filter.row(*number, record));
    let held = visit.shared.held_paths.borrow().paths().to_vec();
    page::render(&TrafficPage {
        shell: visit.shell("Traffic", "Traffic"),
        q: visit.query.get("q").unwrap_or_default(),
        refused: filter.only_refused,
        held,
        total,
        kept,
        kept_kib,
        dropped,
        last: total,
        rows: rows.take(ROWS).collect(),
        spot: visit.addresses.spot.as_str(),
        futures: visit.addresses.futures.as_str(),
        sockets: traffic.sockets().iter().map(|log| SocketRow::new(log)).collect(),
        unrecorded: traffic.unrecorded_sockets(),
    })
}

#[derive(Template)]
#[template(path = "console/request.html")]
struct RequestPage {
    shell: Shell,
    why: Vec<String>,
    time: String,
    host: &'static str,
    status: String,
    code: String,
    millis: String,
    account: String,
    snippets: Vec<Snippet>,
    /// Why there are no snippets.
    no_snippets: &'static str,
    /// What to know before it is sent again.
    warning: &'static str,
    parts: [Part; 4],
}

/// A part of a request or response.
struct Part {
    heading: &'static str,
    text: String,
    note: String,
    /// Shown in place of an empty text.
    empty: &'static str,
}

impl Part {
    fn body(heading: &'static str, body: Excerpt<'_>) -> Self {
        let mut note = if body.is_truncated() {
            format!("The first {} of {} bytes", body.bytes.len(), body.length)
        } else {
            format!("{} bytes", body.length)
        };
        let Shown { text, differences } = Shown::of(body.bytes);
        if !differences.is_empty() {
            note = format!("{note}; shown {}", differences.join("; "));
        }
        Self { heading, text, note, empty: "Empty." }
    }

    fn headers(heading: &'static str, lines: &str) -> Self {
        Self { heading, text: lines.to_owned(), note: String::new(), empty: "None." }
    }
}

/// One request.
pub(super) fn request(visit: &Visit<'_>, number: &str) -> Reply {
    let number = number.parse::<u64>().ok();
    let requested = recorder(visit).zip(number);
    let Some(record) = requested.and_then(|(traffic, number)| traffic.requests().get(number))
    else {
        return page::missing(visit);
    };
    let (snippets, no_snippets) = match snippets::of(&record, visit.addresses) {
        Ok(snippets) => (snippets, ""),
        Err(why) => (Vec::new(), why),
    };
    page::render(&RequestPage {
        shell: visit.shell(format!("{} {}", record.method, record.path()), "Traffic"),
        why: why(&record),
        time: time::date(record.at_ms),
        host: match record.host {
            Host::Spot => "spot",
            Host::Futures => "futures",
        },
        status: record.status.map_or_else(|| "no response".to_owned(), |status| status.to_string()),
        code: record.code.map_or_else(|| "none".to_owned(), |code| code.to_string()),
        millis: time::millis(record.micros),
        account: record.account.map_or_else(|| "none".to_owned(), |account| account.to_string()),
        snippets,
        no_snippets,
        warning: snippets::warning(&record),
        parts: [
            Part::headers("Request headers", &record.headers()),
            Part::body("Request body", record.body()),
            Part::headers("Response headers", &record.response_headers()),
            Part::body("Response body", record.response()),
        ],
    })
}
