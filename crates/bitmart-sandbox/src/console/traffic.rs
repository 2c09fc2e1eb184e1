//! The pages about traffic: all requests and WebSockets, one request, one WebSocket.

use askama::Template;
use serde::Serialize;

use super::{
    page::{self, Shell, Visit},
    reply::Reply,
    snippets::{self, Snippet},
    text::{frame_text, indented},
    time,
};
use crate::{
    generated::Host,
    traffic::{Direction, Excerpt, FrameKind, FrameRecord, RequestRecord, SocketLog, Traffic},
};

/// Rows of a page. The script adds later ones.
const ROWS: usize = 200;
/// Longest shown path of a row, in characters.
const PATH_LENGTH: usize = 200;

/// A row of the list of requests.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    number: u64,
    time: String,
    method: String,
    path: String,
    status: String,
    code: String,
    millis: String,
    account: String,
    why: String,
    refused: bool,
}

impl Row {
    pub(super) fn new(number: u64, record: &RequestRecord) -> Self {
        Self {
            number,
            time: time::of_day(record.at_ms),
            method: record.method.to_string(),
            path: record.target().chars().take(PATH_LENGTH).collect(),
            status: record.status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
            code: record.code.map(|code| code.to_string()).unwrap_or_default(),
            millis: time::millis(record.micros),
            account: record.account.map(|account| account.to_string()).unwrap_or_default(),
            why: why(record).join(" · "),
            refused: record.is_refused(),
        }
    }

    fn has(&self, text: &str) -> bool {
        let cells = [&self.method, &self.path, &self.status, &self.code, &self.why];
        cells.iter().any(|cell| cell.to_lowercase().contains(text))
    }
}

/// Why a request was refused, in words: the message of the response, the reason, the fault.
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
    q: &'a str,
    refused: bool,
    held: Vec<String>,
    total: u64,
    kept: usize,
    kept_kib: usize,
    dropped: u64,
    last: u64,
    rows: Vec<Row>,
    spot: &'a str,
    futures: &'a str,
    sockets: Vec<SocketRow>,
    unrecorded: u64,
}

/// A row of the list of WebSockets.
struct SocketRow {
    number: u64,
    name: String,
    opened: String,
    state: String,
    account: String,
    frames_in: u64,
    frames_out: u64,
}

impl SocketRow {
    fn new(log: &SocketLog) -> Self {
        let record = log.record();
        let state = match (record.closed_ms, &record.close) {
            (None, _) => "open".to_owned(),
            (Some(_), Some((code, reason))) => format!("closed with {code} {reason}"),
            (Some(_), None) => "closed".to_owned(),
        };
        Self {
            number: log.number,
            name: name(log),
            opened: time::of_day(record.opened_ms),
            state,
            account: record.account.map(|account| account.to_string()).unwrap_or_default(),
            frames_in: record.frames_in,
            frames_out: record.frames_out,
        }
    }
}

fn name(log: &SocketLog) -> String {
    format!("{} {}", crate::address::address(log.host, log.private), log.number)
}

fn recorder<'a>(visit: &Visit<'a>) -> Option<&'a Traffic> {
    visit.shared.traffic.as_deref()
}

/// The list of requests and WebSockets.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let Some(traffic) = recorder(visit) else { return page::missing(visit) };
    let q = visit.query.get("q").unwrap_or_default();
    let (wanted, only_refused) = (q.trim().to_lowercase(), visit.query.get("refused").is_some());
    let ring = traffic.requests();
    let (total, kept, kept_kib, dropped) =
        (ring.last(), ring.len(), ring.bytes() >> 10, ring.dropped());
    let records: Vec<_> = ring.after(0).map(|(number, record)| (number, record.clone())).collect();
    drop(ring);
    let rows = records.iter().map(|(number, record)| Row::new(*number, record));
    let rows = rows.filter(|row| (!only_refused || row.refused) && row.has(&wanted));
    let held = visit.shared.held_paths.borrow().paths().to_vec();
    page::render(&TrafficPage {
        shell: visit.shell("Traffic", "Traffic"),
        q,
        refused: only_refused,
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
        let note = if body.is_truncated() {
            format!("The first {} of {} bytes", body.bytes.len(), body.length)
        } else {
            format!("{} bytes", body.length)
        };
        Self { heading, text: indented(body.bytes), note, empty: "Empty." }
    }

    fn headers(heading: &'static str, lines: &str) -> Self {
        Self { heading, text: lines.to_owned(), note: String::new(), empty: "None." }
    }
}

/// One request.
pub(super) fn request(visit: &Visit<'_>, number: &str) -> Reply {
    let number = number.parse::<u64>().ok();
    let found = recorder(visit).zip(number);
    let Some(record) = found.and_then(|(traffic, number)| traffic.requests().get(number)) else {
        return page::missing(visit);
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
        snippets: snippets::of(&record),
        parts: [
            Part::headers("Request headers", &record.headers()),
            Part::body("Request body", record.body()),
            Part::headers("Response headers", &record.response_headers()),
            Part::body("Response body", record.response()),
        ],
    })
}

/// A row of the list of frames.
#[derive(Debug, Serialize)]
pub(super) struct FrameRow {
    time: String,
    from: &'static str,
    kind: &'static str,
    bytes: usize,
    text: String,
    refused: bool,
    /// Whether its text may need a scroll bar.
    long: bool,
}

impl FrameRow {
    pub(super) fn new(frame: &FrameRecord) -> Self {
        let mut text = frame_text(frame);
        if let Some(reason) = &frame.reason {
            text.push_str("\nrefused with ");
            text.push_str(reason);
        }
        Self {
            time: time::of_day(frame.at_ms),
            from: match frame.direction {
                Direction::In => "client",
                Direction::Out => "sandbox",
            },
            kind: match frame.kind {
                FrameKind::Text => "text",
                FrameKind::Binary => "binary",
                FrameKind::Ping => "ping",
                FrameKind::Pong => "pong",
                FrameKind::Close => "close",
            },
            bytes: frame.payload.length,
            long: text.len() > 120,
            text,
            refused: frame.reason.is_some(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/socket.html")]
struct SocketPage<'a> {
    shell: Shell,
    number: u64,
    q: &'a str,
    close: String,
    is_refused: bool,
    opened: String,
    account: String,
    frames_in: u64,
    bytes_in: u64,
    frames_out: u64,
    bytes_out: u64,
    kept: usize,
    dropped: u64,
    last: u64,
    rows: Vec<FrameRow>,
}

/// The recorded WebSocket with a number.
pub(super) fn find_socket(traffic: &Traffic, number: u64) -> Option<std::sync::Arc<SocketLog>> {
    traffic.sockets().into_iter().find(|log| log.number == number)
}

/// One WebSocket.
pub(super) fn socket(visit: &Visit<'_>, number: &str) -> Reply {
    let found = recorder(visit).zip(number.parse::<u64>().ok());
    let Some(log) = found.and_then(|(traffic, number)| find_socket(traffic, number)) else {
        return page::missing(visit);
    };
    let q = visit.query.get("q").unwrap_or_default();
    let wanted = q.trim().to_lowercase();
    let record = log.record();
    let frames: Vec<_> = record.frames.after(0).map(|(_, frame)| frame.clone()).collect();
    let mut page = SocketPage {
        shell: visit.shell(format!("WebSocket {}", name(&log)), "Traffic"),
        number: log.number,
        q,
        close: match (&record.close, record.closed_ms) {
            (Some((code, reason)), _) if reason.is_empty() => {
                format!("The sandbox closed it with code {code}.")
            }
            (Some((code, reason)), _) => {
                format!("The sandbox closed it with code {code}: {reason}")
            }
            (None, Some(_)) => "It is closed, without a close frame of the sandbox.".to_owned(),
            (None, None) => String::new(),
        },
        is_refused: record.close.as_ref().is_some_and(|(_, reason)| !reason.is_empty()),
        opened: time::date(record.opened_ms),
        account: record.account.map_or_else(|| "none".to_owned(), |account| account.to_string()),
        frames_in: record.frames_in,
        bytes_in: record.bytes_in,
        frames_out: record.frames_out,
        bytes_out: record.bytes_out,
        kept: record.frames.len(),
        dropped: record.frames.dropped(),
        last: record.frames.last(),
        rows: Vec::new(),
    };
    drop(record);
    // Decompressed without the lock, so that the connection does not wait.
    let rows = frames.iter().map(|frame| FrameRow::new(frame));
    page.rows = rows.filter(|row| row.text.to_lowercase().contains(&wanted)).take(ROWS).collect();
    page::render(&page)
}
