//! Records the frames and the end of a connection for the console.

use std::sync::Arc;

use bytes::Bytes;

use super::read::close_parts;
use crate::traffic::{Direction, FrameKind, SocketLog};

/// Reasons for which the sandbox ends a connection.
pub(super) const STOPPED: &str = "the sandbox stopped";
pub(super) const CUT: &str =
    "all WebSockets were cut, by the operator or because the exchange went back";
pub(super) const TOO_SLOW: &str = "the client reads too slowly: the queue of its frames was full";
pub(super) const NOT_STORED: &str = "the data folder cannot be written to";
/// The same for the client.
const GONE: &str = "the client disconnected without a close frame";
/// The reason for which a ping frame is ignored.
const IGNORED_PING: &str = "ignored: spot counts only messages, such as the text ping";

/// The record of a connection; empty without a console, or if too many are open.
#[derive(Debug, Clone)]
pub(super) struct Record(pub(super) Option<Arc<SocketLog>>);

impl Record {
    pub(super) fn frame(&self, direction: Direction, kind: FrameKind, payload: &Bytes) {
        if let Some(log) = &self.0 {
            log.frame(direction, kind, payload);
        }
    }

    /// A text message of the sandbox.
    pub(super) fn sent(&self, text: &Bytes) {
        if let Some(log) = &self.0 {
            log.sent(text);
        }
    }

    /// A text or binary message of the client, with codes and reasons of its rejection.
    pub(super) fn received(
        &self,
        kind: FrameKind,
        message: &[u8],
        account: Option<u32>,
        reasons: &[(String, String)],
    ) {
        if let Some(log) = &self.0 {
            log.received(kind, message, account, reasons);
        }
    }

    pub(super) fn ignored_ping(&self, payload: &Bytes) {
        if let Some(log) = &self.0 {
            log.ignored(FrameKind::Ping, payload, IGNORED_PING);
        }
    }

    /// A message that is too big, and therefore not kept.
    pub(super) fn too_big(&self, length: usize, why: &str) {
        if let Some(log) = &self.0 {
            log.unread(length, &format!("refused, and not kept: {why}"));
        }
    }

    /// A close frame.
    pub(super) fn close(&self, direction: Direction, payload: &[u8]) {
        let (code, reason) = close_parts(payload);
        let code = code.map(|code| code.to_string()).unwrap_or_default();
        self.frame(
            direction,
            FrameKind::Close,
            &format!("{code} {reason}").trim().to_owned().into(),
        );
    }

    /// Records who ends the connection and why, unless the end has begun.
    pub(super) fn record_ending(&self, by: Direction, code: Option<u16>, why: &str) {
        if let Some(log) = &self.0 {
            log.record_ending(by, code, why);
        }
    }

    /// The client has disconnected without a close frame.
    pub(super) fn record_disconnect(&self) {
        self.record_ending(Direction::In, None, GONE);
    }

    pub(super) fn record_closed(&self) {
        if let Some(log) = &self.0 {
            log.record_closed();
        }
    }
}
