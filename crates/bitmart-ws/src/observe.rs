//! What this crate tells of itself: spans and events of `tracing`, and figures with the feature
//! `metrics`.
//!
//! All names stand in `docs/observability.md`; a test compares that table with what is emitted. Frames
//! are never told: they may hold orders, keys and signatures.

mod log;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "observe/no_meters.rs"]
mod meters;
mod words;

use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use crate::dialect::{Access, Dialect};
use crate::event::DecodeError;
use crate::frame::Message;
use crate::session::{Condition, Notice, Status};

pub(crate) use self::meters::{Depth, Meters, book_resync};

/// What is told of the connections of one driver, one after another.
pub(crate) struct Observed {
    dialect: Dialect,
    side: Access,
    /// The place in the pool of the side, from 1.
    number: usize,
    host: String,
    port: u16,
    meters: Meters,
    /// Attempts since a connection was open.
    attempts: u32,
    /// That of the connection, or of the attempt; disabled when there is neither.
    span: Span,
    current: Option<Current>,
}

/// A connection, or an attempt to open one.
struct Current {
    begin: Instant,
    opened: Option<Instant>,
}

impl Observed {
    pub(crate) fn new(
        side: (Dialect, Access),
        number: usize,
        (host, port): (&str, u16),
        meters: Meters,
    ) -> Self {
        Self {
            dialect: side.0,
            side: side.1,
            number,
            host: host.to_owned(),
            port,
            meters,
            attempts: 0,
            span: Span::none(),
            current: None,
        }
    }

    /// An attempt to connect begins, after this delay.
    pub(crate) fn connecting(&mut self, delay: Duration, topics: usize) {
        self.end("idle");
        self.attempts += 1;
        self.span = tracing::info_span!(
            target: "bitmart_ws",
            parent: None,
            "bitmart.ws.connection",
            otel.kind = "client",
            otel.status_code = Empty,
            network.protocol.name = "websocket",
            server.address = self.host.as_str(),
            server.port = self.port,
            bitmart.dialect = words::dialect(self.dialect),
            bitmart.side = words::side(self.side),
            bitmart.connection = self.number,
            bitmart.attempt = self.attempts,
            bitmart.topics = topics,
            bitmart.reason = Empty,
            error.type = Empty,
            bitmart.delay_ms = words::millis(delay),
            bitmart.connect_ms = Empty,
            bitmart.open_ms = Empty,
        );
        self.current = Some(Current { begin: Instant::now() + delay, opened: None });
        log::connecting(&self.span);
    }

    /// The connection is open.
    pub(crate) fn connected(&mut self) {
        let Some(current) = &mut self.current else { return };
        let now = Instant::now();
        current.opened = Some(now);
        let took = now.saturating_duration_since(current.begin);
        self.attempts = 0;
        self.span.record("bitmart.connect_ms", words::millis(took));
        self.meters.attempted("ok");
        self.meters.opened();
        log::connected(&self.span);
    }

    /// The user is told this, with so many topics on the connection.
    pub(crate) fn notice(&mut self, notice: &Notice, topics: usize) {
        self.span.in_scope(|| log::notice(notice));
        if let Notice::Reconnecting { reason } = notice {
            self.span.record("bitmart.topics", topics);
            let reason = words::reason(reason);
            self.span.record("error.type", reason);
            self.span.record("otel.status_code", "ERROR");
            self.end(reason);
        }
    }

    /// How the connection stands now that everything was done.
    pub(crate) fn stands(&mut self, status: Status) {
        match status.condition {
            Condition::Idle => self.end("idle"),
            Condition::Failed => self.end("login_refused"),
            _ => {}
        }
    }

    /// A frame arrived.
    pub(crate) fn received(&self, message: &Message) {
        self.meters.received(match message {
            Message::Text(bytes) | Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
            Message::Close(_, text) => text.as_ref().map_or(0, String::len),
            Message::NotText | Message::Pong => 0,
        });
    }

    /// A frame with a payload of so many bytes was sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.meters.sent(bytes);
    }

    /// A frame cannot be read, or has something behind its end.
    pub(crate) fn malformed(&self, fault: &DecodeError) {
        self.meters.decode_fault(fault.kind());
        self.span.in_scope(|| log::malformed(fault));
    }

    fn end(&mut self, reason: &'static str) {
        let Some(current) = self.current.take() else { return };
        self.span.record("bitmart.reason", reason);
        if let Some(opened) = current.opened {
            self.span.record("bitmart.open_ms", words::millis(opened.elapsed()));
            self.meters.closed(reason);
        } else {
            self.meters.attempted(reason);
        }
        self.span = Span::none();
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.end("shut_down");
    }
}
