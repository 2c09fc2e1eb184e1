//! The pages about WebSockets: one of them, and one frame.

use std::sync::Arc;

use askama::Template;
use serde::Serialize;

use super::{
    page::{self, Shell, Visit},
    reply::Reply,
    text::{Shown, frame_text, shortened},
    time,
    traffic::{Filter, ROWS, recorder},
};
use crate::traffic::{
    Direction, Ending, FrameKind, FrameRecord, Payload, SocketLog, SocketRecord, Traffic,
};

/// A row of the list of WebSockets.
#[derive(Debug, Serialize)]
pub(super) struct SocketRow {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) opened: String,
    pub(super) state: String,
    pub(super) account: String,
    pub(super) frames_in: u64,
    pub(super) frames_out: u64,
}

impl SocketRow {
    pub(super) fn new(log: &SocketLog) -> Self {
        let record = log.record();
        let state = ending(&record);
        Self {
            number: log.number,
            name: name(log),
            opened: time::of_day(record.opened_ms),
            state: if state.is_empty() { "open".to_owned() } else { state },
            account: record.account.map(|account| account.to_string()).unwrap_or_default(),
            frames_in: record.frames_in,
            frames_out: record.frames_out,
        }
    }
}

fn name(log: &SocketLog) -> String {
    format!("{} {}", crate::address::address(log.host, log.kind), log.number)
}

/// Who sent a frame.
fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "client",
        Direction::Out => "sandbox",
    }
}

/// Who ended a WebSocket and why; empty if it is open.
fn ending(record: &SocketRecord) -> String {
    let Some(&Ending { by, code, ref reason }) = record.ending.as_ref() else {
        return record.closed_ms.map_or("", |_| "closed").to_owned();
    };
    let code = match code {
        Some(code) => format!("with code {code}"),
        None => "without a close frame".to_owned(),
    };
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("closed by the {} {code}{reason}", side(by))
}

/// A row of the list of frames.
#[derive(Debug, Serialize)]
pub(super) struct FrameRow {
    number: u64,
    time: String,
    from: &'static str,
    kind: &'static str,
    bytes: String,
    /// The start of its text.
    text: String,
    /// Why it was refused; empty if it was not.
    why: String,
    refused: bool,
    /// Whether its text may need a scroll bar.
    long: bool,
}

impl Filter {
    /// The row of a frame, if it is shown.
    pub(super) fn frame(&self, number: u64, frame: &FrameRecord) -> Option<FrameRow> {
        let (from, kind) = (side(frame.direction), kind(frame.kind));
        let text = frame_text(frame);
        let why = frame.reason.clone().unwrap_or_default();
        self.fits([from, kind, &text, &why]).then(|| FrameRow {
            number,
            time: time::of_day(frame.at_ms),
            from,
            kind,
            bytes: size(frame),
            long: text.len() > 120,
            text: shortened(&text),
            why,
            refused: frame.reason.is_some(),
        })
    }
}

/// The size of a frame in bytes; a lower bound if the frame was not read to its end.
fn size(frame: &FrameRecord) -> String {
    let Payload { length, is_unread, .. } = frame.payload;
    if is_unread { format!("at least {length}") } else { length.to_string() }
}

fn kind(kind: FrameKind) -> &'static str {
    match kind {
        FrameKind::Text => "text",
        FrameKind::Binary => "binary",
        FrameKind::Ping => "ping",
        FrameKind::Pong => "pong",
        FrameKind::Close => "close",
    }
}

#[derive(Template)]
#[template(path = "console/socket.html")]
struct SocketPage<'a> {
    shell: Shell,
    number: u64,
    /// The text of the filter, as it was typed.
    q: &'a str,
    /// Who ended it and why; empty if it is open.
    ending: String,
    /// Whether the sandbox ended it.
    is_bad: bool,
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
pub(super) fn find_socket(traffic: &Traffic, number: u64) -> Option<Arc<SocketLog>> {
    traffic.sockets().into_iter().find(|log| log.number == number)
}

fn requested(visit: &Visit<'_>, number: &str) -> Option<Arc<SocketLog>> {
    find_socket(recorder(visit)?, number.parse().ok()?)
}

/// One WebSocket.
pub(super) fn socket(visit: &Visit<'_>, number: &str) -> Reply {
    let Some(log) = requested(visit, number) else { return page::missing(visit) };
    let record = log.record();
    let frames: Vec<_> =
        record.frames.after(0).map(|(number, one)| (number, one.clone())).collect();
    let by_sandbox = |ending: &Ending| ending.by == Direction::Out;
    let mut page = SocketPage {
        shell: visit.shell(format!("WebSocket {}", name(&log)), "Traffic"),
        number: log.number,
        q: visit.query.get("q").unwrap_or_default(),
        ending: ending(&record),
        is_bad: record.ending.as_ref().is_some_and(by_sandbox),
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
    let filter = Filter::of(visit.query);
    let rows = frames.iter().filter_map(|(number, frame)| filter.frame(*number, frame));
    page.rows = rows.take(ROWS).collect();
    page::render(&page)
}

#[derive(Template)]
#[template(path = "console/frame.html")]
struct FramePage {
    shell: Shell,
    socket: u64,
    name: String,
    why: String,
    time: String,
    from: &'static str,
    kind: &'static str,
    size: String,
    /// Whether only its first bytes are kept.
    is_truncated: bool,
    is_unread: bool,
    shown: Shown,
}

/// One frame.
pub(super) fn frame(visit: &Visit<'_>, socket: &str, number: &str) -> Reply {
    let log_and_number = requested(visit, socket).zip(number.parse().ok());
    let Some((log, frame_number)) = log_and_number else { return page::missing(visit) };
    let frame = log.record().frames.get(frame_number);
    let Some(frame) = frame else { return page::missing(visit) };
    page::render(&FramePage {
        shell: visit.shell(format!("Frame {number}"), "Traffic"),
        socket: log.number,
        name: name(&log),
        why: frame.reason.clone().unwrap_or_default(),
        time: time::date(frame.at_ms),
        from: side(frame.direction),
        kind: kind(frame.kind),
        size: size(&frame),
        is_truncated: frame.payload.is_truncated(),
        is_unread: frame.payload.is_unread,
        shown: Shown::of(frame_text(&frame).as_bytes()),
    })
}
