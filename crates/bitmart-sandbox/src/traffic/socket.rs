//! The record of one WebSocket: its frames in both directions.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;

use super::{Payload, Ring, Weighed, now_ms, redact};
use crate::{address::SocketKind, generated::Host};

/// Frames of a WebSocket that are kept, and their bytes.
pub(crate) const FRAMES: usize = 1_000;
const FRAME_BYTES: usize = 512 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Sent by the client.
    In,
    /// Sent by the sandbox.
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Text,
    /// Compressed, if the sandbox sent it.
    Binary,
    Ping,
    Pong,
    Close,
}

/// A frame.
#[derive(Debug)]
pub(crate) struct FrameRecord {
    /// Milliseconds since 1970 by the machine's clock.
    pub(crate) at_ms: u64,
    pub(crate) direction: Direction,
    pub(crate) kind: FrameKind,
    pub(crate) payload: Payload,
    /// The reason for which the sandbox refused or ignored it.
    pub(crate) reason: Option<String>,
}

/// The end of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The side that began it: `In` for the client.
    pub(crate) by: Direction,
    /// The code of the close frame; `None` without one.
    pub(crate) code: Option<u16>,
    /// In words. The reason of the sandbox may be only for the console.
    pub(crate) reason: String,
}

impl Weighed for FrameRecord {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.payload.bytes.len() + self.reason.as_ref().map_or(0, String::len)
    }
}

/// The record of a WebSocket.
#[derive(Debug)]
pub(crate) struct SocketRecord {
    pub(crate) opened_ms: u64,
    pub(crate) closed_ms: Option<u64>,
    /// Its end; `None` while it is open.
    pub(crate) ending: Option<Ending>,
    /// Account of its login.
    pub(crate) account: Option<u32>,
    pub(crate) frames_in: u64,
    pub(crate) frames_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) frames: Ring<FrameRecord>,
}

/// The log of one WebSocket.
#[derive(Debug)]
pub(crate) struct SocketLog {
    pub(crate) host: Host,
    pub(crate) kind: SocketKind,
    /// The number of the connection.
    pub(crate) number: u64,
    open: AtomicBool,
    record: Mutex<SocketRecord>,
}

impl SocketLog {
    pub(super) fn new(host: Host, kind: SocketKind, number: u64) -> Self {
        let record = SocketRecord {
            opened_ms: now_ms(),
            closed_ms: None,
            ending: None,
            account: None,
            frames_in: 0,
            frames_out: 0,
            bytes_in: 0,
            bytes_out: 0,
            frames: Ring::new(FRAMES, FRAME_BYTES),
        };
        let open = AtomicBool::new(true);
        Self { host, kind, number, open, record: Mutex::new(record) }
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, SocketRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.record().frames.clear();
    }

    /// A text or binary message of the client.
    pub(crate) fn received(
        &self,
        kind: FrameKind,
        message: &[u8],
        account: Option<u32>,
        reasons: &[(String, String)],
    ) {
        let shown = redact::message(&String::from_utf8_lossy(message))
            .map_or_else(|| Bytes::copy_from_slice(message), Bytes::from);
        let reason = (!reasons.is_empty()).then(|| {
            let lines =
                reasons.iter().map(|(code, reason)| format!("refused with {code}: {reason}"));
            lines.collect::<Vec<_>>().join("\n")
        });
        let mut record = self.record();
        record.account = account.or(record.account);
        drop(record);
        self.add(Direction::In, kind, Payload::new(&shown, message.len()), reason);
    }

    /// A text message of the sandbox.
    pub(crate) fn sent(&self, text: &Bytes) {
        let shown = std::str::from_utf8(text).ok().and_then(redact::response).map(Bytes::from);
        let payload = Payload::new(shown.as_ref().unwrap_or(text), text.len());
        self.add(Direction::Out, FrameKind::Text, payload, None);
    }

    /// Any other frame.
    pub(crate) fn frame(&self, direction: Direction, kind: FrameKind, payload: &Bytes) {
        self.add(direction, kind, Payload::new(payload, payload.len()), None);
    }

    /// A frame of the client that is not handled.
    pub(crate) fn ignored(&self, kind: FrameKind, payload: &Bytes, reason: &str) {
        let payload = Payload::new(payload, payload.len());
        self.add(Direction::In, kind, payload, Some(reason.to_owned()));
    }

    /// A message of the client of at least `length` bytes that was not read to its end.
    pub(crate) fn unread(&self, length: usize, reason: &str) {
        let payload = Payload { bytes: Bytes::new(), length, is_unread: true };
        self.add(Direction::In, FrameKind::Text, payload, Some(reason.to_owned()));
    }

    /// Records who ends the connection and why. Only the first call counts: what follows, such as the close frame of
    /// the other side, does not change it.
    pub(crate) fn record_ending(
        &self,
        by: Direction,
        code: Option<u16>,
        reason: impl Into<String>,
    ) {
        let mut record = self.record();
        record.ending.get_or_insert_with(|| Ending { by, code, reason: reason.into() });
    }

    fn add(&self, direction: Direction, kind: FrameKind, payload: Payload, reason: Option<String>) {
        let length = payload.length as u64;
        let mut record = self.record();
        match direction {
            Direction::In => {
                record.frames_in += 1;
                record.bytes_in += length;
            }
            Direction::Out => {
                record.frames_out += 1;
                record.bytes_out += length;
            }
        }
        let frame = FrameRecord { at_ms: now_ms(), direction, kind, payload, reason };
        record.frames.push(Arc::new(frame));
    }

    /// Records that the connection is closed.
    pub(crate) fn record_closed(&self) {
        self.open.store(false, Ordering::Relaxed);
        self.record().closed_ms = Some(now_ms());
    }
}
